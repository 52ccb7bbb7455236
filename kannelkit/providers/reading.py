"""A TOML text with profiles of providers to values; everything that is wrong in it is found, with its place."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kannelkit.conf import GROUPS, UnwritableError, written
from kannelkit.conf.values import fault
from kannelkit.findings import Finding, Place
from kannelkit.providers.profile import MOST_CONNECTIONS, DeclaredTlv, Fact, Flag, Grade, Limits, Profile, Setting

# What each part of a file may hold, and of that what it means nothing without.
_KEYS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "": (("brand", "setting", "flag", "tlv", "connections", "limits"), ("brand",)),
    "brand": (("name", "host", "backup-host", "other-hosts", "grade", "about"), ("name",)),
    "setting": (("directive", "value", "tls-value", "grade", "about"), ("directive", "value")),
    "flag": (("name", "instead", "charset", "grade", "about"), ("name",)),
    "tlv": (("name", "tag", "type", "length", "grade", "about"), ("name", "tag", "type", "length")),
    "connections": (("flag", "most", "grade", "about"), ()),
    "limits": (("throughput", "idle", "connections", "closes-older"), ()),
    "limit": (("value", "grade", "about"), ("value",)),
}
_LISTS = ("brand", "setting", "flag", "tlv")
_LARGEST_NUMBER = 0xFFFF  # of two octets: a TLV's tag, or its length
# What an account has of its own, and what kannelkit writes into each link.
_NOT_A_PROVIDERS = {
    "smsc-id": "each account has its own",
    "smsc-username": "each account has its own",
    "smsc-password": "each account has its own",
    "system-id": "each account has its own",
    "smsc-admin-id": "kannelkit writes it into each link",
    "dead-start": "kannelkit writes it into each link",
    "instances": "an account says connections",
    "log-file": "each account has its own",
}
# A profile's name is the name of an account that has no other, so that it goes where Kannel escapes nothing.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_AT = re.compile(r" \(at line (\d+), column (\d+)\)$")
_LARGEST = 1_000_000


def read_profiles(text: str, file: str, *, graded: bool) -> tuple[tuple[Profile, ...], tuple[Finding, ...]]:
    """Return the profiles in a text and everything that is wrong with it; with findings there are no profiles.

    `file` is its name in findings; `graded` says whether each fact has to have a grade, or is C without one.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = _AT.search(str(error))
        place = Place(file, int(at[1]), int(at[2])) if at else Place(file, text.count("\n") + 1, 1)
        words = _AT.sub("", str(error)).replace(" (at end of document)", "")
        hint = "texts stand in quotes; a table begins with [name], an entry of a list with [[name]]"
        return (), (Finding(place, "S320", f"this is no TOML: {words[:1].lower()}{words[1:]}", hint),)
    except (ValueError, RecursionError):  # a number of thousands of digits, or brackets in brackets without end
        return (), (Finding(Place(file), "S320", "this is no profile", "see docs/providers.md for what one holds"),)
    reading = _Reading(text, file, graded)
    profiles = reading.profiles(table)
    return (() if reading.findings else profiles), tuple(reading.findings)


@dataclass(slots=True)
class _Part:
    """One table of the file: its kind, its number among those of its kind, and its values.

    One that stands inside another has its `key` in `outer`.
    """

    kind: str
    number: int
    values: Mapping[str, Any]
    outer: _Part | None = None
    key: str = ""


