"""One bind of bearerbox's, and the provider's connections behind it: submits one way, the rest the other."""

from __future__ import annotations

import asyncio
import contextlib
import math
from typing import TYPE_CHECKING, Final

from kannelkit.relay.held import Held, Submit
from kannelkit.relay.octets import SUBMITS, UNANSWERED, numbered, response, urgent
from kannelkit.relay.provider import ProviderConnection
from kannelkit.smpp import pdu
from kannelkit.smpp.constants import CommandId, CommandStatus
from kannelkit.smpp.pduerror import PduError

if TYPE_CHECKING:
    from kannelkit.pacing.limit import Sent
    from kannelkit.relay.account import Account
    from kannelkit.relay.bearerbox import BearerboxConnection

_MOST_HELD: Final = 20_000
_MOST_OCTETS: Final = 16 * 1024 * 1024
_MOST_DELIVERIES: Final = 1000  # that bearerbox has not answered, before no more are read

# statuses after which the same submit may be accepted a little later (SMPP 3.4, 5.1.3); Kannel, too, sends these
# again (gw/smsc/smsc_smpp.c, smpp_status_to_smscconn_failure_reason)
_LATER: Final = frozenset(
    {int(CommandStatus.ESME_RMSGQFUL), int(CommandStatus.ESME_RX_T_APPN), int(CommandStatus.ESME_RSYSERR)}
)
_LATER_SECONDS, _LATER_LONGEST = 0.5, 8.0
# so many of them in a row, and it is not a matter of the single message: nothing leaves for a while
_LATER_IN_A_ROW: Final = 5
# an answer may wait so long at bearerbox until it has marked the message as sent
_UNREAD_SECONDS: Final = 0.05
_THROTTLED: Final = int(CommandStatus.ESME_RTHROTTLED)


