"""Kannel's programs as they tell of themselves, against what a spec needs of them; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from kannelkit.conf.values import TRUE
from kannelkit.doctor.values import Result
from kannelkit.spec import Spec

# the version whose logs, status and directives kannelkit's tables are about
TRIED = "1.4.5"
_INSTALL = "Debian and Ubuntu: apt-get install kannel"
_VERSION = re.compile(r"^Kannel \S{1,20} version `([^'\n]{1,40})'", re.MULTILINE)
# how a build tells what it was built with (version_report_string in gwlib/utils.c): name for people, pattern, storages
_PARTS: Mapping[str, tuple[re.Pattern[str], tuple[str, ...]]] = MappingProxyType(
    {
        name: (re.compile(pattern, re.MULTILINE), storages)
        for name, pattern, storages in (
            ("TLS", r"^Using (?:WTLS library )?((?:Open|Libre|Boring)SSL \S+)", ()),
            ("MySQL", r"^Compiled with MySQL\b", ("mysql",)),
            ("PostgreSQL", r"^Compiled with PostgreSQL\b", ("pgsql",)),
            ("SQLite", r"^Using SQLite\b", ("sqlite3",)),
            ("redis", r"^Using hiredis\b", ("redis",)),
            ("LibSDB", r"^Using LibSDB\b", ("sdb",)),
            ("Oracle", r"^Using Oracle\b", ("oracle",)),
        )
    }
)
# what needs nothing, and what a build says nothing about
_ALWAYS = frozenset({"internal", "spool", "file"})
_UNTOLD = frozenset({"mssql", "cassandra"})


@dataclass(frozen=True, slots=True)
class Program:
    """One of Kannel's programs: what `--version` printed, or why it did not."""

    name: str
    path: str = ""
    said: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Build:
    """What a program was built with; `tls` is the library's name and version, "" without TLS."""

    version: str
    tls: str = ""
    parts: tuple[str, ...] = ()
    storages: frozenset[str] = field(default_factory=frozenset)


def build(said: str) -> Build | None:
    """Return what `bearerbox --version` tells; None where it is no such text."""
    version = _VERSION.search(said)
    if version is None:
        return None
    found = {name: match for name, (pattern, _) in _PARTS.items() if (match := pattern.search(said))}
    return Build(
        version[1],
        found["TLS"][1] if "TLS" in found else "",
        tuple(name for name in found if name != "TLS"),
        frozenset(storage for name in found for storage in _PARTS[name][1]),
    )


def judged(programs: tuple[Program, ...], spec: Spec | None) -> Iterator[Result]:
    """Yield what is to be said of bearerbox, the first of the programs, and the others."""
    builds = {program.name: build(program.said) for program in programs}
    for program in programs:
        if program.trouble:
            yield Result("kannel", "failed", f"{program.name}: {program.trouble}", _INSTALL)
        elif builds[program.name] is None:
            yield Result(
                "kannel",
                "failed",
                f"{program.path} --version does not say that it is Kannel",
                f"is another program of that name before it on the PATH? {_INSTALL}",
            )
    bearerbox = builds.get("bearerbox")
    if bearerbox is None:
        return
    path = next(program.path for program in programs if program.name == "bearerbox")
    with_ = ", ".join(part for part in (bearerbox.tls or "no TLS", *bearerbox.parts) if part)
    summary = f"Kannel {bearerbox.version} with {with_} ({path})"
    if bearerbox.version == TRIED:
        yield Result("kannel", "ok", summary)
    else:
        yield Result(
            "kannel",
            "warning",
            summary,
            f"kannelkit is tried with {TRIED}: another version may log and answer otherwise",
        )
    for program in programs:
        other = builds[program.name]
        if other is not None and other.version != bearerbox.version:
            yield Result(
                "kannel",
                "failed",
                f"{program.name} is of version {other.version}, bearerbox of {bearerbox.version}",
                "install both from the same package",
            )
    if spec is not None:
        yield from _needed(spec, bearerbox)


def _needed(spec: Spec, build: Build) -> Iterator[Result]:
    encrypted = [
        account.smsc_id for account in spec.smpp_accounts if (account.group.get("use-ssl") or "").lower() in TRUE
    ]
    if encrypted and not build.tls:
        yield Result(
            "kannel",
            "failed",
            f"this build knows no TLS, and use-ssl is on for {', '.join(encrypted[:3])}",
            "install Debian's package, or build Kannel with --enable-ssl",
            account=encrypted[0],
        )
    for directive in ("dlr-storage", "store-type"):
        storage = spec.core.get(directive)
        if storage is None or storage in _ALWAYS or storage in build.storages:
            continue
        if storage in _UNTOLD:
            yield Result(
                "kannel",
                "warning",
                f"{directive} is {storage}, and no Kannel says whether it was built with that",
                "the first start shows it: bearerbox panics without",
            )
        else:
            yield Result(
                "kannel",
                "failed",
                f"{directive} is {storage}, which this build does not have: bearerbox panics",
                f"set {directive}: spool, or install a Kannel that was built with it",
            )
