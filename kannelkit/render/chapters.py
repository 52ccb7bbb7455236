"""The parts of a kannel.conf in the order in which a person reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kannelkit.conf import GROUPS
from kannelkit.render.lines import Lines
from kannelkit.spec import Group, Spec

# Databases stand behind bearerbox, which keeps its stores there; what links use stands in front of them; what smsbox
# does behind them; WAP at the end. Kannel itself reads groups in any order.
BEFORE_LINKS = (
    "core",
    "mysql-connection",
    "pgsql-connection",
    "redis-connection",
    "sqlite3-connection",
    "sqlite-connection",
    "mssql-connection",
    "oracle-connection",
    "cassandra-connection",
    "sdb-connection",
    "dlr-db",
    "store-db",
    "smsbox",
    "smsbox-route",
    "modems",
    "smpp-tlv",
)
BEHIND_LINKS = (
    "sms-service",
    "sendsms-user",
    "ota-setting",
    "ota-bookmark",
    "wapbox",
    "wtls",
    "wap-url-map",
    "wap-user-map",
    "radius-acct",
    "ppg",
    "wap-push-user",
    "test-ppg",
    "configuration",
)

_SILENT = 'takes what no other service takes and says nothing; without it the sender would be answered "Request Failed"'


@dataclass(frozen=True, slots=True)
class Entry:
    """One group: its name, its lines, and what is said above it."""

    group: str
    lines: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Chapter:
    """Groups under one title."""

    title: str
    entries: tuple[Entry, ...]


def before_links(spec: Spec, lines: Lines) -> Iterator[Chapter]:
    """Yield what stands in front of the links."""
    yield from _chapters(spec, lines, BEFORE_LINKS)


def behind_links(spec: Spec, lines: Lines) -> Iterator[Chapter]:
    """Yield the links that are no SMPP accounts, and what stands behind all links."""
    for group in spec.other_smscs:
        yield Chapter(f"link {group.get('smsc-id')}: as the spec has it, not supervised", (_entry(group, lines),))
    known = {*BEFORE_LINKS, *BEHIND_LINKS, "smsc"}
    yield from _chapters(spec, lines, (*BEHIND_LINKS, *(name for name in GROUPS if name not in known)))


def _chapters(spec: Spec, lines: Lines, names: tuple[str, ...]) -> Iterator[Chapter]:
    groups: dict[str, list[Group]] = {}
    for group in spec.groups():
        if group.name != "smsc":
            groups.setdefault(group.name, []).append(group)
    for name in names:
        found = groups.get(name, [])
        if name == "sendsms-user":
            for user in found:
                yield Chapter(f"user {user.get('username')} of the HTTP interface", (_entry(user, lines),))
        elif found:
            title = _TITLES.get(name, f"{name}: {GROUPS[name].about}")
            yield Chapter(title, tuple(_entry(group, lines) for group in found))


_TITLES = {
    "core": "bearerbox",
    "smsbox": "smsbox: takes messages over HTTP, answers received ones",
    "sms-service": "services for received messages",
    "wapbox": "wapbox: the WAP gateway",
}


def _entry(group: Group, lines: Lines) -> Entry:
    keyword = group.values.get("keyword")
    silent = group.name == "sms-service" and keyword is not None and keyword.origin == "default"
    texts = {name: value.text for name, value in group.values.items()}
    return Entry(group.name, lines.body(group.name, texts), _SILENT if silent else "")
