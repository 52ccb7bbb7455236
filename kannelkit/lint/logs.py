"""Rules about logs and about the folders that must be there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatch

from kannelkit.lint.facts import Rotation
from kannelkit.lint.rule import Found, rule
from kannelkit.lint.subject import Group, Subject

_SLOTS = 128  # MAX_LOGFILES, gwlib/log.c
_OURS = ("log-file", "access-log")


@rule("W260")
def too_many_logs(subject: Subject) -> Iterator[Found]:
    """Each link with a log of its own takes a slot, for bearerbox's whole life."""
    own = [link for link in subject.links if link.group.text("log-file")]
    # a spec's account has its standby links beside it
    slots = sum(link.count for link in own) + 1 + bool(subject.core.text("log-file"))
    if slots > _SLOTS:
        yield Found(
            own[-1].group.at("log-file"),
            f"{slots} log files where bearerbox has {_SLOTS} slots: the lines of the last links go to the main log",
        )


def _logs(subject: Subject) -> Iterator[tuple[Group, str, str]]:
    for group in subject.groups:
        for directive in _OURS:
            path = group.text(directive)
            if path and path.startswith("/"):
                yield group, directive, os.path.normpath(path)


@rule("W261")
def nowhere_to_log(subject: Subject) -> Iterator[Found]:
    """A log that cannot be written is left out, and the gateway runs blind."""
    for group, directive, path in _logs(subject):
        seen = subject.seen(path)
        if seen is None or (subject.kind == "spec" and not seen.is_there):
            continue  # `up` makes the folders of a spec
        if not seen.is_there and not seen.folder_there:
            yield Found(group.at(directive), f"there is no folder for {path}: the box runs without this log")
        elif seen.is_folder:
            yield Found(group.at(directive), f"{path} is a folder: the box runs without this log")
        elif not seen.writable:
            yield Found(group.at(directive), f"{path} cannot be written: the box runs without this log")


def _stores(core: Group) -> Iterator[tuple[str, bool]]:
    """Yield the directives that say where messages and receipts are kept, and whether each is a folder's."""
    if core.text("store-file"):
        yield "store-file", False
    elif core.text("store-type") in (None, "file", "spool"):
        yield "store-location", core.text("store-type") == "spool"
    if core.text("dlr-storage") == "spool":
        yield "dlr-spool", True


@rule("E160")
def nowhere_to_store(subject: Subject) -> Iterator[Found]:
    """bearerbox does not start, or loses what it cannot write."""
    core = subject.core
    for directive, is_folder in _stores(core):
        path = core.text(directive) or ""
        seen = subject.seen(path) if path.startswith("/") else None
        if seen is None or (subject.kind == "spec" and not seen.is_there):
            continue  # `up` makes the folders of a spec
        end = "bearerbox panics over it" if (directive, is_folder) == ("store-location", True) else "nothing is kept"
        if is_folder and not seen.is_folder:
            what = "is no folder" if seen.is_there else "is not there"
            yield Found(
                core.at(directive),
                f"{directive} {path} {what}: {end}",
                f"make it, and give it to the user that runs Kannel: mkdir -p {path}",
            )
        elif not is_folder and seen.is_folder:
            yield Found(core.at(directive), f"{directive} {path} is a folder: {end}")
        elif not is_folder and not (seen.is_there or seen.folder_there):
            yield Found(core.at(directive), f"there is no folder for {directive} {path}: {end}")
        elif not seen.writable:
            yield Found(core.at(directive), f"{directive} {path} cannot be written: nothing is kept")


def rotations(subject: Subject) -> Iterator[tuple[Rotation, Group, str, str]]:
    """Yield each of logrotate's blocks that is about one of the logs, once, with the first log it is about."""
    for rotation in subject.facts.rotations if subject.facts else ():
        for group, directive, path in _logs(subject):
            if any(fnmatch(path, pattern) for pattern in rotation.patterns):
                yield rotation, group, directive, path
                break


@rule("W262")
def copied_and_cut(subject: Subject) -> Iterator[Found]:
    """copytruncate, where Kannel can open its logs anew."""
    for rotation, group, directive, path in rotations(subject):
        if rotation.copytruncate:
            yield Found(
                group.at(directive),
                f"{rotation.file}:{rotation.line} rotates {path} with copytruncate: what is written between the copy "
                "and the cut is lost",
            )


@rule("W263")
def rotated_by_reload(subject: Subject) -> Iterator[Found]:
    """SIGHUP reads the whole configuration anew."""
    for rotation, group, directive, path in rotations(subject):
        if rotation.hangs_up and not rotation.copytruncate:
            yield Found(
                group.at(directive),
                f"{rotation.file}:{rotation.line} rotates {path} with SIGHUP, at which bearerbox reads its "
                "configuration anew: a file that is half edited that night is an outage",
            )


@rule("I320")
def no_access_log(subject: Subject) -> Iterator[Found]:
    """Nobody can say afterwards what became of a message."""
    if any(subject.live()) and subject.has("core") and not subject.core.text("access-log"):
        yield Found(subject.core.at("access-log"), "no access-log: nothing says afterwards what became of a message")


@rule("I321")
def never_rotated(subject: Subject) -> Iterator[Found]:
    """A log that grows until the disk is full."""
    if subject.facts is None or not subject.facts.rotations:
        return
    patterns = [pattern for rotation in subject.facts.rotations for pattern in rotation.patterns]
    for group, directive, path in _logs(subject):
        if group.values[directive].origin == "written" and not any(fnmatch(path, pattern) for pattern in patterns):
            yield Found(group.at(directive), f"logrotate knows nothing of {path}: it grows until the disk is full")
            return
