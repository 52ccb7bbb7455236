"""What rules look at: one form for a spec and for a kannel.conf, so that each rule is written once."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from kannelkit.conf import GROUPS, ReadGroup, in_force
from kannelkit.conf.lines import Kind as LineKind
from kannelkit.conf.lines import Line
from kannelkit.conf.values import TRUE
from kannelkit.conf.write import BLANKS
from kannelkit.findings import Place
from kannelkit.lint.facts import Facts, Seen
from kannelkit.providers import PROFILES, Profile
from kannelkit.spec import Spec, model
from kannelkit.spec.numbers import per_second, whole

Kind = Literal["spec", "conf"]
# unknown: a secret that is not at hand
Origin = Literal["written", "provider", "default", "made", "unknown"]
Role = Literal["primary", "backup", "park"]

# Stands for a secret that is not at hand; short enough for every directive. No rule is asked about it.
UNKNOWN = "?secret?"
_LONGEST = 40  # characters of a number that anybody means
_PARKING = ("127.0.0.1", "localhost", "::1")


class Value(NamedTuple):
    """A directive's value, where it stands and where it comes from."""

    text: str
    place: Place
    origin: Origin


@dataclass(frozen=True, slots=True)
class Group:
    """One group as Kannel will read it: its values by directive."""

    name: str
    place: Place
    values: Mapping[str, Value]

    def __contains__(self, directive: str) -> bool:
        return directive in self.values

    def text(self, directive: str) -> str | None:
        """Return the value, or nothing where there is none or it is not known."""
        value = self.values.get(directive)
        return None if value is None or value.origin == "unknown" else value.text

    def number(self, directive: str, default: int) -> int:
        """Return the value as the whole number that Kannel reads, or the default."""
        number = whole((self.text(directive) or "")[:_LONGEST])
        return default if number is None else number

    def on(self, directive: str) -> bool:
        """Return whether the value is true; nothing written is false."""
        return (self.text(directive) or "").lower() in TRUE

    def at(self, directive: str) -> Place:
        """Return where the value stands, or where the group does."""
        value = self.values.get(directive)
        return self.place if value is None else value.place

    def entries(self, directive: str, separator: str = ";") -> tuple[str, ...]:
        """Return the entries of a list, as Kannel splits it: without taking blanks away."""
        text = self.text(directive)
        return tuple(text.split(separator)) if text else ()


@dataclass(frozen=True, slots=True)
class Link:
    """A group smsc, and `count` binds that it stands for: an account's connections, or a group's instances.

    `per_second` is the limit over all these binds, or nothing. A spec's account has its standby and parking links
    beside it, made by kannelkit, which are left out here: `parked` says so; `relayed` that the relay paces it.
    """

    group: Group
    kind: str
    smsc_id: str
    role: Role
    count: int
    per_second: float | None
    profile: Profile | None
    parked: bool
    relayed: bool = False

    @property
    def login(self) -> tuple[str, int, str]:
        """Host, port and user name: what a provider tells accounts by."""
        port = self.group.number("port", 0) or self.group.number("receive-port", 0)
        user = self.group.text("smsc-username") or self.group.text("system-id") or ""
        return (self.group.text("host") or "").lower(), port, user

    @property
    def bind(self) -> Literal["transceiver", "transmitter", "receiver"]:
        """How an SMPP link binds (smsc_smpp_create in gw/smsc/smsc_smpp.c)."""
        if self.group.number("port", 0) == 0 and self.group.number("receive-port", 0) != 0:
            return "receiver"
        return "transceiver" if self.group.on("transceiver-mode") else "transmitter"


@dataclass(frozen=True, slots=True)
class Overruled:
    """A directive that is written again further down in the same group, which then counts alone."""

    group: str
    directive: str
    place: Place
    by: Place


@dataclass(frozen=True, slots=True)
class Raw:
    """A value of a kannel.conf with a quote or a # in it, as it is written."""

    directive: str
    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Backslash:
    """A backslash at a line's end: of a comment that takes a line that counts with it, or before blanks."""

    of: Literal["comment", "blanks"]
    place: Place
    swallowed: int = 0  # the number of the line that the comment takes with it


