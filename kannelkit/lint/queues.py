"""Rules about messages on their way: stores, tries and receipts."""

from __future__ import annotations

import os
from collections.abc import Iterator

from kannelkit.lint.rule import Found, rule
from kannelkit.lint.subject import Group, Subject

_KANNELS_RESEND = 60  # seconds, gw/bb_smscconn.c

# What a storage needs beside it: its group, and the group of its connection (gw/dlr_*.c, gw/bb_store_redis.c).
_CONNECTIONS = {
    "mysql": "mysql-connection",
    "pgsql": "pgsql-connection",
    "mssql": "mssql-connection",
    "oracle": "oracle-connection",
    "sdb": "sdb-connection",
    "sqlite3": "sqlite3-connection",
    "redis": "redis-connection",
    "cassandra": "cassandra-connection",
}


@rule("E110")
def no_store(subject: Subject) -> Iterator[Found]:
    """No location means no store, whatever store-type says."""
    core = subject.core
    if not subject.links or not subject.has("core") or core.text("store-type") == "redis":
        return
    if not core.text("store-file") and not core.text("store-location"):
        yield Found(
            core.at("store-type"),
            "messages are kept in memory alone: all that wait are lost when bearerbox ends in any other way than a "
            "shutdown that waits for them",
        )


@rule("E111")
def finite_tries(subject: Subject) -> Iterator[Found]:
    """A message that is refused often enough is thrown away."""
    tries = subject.core.number("sms-resend-retry", -1)
    if tries >= 0:
        yield Found(
            subject.core.at("sms-resend-retry"),
            f"sms-resend-retry {tries}: a message that a provider puts off {tries + 1} times is discarded",
        )


@rule("E112")
def answered_too_early(subject: Subject) -> Iterator[Found]:
    """smsbox says yes before bearerbox has the message."""
    for box in subject.all("smsbox"):
        if box.on("immediate-sendsms-reply"):
            yield Found(
                box.at("immediate-sendsms-reply"),
                "a program is told that its message is accepted before bearerbox has it: one that bearerbox refuses, "
                "or that is on the way when a box dies, is lost without a word",
            )


@rule("E116")
def nowhere_to_spool(subject: Subject) -> Iterator[Found]:
    """dlr-storage spool without its folder."""
    core = subject.core
    if core.text("dlr-storage") == "spool" and not core.text("dlr-spool"):
        yield Found(core.at("dlr-storage"), "dlr-storage is spool and there is no dlr-spool: bearerbox panics over it")


@rule("E117")
def no_database(subject: Subject) -> Iterator[Found]:
    """A storage without its group, or one that names a connection nobody has."""
    if subject.kind == "spec":
        return  # S316 and S317
    core = subject.core
    for directive, name in (("dlr-storage", "dlr-db"), ("store-type", "store-db")):
        connection = _CONNECTIONS.get(core.text(directive) or "")
        if connection is None:
            continue
        database = subject.single(name)
        if database is None:
            yield Found(
                core.at(directive),
                f"{directive} is {core.text(directive)} and there is no group {name}: bearerbox panics over it",
                f"write the group {name}, and a group {connection} with the id that it names",
            )
        elif not _connected(subject, database, connection):
            yield Found(
                database.at("id"),
                f"no group {connection} has the id that this group names: bearerbox panics over it",
                f"write the same id in a group {connection}",
            )


def _connected(subject: Subject, database: Group, connection: str) -> bool:
    return any(group.text("id") == database.text("id") for group in subject.all(connection))


@rule("E118")
def receipts_in_the_store(subject: Subject) -> Iterator[Found]:
    """bearerbox takes whatever it finds in the store for a message, in the folders below it too."""
    core = subject.core
    if core.text("store-type") != "spool" or core.text("store-file") or core.text("dlr-storage") != "spool":
        return
    store, receipts = core.text("store-location"), core.text("dlr-spool")
    if store and receipts and f"{os.path.normpath(receipts)}/".startswith(f"{os.path.normpath(store)}/"):
        yield Found(
            core.at("dlr-spool"),
            f"dlr-spool {receipts} lies in the message store {store}: the next start finds receipts that are still "
            "to come, takes them for messages, and panics over the first that it sends",
        )


@rule("W220")
def forgotten_receipts(subject: Subject) -> Iterator[Found]:
    """Receipts that wait in memory."""
    core = subject.core
    storage = core.text("dlr-storage")
    if subject.links and subject.has("core") and storage in (None, "internal"):
        how = "dlr-storage is internal" if storage else "dlr-storage is not written, so that it is internal"
        yield Found(core.at("dlr-storage"), f"{how}: every receipt that is still to come is forgotten at a restart")


@rule("I310")
def slow_second_try(subject: Subject) -> Iterator[Found]:
    """A refused one-time password that waits a minute."""
    if not any(subject.live()) or not subject.has("core"):
        return
    wait = subject.core.number("sms-resend-freq", _KANNELS_RESEND)
    if wait >= _KANNELS_RESEND:
        yield Found(
            subject.core.at("sms-resend-freq"),
            f"a message that a provider puts off waits {wait} s for its next try",
        )
