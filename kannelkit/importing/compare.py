"""What Kannel reads from the file that the spec stands for, held against what it reads today."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kannelkit.conf import GROUPS, ReadGroup
from kannelkit.importing.accounts import OF_A_LINK, Entry, instances, is_dead, is_parking
from kannelkit.importing.original import shown
from kannelkit.spec.numbers import per_second

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(slots=True)
class Differences:
    """In words: what differs and has to, as an account's links are written one by one, and what must not."""

    expected: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)


def differences(before: Iterable[ReadGroup], entries: Sequence[Entry], after: Iterable[ReadGroup]) -> Differences:
    """Return how the groups `after` differ from those `before`; `entries` say which groups smsc became which account.

    A group smsc that is no SMPP link, and every other group, has to be the same in all its values; groups of one name
    have to be in the same order.
    """
    found = Differences()
    old, new = _by_name(before), _by_name(after)
    for name in GROUPS:
        if name != "smsc":
            _same(found, name, [group.values for group in old.get(name, ())], new.get(name, []))
    links = new.get("smsc", [])
    for entry in entries:
        if entry.is_account:
            size = len(entry.links) + (len(entry.links) if entry.standby else 0) + 1
            _account(found, entry, links[:size])
            links = links[size:]
    others = [entry for entry in entries if not entry.is_account]
    for entry in others:
        if entry.named:
            found.expected.append(_named(entry))
    _same(found, "smsc", [{"group": "smsc", **entry.values} for entry in others], links)
    return found


def _by_name(groups: Iterable[ReadGroup]) -> dict[str, list[ReadGroup]]:
    by_name: dict[str, list[ReadGroup]] = {}
    for group in groups:
        by_name.setdefault(group.name, []).append(group)
    return by_name


def _same(found: Differences, name: str, old: Sequence[Mapping[str, str]], new: Sequence[ReadGroup]) -> None:
    if len(old) != len(new):
        found.unexpected.append(f"{_count(len(old), f'group {name}')} became {len(new)}")
        return
    for number, (values, group) in enumerate(zip(old, new, strict=True), start=1):
        called = f"group {name}" if len(old) == 1 else f"group {name}, number {number}"
        found.unexpected += (f"{called}: {words}" for words in _changes(group, values, group.values))


def _changes(group: ReadGroup, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    for name in {**old, **new}:
        if old.get(name) != new.get(name):
            was = shown(group, name, old[name]) if name in old else f"no {name}"
            now = shown(group, name, new[name]) if name in new else f"no {name}"
            yield f"{was} became {now}"


def _account(found: Differences, entry: Entry, links: Sequence[ReadGroup]) -> None:
    name, count = entry.name, len(entry.links)
    wanted = [(group, False) for group in entry.links]
    if entry.standby:
        wanted += [(entry.standby[min(number, len(entry.standby) - 1)], True) for number in range(count)]
    if len(links) != len(wanted) + 1 or not is_parking(links[-1]):
        found.unexpected.append(
            f"smsc {name}: {_count(count, 'link')} became {len(links)}, the parking link among them"
        )
        return
    for (group, standby), link in zip(wanted, links, strict=False):
        # Kannel makes no link without a system-type, so that an empty one changes no link that is there
        old = {"system-type": ""} | _fixed(group.values) | {"smsc-id": name}
        new = _fixed(link.values)
        found.unexpected += (f"smsc {name}: {words}" for words in _changes(link, old, new))
        for key in ("host", "port"):
            if group.values.get(key) != link.values.get(key):
                found.unexpected.append(f"smsc {name}: the {key} of a link is not what it was")
        if standby != is_dead(link):
            found.unexpected.append(f"smsc {name}: a link that is not as it should be at the start")
    if links[-1].values.get("smsc-id") != name:
        found.unexpected.append(f"smsc {name}: the parking link has another name")
    limits = [link.values.get("throughput") for link in links[:count]]
    if count > 1 and sum(per_second(limit or "") or 0 for limit in limits) != int(entry.values.get("throughput", 0)):
        found.unexpected.append(f"smsc {name}: throughput {entry.values.get('throughput')} -> {_limits(limits)}")
    found.expected += _told(entry, limits)


def _fixed(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if name not in OF_A_LINK}


def _told(entry: Entry, limits: Sequence[str | None]) -> Iterator[str]:
    """Yield how the account's links differ from its groups."""
    called, count = f"smsc {entry.name}", len(entry.links)
    if entry.named:
        yield _named(entry)
    groups = {id(group): group for group in entry.links}
    if count > 1 and len(groups) > 1:
        yield f"{called}: {_count(len(groups), 'group')} became one account of {_count(count, 'link')}"
    if any(instances(group) > 1 for group in groups.values()):
        yield f"{called}: instances became {count} connections, each a link of its own with a name of its own"
    old = [group.values.get("throughput") for group in entry.links]
    if old != list(limits):
        yield f"{called}: throughput {_limits(old)} -> {_limits(limits)}"
    admin_ids = [group.values["smsc-admin-id"] for group in entry.groups() if "smsc-admin-id" in group.values]
    if admin_ids:
        yield f"{called}: smsc-admin-id {', '.join(admin_ids)} went: kannelkit names the links itself"
    if any(is_dead(group) for group in entry.links):
        yield f"{called}: a link that stayed down until a command started it is now started with the others"
    if entry.standby:
        yield from _about_standby(called, entry)


def _about_standby(called: str, entry: Entry) -> Iterator[str]:
    there, wanted = len(entry.standby), len(entry.links)
    host = entry.standby[0].values["host"]
    if not all(is_dead(group) for group in entry.standby):
        yield f"{called}: the links to {host} were up together with the others; now they stand by until these are down"
    else:
        yield f"{called}: the links to {host} waited for a command; now they are started when the others are down"
    if there != wanted:
        yield f"{called}: {_count(there, 'link')} to {host} -> {_count(wanted, 'link')} that stand by"
    first = entry.links[0].values.get("throughput")
    if any(group.values.get("throughput") != first for group in entry.standby):
        limits = _limits([group.values.get("throughput") for group in entry.standby])
        yield f"{called}: throughput {limits} at {host} -> that of the links at the first host"


def _named(entry: Entry) -> str:
    return f"{entry.links[0].place}: a group smsc without smsc-id is now called {entry.name}"


def _limits(limits: Sequence[str | None]) -> str:
    """Return the limits of links in words, such as `two links of 15`."""
    counted = Counter(limits)
    if len(limits) == 1:
        return limits[0] or "without limit"
    return ", ".join(
        f"{_count(number, 'link')} {f'of {limit}' if limit else 'without limit'}" for limit, number in counted.items()
    )


def _count(number: int, what: str) -> str:
    words = _WORDS[number] if number < len(_WORDS) else str(number)
    first, _, rest = what.partition(" ")
    return f"{words} {first}{'' if number == 1 else 's'}{' ' if rest else ''}{rest}"