@dataclass(frozen=True, slots=True)
class Subject:
    """A configuration to look at; `file` is its name in findings.

    `elsewhere` says of each secret that does not stand in a spec itself which file it is read from, "" for none.
    `facts` is what was seen of the outside, nothing where nobody looked.
    """

    kind: Kind
    file: str
    groups: tuple[Group, ...]
    links: tuple[Link, ...]
    overruled: tuple[Overruled, ...] = ()
    raw: tuple[Raw, ...] = ()
    backslashes: tuple[Backslash, ...] = ()
    elsewhere: Mapping[Place, str] = field(default_factory=dict)
    facts: Facts | None = field(default=None, compare=False)

    def single(self, name: str) -> Group | None:
        """Return the group of that name that counts: the last one."""
        return next((group for group in reversed(self.groups) if group.name == name), None)

    def has(self, name: str) -> bool:
        """Return whether there is a group of that name."""
        return self.single(name) is not None

    def all(self, *names: str) -> Iterator[Group]:
        """Yield the groups of these names, in order."""
        return (group for group in self.groups if group.name in names)

    @property
    def core(self) -> Group:
        """Group core; an empty one where there is none."""
        return self.single("core") or Group("core", Place(self.file), {})

    def live(self, kind: str = "") -> Iterator[Link]:
        """Yield the links that carry messages from the start, of one kind if it is named; none stands by or parks."""
        return (link for link in self.links if link.role == "primary" and kind in ("", link.kind))

    def paths(self) -> frozenset[str]:
        """Return every absolute path that the rules may ask about."""
        found = {os.path.abspath(group.place.file) for group in self.groups}
        found |= {os.path.abspath(value.place.file) for group in self.groups for value in group.values.values()}
        found |= {path for path in self.elsewhere.values() if path}
        for group in self.groups:
            known = GROUPS[group.name].directives if group.name in GROUPS else {}
            for name, value in group.values.items():
                if name in known and known[name].kind in ("file", "folder") and value.text.startswith("/"):
                    found.add(os.path.normpath(value.text))
        return frozenset(found)

    def seen(self, path: str) -> Seen | None:
        """Return what was seen at the absolute path, nothing where nobody looked."""
        return self.facts.files.get(os.path.normpath(path)) if self.facts else None


def of_conf(groups: Iterable[ReadGroup], file: str, lines: Iterable[Line] = ()) -> Subject:
    """Return the subject that the groups of a kannel.conf are, in the order of the file; `lines` are all its lines.

    What Kannel forgets, the first of two groups core for instance, is only among `overruled` and `raw`.
    """
    read = tuple(groups)
    ours = tuple(Group(group.name, group.place, _values(group)) for group in in_force(read))
    return Subject(
        kind="conf",
        file=file,
        groups=ours,
        links=tuple(_conf_link(group) for group in ours if group.name == "smsc"),
        overruled=tuple(_overruled(read)),
        raw=tuple(_raw(read)),
        backslashes=tuple(_backslashes(lines)),
    )


def _values(group: ReadGroup) -> dict[str, Value]:
    places = group.value_places or group.places
    return {name: Value(text, places[name], "written") for name, text in group.values.items() if name != "group"}


def _conf_link(group: Group) -> Link:
    kind = group.text("smsc") or ""
    host = (group.text("host") or "").lower()
    role: Role = "primary"
    if kind == "smpp" and host in _PARKING and group.number("port", 0) == 1:
        role = "park"
    elif group.on("dead-start"):
        role = "backup"
    count = max(group.number("instances", 1), 0)
    limit = per_second((group.text("throughput") or "")[:_LONGEST])
    return Link(
        group=group,
        kind=kind,
        smsc_id=group.text("smsc-id") or "",
        role=role,
        count=count,
        per_second=None if limit is None else limit * count,
        profile=_profile_of(host),
        parked=False,
    )


