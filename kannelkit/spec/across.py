"""What only shows when the whole spec is seen: two things with one name, two listeners on one port."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator

from kannelkit.conf import GROUPS
from kannelkit.findings import Place
from kannelkit.spec.model import SmppAccount, Spec
from kannelkit.spec.numbers import whole
from kannelkit.spec.read import Reader


def link_ids(stem: str, connections: int, backup: bool) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """Return the names of an account's links for administration commands: primaries, standbys, and the parking link."""
    numbers = range(1, connections + 1)
    primaries = tuple(f"{stem}-{number}" for number in numbers)
    backups = tuple(f"{stem}-backup-{number}" for number in numbers) if backup else ()
    return primaries, backups, f"{stem}-park"


def with_stems(accounts: Iterable[SmppAccount]) -> tuple[SmppAccount, ...]:
    """Return the accounts with names for their links that differ even where two accounts have one smsc-id."""
    seen: Counter[str] = Counter()
    named = []
    for account in accounts:
        name = account.smsc_id.lower()
        seen[name] += 1
        if seen[name] > 1:
            account = dataclasses.replace(account, stem=f"{account.smsc_id}-account-{seen[name]}")
        named.append(account)
    return tuple(named)


def across(reader: Reader, spec: Spec, *, health: bool) -> None:
    """Note what clashes between the parts of the spec; `health` says whether the spec has such a group."""
    names(reader, spec)
    _ports(reader, spec, health or spec.defaults == "kannelkit")
    _users(reader, spec)
    _storage(reader, spec)
    _floors(reader, spec)
    _account_groups(reader, spec)
    _relayed(reader, spec)


def _floors(reader: Reader, spec: Spec) -> None:
    floor = spec.supervisor.floor
    for account in spec.smpp_accounts:
        if account.relayed is None and account.throughput is not None and account.throughput < floor:
            reader.find(
                account.group.values["throughput"].place,
                "S315",
                f"{account.smsc_id} has throughput {account.throughput}, and no rate goes below the floor of {floor}",
                "write a smaller supervisor.rate.floor, or a larger throughput",
            )


def _account_groups(reader: Reader, spec: Spec) -> None:
    """See that the accounts of a group have one limit, which leaves a share for each of their links."""
    groups: dict[str, list[SmppAccount]] = {}
    ids = {account.smsc_id.lower(): account for account in spec.smpp_accounts}
    for account in spec.smpp_accounts:
        if not account.account_group:
            continue
        name, first = account.account_group, groups.setdefault(account.account_group, [])
        first.append(account)
        place = account.group.values["throughput"].place if account.ceiling is not None else account.group.place
        if account.ceiling != first[0].ceiling:
            reader.find(
                place,
                "S325",
                f"{account.smsc_id} has {_said(account)}, and {first[0].smsc_id} of account-group {name} has "
                f"{_said(first[0])}",
                "write in each account of the group what all of them may send together",
            )
        other = ids.get(name.lower())
        if other is not None and len(first) == 1:
            reader.find(
                account.group.place,
                "S326",
                f"account-group {name} is the smsc-id of an account as well, in line {other.group.place.line}",
                "give the group a name of its own",
            )
    for name, accounts in groups.items():
        total, links = accounts[0].throughput, sum(account.connections for account in accounts)
        relayed = any(account.relayed for account in accounts)  # all of them, or none: S307
        if total is not None and total < links and len(accounts) > 1 and not relayed:
            reader.find(
                accounts[0].group.values["throughput"].place,
                "S303",
                f"throughput {total} over the {links} connections of account-group {name} leaves one with 0: no limit "
                "to Kannel",
                f"write at least {links}, or fewer connections",
            )


def _said(account: SmppAccount) -> str:
    return "no throughput" if account.ceiling is None else f"throughput {account.ceiling}"


def names(reader: Reader, spec: Spec) -> None:
    """Note names that stand for two things."""
    ids: dict[str, Place] = {}
    others: set[str] = set()  # links of other kinds may share a name among themselves: nothing adds to theirs
    for group in [account.group for account in spec.smpp_accounts] + list(spec.other_smscs):
        value = group.values["smsc-id"]
        name = value.text.lower()  # the user guide calls ids case-insensitive, the code compares case
        is_other = group.get("smsc") != "smpp"
        if name in ids and not (is_other and name in others):
            reader.find(
                value.place,
                "S304",
                f"smsc-id {value.text} is there already, in line {ids[name].line}",
                "give each account a name of its own; several links of one account are `connections`",
            )
        if is_other and name not in ids:
            others.add(name)
        ids.setdefault(name, value.place)
    links: dict[str, str] = {}
    for smsc_id, link, place in _links(spec):
        owner = links.setdefault(link.lower(), smsc_id)
        if owner.lower() != smsc_id.lower():
            reader.find(place, "S305", f"{smsc_id} and {owner} would both have a link {link}", "rename one of them")


