"""What the boxes stand on: ports, rights, disk, limits, the clock; judged from what was seen, pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kannelkit.doctor.values import Result, counted
from kannelkit.spec.model import Threshold


@dataclass(frozen=True, slots=True)
class Port:
    """A port that is to be listened on: who holds it, "" for nobody; `trouble` where it cannot be had at all.

    `ours` is whether the holder is the gateway itself.
    """

    directive: str
    port: int
    holder: str = ""
    ours: bool = False
    trouble: str = ""
    hint: str = ""


def ports(seen: Sequence[Port]) -> Iterator[Result]:
    """Yield what is to be said of the ports."""
    for each in seen:
        name = f"{each.directive} {each.port}"
        if each.trouble:
            yield Result("ports", "failed", f"{name}: {each.trouble}", each.hint)
        elif each.holder and not each.ours:
            advice = f"stop that program, or set another {each.directive} in the spec"
            yield Result("ports", "failed", f"{name} is held by {each.holder}", advice)
    for words, those in (
        ("free", [each for each in seen if not each.holder and not each.trouble]),
        ("the gateway's own boxes listen", [each for each in seen if each.ours]),
    ):
        if those:
            listed = ", ".join(f"{each.directive} {each.port}" for each in those)
            yield Result("ports", "ok", f"{listed}: {words}")


Need = Literal["write", "read"]


@dataclass(frozen=True, slots=True)
class Access:
    """A file or folder, and whether the boxes' user may do there what they `need`; a folder is also written in.

    Where the path is not `there`, `at` is what is there above it, in which it is to be made; `makes` is whether
    kannelkit does that: Kannel makes no folder. `owner` and `mode` are those of `at`.
    """

    path: Path
    what: str
    need: Need
    allowed: bool
    at: Path
    owner: str = ""
    mode: int = 0
    there: bool = True
    makes: bool = True


def rights(seen: Iterable[Access], user: str, how_known: str) -> Iterator[Result]:
    """Yield what is to be said of the rights of `user`, whom the boxes run as; `how_known` says why that is known."""
    fine, made = 0, 0
    for each in seen:
        if each.allowed:
            fine, made = fine + 1, made + (not each.there)
            continue
        if not each.there:
            words, advice = f"{each.path} ({each.what}) is not there", "kannelkit generate SPEC -o FILE writes it"
            if each.need == "write":
                may_not = f"{user} may not make it: {each.at} is {each.owner}'s, mode {each.mode:04o}"
                words += f", and {may_not if each.makes else 'Kannel makes no folder'}"
                advice = f"install -d -o {user} {each.path}"
            yield Result("rights", "failed", words, advice)
            continue
        verb = "written" if each.need == "write" else "read"
        words = f"{each.path} ({each.what}) cannot be {verb} by {user}: it is {each.owner}'s, mode {each.mode:04o}"
        advice = f"chown {user} {each.path}" if each.need == "write" else f"let {user} read it: owner, group or mode"
        yield Result("rights", "failed", words, advice)
    if fine:
        later = f" ({made} of them when they are made)" if made else ""
        advice = "root may do everything: where the boxes run as another user, try it as that one" * (user == "root")
        yield Result("rights", "ok", f"{user}, {how_known}, may use {counted(fine, 'path')}{later}", advice)


@dataclass(frozen=True, slots=True)
class Space:
    """A file system: free octets, and the free share of its space and inodes, 0 to 1; None where it has none."""

    path: Path
    what: str
    free: int = 0
    share: float = 1.0
    inodes: float | None = None
    read_only: bool = False
    trouble: str = ""


def disk(seen: Sequence[Space], bounds: Threshold) -> Iterator[Result]:
    """Yield what is to be said of each file system; `bounds` are percent, the smaller the worse."""
    for each in seen:
        where = f"{each.path} ({each.what})"
        if each.trouble:
            yield Result("disk", "failed", f"{where}: {each.trouble}", "look at the folder and its file system")
            continue
        if each.read_only:
            yield Result("disk", "failed", f"{where} is on a file system that is read-only", "mount it to be written")
            continue
        inodes = 1.0 if each.inodes is None else each.inodes
        percent = 100 * min(each.share, inodes)
        words = f"{where}: {percent:.0f} % of its {'inodes' if inodes < each.share else 'space'} free"
        if inodes >= each.share:
            words += f", {each.free / 1e9:.1f} GB" if each.free >= 1e9 else f", {each.free / 1e6:.0f} MB"
        advice = "make room: a full disk loses what bearerbox cannot store"
        if bounds.critical is not None and percent <= bounds.critical:
            yield Result("disk", "failed", words, advice)
        elif bounds.warning is not None and percent <= bounds.warning:
            yield Result("disk", "warning", words, advice)
        else:
            yield Result("disk", "ok", words)


# beside its links a box has open: logs, stores, and a connection for each request that it takes or makes at once
_BESIDE_LINKS = 256


def limits(soft: int, hard: int, whose: str, links: int) -> Iterator[Result]:
    """Yield whether so many descriptors are enough for a bearerbox with so many links; below 0 is no limit."""
    most = "any number of" if soft < 0 else f"{soft:,}"
    words = f"{whose} may have {most} files and connections open, for {counted(links, 'link')}"
    needed = 2 * links + _BESIDE_LINKS  # a connection and a log each
    if soft < 0 or soft >= needed:
        yield Result("limits", "ok", words)
        return
    raised = f"ulimit -n {needed}" if 0 <= needed <= hard or hard < 0 else "raise the hard limit, too"
    advice = f"in a unit LimitNOFILE={needed}, in a shell {raised}, before the boxes start"
    yield Result("limits", "failed" if soft < links + 64 else "warning", words, advice)


# what SMS and certificates can do without; a kernel that follows NTP knows its own error to this and better
_MOST_ERROR_SECONDS = 5.0


def clock(synchronised: bool | None, error: float | None, ahead: float) -> Iterator[Result]:
    """Yield what is to be said of the clock: whether the kernel says that something keeps it right, its greatest
    error (seconds), and by how many seconds the newest file of the gateway is ahead of it.
    """
    if ahead > 1:
        yield Result(
            "clock",
            "failed",
            f"the clock is behind: the spec or kannelkit was written {ahead:,.0f} s after now",
            "set it, and have it kept: timedatectl set-ntp true",
        )
    elif synchronised is None:
        yield Result("clock", "skipped", "the kernel does not say whether the clock is kept right")
    elif synchronised and (error is None or error <= _MOST_ERROR_SECONDS):
        within = "" if error is None else f", to within {max(error, 0.001):.3g} s"
        yield Result("clock", "ok", f"kept right by NTP{within}")
    else:
        yield Result(
            "clock",
            "warning",
            "nothing keeps the clock right: times in receipts, logs and certificates may be wrong",
            "timedatectl set-ntp true, or install chrony",
        )
