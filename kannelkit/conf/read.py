"""The groups of a configuration text as Kannel reads them (cfg_read in gwlib/cfg.c), oddities included.

Files named by `include` are not read here but in `include.py`; here such a line is a finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter

from kannelkit.conf.lines import Kind, Line, lines_of
from kannelkit.conf.table import GROUPS
from kannelkit.findings import Finding, Place, in_order

_BYTE_ORDER_MARK = "\ufeff"
_LONGEST_SHOWN = 60  # characters of a name that a message repeats
INCLUDE_IN_A_VALUE = (
    "the letters `include`: Kannel reads a file of that name here, or panics",
    "choose another value; in a URL write %69nclude",
)
_BYTE_ORDER_MARK_HINT = "the file begins with a byte order mark, which Kannel takes for text: save it without one"


@dataclass(frozen=True, slots=True)
class ReadGroup:
    """One group: its name, where it begins, its values (the last one of a repeated directive) and their places.

    `places` are those of the names, `value_places` those of what stands behind `=`. `lines` are all its directives in
    order, the overruled ones too. An included file goes on with the group that stands open, so that a group may lie in
    several files.
    """

    name: str
    place: Place
    values: Mapping[str, str]
    places: Mapping[str, Place]
    value_places: Mapping[str, Place] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()


class _Places(Mapping[str, Place]):
    """The places of lines by the lines' names, worked out when they are asked for: few of them ever are."""

    def __init__(self, lines: Mapping[str, Line], of: Callable[[Line], Place]) -> None:
        self._lines = lines
        self._of = of

    def __getitem__(self, name: str) -> Place:
        return self._of(self._lines[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)


_PLACE, _VALUE_PLACE = attrgetter("place"), attrgetter("value_place")


def read(text: str, file: str = "kannel.conf") -> tuple[tuple[ReadGroup, ...], tuple[Finding, ...]]:
    """Return the groups in the text, in order, and what is wrong with its lines."""
    findings: list[Finding] = []
    groups = tuple(gathered(lines_of(text, file), findings))
    return groups, in_order(findings)


def in_force(groups: Iterable[ReadGroup]) -> tuple[ReadGroup, ...]:
    """Return the groups that count, in order: of a group that Kannel keeps once, such as `core`, only the last."""
    kept: list[ReadGroup] = []
    single: dict[str, int] = {}
    for group in groups:
        known = GROUPS.get(group.name)
        if known is not None and not known.repeatable:
            if group.name in single:
                kept[single[group.name]] = group
                continue
            single[group.name] = len(kept)
        kept.append(group)
    return tuple(kept)


def gathered(lines: Iterable[Line], findings: list[Finding]) -> Iterator[ReadGroup]:
    """Yield the groups that the lines make, and add to `findings` what is wrong with a line.

    An `include` that is still among the lines is wrong, and ends its group as the included file would.
    """
    directive = Kind.DIRECTIVE  # looked up once, not for each line
    open_lines: list[Line] = []
    ended_by = ""  # the include that ended the group which stands right above
    for at in lines:
        kind = at.kind
        if kind is directive:
            open_lines.append(at)
            if "\0" in at.raw:
                findings.append(_nul(at))
            continue
        if kind is Kind.BROKEN:
            findings.append(_broken(at))
        elif kind is not Kind.COMMENT:
            if kind is Kind.BLANK or at.name == "include":
                if open_lines:
                    yield _group(open_lines, ended_by, findings)
                ended_by = _included_above(at) if open_lines else ""
                open_lines = []
            if kind is Kind.INCLUDE:
                findings.append(Finding(at.place, "C103", *INCLUDE_IN_A_VALUE))
    if open_lines:
        yield _group(open_lines, ended_by, findings)


def _group(lines: list[Line], ended_by: str, findings: list[Finding]) -> ReadGroup:
    last = {at.name: at for at in lines}
    values = {name: at.value for name, at in last.items()}
    place = lines[0].place
    if "group" not in values:
        if lines[0].raw.startswith(_BYTE_ORDER_MARK):
            hint = _BYTE_ORDER_MARK_HINT
        elif ended_by:
            hint = f"{ended_by} ended the group: put the include behind the group, or last in it"
        else:
            hint = "begin it with `group = ...`, or take out the blank line that parts it from the group above"
        findings.append(Finding(place, "C102", "a group without a `group` line", hint))
    return ReadGroup(
        values.get("group", ""),
        place,
        values,
        _Places(last, _PLACE),
        _Places(last, _VALUE_PLACE),
        tuple(lines),
    )


def _included_above(at: Line) -> str:
    """Return which include stands where this line is: not read, or read to its end; nothing when it is a blank line."""
    if at.kind is Kind.INCLUDE:
        return f"the include at {at.place}"
    return "" if at.number else f"the end of {shown(at.file)}"


def _broken(at: Line) -> Finding:
    marked = at.raw.startswith(_BYTE_ORDER_MARK)
    hint = _BYTE_ORDER_MARK_HINT if marked else "write `name = value`; a comment begins with #"
    return Finding(at.place, "C101", "a line without an equals sign", hint)


def _nul(at: Line) -> Finding:
    return Finding(
        at.place, "C112", "a NUL octet: most of Kannel takes the text to end there", "take it out of the line"
    )


def shown(name: str) -> str:
    """Return a name from a file as it may be printed: short, on one line, and `''` when it is empty."""
    short = name if len(name) <= _LONGEST_SHOWN else name[:_LONGEST_SHOWN] + "..."
    return short if short.isprintable() and short.strip() else repr(short)
