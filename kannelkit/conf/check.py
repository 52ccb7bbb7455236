"""Whether Kannel would start with a configuration, and with every link in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kannelkit.conf.lines import lines_of
from kannelkit.conf.read import ReadGroup, gathered, shown
from kannelkit.conf.table import GROUPS, Group
from kannelkit.conf.values import fault
from kannelkit.findings import Finding, Place, in_order

# A name that is nobody's is compared with all that there are: as many characters, and as often, as costs no minutes.
_LONGEST_COMPARED = 60
_MOST_SEARCHES = 100
# The older name that will do, by kind of link and name (smsc_smpp_create in gw/smsc/smsc_smpp.c).
_INSTEAD = {("smpp", "smsc-username"): "system-id"}


def check(text: str, file: str = "kannel.conf") -> tuple[Finding, ...]:
    """Return what would keep Kannel from starting, or a link from being there; nothing when the text is sound."""
    findings: list[Finding] = []
    findings += check_groups(gathered(lines_of(text, file), findings), file)
    return in_order(findings)


def check_groups(groups: Iterable[ReadGroup], file: str = "kannel.conf") -> tuple[Finding, ...]:
    """Return the same for groups that were read already; `file` is where a missing group is looked for."""
    found: list[Finding] = []
    seen: dict[str, Place] = {}
    links: dict[str, Place] = {}
    for group in groups:
        known = GROUPS.get(group.name)
        if known is None:
            if "group" in group.values:
                found.append(_unknown_group(group, searching=len(found) < _MOST_SEARCHES))
            continue
        if not known.repeatable and group.name in seen:
            found.append(
                Finding(
                    group.place,
                    "C105",
                    f"a second group {group.name}: Kannel forgets the one at {seen[group.name]}, all of it",
                    "make one group of the two",
                )
            )
        seen.setdefault(group.name, group.place)
        found.extend(_missing(group, known))
        _look_at_values(group, known, found)
        if admin_id := group.values.get("smsc-admin-id"):
            if admin_id in links:
                message = f"smsc-admin-id {shown(admin_id)} is that of {links[admin_id]} as well"
                hint = "give each link one of its own, or the admin commands reach both"
                found.append(Finding(group.value_places["smsc-admin-id"], "C111", message, hint))
            links.setdefault(admin_id, group.place)
    if "core" not in seen:
        found.append(
            Finding(
                Place(file), "C109", "no group core: bearerbox does not start", "add `group = core` with an admin-port"
            )
        )
    if "smsc" not in seen:
        found.append(
            Finding(
                Place(file),
                "C110",
                "no group smsc: there is no link that could send",
                "add a `group = smsc` for each link",
            )
        )
    return in_order(found)


def _missing(group: ReadGroup, known: Group) -> Iterator[Finding]:
    kind = group.values.get("smsc", "")
    required = known.required_for.get(kind, ())
    for name in (*known.required, *required):
        if name not in group.values and _INSTEAD.get((kind, name)) not in group.values:
            why = f"a link of kind {kind} cannot do without" if name in required else "Kannel cannot do without"
            yield Finding(group.place, "C106", f"group {group.name} has no {name}", f"add `{name} = ...`: {why}")


def _look_at_values(group: ReadGroup, known: Group, found: list[Finding]) -> None:
    kind = group.values.get("smsc", "")
    directives = known.directives
    smpp = kind == "smpp"
    for name, value in group.values.items():
        directive = directives.get(name)
        if directive is None:
            if name != "group":
                message = f"group {group.name} may not contain {shown(name)}"
                hint = _where_it_belongs(name, searching=len(found) < _MOST_SEARCHES)
                found.append(Finding(group.places[name], "C107", message, hint))
        elif problem := fault(directive, value, smpp=smpp):
            found.append(Finding(group.value_places[name], "C108", f"{name} {problem[0]}", problem[1]))
        elif kind in directive.one_of_for and value.lower() not in directive.one_of_for[kind]:
            message = f"{name} cannot be {shown(value)} for a link of kind {kind}"
            hint = f"one of {', '.join(directive.one_of_for[kind])}"
            found.append(Finding(group.value_places[name], "C108", message, hint))


def _unknown_group(group: ReadGroup, *, searching: bool) -> Finding:
    place = group.value_places["group"]
    return Finding(place, "C104", f"no such group: {shown(group.name)}", _nearest(group.name, GROUPS, searching))


def _where_it_belongs(name: str, *, searching: bool) -> str:
    homes = [home.name for home in GROUPS.values() if name in home.directives]
    if homes:
        listed = ", ".join(homes[:5]) + (", ..." if len(homes) > 5 else "")
        return f"it belongs in group {listed}: is a blank line or a `group` line missing above?"
    return _nearest(name, {each for home in GROUPS.values() for each in home.directives}, searching)


def _nearest(name: str, names: Iterable[str], searching: bool) -> str:
    import difflib  # only for a file that is wrong

    near = difflib.get_close_matches(name[:_LONGEST_COMPARED], list(names), 1) if searching else []
    if near:
        return f"did you mean {near[0]}?"
    return "Kannel reads nothing of a file with such a line; take it out"
