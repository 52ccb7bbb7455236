"""What became of each message of a list: written down before a message is handed on, so that none is sent twice.

One SQLite file for all lists of a gateway. It holds numbers of lines, names of files and keyed digests, no receiver and
no text.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from kannelkit.errors import HostError, KannelkitError

FILE = "send.db"
_LOCK = "send.lock"
KEPT_DAYS = 30  # a list that is done is forgotten then

_VERSION = 1
_SCHEMA = (
    "CREATE TABLE keys (key BLOB NOT NULL)",
    "CREATE TABLE lists (id INTEGER PRIMARY KEY, digest BLOB NOT NULL, file TEXT NOT NULL, began REAL NOT NULL, "
    "ended REAL)",
    "CREATE TABLE messages (list INTEGER NOT NULL, id BLOB NOT NULL, state TEXT NOT NULL, at REAL NOT NULL, "
    "PRIMARY KEY (list, id)) WITHOUT ROWID",
    "CREATE TABLE recent (digest BLOB PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID",
)
# what SQLite says -> what to do about it
_HINTS = {
    sqlite3.SQLITE_FULL: "make room on the disk",
    sqlite3.SQLITE_IOERR: "is the disk full, or broken?",
    sqlite3.SQLITE_BUSY: "another kannelkit writes there for long; try again",
    sqlite3.SQLITE_READONLY: "run as the user that owns the state-dir",
}


class State(StrEnum):
    """What is known of a message that was begun."""

    BEGUN = "begun"  # a request was about to be made; whether it was, and its answer, nobody knows
    TAKEN = "taken"
    REFUSED = "refused"  # certainly not taken


@dataclass(frozen=True, slots=True)
class List:
    """A list that is being sent, and what is known of its messages by their ids.

    It is not `new` where some were sent before, from a moment on or until then (`since`, seconds since the epoch).
    """

    id: int
    since: float
    states: Mapping[bytes, State]
    new: bool


class Journal:
    """The journal of one gateway; several processes may have it open, each with lists of its own.

    Raises HostError where the file cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        """Open the journal in the folder, which is there, or make it, readable for its owner alone."""
        self._path = folder / FILE
        self._lock = -1
        with self._told():
            os.close(self._opened(FILE))
            self._base = sqlite3.connect(self._path, timeout=10, isolation_level=None)
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = FULL")  # what was begun is on the disk before the request is made
        with self._written():
            self._check_version()
            row = self._base.execute("SELECT key FROM keys").fetchone()
            self._key = row[0] if row else secrets.token_bytes(32)
            if row is None:
                self._base.execute("INSERT INTO keys VALUES (?)", (self._key,))

    def _check_version(self) -> None:
        (version,) = self._base.execute("PRAGMA user_version").fetchone()
        if version not in (0, _VERSION):
            hint = "use that one, or move the file away: then nobody knows what was sent"
            raise HostError(f"{self._path} was written by another version of kannelkit", hint)
        for statement in _SCHEMA if version == 0 else ():
            self._base.execute(statement)
        self._base.execute(f"PRAGMA user_version = {_VERSION}")

    def _opened(self, name: str) -> int:
        """Return a descriptor of a file in the folder, made where it is missing; root makes it the folder owner's."""
        path = self._path.with_name(name)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        os.fchmod(descriptor, 0o600)
        if os.geteuid() == 0:
            owner = os.stat(path.parent)
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        return descriptor

    def digest(self, *values: object) -> bytes:
        """Return what equal values have in common, and nobody can tell them by who has not this journal's key."""
        whole = hashlib.blake2b(key=self._key, digest_size=16)
        for value in values:
            octets = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
            whole.update(b"%d:" % len(octets) + octets)
        return whole.digest()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._base.close()
        if self._lock >= 0:
            os.close(self._lock)

    # -- lists ---------------------------------------------------------------------------------------------------------

    def take_up(self, file: str, ids: Sequence[bytes], now: float, *, anew: bool = False, resume: bool = False) -> List:
        """Begin a list of the messages with these ids, or go on with the one from the same file, "" for none.

        A list that was broken off is gone on with, also where its content has changed. Raises KannelkitError where that
        has nothing in common with what it was, and for messages that were sent in a list that is done, unless they are
        to be left out (`resume`) or everything is to be sent (`anew`); and where another process sends the list.
        """
        digest = self.digest(*ids)
        with self._written():
            known = self._base.execute(
                "SELECT id, began, ended FROM lists WHERE digest = ? OR (file = ? AND file != '') ORDER BY id DESC",
                (digest, file),
            ).fetchall()
            open_id, began = next(((each, began) for each, began, ended in known if ended is None), (None, now))
            if open_id is not None:
                self._hold(open_id)
            if open_id is not None and not anew:
                states = self._states([open_id], ids)
                if not (states or resume):
                    self._refuse_other_content(open_id, began)
                self._base.execute("UPDATE lists SET digest = ?, file = ? WHERE id = ?", (digest, file, open_id))
                return List(open_id, began, states, new=False)
            self._base.execute("UPDATE lists SET ended = ? WHERE id = ?", (now, open_id))
            states = {} if anew else self._states([each for each, _, _ in known], ids)
            states = {message: state for message, state in states.items() if state is not State.REFUSED}
            if states:
                began = known[0][2]
            taken = sum(state is State.TAKEN for state in states.values())
            if taken and not resume:
                raise _again(taken, len(ids), began)
            return List(self._new(digest, file, now, states), began, states, new=not states)

    def _refuse_other_content(self, list_id: int, began: float) -> None:
        """Raise KannelkitError where a list was broken off of which nothing is left in its file: a text was corrected,
        perhaps, and those who have it already would get it twice.
        """
        query = "SELECT count(*) FROM messages WHERE list = ? AND state != ?"
        (begun,) = self._base.execute(query, (list_id, State.REFUSED)).fetchone()
        if begun:
            message = (
                f"{begun} other messages of this file were sent from {_moment(began)} on, before it was broken off"
            )
            raise KannelkitError(message, "--anew sends it as it is now, to everybody in it")

    def _new(self, digest: bytes, file: str, now: float, states: Mapping[bytes, State]) -> int:
        """Begin a list of which some messages were begun in another."""
        made = self._base.execute("INSERT INTO lists (digest, file, began) VALUES (?, ?, ?)", (digest, file, now))
        list_id = int(made.lastrowid or 0)
        self._hold(list_id)
        for message, state in states.items():
            self._put(list_id, message, state, now)
        return list_id

    def _hold(self, list_id: int) -> None:
        """Keep every other process from sending this list until this one ends."""
        if self._lock < 0:
            self._lock = self._opened(_LOCK)
        try:
            fcntl.lockf(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, list_id)
        except (BlockingIOError, PermissionError):
            message = "another kannelkit is sending this list at this moment"
            raise KannelkitError(message, "wait until it is done; what it leaves can be sent then") from None

    def _states(self, lists: Iterable[int], ids: Iterable[bytes]) -> dict[bytes, State]:
        """Return what is known of messages: where lists differ, what is worst if they are sent again."""
        found: dict[bytes, set[str]] = {}
        for list_id in lists:
            for message, state in self._base.execute("SELECT id, state FROM messages WHERE list = ?", (list_id,)):
                found.setdefault(message, set()).add(state)
        order = (State.TAKEN, State.BEGUN, State.REFUSED)
        return {each: next(state for state in order if state in found[each]) for each in ids if each in found}

    def end(self, list_id: int, now: float) -> None:
        """Write down that nothing of the list is left to begin, and forget those that were done long ago."""
        with self._written():
            self._base.execute("UPDATE lists SET ended = ? WHERE id = ?", (now, list_id))
            old = now - KEPT_DAYS * 86_400
            self._base.execute("DELETE FROM messages WHERE list IN (SELECT id FROM lists WHERE ended < ?)", (old,))
            self._base.execute("DELETE FROM lists WHERE ended < ?", (old,))

    # -- messages ------------------------------------------------------------------------------------------------------

    def recent(self, since: float) -> Mapping[bytes, float]:
        """Return the digests of what was begun after a moment and not refused, each with its own moment."""
        with self._told():
            return dict(self._base.execute("SELECT digest, at FROM recent WHERE at > ?", (since,)).fetchall())

    def write(
        self,
        list_id: int | None,
        now: float,
        *,
        same_within: float,
        answered: Iterable[tuple[bytes, State, bytes | None]] = (),
        begun: Iterable[tuple[bytes, bytes | None]] = (),
    ) -> frozenset[bytes]:
        """Write down answers, then what is about to be sent, and return the ids of what must not be sent.

        Those are messages with a digest that was begun, by whomever, less than `same_within` seconds ago; they are not
        written down. A message is its id, its state and, where its like is refused for a while, its digest. When this
        returns, it is on the disk.
        """
        held = set()
        with self._written():
            for message, state, digest in answered:
                self._put(list_id, message, state, now)
                if state is State.REFUSED:
                    self._base.execute("DELETE FROM recent WHERE digest = ?", (digest,))
                else:
                    self._base.execute("UPDATE recent SET at = ? WHERE digest = ?", (now, digest))
            self._base.execute("DELETE FROM recent WHERE at <= ? OR at > ?", (now - same_within, now + same_within))
            for message, digest in begun:
                if digest is not None:
                    done = self._base.execute("INSERT OR IGNORE INTO recent VALUES (?, ?)", (digest, now))
                    if not done.rowcount:
                        held.add(message)
                        continue
                self._put(list_id, message, State.BEGUN, now)
        return frozenset(held)

    def _put(self, list_id: int | None, message: bytes, state: State, now: float) -> None:
        if list_id is not None:
            self._base.execute("INSERT OR REPLACE INTO messages VALUES (?, ?, ?, ?)", (list_id, message, state, now))

    @contextmanager
    def _written(self) -> Iterator[None]:
        with self._told():
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._base.execute("ROLLBACK")
                raise
            self._base.execute("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            hint = "run as the user that owns the state-dir"
            raise HostError(f"{self._path}: {error.strerror}", hint) from error
        except (sqlite3.Error, ValueError) as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without what SQLite's extended codes add
            hint = _HINTS.get(code, "if it is broken move it away: then nobody knows what was sent")
            raise HostError(f"the journal {self._path}: {error}", hint) from error


def _again(taken: int, messages: int, ended: float) -> KannelkitError:
    when = _moment(ended)
    if taken == messages:
        return KannelkitError(f"this list was sent on {when}, all of it", "--anew sends it once more")
    return KannelkitError(
        f"{taken} of the {messages} messages were sent on {when}",
        "--resume sends the others, --anew all of them",
    )


def _moment(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