def _profile_of(host: str) -> Profile | None:
    return next((each for each in PROFILES.values() if host and host in each.hosts), None)


def _overruled(groups: Iterable[ReadGroup]) -> Iterator[Overruled]:
    for group in groups:
        last = {at.name: at for at in group.lines}
        for at in group.lines:
            if last[at.name] is not at:
                yield Overruled(group.name, at.name, at.place, last[at.name].place)


def _raw(groups: Iterable[ReadGroup]) -> Iterator[Raw]:
    for group in groups:
        for at in group.lines:
            if not ("#" in at.raw or '"' in at.raw):
                continue  # no rule about how a value is written has anything to say
            joined = at.joined()
            yield Raw(at.name, joined[at.value_index() :].strip(), at.value_place)


def _backslashes(lines: Iterable[Line]) -> Iterator[Backslash]:
    is_open = False  # whether a blank line would end a group
    for at in lines:
        if "\\" in at.raw:
            first, *more = at.raw.split("\n")
            if at.kind is LineKind.COMMENT:
                for number, line in enumerate(more, at.number + 1):
                    bare = line.strip(BLANKS)
                    if ("=" in bare and not bare.startswith("#")) or (not bare and is_open):
                        yield Backslash("comment", Place(at.file, number - 1, 1), number)
                        break
            elif at.kind is not LineKind.BLANK:
                last = more[-1] if more else first
                if (bare := last.rstrip(BLANKS)) != last and bare.endswith("\\"):
                    yield Backslash("blanks", Place(at.file, at.number + len(more), len(bare)))
        if at.kind is not LineKind.COMMENT:
            is_open = at.kind is not LineKind.BLANK


# How a secret that stands elsewhere begins: {file: PATH}, or the same over two lines.
_ELSEWHERE = re.compile(r"\{?[ ]*(?:env|file)[ ]*:[ ]*(['\"]?)([^'\"}]*)\1")
_FILE = re.compile(r"\{?[ ]*file\b")


def of_spec(spec: Spec, file: str, text: str) -> Subject:
    """Return the subject that a spec with this text is; its accounts are links with as many binds as connections."""
    links = []
    for account in spec.smpp_accounts:
        group = _spec_group(account.group)
        links.append(
            Link(
                group=group,
                kind="smpp",
                smsc_id=account.smsc_id,
                role="primary",
                count=account.connections,
                per_second=account.ceiling,
                profile=account.profile or _profile_of(account.host),
                parked=True,
                relayed=account.relayed is not None,
            )
        )
    links += [_conf_link(_spec_group(group)) for group in spec.other_smscs]
    singles = [group for group in (spec.core, spec.smsbox) if group.there]
    rest = [*singles, *spec.sms_services, *spec.sendsms_users, *spec.others]
    groups = (*(_spec_group(group) for group in rest), *(link.group for link in links))
    return Subject(
        kind="spec",
        file=file,
        groups=groups,
        links=tuple(links),
        elsewhere=dict(_elsewhere(groups, text.split("\n"), str(spec.path.parent))),
    )


def _elsewhere(groups: Iterable[Group], lines: list[str], folder: str) -> Iterator[tuple[Place, str]]:
    for group in groups:
        for value in group.values.values():
            if value.origin in ("written", "unknown") and 0 < value.place.line <= len(lines):
                rest = lines[value.place.line - 1][max(value.place.column - 1, 0) :]
                if found := _ELSEWHERE.match(rest):
                    path = os.path.normpath(os.path.join(folder, found[2].strip())) if _FILE.match(rest) else ""
                    yield value.place, path


def _spec_group(group: model.Group) -> Group:
    values = {
        name: Value(value.text, value.place, "unknown" if value.text == UNKNOWN else value.origin)
        for name, value in group.values.items()
    }
    return Group(group.name, group.place, values)


def secret(group: str, directive: str) -> bool:
    """Return whether a value of this directive is never to be shown."""
    known = GROUPS.get(group)
    return known is not None and directive in known.directives and known.directives[directive].secret
