"""What goes over an account's connections, for whoever asks to see it: each PDU a line of JSON, octets in hex."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from kannelkit.errors import GatewayError
from kannelkit.relay.control import FILE
from kannelkit.relay.octets import BINDS, HEADER
from kannelkit.smpp.constants import RESPONSE, CommandId
from kannelkit.smpp.pdu import decode, encode
from kannelkit.smpp.pduerror import PduError

BEARERBOX: Final = "bearerbox"
PROVIDER: Final = "provider"
STARS: Final = b"***"
"""In place of every password."""

_MOST_WATCHERS: Final = 4  # of an account
_MOST_UNREAD: Final = 1024 * 1024  # octets of lines that a watcher has not read, beyond which it misses some
_MOST_AWAITED: Final = 10_000  # requests that a watcher saw, and whose responses it is to see
_MOST_COMMANDS: Final = 32
_LONGEST_LINE: Final = 256 * 1024  # octets: those of the longest PDU in hex, and what is said of it
_WITH_PASSWORD: Final = BINDS | {int(CommandId.OUTBIND)}

Numbers = Callable[[int], int | None]
"""A sequence number of this side's own requests to the other side's, where that is known."""


class Watcher:
    """One who looks on: gets what it asked for, and misses what it does not read in time, and is told how much.

    `write` takes a line, `unread` returns how many octets of lines wait, `close` is called when there will be no more.
    `only` are commands (a request with its responses, or a response), nothing for all of them; `number` are octets that
    stand in a request.
    """

    def __init__(
        self,
        write: Callable[[bytes], object],
        unread: Callable[[], int],
        only: frozenset[int] = frozenset(),
        number: bytes = b"",
        close: Callable[[], object] = lambda: None,
    ) -> None:
        self._write = write
        self._unread = unread
        self._close = close
        self._only = only
        self._number = number
        self._awaited: dict[tuple[bytes, bool, int], bool] = {}  # seen, and no response yet; the oldest first
        self._lost = 0

    def wants(self, where: bytes, frame: bytes, came: bool) -> bool:
        """Return whether it asked for this PDU; a response to one that it was shown, too."""
        _, command_id, _, number = HEADER.unpack_from(frame)
        is_response = bool(command_id & RESPONSE)
        if (
            self._only
            and command_id != CommandId.GENERIC_NACK
            and not self._only & {command_id, command_id & ~RESPONSE}
        ):
            return False
        if not self._number:
            return True
        exchange = where, came == is_response, number  # the second says which end asked
        if is_response:
            return self._awaited.pop(exchange, False)
        if self._number not in frame:
            return False
        self._awaited[exchange] = True
        if len(self._awaited) > _MOST_AWAITED:
            del self._awaited[next(iter(self._awaited))]
        return True

    def tell(self, lines: Sequence[bytes]) -> None:
        """Hand on lines, or as many of them as there is room for."""
        room = _MOST_UNREAD - self._unread()
        told: list[bytes] = []
        for line in lines:
            room -= len(line)
            if room < 0:
                self._lost += 1
                continue
            if self._lost:
                told.append(b'{"lost":%d}\n' % self._lost)
                self._lost = 0
            told.append(line)
        if told:
            self._write(b"".join(told))

    def end(self, line: bytes) -> None:
        """Hand on a last line, room or not."""
        self._write(line)
        self._close()


class Traced:
    """An account's connections; what is told of them costs nothing while `watchers` is empty, so look there first."""

    def __init__(self) -> None:
        self.watchers: list[Watcher] = []
        self._made = {BEARERBOX: 0, PROVIDER: 0}

    def connection(self, side: str) -> bytes:
        """Return what a new connection of a side is named by."""
        self._made[side] += 1
        return b'"side":"%s","connection":%d' % (side.encode(), self._made[side])

    def pdus(self, where: bytes, frames: Sequence[bytes], *, came: bool, numbers: Numbers) -> None:
        """Tell of whole PDUs that came over a connection, or are written to it."""
        lines = [b""] * len(frames)
        begin = b'{"at":%.6f,%s,"came":%s' % (time.time(), where, b"true" if came else b"false")
        for watcher in self.watchers:
            wanted = [place for place, frame in enumerate(frames) if watcher.wants(where, frame, came)]
            for place in wanted:
                lines[place] = lines[place] or _line(begin, frames[place], came, numbers)
            watcher.tell([lines[place] for place in wanted])

    def octets(self, where: bytes, octets: bytes) -> None:
        """Tell of octets that came and are the header of no PDU."""
        self._all(where, {"came": True, "octets": octets.hex()})

    def event(self, where: bytes, text: str) -> None:
        """Tell in words what became of a connection."""
        self._all(where, {"event": text})

    def removed(self) -> None:
        """Tell everybody that there is no such account any more, and let go of them."""
        for watcher in self.watchers:
            watcher.end(b'{"removed":true}\n')

    def _all(self, where: bytes, what: Mapping[str, object]) -> None:
        line = b'{"at":%.6f,%s,%s}\n' % (time.time(), where, json.dumps(what)[1:-1].encode())
        for watcher in self.watchers:
            watcher.tell([line])


