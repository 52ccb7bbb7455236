"""Checks of what the gateway stands on: disks, logs, certificates, the clock; pure."""

from __future__ import annotations

from collections.abc import Iterator

from kannelkit.health.bounds import Bounds, said
from kannelkit.health.observed import Observed
from kannelkit.health.values import Check, Figure

_DAY = 86_400.0
_RIGHTS = "run as the user that runs the gateway, or as root"


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
        if place.hidden:
            yield said("disk", "unknown", f"{where}: {place.trouble}", _RIGHTS, link=str(place.path))
            continue
        if place.trouble or place.share is None:
            advice = "make the folder again, for the gateway's user"
            yield said("disk", "critical", f"{where}: {place.trouble}", advice, link=str(place.path))
            continue
        inodes = 1.0 if place.inodes is None else place.inodes
        percent = 100 * min(place.share, inodes)
        few = "inodes" if inodes < place.share else "space"
        free = f", {place.free / 1e6:.0f} MB" if place.free is not None and few == "space" else ""
        words = f"{where}: {percent:.0f} % of its {few} free{free}"
        figure = bounds.figure(f"{place.path} free", "disk-percent", round(percent, 1), "%")
        status = bounds.status("disk-percent", percent)
        yield said("disk", status, words, link=str(place.path), figures=(figure,))


def logs(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """Whether each log is where somebody reads it."""
    if not seen.logs:
        return
    hidden = [log for log in seen.logs if log.there is None]
    if hidden:
        yield said("logs", "unknown", f"{hidden[0].path}: {hidden[0].trouble}", _RIGHTS)
        return
    gone = [log for log in seen.logs if not log.there]
    followed = [log for log in gone if log.followed]
    if not gone:
        yield said("logs", "ok", f"logs are where they should be ({len(seen.logs)})")
        return
    first, *others = followed or gone
    words = f"{first.path} {first.trouble or 'is gone'}" + (f", and {len(others)} more" if others else "")
    if followed:
        yield said("logs", "critical", f"{words}: refusals cannot be learnt")
    else:
        yield said("logs", "warning", words)


def unseen(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """Whether everything could be looked at."""
    if seen.unseen:
        yield said("sources", "unknown", f"could not be looked at: {'; '.join(seen.unseen)}")
    else:
        yield said("sources", "ok", "everything could be looked at")


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
