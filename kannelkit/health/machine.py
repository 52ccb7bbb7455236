"""Checks of what the gateway stands on: disks, logs, certificates, the clock; pure."""

from __future__ import annotations

from collections.abc import Iterator

from kannelkit.health.bounds import Bounds, said
from kannelkit.health.observed import Observed
from kannelkit.health.values import Check, Figure

_DAY = 86_400.0


def certificates(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """How long each account's certificate is valid, and whether Kannel can use it."""
    for each in seen.certificates:
        show = f"kannelkit cert show {each.path} tells what is in it"
        if each.expires is None:
            words = f"{each.account}: {each.path} cannot be used: {'; '.join(each.problems)}"
            yield said("certificates", "critical", words, show, account=each.account)
            continue
        left = each.expires - seen.at
        days = left / _DAY
        status = "critical" if left <= 0 else bounds.status("certificate-days", days)
        ends = f"expired {-days:.0f} days ago" if left <= 0 else f"expires in {days:.0f} days"
        words = f"{each.account}: its certificate {ends}"
        if each.problems:
            status, words = "critical", f"{words}, and cannot be used: {'; '.join(each.problems)}"
        warning, critical = bounds.thresholds["certificate-days"]
        figure = Figure(
            f"{each.account} certificate",
            round(left),
            "s",
            None if warning is None else warning * _DAY,
            None if critical is None else critical * _DAY,
        )
        yield said("certificates", status, words, account=each.account, figures=(figure,))


def disk(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """Space and inodes, folder by folder; one for each file system."""
    for place in seen.places:
        where = f"{place.path} ({place.what})"
        if place.trouble or place.share is None:
            yield said("disk", "critical", f"{where}: {place.trouble}", "make the folder again, for the gateway's user")
            continue
        inodes = 1.0 if place.inodes is None else place.inodes
        percent = 100 * min(place.share, inodes)
        few = "inodes" if inodes < place.share else "space"
        free = f", {place.free / 1e6:.0f} MB" if place.free is not None and few == "space" else ""
        words = f"{where}: {percent:.0f} % of its {few} free{free}"
        figure = bounds.figure(f"{place.path} free", "disk-percent", round(percent, 1), "%")
        yield said("disk", bounds.status("disk-percent", percent), words, figures=(figure,))


def logs(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """Whether each log is where somebody reads it."""
    gone = [log for log in seen.logs if not log.there]
    if not seen.logs:
        return
    if not gone:
        yield said("logs", "ok", f"{len(seen.logs)} logs are where they should be")
    for log in gone:
        why = log.trouble or "is gone"
        read = ": refusals cannot be learnt from it" if log.followed else ""
        yield said("logs", "critical" if log.followed else "warning", f"{log.path} {why}{read}")


def clock(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """Whether somebody set the clock since the last look."""
    if seen.clock_set is None:
        return
    seconds = abs(seen.clock_set)
    if not seconds >= 1:
        yield said("clock", "ok", "the clock runs evenly")
        return
    way = "forward" if seen.clock_set > 0 else "back"
    status = bounds.status("clock-seconds", seconds)
    yield said("clock", status, f"the clock was set {way} by {seconds:.0f} s since the last look")


def clock_set(before: tuple[float, float], now: tuple[float, float]) -> float:
    """Return by how many seconds the wall clock was set, from two pairs of wall time and time since the boot."""
    return (now[0] - before[0]) - (now[1] - before[1])
