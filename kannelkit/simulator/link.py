"""One connection from a client: octets in, the account's judgement, octets out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, cast

from kannelkit.simulator import messages, responses
from kannelkit.simulator.answers import Answers
from kannelkit.simulator.limits import Law, Limit
from kannelkit.simulator.rules import AtUnbind, Order, flags
from kannelkit.smpp import pdu
from kannelkit.smpp.constants import RESPONSE, CommandId, CommandStatus
from kannelkit.smpp.framing import Frames, FramingError
from kannelkit.smpp.pdu import Pdu, PduError

if TYPE_CHECKING:
    from kannelkit.simulator.account import Account
    from kannelkit.simulator.server import Simulator

CLOSED_WITHIN = 5.0  # seconds for a client to read what was written before the close

_SUBMITS: Final = frozenset({int(CommandId.SUBMIT_SM), int(CommandId.DATA_SM)})
_BINDS: Final = {  # command -> may submit, may receive
    CommandId.BIND_TRANSMITTER: (True, False),
    CommandId.BIND_RECEIVER: (False, True),
    CommandId.BIND_TRANSCEIVER: (True, True),
}


class Link(asyncio.Protocol):
    """Reads PDUs, answers each, closes where SMPP or the rules say so; nothing a client sends raises out of here."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._clock = simulator.clock
        self._frames = Frames()
        self._answers = Answers(self._clock, self._answer_later, self._drained, simulator.shuffle)
        self._out: list[bytes] = []  # what is to leave when the data at hand is worked off
        self._transport: asyncio.Transport | None = None
        self._unbinding: int | None = None  # the sequence number of an unbind that waits for the last answers
        self._last_pdu = 0.0
        self._idle_timer: asyncio.TimerHandle | None = None
        self._bound = 0.0  # when it was
        self._age_timer: asyncio.TimerHandle | None = None
        self._ending = False  # what still arrives is not looked at; closed after the last answer
        self._sequence_number = 0
        self._working = False
        self._choked = False  # the client does not read what it is sent
        self.account: Account | None = None
        self.limit: Limit | None = None  # where the account's limit is one for each connection
        self.may_submit = False
        self.may_receive = False
        self.iso = False  # data_coding 0 is ISO-8859-1 instead of GSM 03.38
        self._single = False  # each part of a long message is a message of its own

    @property
    def waiting(self) -> int:
        """How many answers wait for their time."""
        return len(self._answers)

    @property
    def can_receive(self) -> bool:
        """Whether a deliver_sm can be sent here now."""
        leaving = self._choked or self._ending or self._unbinding is not None or self._transport is None
        return self.may_receive and not leaving and not self._simulator.behaviour.silent

    def next_sequence_number(self) -> int:
        """Return a number for a request of ours: 1 to 0x7FFFFFFF, then again from 1 (SMPP 3.4, 3.2)."""
        self._sequence_number = self._sequence_number % 0x7FFFFFFF + 1
        return self._sequence_number

    @property
    def address(self) -> str:
        """The client's IP address."""
        peer = self._transport.get_extra_info("peername") if self._transport is not None else None
        return str(peer[0]) if peer else ""

    def send(self, request: bytes) -> None:
        """Send a request of ours; while data is worked off it leaves with the answers."""
        self._out.append(request)
        if not self._working:
            self._flush()

    def close(self) -> None:
        """Close the connection; answers that still wait are never sent."""
        self._leave_account()
        self._answers.drop()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()
            if self._idle_timer is not None:
                self._idle_timer.cancel()
            self._idle_timer = self._clock.call_at(self._clock.now() + CLOSED_WITHIN, self._transport.abort)
            self._watch_age()

    def abort(self) -> None:
        """Cut the connection off, whatever is still to be written."""
        self._leave_account()
        self._answers.drop()
        if self._transport is not None:
            self._transport.abort()

    def behaviour_changed(self) -> None:
        """Apply what was changed to what is under way: the times until a close, and silence."""
        silent = self._simulator.behaviour.silent
        if self._answers.held and not silent:
            self._last_pdu = self._clock.now()  # nobody was heard meanwhile, so nobody was idle
        self._answers.hold(silent)
        self._watch_idle()
        self._watch_age()

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if not self._simulator.admit(self):
            self._transport.abort()
            return
        self._last_pdu = self._clock.now()
        self._answers.hold(self._simulator.behaviour.silent)
        self._watch_idle()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._answers.drop()
        self._watch_age()
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._simulator.forget(self)
        self._leave_account()

    def pause_writing(self) -> None:
        self._choked = True
        self._hold_reading()

    def resume_writing(self) -> None:
        self._choked = False
        self._hold_reading()
        if self.account is not None:
            self.account.receipts.send()

    def data_received(self, data: bytes) -> None:
        now = self._clock.now()
        broken = None
        try:
            frames = self._frames.feed(data)
        except FramingError as error:
            frames = list(error.frames)
            broken = error
        if frames:
            self._last_pdu = now
        if self._simulator.behaviour.silent:
            return
        self._working = True
        for frame in frames:
            if self._ending or self._transport is None or self._transport.is_closing():
                break
            try:
                self._take(pdu.decode(frame), now)
            except PduError as error:
                self._reject(error, now)
        self._working = False
        if broken is not None:
            self._reject(broken, now)
            self.close_after_writing()
        self._flush()
        if len(self._answers) > self._simulator.bounds.waiting:
            self._hold_reading()

    # PDUs

    def _take(self, received: Pdu, now: float) -> None:
        command_id = received.command_id
        if command_id in _SUBMITS:
            self._submit(received, now)
        elif command_id & RESPONSE:
            if command_id in (CommandId.DELIVER_SM_RESP, CommandId.GENERIC_NACK) and self.account is not None:
                self.account.receipts.acknowledged(self, received.sequence_number, received.command_status)
        elif command_id == CommandId.ENQUIRE_LINK:
            self._answer(received, CommandStatus.ESME_ROK)
        elif command_id in _BINDS:
            self._bind(received)
        elif command_id == CommandId.UNBIND:
            self._unbind(received)
        elif command_id == CommandId.QUERY_SM:
            self._query(received, now)
        elif command_id == CommandId.CANCEL_SM:
            self._answer_bound(received, CommandStatus.ESME_RCANCELFAIL)
        elif command_id == CommandId.REPLACE_SM:
            self._answer_bound(received, CommandStatus.ESME_RREPLACEFAIL)
        else:  # submit_multi too: the provider has not implemented it
            self._out.append(responses.unknown(received))

    def _submit(self, received: Pdu, now: float) -> None:
        account = self.account
        if account is None:
            self._answer(received, CommandStatus.ESME_RINVBNDSTS)
            return
        account.arrived(now)
        submit = messages.read(received, self.iso)
        if not self.may_submit or self._unbinding is not None:
            status = int(CommandStatus.ESME_RINVBNDSTS)
        elif not (status := messages.wrong_address(received)) and account.repeats(submit, now):
            status = CommandStatus.ESME_RSUBMITFAIL  # the provider documents the rule, not the status
        elif not status and account.refuses(submit):
            status = CommandStatus.ESME_RSUBMITFAIL  # as before
        elif not status and account.full():
            status = CommandStatus.ESME_RMSGQFUL
        status = status or self._simulator.rejects()
        if status:
            account.counters.rejected += 1
            answer = responses.bare(received, status)
        elif account.admits(self, now):
            message_id = account.accept(submit, self._single or account.rules.single, now)
            answer = responses.accepted(received, message_id)
        else:
            answer = responses.bare(received, CommandStatus.ESME_RTHROTTLED)
            self._ending = account.rules.law is Law.CLOSING
        self._answer_submit(answer, now)
        if self._ending and not self._answers:
            self._drained()

    def _answer_submit(self, answer: bytes, now: float) -> None:
        behaviour = self._simulator.behaviour
        if behaviour.order is Order.NONE:
            return
        if self._simulator.answers_at_once and not self._answers:
            self._out.append(answer)
            if self.account is not None:
                self.account.counters.unanswered -= 1
        else:
            self._answers.add(answer, now, behaviour)

    def _bind(self, received: Pdu) -> None:
        if self.account is not None:
            self._answer(received, CommandStatus.ESME_RALYBND)
            return
        said = flags(received.octets("system_type").decode("latin-1"))
        status, account = self._simulator.bind(self, received)
        if account is None:
            self._answer(received, status)
            return
        self.account = account
        self.iso = "ISO" in said
        self._single = "SINGLE" in said
        self.may_submit, self.may_receive = _BINDS[CommandId(received.command_id)]
        self._out.append(responses.bound(received))
        self._flush()  # the bind_resp goes before any receipt
        self._bound = self._clock.now()
        self._watch_idle()
        self._watch_age()
        account.receipts.send()

    def _unbind(self, received: Pdu) -> None:
        if self.account is None:
            self._answer(received, CommandStatus.ESME_RINVBNDSTS)
        elif self._simulator.behaviour.unbind is AtUnbind.CLOSE:
            self.close_after_writing()
        elif self._unbinding is None:
            self._unbinding = received.sequence_number
            if not self._answers:
                self._drained()

    def _query(self, received: Pdu, now: float) -> None:
        if self.account is None or not self.may_submit:
            self._answer(received, CommandStatus.ESME_RINVBNDSTS)
            return
        text = received.octets("message_id")
        message = self.account.messages.get(int(text)) if text.isdigit() else None
        if message is None:
            self._answer(received, CommandStatus.ESME_RINVMSGID)
            return
        self._out.append(responses.queried(received, message, now, self._clock))

    def _reject(self, error: PduError, now: float) -> None:
        answer = pdu.answer(error)
        if answer is None:
            return
        if error.command_id in _SUBMITS and self.account is not None:
            self.account.arrived(now)
            self.account.counters.rejected += 1
            self._answer_submit(pdu.encode(answer), now)
        else:
            self._out.append(pdu.encode(answer))

    def _answer_bound(self, received: Pdu, status: int) -> None:
        self._answer(received, CommandStatus.ESME_RINVBNDSTS if self.account is None else status)

    def _answer(self, received: Pdu, status: int) -> None:
        self._out.append(responses.bare(received, status))

    # octets out

    def _flush(self) -> None:
        if self._out:
            out, self._out = self._out, []
            self._write(out)

    def _write(self, octets: list[bytes]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(octets))

    def _answer_later(self, answers: list[bytes]) -> None:
        if self.account is not None:
            self.account.counters.unanswered -= len(answers)
        self._write(answers)
        if len(self._answers) <= self._simulator.bounds.waiting // 2:
            self._hold_reading()

    def _drained(self) -> None:
        if self._unbinding is not None:
            self._out.append(responses.unbound(self._unbinding))
            self.close_after_writing()
        elif self._ending:
            self._end()

    def close_after_writing(self) -> None:
        """Write what is at hand, then close."""
        self._flush()
        self.close()

    def _end(self) -> None:
        """Write what is at hand and then the end; what still arrives is read, for a reset would take answers away."""
        self._flush()
        if self._transport is None or self._transport.is_closing() or not self._transport.can_write_eof():
            self.close()
            return
        self._leave_account()
        self._watch_age()
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        try:
            self._transport.write_eof()
        except OSError:  # it is gone this moment, and asyncio has not heard of it
            self.close()
            return
        self._idle_timer = self._clock.call_at(self._clock.now() + CLOSED_WITHIN, self._transport.abort)

    def _hold_reading(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._choked or len(self._answers) > self._simulator.bounds.waiting:
            transport.pause_reading()
        else:
            transport.resume_reading()

    # the end

    def _leave_account(self) -> None:
        account, self.account = self.account, None
        if account is not None:
            account.links.remove(self)
            account.receipts.lost(self)

    def _watch_idle(self) -> None:
        behaviour = self._simulator.behaviour
        if self._transport is None or self._transport.is_closing() or self._ending or behaviour.silent:
            return
        longest = behaviour.idle if self.account is not None else min(behaviour.idle, behaviour.bind_within)
        if self._clock.now() - self._last_pdu >= longest:
            if self.account is not None:
                self.account.counters.closed_idle += 1
            self.close()
            return
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._idle_timer = self._clock.call_at(self._last_pdu + longest, self._watch_idle)

    def _watch_age(self) -> None:
        """Close the connection when it was bound for as long as it may be."""
        if self._age_timer is not None:
            self._age_timer.cancel()
            self._age_timer = None
        behaviour = self._simulator.behaviour
        if self.account is None or not behaviour.close_after or behaviour.silent:
            return
        end = self._bound + behaviour.close_after
        if self._clock.now() >= end:
            self.close()
        else:
            self._age_timer = self._clock.call_at(end, self._watch_age)
