"""A configuration text as Kannel reads it, and whether Kannel would start with it.

The reading follows gwlib/cfg.c to the letter, oddities included, since its use is to know what Kannel will make of a
text. Files named by `include` are not read here: such a line is a finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kannelkit.conf.table import GROUPS
from kannelkit.conf.values import fault
from kannelkit.conf.write import BLANKS
from kannelkit.findings import Finding, Place, in_order


@dataclass(frozen=True, slots=True)
class ReadGroup:
    """One group: its name, where it begins, its values (the last one of a repeated directive) and their places.

    An included file goes on with the group that stands open, so that the places may lie in several files.
    """

    name: str
    place: Place
    values: Mapping[str, str]
    places: Mapping[str, Place]


def _unwrapped(value: str) -> str:
    value = value.strip(BLANKS)
    if not (value.startswith('"') and value.endswith('"')):
        return value
    inner = value[1:-1]
    out: list[str] = []
    at = 0
    while at < len(inner):
        if inner[at] == "\\" and at + 1 < len(inner):
            at += 1
            if inner[at] not in '\\"':
                out.append("\\")
        out.append(inner[at])
        at += 1
    return "".join(out)


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Yield each line with those that a backslash at its end joins to it; two backslashes are one and join nothing."""
    start = 0
    parts: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not parts:
            start = number
        if line.endswith("\\"):
            line = line[:-1]
            parts.append(line)
            if not line.endswith("\\"):
                continue
        else:
            parts.append(line)
        yield start, "".join(parts)
        parts = []
    if parts:
        yield start, "".join(parts)


def read(text: str, file: str = "kannel.conf") -> tuple[tuple[ReadGroup, ...], tuple[Finding, ...]]:
    """Return the groups in the text, in order, and what is wrong with its lines."""
    groups: list[ReadGroup] = []
    findings: list[Finding] = []
    values: dict[str, str] = {}
    places: dict[str, Place] = {}

    def close() -> None:
        if not values:
            return
        first = min(places.values())
        if "group" not in values:
            findings.append(Finding(first, "C102", "a group without a `group` line"))
        groups.append(ReadGroup(values.get("group", ""), first, dict(values), dict(places)))
        values.clear()
        places.clear()

    for number, line in _joined(text):
        line = line.strip(BLANKS)
        if not line:
            close()
        elif not line.startswith("#"):
            name, equals, value = line.partition("=")
            if not equals:
                findings.append(Finding(Place(file, number), "C101", "a line without an equals sign"))
            elif "include" in line:
                findings.append(
                    Finding(
                        Place(file, number),
                        "C103",
                        "the letters `include`: Kannel reads a file of that name here, or panics",
                    )
                )
            else:
                name = name.strip(BLANKS)
                values[name] = _unwrapped(value)
                places[name] = Place(file, number)
    close()
    return tuple(groups), in_order(findings)


def check(text: str, file: str = "kannel.conf") -> tuple[Finding, ...]:
    """Return what would keep Kannel from starting, or a link from being there; nothing when the text is sound."""
    groups, findings = read(text, file)
    found = list(findings)
    seen: dict[str, int] = {}
    links: dict[str, int] = {}
    for group in groups:
        place = group.place
        known = GROUPS.get(group.name)
        if known is None:
            if group.name:
                found.append(Finding(place, "C104", f"no such group: {group.name}"))
            continue
        if not known.repeatable and group.name in seen:
            found.append(
                Finding(
                    place, "C105", f"a second group {group.name}: Kannel forgets the one on line {seen[group.name]}"
                )
            )
        seen.setdefault(group.name, group.place.line)
        kind = group.values.get("smsc", "")
        required = (*known.required, *known.required_for.get(kind, ()))
        found.extend(
            Finding(place, "C106", f"group {group.name} has no {name}") for name in required if name not in group.values
        )
        if admin_id := group.values.get("smsc-admin-id"):
            first = links.setdefault(admin_id, group.place.line)
            if first != group.place.line:
                found.append(Finding(place, "C111", f"smsc-admin-id {admin_id} is that of line {first} as well"))
        for name, value in group.values.items():
            if name == "group":
                continue
            directive = known.directives.get(name)
            if directive is None:
                found.append(Finding(group.places[name], "C107", f"group {group.name} may not contain {name}"))
            elif problem := fault(directive, value, smpp=kind == "smpp"):
                found.append(Finding(group.places[name], "C108", f"{name} {problem[0]}", problem[1]))
    if "core" not in seen:
        found.append(Finding(Place(file), "C109", "no group core: bearerbox does not start"))
    if "smsc" not in seen:
        found.append(Finding(Place(file), "C110", "no group smsc: there is no link that could send"))
    return in_order(found)
