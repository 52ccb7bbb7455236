"""YAML text to nodes that know their place, with nothing guessed: every scalar keeps the text that was written.

YAML 1.1 turns `no` into false, `0123` into 83 and `1:30` into 90; here they stay as they are. A repeated key, an
explicit tag, a second document and a text that grows without bounds through its aliases are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

import yaml

from kannelkit.errors import InputError
from kannelkit.findings import Finding, Place


class Scalar(NamedTuple):
    """A text; `plain` when it stood without quotes. Its place is made when it is asked for: most never are."""

    text: str
    plain: bool
    file: str
    line: int
    column: int

    @property
    def place(self) -> Place:
        """Return where it stands."""
        return Place(self.file, self.line, self.column)

    def __repr__(self) -> str:
        return f"Scalar(at {self.place})"  # the text may be a secret


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping: each key once, in the order written."""

    pairs: tuple[tuple[Scalar, Node], ...]
    place: Place


Node = Scalar | Sequence | Table

# Far above any spec that a person or a program writes, at about ten lines an account; far below what fills a memory.
MOST_OCTETS = 64 * 2**20
MOST_NODES = 2_000_000
MOST_DEPTH = 16

# What YAML calls unprintable, but for tab, line feed, carriage return and next line.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ufffe\uffff]")


def _refuse(place: Place, rule: str, message: str, hint: str = "") -> NoReturn:
    raise InputError([Finding(place, rule, message, hint)])


def _place_of(text: str, at: int, file: str) -> Place:
    return Place(file, text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1)


def decoded(octets: bytes, file: str) -> str:
    """Return the text of the octets; raises InputError where they are no UTF-8 or hold a control character."""
    if len(octets) > MOST_OCTETS:
        _refuse(
            Place(file),
            "S008",
            f"the file has more than {MOST_OCTETS // 2**20} MiB",
            "split the accounts over several gateways",
        )
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = octets[: error.start].decode("utf-8", "replace")
        _refuse(
            _place_of(before, len(before), file),
            "S002",
            f"the octet 0x{octets[error.start]:02x} is no UTF-8",
            "save the file as UTF-8, for instance with: iconv -f windows-1251 -t utf-8",
        )
    if found := _CONTROL.search(text):
        _refuse(
            _place_of(text, found.start(), file),
            "S004",
            f"the control character U+{ord(found[0]):04X}",
            'remove it; inside double quotes it can be written as "\\x..", though Kannel takes few of them',
        )
    return text


def compose(text: str, file: str) -> Node | None:
    """Return the one document of a YAML text, nothing when it is empty; raises InputError with every repeated key."""
    composer = _Composer(file)
    try:
        return composer.document(yaml.parse(text, Loader=yaml.CSafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        _refuse(place, "S003", _plain_words(error), _syntax_hint(text, mark.line if mark else 0, str(error.problem)))


def _plain_words(error: yaml.MarkedYAMLError) -> str:
    parts = [part for part in (error.context, error.problem) if part]
    return "this is no YAML: " + ", ".join(parts)


def _syntax_hint(text: str, line: int, problem: str) -> str:
    lines = text.split("\n")
    here = lines[line] if line < len(lines) else ""
    if "\t" in here[: len(here) - len(here.lstrip())] or "\\t" in problem:
        return "YAML is indented with blanks, never with tabs"
    if "%" in here or "@" in here or "`" in here or ": " in here.partition(":")[2]:
        return "put the value in quotes"
    return "look at the indentation and at quotes and brackets left open, here and in the line above"


class _Composer:
    """Builds nodes out of a parser's events; findings that do not stop the reading are collected."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._findings: list[Finding] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._count = 0

    def document(self, events: Iterator[yaml.Event]) -> Node | None:
        root: Node | None = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    _refuse(
                        self._at(event), "S007", "a second document", "one file is one gateway: remove the line ---"
                    )
            elif isinstance(event, yaml.NodeEvent):
                root = self._node(event, events, 1)
        if self._findings:
            raise InputError(self._findings)
        return root

    def _at(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        return Place(self._file, mark.line + 1, mark.column + 1) if mark is not None else Place(self._file)

    def _counted(self, place: Place, nodes: int) -> None:
        self._count += nodes
        if self._count > MOST_NODES:
            _refuse(
                place,
                "S006",
                f"more than {MOST_NODES} values, aliases followed",
                "write less, or fewer aliases of aliases",
            )

    def _node(self, event: yaml.NodeEvent, events: Iterator[yaml.Event], depth: int) -> Node:
        if type(event) is yaml.ScalarEvent:
            return self._scalar(event)
        place = self._at(event)
        if depth > MOST_DEPTH:
            _refuse(place, "S008", f"nested more than {MOST_DEPTH} deep", "a spec needs four levels")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, place)
        before = self._count
        self._counted(place, 1)
        self._untagged(event, place)
        node: Node
        if isinstance(event, yaml.SequenceStartEvent):
            node = Sequence(tuple(self._items(events, depth)), place)
        else:
            node = Table(tuple(self._pairs(events, depth)), place)
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, self._count - before)
        return node

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        mark = event.start_mark
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)
        scalar = Scalar(event.value, not event.style, self._file, line, column)
        self._count += 1
        if self._count > MOST_NODES:
            self._counted(scalar.place, 0)
        if event.tag is not None:
            self._untagged(event, scalar.place)
        if event.anchor is not None:
            self._anchors[event.anchor] = (scalar, 1)
        return scalar

    def _untagged(self, event: yaml.NodeEvent, place: Place) -> None:
        if getattr(event, "tag", None) not in (None, "tag:yaml.org,2002:str"):
            self._findings.append(
                Finding(place, "S005", "an explicit tag", "remove it: what a value is follows from its key")
            )

    def _alias(self, event: yaml.AliasEvent, place: Place) -> Node:
        if event.anchor not in self._anchors:
            _refuse(
                place,
                "S006",
                f"an alias of something that is not there yet: *{event.anchor}",
                "put the anchor before it",
            )
        node, nodes = self._anchors[event.anchor]
        self._counted(place, nodes)
        return node

    def _items(self, events: Iterator[yaml.Event], depth: int) -> Iterator[Node]:
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                return
            if isinstance(event, yaml.NodeEvent):
                yield self._node(event, events, depth + 1)

    def _pairs(self, events: Iterator[yaml.Event], depth: int) -> Iterator[tuple[Scalar, Node]]:
        seen: dict[str, Scalar] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                return
            if not isinstance(event, yaml.NodeEvent):
                continue
            key = self._node(event, events, depth + 1)
            value = self._node(_next_node(events), events, depth + 1)
            if not isinstance(key, Scalar):
                self._findings.append(Finding(key.place, "S009", "a key that is no text", "keys are single words"))
            elif key.text in seen:
                message = f"{key.text} is written twice, first on line {seen[key.text].line}"
                self._findings.append(Finding(key.place, "S103", message, "keep one of them"))
            else:
                seen[key.text] = key
                yield key, value


def _next_node(events: Iterator[yaml.Event]) -> yaml.NodeEvent:
    event = next(events)
    if not isinstance(event, yaml.NodeEvent):  # a parser always sends a value after a key
        raise TypeError(f"a value was expected, not {type(event).__name__}")
    return event