@dataclass(slots=True)
class _Reading:
    text: str
    file: str
    graded: bool
    findings: list[Finding] = field(default_factory=list)

    def profiles(self, table: Mapping[str, Any]) -> tuple[Profile, ...]:
        whole = _Part("", 0, table)
        self._keys(whole)
        parts = {kind: self._list(whole, kind) for kind in _LISTS}
        settings = tuple(filter(None, map(self._setting, parts["setting"])))
        self._once(parts["setting"], "directive")
        flags = tuple(map(self._flag, parts["flag"]))
        tlvs = tuple(map(self._tlv, parts["tlv"]))
        self._once(parts["tlv"], "tag")
        self._once(parts["tlv"], "name")
        flag, most = self._connections(self._table(whole, "connections"))
        shared = Profile(
            name="",
            host="",
            backup_host="",
            other_hosts=(),
            settings=settings,
            connections_flag=flag,
            most_connections=most,
            flags=flags,
            limits=self._limits(self._table(whole, "limits")),
            tlvs=tlvs,
            file="" if self.graded else self.file,
        )
        self._once(parts["brand"], "name")
        return tuple(self._brand(part, shared) for part in parts["brand"])

    # -- parts -------------------------------------------------------------------------------------------------

    def _brand(self, part: _Part, shared: Profile) -> Profile:
        name = self._text(part, "name")
        if name and not _NAME.fullmatch(name):
            self._find(part, "name", "S323", f"the name {name!r} cannot name an account", _NAME_HINT)
        self._grade(part)
        hosts = part.values.get("other-hosts", [])
        if not isinstance(hosts, list) or not all(isinstance(host, str) for host in hosts):
            self._find(part, "other-hosts", "S323", "other-hosts is a list of texts", 'as in ["smpp.example.net"]')
            hosts = []
        host, backup_host = self._writable(part, "host"), self._writable(part, "backup-host")
        return replace(shared, name=name, host=host, backup_host=backup_host, other_hosts=tuple(hosts))

    def _setting(self, part: _Part) -> Setting | None:
        name = self._text(part, "directive")
        known = GROUPS["smsc"].directives
        if not name:
            return None
        if name not in known:
            hint = _near(name, known) or "one of those of Kannel's group smsc"
            self._find(part, "directive", "S323", f"no such directive: {name}", hint)
            return None
        if name in _NOT_A_PROVIDERS:
            hint = f"remove it: {_NOT_A_PROVIDERS[name]}"
            self._find(part, "directive", "S323", f"{name} is not a provider's to set", hint)
            return None
        tls = self._value(part, "tls-value", name) if "tls-value" in part.values else None
        return Setting(name, self._value(part, "value", name), tls, self._grade(part), self._text(part, "about"))

    def _flag(self, part: _Part) -> Flag:
        return Flag(
            name=self._text(part, "name"),
            instead=self._text(part, "instead"),
            grade=self._grade(part),
            about=self._text(part, "about"),
            charset=self._writable(part, "charset"),
        )

    def _tlv(self, part: _Part) -> DeclaredTlv:
        name, kind = self._text(part, "name"), self._text(part, "type")
        if name and not _NAME.fullmatch(name):
            self._find(part, "name", "S323", f"the name {name!r} cannot stand in meta data", _NAME_HINT)
        kinds = GROUPS["smpp-tlv"].directives["type"].one_of
        if kind and kind not in kinds:
            self._find(part, "type", "S323", f"no such type: {kind}", f"one of {', '.join(kinds)}")
        return DeclaredTlv(
            name=name,
            tag=self._number(part, "tag", 0, _LARGEST_NUMBER) if "tag" in part.values else 0,
            type=kind,
            length=self._number(part, "length", 1, _LARGEST_NUMBER) if "length" in part.values else 1,
            grade=self._grade(part),
            about=self._text(part, "about"),
        )

    def _value(self, part: _Part, key: str, name: str) -> str:
        directive = GROUPS["smsc"].directives[name]
        text = self._writable(part, key)
        problem = fault(directive, text) if isinstance(part.values.get(key), str) else None
        if problem is None and name == "smsc" and text != "smpp":
            problem = "is not smpp", "leave it out: a profile is for SMPP accounts"
        if problem is None and name == "throughput" and not (text.isascii() and text.isdigit() and int(text)):
            problem = "is no whole number of at least 1", "write SMS per second"
        if problem is None and directive.kind in ("file", "folder") and not text.startswith("/"):
            problem = f"is relative: {text!r}", "write the whole path"
        if problem is not None:
            self._find(part, key, "S323", f"{name} {problem[0]}", problem[1])
        return text

    def _connections(self, part: _Part | None) -> tuple[str, int]:
        if part is None:
            return "", MOST_CONNECTIONS
        self._grade(part)
        flag = self._writable(part, "flag")
        if flag and (flag.count("{n}") != 1 or set(flag.replace("{n}", "")) & set("{},")):
            hint = "as in MCON{n}, which is MCON2 for two"
            self._find(part, "flag", "S323", "flag has {n} once, where the number of connections stands", hint)
        most = self._number(part, "most", 1, MOST_CONNECTIONS) if "most" in part.values else MOST_CONNECTIONS
        return flag, most

    def _limits(self, part: _Part | None) -> Limits:
        if part is None:
            return Limits()
        facts = {
            key: _Part("limit", 0, value, part, key) for key, value in part.values.items() if isinstance(value, dict)
        }
        for key in [key for key in part.values if key in _KEYS["limits"][0] and key not in facts]:
            self._find(part, key, "S323", f"{key} is a table", 'as in {value = 30, grade = "A", about = "..."}')
        for fact in facts.values():
            self._keys(fact)
        closes = facts.get("closes-older")
        older: Fact[bool] | None = None
        if closes is not None and isinstance(closes.values.get("value", True), bool):
            older = Fact(closes.values.get("value", True), self._grade(closes), self._text(closes, "about"))
        elif closes is not None:
            self._find(closes, "value", "S323", "closes-older is neither true nor false", "write true or false")
        return Limits(
            throughput=self._fact(facts, "throughput"),
            idle=self._fact(facts, "idle"),
            connections=self._fact(facts, "connections"),
            closes_older=older,
        )

    def _fact(self, facts: Mapping[str, _Part], key: str) -> Fact[int] | None:
        fact = facts.get(key)
        if fact is None or "value" not in fact.values:
            return None
        value = fact.values["value"]
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _LARGEST:
            self._find(fact, "value", "S323", f"{key} is no whole number of at least 1", "write digits, without quotes")
            return None
        return Fact(value, self._grade(fact), self._text(fact, "about"))

    # -- values ------------------------------------------------------------------------------------------------

    def _list(self, whole: _Part, kind: str) -> Sequence[_Part]:
        rows = whole.values.get(kind, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            self._find(whole, kind, "S323", f"{kind} is a list of tables", f"begin each with [[{kind}]]")
            return ()
        parts = [_Part(kind, number, row) for number, row in enumerate(rows)]
        for part in parts:
            self._keys(part)
        return parts

    def _table(self, whole: _Part, kind: str) -> _Part | None:
        row = whole.values.get(kind)
        if row is not None and not isinstance(row, dict):
            self._find(whole, kind, "S323", f"{kind} is a table", f"begin it with [{kind}]")
        if not isinstance(row, dict):
            return None
        part = _Part(kind, 0, row)
        self._keys(part)
        return part

    def _keys(self, part: _Part) -> None:
        known, required = _KEYS[part.kind]
        where = f"limits.{part.key}" if part.key else part.kind or "a provider's file"
        for key in part.values:
            if key not in known:
                hint = _near(key, known) or f"remove it; there are {', '.join(known)}"
                self._find(part, key, "S322", f"{where} has no key {key!r}", hint)
        for key in required:
            if key not in part.values:
                self._find(part, "", "S321", f"{where} has no {key}", "write it")

    def _text(self, part: _Part, key: str) -> str:
        value = part.values.get(key, "")
        if isinstance(value, str):
            return value
        self._find(part, key, "S323", f"{key} is no text", "put it in quotes")
        return ""

    def _writable(self, part: _Part, key: str) -> str:
        text = self._text(part, key)
        try:
            written(text)
        except UnwritableError as error:
            self._find(part, key, "S323", f"{key} {error.reason}", error.hint)
            return ""
        return text

    def _number(self, part: _Part, key: str, least: int, most: int) -> int:
        value = part.values[key]
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            hint = "write digits, without quotes"
            self._find(part, key, "S323", f"{key} is no whole number from {least} to {most}", hint)
            return least
        return value

    def _grade(self, part: _Part) -> Grade:
        grade = part.values.get("grade", "" if self.graded else "C")
        for known in ("A", "B", "C"):
            if grade == known:
                return known
        if "grade" not in part.values:
            self._find(part, "", "S321", "a fact without a grade", "write A, B or C")
        else:
            self._find(part, "grade", "S323", f"no such grade: {grade}", "write A, B or C")
        return "C"

    def _once(self, parts: Sequence[_Part], key: str) -> None:
        seen: set[str | int] = set()
        for part in parts:
            name = part.values.get(key)
            if isinstance(name, str | int) and name in seen:
                self._find(part, key, "S324", f"{key} {name} is there already", "keep one of them")
            elif isinstance(name, str | int):
                seen.add(name)

    def _find(self, part: _Part, key: str, rule: str, message: str, hint: str) -> None:
        self.findings.append(Finding(self._place(part, key), rule, message, hint))

    def _place(self, part: _Part, key: str) -> Place:
        """Return the line of a key: TOML is read without places, so it is looked for where such files have it."""
        if part.outer is not None:
            return self._place(part.outer, part.key)
        heading = f"[[{part.kind}]]" if part.kind in _LISTS else f"[{part.kind}]"
        seen, here, line_of_part = -1, not part.kind, 0
        for number, line in enumerate(self.text.split("\n"), start=1):
            bare = line.partition("#")[0].strip()
            if bare.startswith("["):
                seen += bare == heading
                here = bare == heading and seen == part.number
                if here:
                    line_of_part = number
                if not part.kind and bare.strip("[] ") == key:
                    return Place(self.file, number, line.index("[") + 1)
            elif here and key and re.match(rf"[\"']?{re.escape(key)}[\"']?\s*[.=]", bare):
                return Place(self.file, number, len(line) - len(line.lstrip()) + 1)
        return Place(self.file, line_of_part, 1 if line_of_part else 0)


_NAME_HINT = "use letters of the Latin alphabet, digits, full stops, hyphens and underscores"


def _near(key: str, known: Sequence[str] | Mapping[str, object]) -> str:
    import difflib  # only for a file that is wrong

    near = difflib.get_close_matches(key, list(known), n=1, cutoff=0.7)
    return f"did you mean {near[0]}?" if near else ""