def _line(begin: bytes, frame: bytes, came: bool, numbers: Numbers) -> bytes:
    _, command_id, _, number = HEADER.unpack_from(frame)
    other = numbers(number) if came == bool(command_id & RESPONSE) else None
    if command_id in _WITH_PASSWORD:
        frame = _secretless(frame)
    return b'%s,"other":%s,"pdu":"%s"}\n' % (
        begin,
        b"null" if other is None else b"%d" % other,
        frame.hex().encode(),
    )


def _secretless(frame: bytes) -> bytes:
    """Return a PDU with stars for its password; its header alone where nobody can tell what in it is one."""
    try:
        pdu = decode(frame)
    except PduError:
        return frame[:16]
    if pdu.fields.get("password"):
        pdu.fields["password"] = STARS
    return encode(pdu)


@contextlib.contextmanager
def watching(traced: Traced, asked: Mapping[str, Any], writer: asyncio.StreamWriter) -> Iterator[None]:
    """Have a connection of the control socket look on, as `asked`; raises GatewayError where that cannot be.

    `only` is a list of command_ids, `number` a telephone number's digits.
    """
    only, number = asked.get("only", []), asked.get("number", "")
    sound = isinstance(only, list) and len(only) <= _MOST_COMMANDS and all(isinstance(each, int) for each in only)
    if not sound or not isinstance(number, str) or not (number == "" or (number.isascii() and number.isdecimal())):
        raise GatewayError("only is a list of command_ids, number a telephone number's digits")
    if len(traced.watchers) >= _MOST_WATCHERS:
        raise GatewayError(f"{_MOST_WATCHERS} look on already")
    transport = writer.transport

    def write(lines: bytes) -> None:
        if not transport.is_closing():
            transport.write(lines)

    watcher = Watcher(write, transport.get_write_buffer_size, frozenset(only), number.encode(), transport.close)
    writer.write(b'{"watching":true}\n')
    traced.watchers.append(watcher)
    try:
        yield
    finally:
        traced.watchers.remove(watcher)


async def watch(
    folder: Path, account: str, only: Sequence[int] = (), number: str = ""
) -> AsyncIterator[dict[str, Any]]:
    """Yield what goes over an account's connections, as the relay in a folder tells it, until that ends.

    Yields nothing where no relay runs; otherwise what comes first says only that it begins, and `removed` comes last
    where the account was taken from the relay. Raises GatewayError where the relay is not to be asked by this user, and
    with its reason where it refuses.
    """
    path = folder / FILE
    try:
        reader, writer = await asyncio.open_unix_connection(str(path), limit=_LONGEST_LINE)
    except (FileNotFoundError, ConnectionError):
        return
    except OSError as error:
        raise GatewayError(f"{path}: {error.strerror}", "ask as the user that the relay runs as") from error
    try:
        asked = {"do": "trace", "account": account, "only": list(only), "number": number}
        writer.write(json.dumps(asked).encode() + b"\n")
        while line := await reader.readline():
            told = json.loads(line)
            if not isinstance(told, dict) or "error" in told:
                raise GatewayError(f"the relay says: {told['error'] if isinstance(told, dict) else told}")
            yield told
    except (OSError, ValueError):
        return  # it ended in the middle of a line
    finally:
        writer.transport.abort()
