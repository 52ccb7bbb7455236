"""Which group of one configuration is which of another: Kannel's own notion of a name, for each kind of group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from kannelkit.conf import GROUPS, read

# What tells one group from another of its kind, the first of them that is there (gw/bb_smscconn.c smsc2_find,
# gw/urltrans.c, and the functions that look up a group by a directive's value).
_NAMED_BY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "smsc": ("smsc-admin-id", "smsc-id"),
        "sendsms-user": ("username",),
        "sms-service": ("keyword", "keyword-regex", "name"),
        "ota-setting": ("ota-id",),
        "ota-bookmark": ("ota-id",),
        "smpp-tlv": ("name",),
        "smsbox-route": ("smsbox-id",),
        "wap-push-user": ("wap-push-user",),
        "wap-url-map": ("name", "url"),
        "wap-user-map": ("name", "user"),
    }
)
_USUALLY_NAMED_BY = ("id", "name", "username")
# Kannel takes the first of these that fits, in the order of the file: a received message's service (find_translation
# in gw/urltrans.c), the kind of a modem that is to be found out (gw/smsc/smsc_at.c), a WAP address or user.
ORDERED = frozenset({"sms-service", "modems", "wap-url-map", "wap-user-map"})


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """One group's identity: its kind, its name, and which of several of the same name it is, counted from 0."""

    group: str
    name: str
    number: int

    def __str__(self) -> str:
        return f"{self.name} (number {self.number + 1})".lstrip() if self.number else self.name


Values = Mapping[str, str]


def groups(text: str) -> Mapping[Key, Values]:
    """Return each group's directives without `group` itself, in the text's order, as Kannel reads them.

    Of a single group that is repeated only the last counts.
    """
    found: dict[Key, Values] = {}
    counted: dict[tuple[str, str], int] = {}
    for group in read(text)[0]:
        values = {name: value for name, value in group.values.items() if name != "group"}
        if group.name in GROUPS and not GROUPS[group.name].repeatable:
            key = Key(group.name, "", 0)
        else:
            name = name_of(group.name, values)
            number = counted.get((group.name, name), 0)
            counted[group.name, name] = number + 1
            key = Key(group.name, name, number)
        found[key] = MappingProxyType(values)
    return MappingProxyType(found)


def name_of(group: str, values: Values) -> str:
    """Return what tells the group from others of its kind, nothing where it has no such directive."""
    return next((values[name] for name in _NAMED_BY.get(group, _USUALLY_NAMED_BY) if name in values), "")


def links(of: Mapping[Key, Values]) -> Mapping[str, tuple[Values, ...]]:
    """Return the smsc groups by the name that administration commands take, which several may share."""
    found: dict[str, list[Values]] = {}
    for key, values in of.items():
        if key.group == "smsc":
            found.setdefault(key.name, []).append(values)
    return MappingProxyType({name: tuple(each) for name, each in found.items()})


def kinds(keys: Iterable[Key]) -> Iterator[str]:
    """Yield each kind of group once: those that the table knows in its order, then others."""
    there = {key.group: None for key in keys}
    yield from (name for name in GROUPS if name in there)
    yield from (name for name in there if name not in GROUPS)