class Session:
    """What a bind of bearerbox's stands for, from the provider's taking it until the last answer is there."""

    def __init__(self, account: Account, bearerbox: BearerboxConnection) -> None:
        self.account = account
        self.bearerbox: BearerboxConnection | None = bearerbox
        self.connections: list[ProviderConnection] = []
        self.traced = account.traced
        self.held = Held(_MOST_HELD, _MOST_OCTETS)
        self._counts = account.counts
        self._lately = account.lately
        self._orphans = account.orphans
        self._pacer = account.pacer
        self._limit = account.pacer.limit
        self._settings = account.settings
        self._clock = asyncio.get_running_loop().time
        self._order = 0
        self._not_before = -math.inf  # nothing leaves: the provider's queue is full
        self._later_in_a_row = 0
        self._told_since = -math.inf
        self._told_now = self._told_before = 0  # answers that bearerbox may not have read
        self._deliveries: dict[int, tuple[ProviderConnection, int]] = {}
        self._number = 0
        self._leaving = False  # nothing leaves any more
        self._moving = False  # nothing leaves until the other host is bound
        self._settled = asyncio.Event()

    @property
    def good(self) -> bool:
        """Whether a provider is bound and alive."""
        return any(not connection.doubtful for connection in self.connections)

    @property
    def unanswered(self) -> int:
        """How many requests the provider owes an answer."""
        return sum(len(connection.unanswered) for connection in self.connections)

    # what bearerbox sends

    def request(self, frame: bytes, command_id: int, number: int, now: float) -> None:
        """Take a request of bearerbox's; it leaves when `arrived` is called, or in its turn."""
        self._order += 1
        submit = Submit(frame, command_id, number, self._order, now)
        if command_id not in SUBMITS:
            self._pass(submit)
            return
        if command_id == CommandId.SUBMIT_SM:
            is_urgent = urgent(frame)
            if is_urgent is None and self._malformed(frame):
                return
            submit.urgent = bool(is_urgent)
        self._counts.arrived += 1
        if self._orphans:
            known = self._orphans.claim(frame)
            if known is not None and self.bearerbox is not None:
                self._counts.not_doubled += 1
                self.bearerbox.send(numbered(known, number))
                return
        self.held.add(submit)

    def arrived(self) -> None:
        """Let what was taken leave, as far as it may."""
        self._pacer.kick()
        if self.held.full and self.bearerbox is not None:
            self.bearerbox.hold_reading(True)

    def response(self, frame: bytes, number: int) -> None:
        """Take bearerbox's answer to something that the provider sent."""
        found = self._deliveries.pop(number, None)
        if found is not None:
            connection, theirs = found
            connection.reply(numbered(frame, theirs))
            if len(self._deliveries) <= _MOST_DELIVERIES // 2:
                self.regulate()

    def number_there(self, number: int) -> int | None:
        """Return the provider's sequence number of what bearerbox was sent with this one and has not answered."""
        found = self._deliveries.get(number)
        return None if found is None else found[1]

    def answered_deliveries(self) -> None:
        """Write what `response` took."""
        for connection in self.connections:
            connection.flush()

    def regulate(self) -> None:
        """Read what the providers send, or leave it to them until bearerbox has taken what there is."""
        bearerbox = self.bearerbox
        held = bearerbox is not None and (bearerbox.choked or len(self._deliveries) >= _MOST_DELIVERIES)
        for connection in self.connections:
            connection.hold_reading(held)

    # what the pacer asks

    def ready(self, now: float) -> bool:
        if self._leaving or self._moving or now < self._not_before or not self.held.ready(now):
            return False
        return any(connection.room for connection in self.connections)

    def due(self) -> float:
        if not any(connection.room for connection in self.connections):
            return math.inf  # an answer comes first
        return self._not_before if self.held.ready(self._clock()) else max(self.held.due(), self._not_before)

    def waits(self) -> bool:
        return len(self.held) > 0 and not self._leaving and not self._moving

    def send_next(self, now: float, sent: Sent) -> None:
        submit = self.held.take(now)
        submit.sent, submit.left = sent, now
        submit.tries += 1
        if submit.doubtful:
            submit.doubtful = False
            self._counts.maybe_doubled += 1
        self._counts.sent += 1
        self._roomiest().send(submit)

    def flush(self) -> None:
        self.account.note()  # before it leaves: a kill in between counts one too many, never one too few
        for connection in self.connections:
            connection.flush()
        if self.bearerbox is not None and self.held.roomy:
            self.bearerbox.hold_reading(False)

    # what a provider's connection tells

    def bound(self, connection: ProviderConnection, frame: bytes) -> None:
        self.connections.append(connection)
        self._counts.binds += 1
        self.regulate()
        if self.bearerbox is not None and not self.bearerbox.bound:
            self.bearerbox.answer_bind(frame)

    def answered(self, submit: Submit, status: int, frame: bytes, now: float) -> None:
        sent, counts = submit.sent, self._counts
        if sent is not None:
            submit.sent = None
            self._lately.answered(now - submit.left, now, refused=status == _THROTTLED)
            if status == 0:
                self._limit.accepted(sent, now)
                counts.accepted += 1
                self._later_in_a_row = 0
                if self.bearerbox is not None and not self.bearerbox.ended:
                    self._told(now)
                elif not self._orphans.keep(submit.octets, frame, now):
                    counts.maybe_doubled += 1
            elif status == _THROTTLED:
                self._limit.refused(sent, now)
                counts.refused += 1
                if self._again(submit, status, now):
                    return
            elif status in _LATER:
                self._limit.lost(sent)
                counts.put_off += 1
                self._later_in_a_row += 1
                wait = min(_LATER_LONGEST, _LATER_SECONDS * 2.0 ** min(submit.tries - 1, 8))
                if self._later_in_a_row >= _LATER_IN_A_ROW:
                    self._not_before = max(self._not_before, now + wait)
                if self._again(submit, status, now, now + wait):
                    return
            else:
                self._limit.lost(sent)
                counts.rejected += 1
                self._later_in_a_row = 0
        if self.bearerbox is not None:
            self.bearerbox.send(numbered(frame, submit.number))

    def delivered(self, connection: ProviderConnection, frame: bytes, command_id: int, number: int) -> bool:
        if self.bearerbox is None or not self.bearerbox.bound:
            return False
        ours = self._next_number()
        if command_id not in UNANSWERED:
            self._deliveries[ours] = (connection, number)
            if len(self._deliveries) >= _MOST_DELIVERIES:
                self.regulate()
        self._counts.delivered += 1
        self.bearerbox.send(numbered(frame, ours))
        return True

    def worked_off(self) -> None:
        if self.bearerbox is not None:
            self.bearerbox.flush()
        self.account.note()
        if not self.unanswered:
            self._settled.set()
        self._pacer.kick()

    def lost(self, connection: ProviderConnection, unanswered: list[Submit]) -> None:
        if connection in self.connections:
            self.connections.remove(connection)
        self._deliveries = {number: found for number, found in self._deliveries.items() if found[0] is not connection}
        now = self._clock()
        for submit in unanswered:
            self._without_answer(submit, now)
        self.worked_off()

    # time

    def tick(self, now: float) -> None:
        """Hand back what was held for too long, and see after answers that do not come."""
        late = now - self._settings.answer_within
        for connection in list(self.connections):
            connection.tick(now)
            for submit in connection.overdue(late):
                self._without_answer(submit, now, again=False)
        for submit in self.held.expire(now - self._settings.held_for):
            self._hand_back(submit)
        self.worked_off()

    def let_go(self) -> None:
        """bearerbox is gone: hold nothing more for it."""
        if self.bearerbox is not None and not self.bearerbox.took_leave:
            self._told(self._clock())
            self._counts.maybe_doubled += self._told_now - 1 + self._told_before
        self.bearerbox = None
        self.regulate()
        for submit in self.held.clear():  # it keeps them itself, and sends them again
            self._counts.maybe_doubled += submit.doubtful

    async def settled(self, seconds: float, *, moving: bool = False) -> None:
        """Let nothing leave, and wait for the answers that are still to come, for so long at the most.

        It is for good, or where the account is `moving` until `go_on`.
        """
        self._leaving, self._moving = self._leaving or not moving, moving
        if self.unanswered:
            self._settled.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._settled.wait()

    def go_on(self) -> None:
        """Let submits leave again after `settled`."""
        self._moving = False
        self._pacer.kick()

    async def unbind(self) -> None:
        """Take leave of the providers; what is unanswered then stays so."""
        await asyncio.gather(*(connection.unbind() for connection in list(self.connections)))

    def _again(self, submit: Submit, status: int, now: float, not_before: float = -math.inf) -> bool:
        """Put a refused submit back in line; return False where bearerbox has to be told instead."""
        if self.bearerbox is None or self._leaving:
            return False
        end = submit.arrived + self._settings.held_for
        if max(now, not_before) >= end:
            self._counts.expired += 1
            return False
        submit.status = status
        self.held.again(submit, not_before)
        return True

    def _without_answer(self, submit: Submit, now: float, *, again: bool = True) -> None:
        if submit.sent is None:
            self._refuse(submit, CommandStatus.ESME_RSYSERR)
            return
        self._limit.lost(submit.sent)
        submit.sent = None
        self._counts.unanswered += 1
        if again and self._again(submit, submit.status, now):
            submit.doubtful = True  # counted when it leaves again
            return
        self._counts.maybe_doubled += 1  # bearerbox sends it again
        self._refuse(submit, submit.status)

    def _hand_back(self, submit: Submit) -> None:
        self._counts.expired += 1
        if submit.doubtful:
            self._counts.maybe_doubled += 1
        self._refuse(submit, submit.status)

    def _told(self, now: float) -> None:
        """Take note that bearerbox is sent an answer: if it ends now, it may have it and not know it."""
        if now - self._told_since >= _UNREAD_SECONDS:
            self._told_before = self._told_now if now - self._told_since < 2 * _UNREAD_SECONDS else 0
            self._told_since, self._told_now = now, 0
        self._told_now += 1

    def _refuse(self, submit: Submit, status: int) -> None:
        if self.bearerbox is not None:
            self.bearerbox.send(response(submit.command_id, status, submit.number))

    def _pass(self, submit: Submit) -> None:
        """Send a request that is no submit at once, behind the submits before it that may leave."""
        self._pacer.kick()
        if not any(connection.room for connection in self.connections):
            self._refuse(submit, CommandStatus.ESME_RSYSERR)
            return
        submit.left = self._clock()
        connection = self._roomiest()
        connection.send(submit)
        connection.flush()

    def _malformed(self, frame: bytes) -> bool:
        """Answer a submit_sm whose fields do not end within it."""
        try:
            pdu.decode(frame)
        except PduError as error:
            refusal = pdu.answer(error)
            if refusal is not None and self.bearerbox is not None:
                self.bearerbox.send(pdu.encode(refusal))
            return True
        return False

    def _roomiest(self) -> ProviderConnection:
        if len(self.connections) == 1:
            return self.connections[0]
        return min(
            (connection for connection in self.connections if connection.room),
            key=lambda connection: len(connection.unanswered),
        )

    def _next_number(self) -> int:
        while True:
            self._number = self._number % 0x7FFFFFFF + 1
            if self._number not in self._deliveries:
                return self._number
