"""Groups to the text of a spec, line by line, each line with the place in the kannel.conf that it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from kannelkit.conf import GROUPS, Directive, ReadGroup
from kannelkit.findings import Place
from kannelkit.importing import emit
from kannelkit.importing.accounts import Entry
from kannelkit.importing.original import Original
from kannelkit.spec.secrets import MOST_OCTETS

# The order in which a person reads a gateway; what is not named here follows in Kannel's own order.
_FIRST = ("core", "smsbox", "sendsms-user", "smsc", "sms-service")
_WIDTH = 100  # of a line with a list on it
_LINE_NUMBER = re.compile(", in line [0-9]+")  # which the next change of the spec would make a wrong one
_NO_FILE_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(slots=True)
class SpecLine:
    """One line of the spec: what it says, where that was said before, and the findings it is to be read with."""

    text: str
    place: Place | None = None
    ignored: dict[str, list[str]] = field(default_factory=dict)  # rule -> what is wrong, in words

    def __str__(self) -> str:
        if not self.ignored:
            return self.text
        words = emit.comment("; ".join(chain.from_iterable(self.ignored.values())))
        words = _LINE_NUMBER.sub("", words)
        return f"{self.text}  # kannelkit: ignore {', '.join(self.ignored)} - {words}"


@dataclass(slots=True)
class SpecText:
    """A spec on its way to be written: its lines, and the secrets that are to be in files of their own, by name.

    `holds_secrets` says that there are others in the lines.
    """

    lines: list[SpecLine] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    holds_secrets: bool = False

    def __str__(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)

    def remark(self, heading: str, notes: Sequence[str]) -> None:
        """Add the notes as a comment at the end, where there are any."""
        if notes:
            self.lines += [SpecLine(""), SpecLine(f"# {heading}")]
            self.lines += [SpecLine(f"#   {emit.comment(note)}") for note in notes]


def spec_text(original: Original, entries: Sequence[Entry], secrets_dir: str | None) -> SpecText:
    """Return the spec: with `secrets_dir`, its secrets are in files of that folder, else in the text.

    With and without, the lines are the same in number and order.
    """
    writer = _Writer(original, secrets_dir)
    writer.head()
    by_name: dict[str, list[ReadGroup]] = {}
    for group in original.groups:
        by_name.setdefault(group.name, []).append(group)
    for name in (*_FIRST, *(name for name in GROUPS if name not in _FIRST)):
        if name == "smsc" and entries:
            writer.accounts(entries)
        elif name in by_name:
            writer.groups(name, by_name[name])
    return writer.written


class _Writer:
    def __init__(self, original: Original, secrets_dir: str | None) -> None:
        self.written = SpecText()
        self._original = original
        self._secrets_dir = secrets_dir

    def _add(self, text: str = "", place: Place | None = None) -> None:
        self.written.lines.append(SpecLine(text, place))

    def _comments(self, groups: Sequence[ReadGroup], indent: str) -> None:
        for group in groups:
            for words in self._original.comments.get(id(group), ()):
                self._add(f"{indent}# {emit.comment(words)}")

    def head(self) -> None:
        first, *included = self._original.files
        more = f" and {len(included)} more that it includes" if included else ""
        self._add(f"# {emit.comment(f'Imported from {first}{more} by kannelkit.')}")
        self._add("# Nothing is filled in that is not written here: Kannel's own defaults count (see `defaults`).")
        self._add("# Behind a line that kannelkit would refuse in a new spec stands what is wrong with it.")
        self._add()
        self._add("defaults: kannel")

    def groups(self, name: str, groups: Sequence[ReadGroup]) -> None:
        self._add()
        known = GROUPS[name]
        if not known.repeatable:
            group = groups[-1]
            self._comments([group], "")
            rows = list(self._rows(name, group, group.values, name))
            self._add(f"{name}:" if rows else f"{name}: {{}}", group.place)
            self._pairs(rows, "  ", "  ")
            return
        self._add(f"{name}:", groups[0].place)
        apart = any(len(group.values) > 4 for group in groups)
        for number, group in enumerate(groups):
            if number and apart:
                self._add()
            self._comments([group], "  ")
            called = group.values.get("username") or group.values.get("id") or str(number + 1)
            self._entry(list(self._rows(name, group, group.values, f"{name}.{called}")), group.place)

    def accounts(self, entries: Sequence[Entry]) -> None:
        self._add()
        self._add("smsc:", entries[0].links[0].place)
        for number, entry in enumerate(entries):
            if number:
                self._add()
            self._comments(entry.groups(), "  ")
            first = entry.links[0]
            self._entry(list(self._rows("smsc", first, entry.values, f"smsc.{entry.name}")), first.place)

    def _entry(self, rows: Sequence[tuple[str, list[str], Place]], place: Place) -> None:
        if rows:
            self._pairs(rows, "  - ", "    ")
        else:
            self._add("  - {}", place)

    def _pairs(self, rows: Sequence[tuple[str, list[str], Place]], first: str, indent: str) -> None:
        for number, (key, texts, place) in enumerate(rows):
            before = indent if number else first
            if len(texts) == 1:
                self._add(f"{before}{key}: {texts[0]}", place)
                continue
            self._add(f"{before}{key}:", place)
            for text in texts:
                self._add(f"{indent}  - {text}", place)

    def _rows(
        self, name: str, group: ReadGroup, values: Mapping[str, str], called: str
    ) -> Iterator[tuple[str, list[str], Place]]:
        """Yield each key with its value, or with the entries of a list too long for one line, and its old place."""
        known = GROUPS[name].directives
        for key, text in values.items():
            if key != "group":
                place = group.value_places.get(key) or group.place
                yield key, self._value(known.get(key), text, f"{called}.{key}"), place

    def _value(self, directive: Directive | None, text: str, called: str) -> list[str]:
        if directive is None:  # a key of kannelkit's own
            return [emit.scalar(text)]
        if directive.secret:
            if self._secrets_dir is not None and _fits_a_file(text):
                path = f"{self._secrets_dir}/{self._keep(called, text)}"
                return [f"{{file: {emit.scalar(path, in_flow=True)}}}"]
            self.written.holds_secrets = self.written.holds_secrets or bool(text)
        parts = tuple(text.split(directive.separator)) if directive.separator else ()
        if len(parts) < 2 or not all(part and part == part.strip() for part in parts):
            return [emit.scalar(text)]
        line = emit.flow(parts)
        return [line] if len(line) <= _WIDTH else [emit.scalar(part) for part in parts]

    def _keep(self, called: str, text: str) -> str:
        base = name = _NO_FILE_NAME.sub("_", called).lstrip(".")[:120]
        number = 1
        while name in self.written.secrets:
            number += 1
            name = f"{base}.{number}"
        self.written.secrets[name] = text
        return name


def _fits_a_file(text: str) -> bool:
    return bool(text) and len(text.encode()) < MOST_OCTETS