def _links(spec: Spec) -> Iterator[tuple[str, str, Place]]:
    for account in spec.smpp_accounts:
        primaries, backups, park = link_ids(account.stem, account.connections, bool(account.backup_host))
        for link in (*primaries, *backups, park):
            yield account.smsc_id, link, account.group.values["smsc-id"].place
    for group in spec.other_smscs:
        smsc_id = group.values["smsc-id"]
        yield smsc_id.text, group.get("smsc-admin-id") or smsc_id.text, smsc_id.place


def _ports(reader: Reader, spec: Spec, health: bool) -> None:
    ports = {spec.health_listen.port: "health.listen"} if health else {}
    listeners = [(spec.core, name) for name in ("admin-port", "smsbox-port", "wapbox-port")]
    named = [(name, group.values.get(name)) for group, name in [*listeners, (spec.smsbox, "sendsms-port")]]
    named += [
        (f"relay-port of {account.smsc_id}", account.relayed.port)
        for account in spec.smpp_accounts
        if account.relayed is not None and account.relayed.port.text
    ]
    for name, value in named:
        if value is None:
            continue
        other = ports.setdefault(whole(value.text) or 0, name)
        if other != name:
            reader.find(
                value.place, "S306", f"{name} {value.text} is the port of {other} as well", "choose another port"
            )


def _relayed(reader: Reader, spec: Spec) -> None:
    """See that the relay paces whole groups of accounts."""
    groups: dict[str, SmppAccount] = {}
    for account in spec.smpp_accounts:
        first = groups.setdefault(account.account_group, account) if account.account_group else account
        relayed = account.relayed or first.relayed
        if relayed is None:
            continue
        if (account.relayed is None) != (first.relayed is None):
            reader.find(
                relayed.place if account.relayed else account.group.place,
                "S307",
                f"{account.smsc_id} and {first.smsc_id} of account-group {account.account_group} have one rate, and "
                "different pacing",
                "write pacing: relay at each account of the group, or at none",
            )


def _users(reader: Reader, spec: Spec) -> None:
    seen: dict[str, Place] = {}
    for user in spec.sendsms_users:
        value = user.values.get("username")
        if value is None:
            continue
        if value.text in seen:
            reader.find(
                value.place,
                "S313",
                f"the sendsms-user {value.text} is there already, in line {seen[value.text].line}",
                "give each user a name of its own",
            )
        seen.setdefault(value.text, value.place)


# The database of dlr-storage or store-type -> the groups with its connections (gw/dlr_*.c, gw/bb_store_redis.c).
CONNECTIONS = {
    "mysql": "mysql-connection",
    "pgsql": "pgsql-connection",
    "sdb": "sdb-connection",
    "mssql": "mssql-connection",
    "sqlite3": "sqlite3-connection",
    "oracle": "oracle-connection",
    "redis": "redis-connection",
    "cassandra": "cassandra-connection",
}
# What names a database -> the group that says which connection and which table.
_TABLES = {"dlr-storage": "dlr-db", "store-type": "store-db"}


def _storage(reader: Reader, spec: Spec) -> None:
    """See that a database that is named can be found from there: bearerbox panics otherwise."""
    for directive, table in _TABLES.items():
        value = spec.core.values.get(directive)
        if value is None or value.text not in CONNECTIONS:
            continue
        groups = [group for group in spec.others if group.name == table]
        connections = [group for group in spec.others if group.name == CONNECTIONS[value.text]]
        for name, found in ((table, groups), (CONNECTIONS[value.text], connections)):
            if not found:
                reader.find(
                    value.place,
                    "S316",
                    f"{directive}: {value.text} needs group {name}, which is not there",
                    f"write it: {GROUPS[name].about}" if name in GROUPS else "write it",
                )
        ids = [connection.get("id") for connection in connections]
        for group in groups:
            named = group.values.get("id")
            if connections and named is not None and named.text not in ids:
                known = ", ".join(sorted(name for name in ids if name)) or "it has no id"
                reader.find(
                    named.place,
                    "S317",
                    f"{table} names {named.text}, and no {CONNECTIONS[value.text]} has that id",
                    f"write the id of the connection: {known}",
                )
