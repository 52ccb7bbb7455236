"""What survives a restart: learnt rates, the boxes that run, and the history of events, in one SQLite file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kannelkit.errors import HostError
from kannelkit.host.processes import ProcessId, boot_id
from kannelkit.render import Side
from kannelkit.throttle.values import Learnt

_SCHEMA = """
CREATE TABLE IF NOT EXISTS rates (
    account TEXT PRIMARY KEY, throughput INTEGER NOT NULL, refuted INTEGER NOT NULL,
    at REAL NOT NULL, settled INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS boxes (
    name TEXT PRIMARY KEY, pid INTEGER NOT NULL, started REAL NOT NULL, boot TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, account TEXT, text TEXT NOT NULL, data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS shares (unit TEXT PRIMARY KEY, shares TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sides (
    account TEXT PRIMARY KEY, side TEXT NOT NULL, since REAL NOT NULL, failed_returns INTEGER NOT NULL,
    settled INTEGER NOT NULL, by_hand INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS held (unit TEXT PRIMARY KEY, rate REAL NOT NULL);
CREATE TABLE IF NOT EXISTS paused (unit TEXT PRIMARY KEY);
CREATE INDEX IF NOT EXISTS events_at ON events (at);
"""
_VERSION = 2
_MOST_EVENTS = 100_000


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: `at` in seconds since the epoch, `text` for people, `data` for programs."""

    at: float
    kind: str
    account: str | None
    text: str
    data: Mapping[str, object]

    def as_dict(self) -> dict[str, object]:
        """Return the event as one flat JSON object."""
        return {"at": self.at, "kind": self.kind, "account": self.account, "text": self.text, **self.data}


@dataclass(frozen=True, slots=True)
class KeptSide:
    """The side of an account that is up `since` (seconds since the epoch), and how many returns to the first failed.

    It is not `settled` while links are still to be stopped or started for it.
    """

    side: Side
    since: float
    failed_returns: int = 0
    settled: bool = True
    by_hand: bool = False


class Memory:
    """The state database of one gateway. One process writes; any may read.

    Raises HostError where the file cannot be used.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self._read_only = read_only
        try:
            if read_only:
                # a reader of a database that nobody has open would leave a log and an index file behind, as its owner
                how = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"
                self._base = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=5)
            else:
                path.touch(mode=0o640)
                self._base = sqlite3.connect(path, timeout=5, isolation_level=None)
                self._base.execute("PRAGMA journal_mode=WAL")
                self._base.execute("PRAGMA synchronous=FULL")  # what was learnt is rare and worth an fsync
                version = self._base.execute("PRAGMA user_version").fetchone()[0]
                if version > _VERSION:
                    raise HostError(
                        f"{path} was written by a newer kannelkit", "install that version, or move the file"
                    )
                self._base.executescript(_SCHEMA)
                self._base.execute(f"PRAGMA user_version={_VERSION}")
        except (sqlite3.Error, OSError) as error:
            hint = "if the file is damaged, move it away: only learnt rates and history are lost"
            raise HostError(f"{path}: {error}", hint) from error

    def close(self) -> None:
        """Close the file; nothing may be called after."""
        self._base.close()

    @contextmanager
    def _told(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self._base
        except sqlite3.Error as error:
            raise HostError(f"{self.path}: {error}", "is the disk full, or the file in use elsewhere?") from error

    # -- learnt rates, by unit: an account-group, or an account of its own

    def learnt(self) -> dict[str, Learnt]:
        """Return what was learnt, by unit."""
        with self._told() as base:
            rows = base.execute("SELECT account, throughput, refuted FROM rates").fetchall()
        return {account: Learnt(throughput, refuted) for account, throughput, refuted in rows}

    def unsettled(self) -> frozenset[str]:
        """Return the units whose links may not run at what was learnt, because a change of rate was cut off."""
        with self._told() as base:
            return frozenset(row[0] for row in base.execute("SELECT account FROM rates WHERE NOT settled"))

    def learn(self, account: str, learnt: Learnt | None, at: float, *, settled: bool = True) -> None:
        """Keep what was learnt of a unit, or forget it (None); `settled` when its links run at that."""
        with self._told() as base:
            if learnt is None:
                base.execute("DELETE FROM rates WHERE account = ?", (account,))
            else:
                row = (account, learnt.throughput, learnt.refuted, at, settled)
                base.execute("INSERT OR REPLACE INTO rates VALUES (?, ?, ?, ?, ?)", row)

    def shares(self) -> dict[str, tuple[int, ...]]:
        """Return the shares of the links of those units that do not share evenly."""
        return {unit: tuple(json.loads(text)) for unit, text in self._all("SELECT unit, shares FROM shares")}

    def share(self, unit: str, shares: Collection[int]) -> None:
        """Keep the shares of a unit's links; none are even ones."""
        with self._told() as base:
            if shares:
                base.execute("INSERT OR REPLACE INTO shares VALUES (?, ?)", (unit, json.dumps(list(shares))))
            else:
                base.execute("DELETE FROM shares WHERE unit = ?", (unit,))

    def paused(self) -> frozenset[str]:
        """Return the units whose rates are not adapted."""
        return frozenset(unit for (unit,) in self._all("SELECT unit FROM paused"))

    def pause(self, unit: str, *, paused: bool) -> None:
        """Keep whether a unit's rate is not adapted."""
        with self._told() as base:
            if paused:
                base.execute("INSERT OR IGNORE INTO paused VALUES (?)", (unit,))
            else:
                base.execute("DELETE FROM paused WHERE unit = ?", (unit,))

    def held(self) -> dict[str, float]:
        """Return the SMS per second that somebody has the relay hold units to."""
        return dict(self._all("SELECT unit, rate FROM held"))

    def hold(self, unit: str, rate: float | None) -> None:
        """Keep what the relay is to hold a unit to; None: nothing."""
        with self._told() as base:
            if rate is None:
                base.execute("DELETE FROM held WHERE unit = ?", (unit,))
            else:
                base.execute("INSERT OR REPLACE INTO held VALUES (?, ?)", (unit, rate))

    # -- sides

    def sides(self) -> dict[str, KeptSide]:
        """Return which side of an account is up, of those that ever left their first."""
        rows = self._all("SELECT account, side, since, failed_returns, settled, by_hand FROM sides")
        return {
            account: KeptSide(side, since, failed, bool(settled), bool(by_hand))
            for account, side, since, failed, settled, by_hand in rows
        }

    def side(self, account: str, kept: KeptSide) -> None:
        """Keep which side of an account is up."""
        row = (account, kept.side, kept.since, kept.failed_returns, kept.settled, kept.by_hand)
        with self._told() as base:
            base.execute("INSERT OR REPLACE INTO sides VALUES (?, ?, ?, ?, ?, ?)", row)

    def _all(self, query: str) -> list[tuple[Any, ...]]:
        """Return every row; a database of an older kannelkit that is only read may lack the table."""
        with self._told() as base:
            try:
                return base.execute(query).fetchall()
            except sqlite3.OperationalError as error:
                if self._read_only and "no such table" in str(error):
                    return []
                raise

    # -- boxes

    def boxes(self) -> dict[str, ProcessId]:
        """Return the boxes that were started since the machine's last boot, by name, running or not."""
        with self._told() as base:
            rows = base.execute("SELECT name, pid, started FROM boxes WHERE boot = ?", (boot_id(),)).fetchall()
        return {name: ProcessId(pid, started) for name, pid, started in rows}

    def box(self, name: str, process: ProcessId | None) -> None:
        """Keep which process a box is, or that there is none."""
        with self._told() as base:
            if process is None:
                base.execute("DELETE FROM boxes WHERE name = ?", (name,))
            else:
                row = (name, process.pid, process.started, boot_id())
                base.execute("INSERT OR REPLACE INTO boxes VALUES (?, ?, ?, ?)", row)

    # -- events

    def tell(self, event: Event) -> None:
        """Keep an event; the oldest go when there are more than 100,000."""
        row = (event.at, event.kind, event.account, event.text, json.dumps(dict(event.data)))
        with self._told() as base:
            number = base.execute(
                "INSERT INTO events (at, kind, account, text, data) VALUES (?, ?, ?, ?, ?)", row
            ).lastrowid
            base.execute("DELETE FROM events WHERE id <= ?", ((number or 0) - _MOST_EVENTS,))

    def events(self, most: int = 100) -> list[Event]:
        """Return the newest events, oldest first."""
        with self._told() as base:
            rows = base.execute(
                "SELECT at, kind, account, text, data FROM events ORDER BY id DESC LIMIT ?", (most,)
            ).fetchall()
        return [Event(at, kind, account, text, json.loads(data)) for at, kind, account, text, data in reversed(rows)]

    def history(
        self,
        *,
        kinds: Collection[str] = (),
        accounts: Collection[str] = (),
        since: float = 0.0,
        after: int = 0,
        most: int | None = None,
    ) -> list[tuple[int, Event]]:
        """Return events with their numbers, oldest first: the newest `most`, or all, of those asked for.

        Of these kinds and accounts (all where none is named), not before `since` (seconds since the epoch), and with a
        number above `after`.
        """
        where = ["at >= ?", "id > ?"]
        values: list[object] = [since, after]
        for column, among in (("kind", kinds), ("account", accounts)):
            if among:
                where.append(f"{column} IN ({', '.join('?' * len(among))})")
                values += among
        found = f"SELECT id, at, kind, account, text, data FROM events WHERE {' AND '.join(where)}"  # noqa: S608 - names only
        with self._told() as base:
            rows = base.execute(f"{found} ORDER BY id DESC LIMIT ?", (*values, -1 if most is None else most)).fetchall()
        return [(number, _event(*row)) for number, *row in reversed(rows)]

    def newest(self, kind: str) -> dict[str, Event]:
        """Return the newest event of a kind for each account that has one."""
        asked = "SELECT max(id), at, kind, account, text, data FROM events WHERE kind = ? AND account IS NOT NULL"
        with self._told() as base:
            rows = base.execute(f"{asked} GROUP BY account", (kind,)).fetchall()
        return {event.account or "": event for event in (_event(*row) for _, *row in rows)}


def _event(at: float, kind: str, account: str | None, text: str, data: str) -> Event:
    return Event(at, kind, account, text, json.loads(data))
