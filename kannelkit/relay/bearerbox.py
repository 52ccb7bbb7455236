"""One connection of bearerbox's to the relay: its bind, what it sends, and what it is sent."""

from __future__ import annotations

import asyncio
import hmac
from typing import TYPE_CHECKING, Final, cast

from kannelkit.relay.octets import BINDS, HEADER, bare, numbered, response
from kannelkit.relay.trace import BEARERBOX
from kannelkit.smpp import pdu
from kannelkit.smpp.constants import RESPONSE, CommandId, CommandStatus
from kannelkit.smpp.framing import Frames, FramingError
from kannelkit.smpp.pdu import Pdu
from kannelkit.smpp.pduerror import PduError

if TYPE_CHECKING:
    from kannelkit.relay.account import Account
    from kannelkit.relay.session import Session

_BIND_WITHIN: Final = 10.0  # seconds
_MOST_UNREAD: Final = 1024 * 1024  # octets of answers
_LEAVES_WITHIN: Final = 5.0  # seconds for bearerbox to read what was written, and to close


class BearerboxConnection(asyncio.Protocol):
    """Takes a bind with the account's own password, and hands everything on; nothing that comes raises out of here."""

    def __init__(self, account: Account) -> None:
        self.session: Session | None = None
        self.bind_frame = b""
        self.bound = False
        self.took_leave = False
        """Whether it ends in order: it has read what it was sent, or is asked to."""
        self.ended = False
        """Whether the end was written: nothing reaches it any more."""
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._account = account
        self._traced = account.traced
        self._where = b""  # its name in a trace
        self._loop = asyncio.get_running_loop()
        self._frames = Frames()
        self._transport: asyncio.Transport | None = None
        self._out: list[bytes] = []
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._held = False  # more waits than is good
        self.choked = False
        """Whether it does not read what it is sent."""
        self._deaf = False  # what it sends is read, and left to it
        self._working = False

    def send(self, frame: bytes) -> None:
        """Send a PDU with the next `flush`."""
        self._out.append(frame)

    def flush(self) -> None:
        """Write what was sent."""
        if not self._working:
            self._write()

    def hold_reading(self, held: bool) -> None:
        """Read no more while more waits than is good."""
        if held != self._held:
            self._held = held
            self._regulate()

    def answer_bind(self, answer: bytes) -> None:
        """Hand on the provider's answer to the bind, as it is."""
        if self.ended:
            return
        number = HEADER.unpack_from(self.bind_frame)[3]
        status = HEADER.unpack_from(answer)[2]
        self.send(numbered(answer, number))
        self.bound = status == CommandStatus.ESME_ROK
        self.flush()
        if not self.bound:
            self.close()

    def stop_reading(self) -> None:
        """Take nothing more of what bearerbox sends; it keeps that, since no answer comes."""
        self._deaf = True
        self.hold_reading(False)

    def unbind(self) -> None:
        """Ask bearerbox to leave in order; what it still sends is read, for a reset would take answers away."""
        self.stop_reading()
        self.took_leave = True
        if self.bound:
            self.bound = False
            self.send(bare(CommandId.UNBIND, 0, 1))
            self.flush()
        self.close_after_reading()

    def close_after_reading(self) -> None:
        """Write the end, and close when bearerbox has."""
        self._write()
        if self._transport is None or self._transport.is_closing() or self.ended:
            return
        self.ended = True
        try:
            self._transport.write_eof()
        except OSError:  # it is gone this moment, and asyncio has not heard of it
            self._transport.abort()
        self._watch(_LEAVES_WITHIN)

    def close(self) -> None:
        """Close when what is written has been read."""
        self._write()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()
            self._watch(_LEAVES_WITHIN)

    def abort(self) -> None:
        """Cut the connection off."""
        if self._transport is not None:
            self._transport.abort()

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._where = self._traced.connection(BEARERBOX)
        if self._traced.watchers:
            self._traced.event(self._where, "connected")
        if self._account.admits(self):
            self._watch(_BIND_WITHIN)
        else:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._traced.watchers:
            self._traced.event(self._where, "connection ended")
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
        self.bound = False
        if not self.closed.done():
            self.closed.set_result(None)
        self._account.gone(self)

    def pause_writing(self) -> None:
        self.choked = True
        if self.session is not None:
            self.session.regulate()

    def resume_writing(self) -> None:
        self.choked = False
        self._regulate()
        if self.session is not None:
            self.session.regulate()

    def data_received(self, data: bytes) -> None:
        now = self._loop.time()
        broken = None
        try:
            frames = self._frames.feed(data)
        except FramingError as error:
            frames, broken = error.frames, error
        if self._traced.watchers:
            self._traced.pdus(self._where, frames, came=True, numbers=self._number_there)
            if broken is not None:
                self._traced.octets(self._where, broken.rest)
        session = self.session if self.bound and not self._deaf else None
        unpack = HEADER.unpack_from
        self._working = True
        for frame in frames:
            _, command_id, _, number = unpack(frame)
            if session is not None and command_id == CommandId.SUBMIT_SM:
                session.request(frame, command_id, number, now)
            else:
                self._other(frame, command_id, number, now)
        self._working = False
        if broken is not None and not self._deaf:
            refusal = pdu.answer(broken)
            if refusal is not None:
                self.send(pdu.encode(refusal))
            self.close()
        if session is not None:
            session.answered_deliveries()
            session.arrived()
        self.flush()
        if self.choked:
            self._regulate()

    def _other(self, frame: bytes, command_id: int, number: int, now: float) -> None:
        session = self.session if self.bound and not self._deaf else None
        if command_id & RESPONSE:
            if self.session is not None:
                self.session.response(frame, number)
        elif command_id == CommandId.ENQUIRE_LINK:
            self.send(response(command_id, 0, number))
        elif command_id in BINDS:
            self._bind(frame, command_id, number)
        elif command_id == CommandId.UNBIND:
            self._unbind(number)
        elif session is not None:
            session.request(frame, command_id, number, now)
        elif not self._deaf:
            self.send(response(command_id, CommandStatus.ESME_RINVBNDSTS, number))

    def _bind(self, frame: bytes, command_id: int, number: int) -> None:
        if self._deaf:
            return
        if self.bind_frame:
            self.send(response(command_id, CommandStatus.ESME_RALYBND, number))
            return
        try:
            asked = pdu.decode(frame)
        except PduError as error:
            refusal = pdu.answer(error)
            if refusal is not None:
                self.send(pdu.encode(refusal))
            return
        settings = self._account.settings
        known = hmac.compare_digest(asked.octets("system_id"), settings.listen_system_id)
        if not hmac.compare_digest(asked.octets("password"), settings.listen_password) or not known:
            # a wrong password would make Kannel give the link up for ever (gw/smsc/smsc_smpp.c, handle_pdu)
            self.send(response(command_id, CommandStatus.ESME_RBINDFAIL, number))
            self.close()
            return
        self.bind_frame = frame
        if self._timer is not None:
            self._timer.cancel()  # the provider's time begins
        self._task = asyncio.create_task(self._account.bind(self, asked))

    def _unbind(self, number: int) -> None:
        if not self.bound:
            self.send(response(CommandId.UNBIND, CommandStatus.ESME_RINVBNDSTS, number))
        elif self._task is None or self._task.done():
            self._deaf = self.took_leave = True
            self._task = asyncio.create_task(self._leave(number))

    async def _leave(self, number: int) -> None:
        """Wait for the answers that are still to come, and then take leave."""
        await self._account.drain(self)
        self.bound = False
        self.send(response(CommandId.UNBIND, 0, number))
        self.flush()
        self.close_after_reading()

    def _regulate(self) -> None:
        """Read on, or not while more waits than is good or while it reads none of its answers."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._held or (self.choked and transport.get_write_buffer_size() > _MOST_UNREAD):
            transport.pause_reading()
        else:
            transport.resume_reading()

    def _write(self) -> None:
        if self._out:
            out, self._out = self._out, []
            if self._transport is not None and not self._transport.is_closing() and not self.ended:
                if self._traced.watchers:
                    self._traced.pdus(self._where, out, came=False, numbers=self._number_there)
                self._transport.write(b"".join(out))

    def _number_there(self, number: int) -> int | None:
        return None if self.session is None else self.session.number_there(number)

    def _watch(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self.abort)


def bind_request(
    asked: Pdu, system_id: bytes, password: bytes, system_type: bytes | None, version: int | None
) -> bytes:
    """Return bearerbox's bind with the provider's login in it; raises PduError where the wire cannot hold that."""
    fields = {**asked.fields, "system_id": system_id, "password": password}
    if system_type is not None:
        fields["system_type"] = system_type
    if version is not None:
        fields["interface_version"] = version
    return pdu.encode(Pdu(asked.command_id, 0, 0, fields, asked.tlvs))
