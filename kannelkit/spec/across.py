"""What only shows when the whole spec is seen: two things with one name, two listeners on one port."""

from __future__ import annotations

from collections.abc import Iterator

from kannelkit.findings import Place
from kannelkit.spec.model import Spec
from kannelkit.spec.read import Reader


def link_ids(smsc_id: str, connections: int, backup: bool) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """Return the names of an account's links for administration commands: primaries, standbys, and the parking link."""
    numbers = range(1, connections + 1)
    primaries = tuple(f"{smsc_id}-{number}" for number in numbers)
    backups = tuple(f"{smsc_id}-backup-{number}" for number in numbers) if backup else ()
    return primaries, backups, f"{smsc_id}-park"


def across(reader: Reader, spec: Spec) -> None:
    """Note what clashes between the parts of the spec."""
    _names(reader, spec)
    _ports(reader, spec)
    _users(reader, spec)
    _storage(reader, spec)
    _floors(reader, spec)


def _floors(reader: Reader, spec: Spec) -> None:
    floor = spec.supervisor.floor
    for account in spec.smpp_accounts:
        if account.throughput is not None and account.throughput < floor:
            reader.find(
                account.group.values["throughput"].place,
                "S315",
                f"{account.smsc_id} has throughput {account.throughput}, and no rate goes below the floor of {floor}",
                "write a smaller supervisor.rate.floor, or a larger throughput",
            )


def _names(reader: Reader, spec: Spec) -> None:
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
        primaries, backups, park = link_ids(account.smsc_id, account.connections, bool(account.backup_host))
        for link in (*primaries, *backups, park):
            yield account.smsc_id, link, account.group.values["smsc-id"].place
    for group in spec.other_smscs:
        smsc_id = group.values["smsc-id"]
        yield smsc_id.text, group.get("smsc-admin-id") or smsc_id.text, smsc_id.place


def _ports(reader: Reader, spec: Spec) -> None:
    listeners = [
        ("admin-port", spec.core.values["admin-port"]),
        ("smsbox-port", spec.core.values["smsbox-port"]),
        ("wapbox-port", spec.core.values.get("wapbox-port")),
        ("sendsms-port", spec.smsbox.values["sendsms-port"]),
    ]
    ports = {spec.health_listen.port: "health.listen"}
    for name, value in listeners:
        if value is None:
            continue
        other = ports.setdefault(int(value.text), name)
        if other != name:
            reader.find(
                value.place, "S306", f"{name} {value.text} is the port of {other} as well", "choose another port"
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


def _storage(reader: Reader, spec: Spec) -> None:
    for directive, there in (("store-type", ("spool", "file")), ("dlr-storage", ("spool", "internal"))):
        value = spec.core.values.get(directive)
        if value is not None and value.text not in there:
            reader.find(
                value.place,
                "S307",
                f"{directive}: {value.text} needs a database group, which is not there yet",
                f"one of {', '.join(there)}",
            )
