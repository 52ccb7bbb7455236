"""Groups smsc to entries of the spec: links that belong together become one account."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kannelkit.conf import GROUPS, ReadGroup
from kannelkit.conf.values import FALSE
from kannelkit.providers.profile import MOST_CONNECTIONS
from kannelkit.render.links import PARKING_HOST, PARKING_PORT
from kannelkit.spec.numbers import per_second, whole

# What may differ between the links of one account: kannelkit writes it for each link by itself.
OF_A_LINK = frozenset({"group", "smsc-admin-id", "dead-start", "instances", "throughput", "host", "port"})
# What an account does not have: kannelkit writes these lines, one for each link.
_WRITTEN_BY_KANNELKIT = ("smsc-admin-id", "dead-start", "instances")

_NO_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the spec's `smsc`, and the groups it was made of, each as often as it stands for a link.

    `links` carry the account's messages; `standby` are those to its second host. `values` are the lines of the entry,
    kannelkit's own keys among them. `named` says that the name was made here.
    """

    links: tuple[ReadGroup, ...]
    standby: tuple[ReadGroup, ...]
    values: Mapping[str, str]
    is_account: bool
    named: bool

    @property
    def name(self) -> str:
        """Return its smsc-id."""
        return self.values["smsc-id"]

    def groups(self) -> tuple[ReadGroup, ...]:
        """Return the groups it was made of, each once, in their order."""
        return tuple({id(group): group for group in (*self.links, *self.standby)}.values())


def is_smpp(group: ReadGroup) -> bool:
    """Return whether the group is a link of an SMPP account."""
    return group.values.get("smsc") == "smpp"


def is_parking(group: ReadGroup) -> bool:
    """Return whether the group is a parking link that kannelkit wrote, as it does again for every account."""
    values = group.values
    where = (values.get("host"), values.get("port"), values.get("smsc-username"))
    return where == (PARKING_HOST, str(PARKING_PORT), "parking") and values.get("smsc-admin-id", "").endswith("-park")


def is_dead(group: ReadGroup) -> bool:
    """Return whether its link stays down until it is started by a command; Kannel takes a strange value for true."""
    return group.values.get("dead-start", "false").lower() not in FALSE


def instances(group: ReadGroup) -> int:
    """Return how many links Kannel makes of a group smsc (smscconn_instances in gw/smscconn.c)."""
    number = whole(group.values.get("instances", ""))
    return 1 if number is None else max(number, 0)


def entries(groups: Sequence[ReadGroup]) -> tuple[Entry, ...]:
    """Return the entries for these groups smsc, in the order of their first groups.

    Links are one account's when they share smsc-id, login and every other directive but those of `OF_A_LINK`, and go
    to one host and port, or to two: the first that is not dead from the start, and another one. A group that stands for
    no link is in no entry, nor is the parking link of an account that is there.
    """
    taken = _names_in_use(groups)
    bound = {group.values.get("smsc-id") for group in groups if is_smpp(group) and not is_parking(group)}
    groups = [group for group in groups if not (is_parking(group) and group.values.get("smsc-id") in bound)]
    alike: dict[object, list[ReadGroup]] = {}
    for number, group in enumerate(groups):
        shared = frozenset((key, value) for key, value in group.values.items() if key not in OF_A_LINK)
        alike.setdefault(shared if is_smpp(group) else number, []).append(group)
    order = {id(group): number for number, group in enumerate(groups)}
    found: list[tuple[int, tuple[ReadGroup, ...], tuple[ReadGroup, ...]]] = []
    for members in alike.values():
        for links, standby in _accounts(members) if is_smpp(members[0]) else [(tuple(members), ())]:
            found.append((min(order[id(group)] for group in (*links, *standby)), links, standby))
    found.sort(key=lambda each: each[0])
    return tuple(_entry(links, standby, taken) for _, links, standby in found)


def _accounts(members: Iterable[ReadGroup]) -> Iterator[tuple[tuple[ReadGroup, ...], tuple[ReadGroup, ...]]]:
    """Yield the links and the standby links of each account to be made of groups that are alike."""
    hosts: dict[tuple[str | None, str | None], list[ReadGroup]] = {}
    for group in members:
        there = hosts.setdefault((group.values.get("host"), group.values.get("port")), [])
        there += [group] * instances(group)
    hosts = {host: links for host, links in hosts.items() if links}
    if len(hosts) == 2:
        first, second = sorted(hosts.values(), key=lambda links: all(map(is_dead, links)))
        sound = all(_host_and_port_are_sound(links[0].values) for links in (first, second))
        if sound and len(second) <= len(first) <= MOST_CONNECTIONS:
            yield tuple(first), tuple(second)
            return
    for links in hosts.values():
        for begin in range(0, len(links), MOST_CONNECTIONS):
            yield tuple(links[begin : begin + MOST_CONNECTIONS]), ()


def _host_and_port_are_sound(values: Mapping[str, str]) -> bool:
    """Return whether they come back as they are from kannelkit's own keys for a second host."""
    port = values.get("port", "")
    return bool(values.get("host")) and port == str(whole(port))


def _entry(links: tuple[ReadGroup, ...], standby: tuple[ReadGroup, ...], taken: set[str]) -> Entry:
    first = links[0].values
    account = is_smpp(links[0])
    named = "smsc-id" not in first
    values = {"smsc-id": _fresh(first, taken) if named else first["smsc-id"]}
    own = _own_keys(links, standby) if account else {}
    behind = next((name for name in reversed(list(first)) if name in ("host", "port")), "smsc")
    for name, text in first.items():
        if name != "group" and not (account and name in _WRITTEN_BY_KANNELKIT):
            values.setdefault(name, text)
        if name == behind:
            values |= own
    if account:
        limit = _limit(links)
        if limit is not None:
            values["throughput"] = limit
        else:
            values.pop("throughput", None)
    return Entry(links, standby, values, account, named)


def _own_keys(links: Sequence[ReadGroup], standby: Sequence[ReadGroup]) -> dict[str, str]:
    own = {}
    if standby:
        own["backup-host"] = standby[0].values["host"]
        if standby[0].values["port"] != links[0].values["port"]:
            own["backup-port"] = standby[0].values["port"]
    if len(links) > 1:
        own["connections"] = str(len(links))
    return own


def _limit(links: Sequence[ReadGroup]) -> str | None:
    """Return the account's throughput: that of its one link, or the sum over several; nothing is no limit.

    Each instance of a group has the group's whole throughput.
    """
    if len(links) == 1:
        return links[0].values.get("throughput")
    speeds = [per_second(group.values.get("throughput", "")) for group in links]
    return None if None in speeds else str(sum(filter(None, speeds)))


def _names_in_use(groups: Iterable[ReadGroup]) -> set[str]:
    directives = GROUPS["smsc"].directives
    return {
        part.strip().lower()
        for group in groups
        for name, text in group.values.items()
        if name.endswith("smsc-id")
        for part in text.split(directives[name].separator or ";")
    }


def _fresh(values: Mapping[str, str], taken: set[str]) -> str:
    wanted = values.get("host") or values.get("device") or values.get("smsc", "")
    base = _NO_NAME.sub("-", wanted).strip("-._") or "link"
    name, number = base, 1
    while name.lower() in taken:
        number += 1
        name = f"{base}-{number}"
    taken.add(name.lower())
    return name
