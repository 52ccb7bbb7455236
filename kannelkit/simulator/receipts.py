"""One account's delivery receipts: each made when its message is delivered, kept until a client acknowledges it."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from kannelkit.simulator.clock import Clock
from kannelkit.simulator.messages import Message
from kannelkit.simulator.rules import Behaviour
from kannelkit.smpp.constants import CommandId, CommandStatus, EsmClass, MessageState, Tag
from kannelkit.smpp.pdu import Pdu, Tlv
from kannelkit.smpp.receipts import Receipt, build_receipt
from kannelkit.smpp.tlv import build_tlv

if TYPE_CHECKING:
    from kannelkit.simulator.account import Account
    from kannelkit.simulator.link import Link

AGAIN_AFTER = 5.0  # seconds until a receipt that the client could not take just now is sent again
_TEMPORARY = frozenset({CommandStatus.ESME_RX_T_APPN, CommandStatus.ESME_RMSGQFUL, CommandStatus.ESME_RTHROTTLED})
_NETWORK_GSM = 3  # network_error_code, first octet (SMPP 3.4, 5.3.2.31)


def receipt(message: Message, submitted: datetime, done: datetime, sequence_number: int) -> Pdu:
    """Return the deliver_sm that says a message was delivered; addresses change places on the way back.

    The text is SMSC.ru's: `id sub dlvrd submit-date done-date stat err`, dates as YYMMDDhhmm, no `text` at the end.
    """
    text = build_receipt(
        Receipt(
            message_id=str(message.id),
            sub="001",
            dlvrd="001",
            submit_date=f"{submitted:%y%m%d%H%M}",
            done_date=f"{done:%y%m%d%H%M}",
            stat="DELIVRD",
            err="000",
        )
    )
    source, destination = message.destination, message.source
    return Pdu(
        CommandId.DELIVER_SM,
        sequence_number=sequence_number,
        fields={
            "source_addr_ton": source[0],
            "source_addr_npi": source[1],
            "source_addr": source[2:],
            "dest_addr_ton": destination[0],
            "dest_addr_npi": destination[1],
            "destination_addr": destination[2:],
            "esm_class": EsmClass.DELIVERY_RECEIPT,
            "short_message": text,
        },
        tlvs=[
            build_tlv(Tag.RECEIPTED_MESSAGE_ID, str(message.id).encode("ascii")),
            build_tlv(Tag.MESSAGE_STATE, int(MessageState.DELIVERED)),
            Tlv(Tag.NETWORK_ERROR_CODE, bytes((_NETWORK_GSM, 0, 0))),
        ],
    )


class Receipts:
    """Sends an account's receipts to its receivers and transceivers in turn, a few unacknowledged at a time."""

    def __init__(self, account: Account, clock: Clock, behaviour: Callable[[], Behaviour], kept: int) -> None:
        """`kept`: how many receipts may wait."""
        self._account = account
        self._clock = clock
        self._behaviour = behaviour
        self._kept = kept
        self._scheduled: list[tuple[float, Message]] = []  # a heap, the next one due first
        self._ready: deque[Message] = deque()
        self._unacknowledged: dict[tuple[Link, int], Message] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0
        self._next = 0

    def __len__(self) -> int:
        return len(self._scheduled) + len(self._ready) + len(self._unacknowledged)

    def schedule(self, message: Message, due: float) -> None:
        """Have a receipt for this message leave at `due`; beyond what is kept, the oldest that waits is dropped."""
        if len(self._scheduled) + len(self._ready) >= self._kept:
            if self._ready:
                self._ready.popleft()
            else:
                heapq.heappop(self._scheduled)
            self._account.counters.receipts_dropped += 1
        heapq.heappush(self._scheduled, (due, message))
        if self._timer is None or self._timer_due > due:
            self._set_timer()

    def send(self) -> None:
        """Send what is ready to whoever can take it."""
        window = self._behaviour().receipt_window
        while self._ready and len(self._unacknowledged) < window:
            link = self._receiver()
            if link is None:
                return
            message = self._ready.popleft()
            sequence_number = link.next_sequence_number()
            self._unacknowledged[link, sequence_number] = message
            date = self._clock.date
            link.send(receipt(message, date(message.accepted), date(message.delivered), sequence_number))
            self._account.counters.receipts_sent += 1

    def acknowledged(self, link: Link, sequence_number: int, command_status: int) -> None:
        """Take a client's answer: done with the receipt, or send it again later where the fault is temporary."""
        message = self._unacknowledged.pop((link, sequence_number), None)
        if message is None:
            return
        if command_status == 0:
            self._account.counters.receipts_acknowledged += 1
        elif command_status in _TEMPORARY:
            self.schedule(message, self._clock.now() + AGAIN_AFTER)
        else:
            self._account.counters.receipts_dropped += 1
        self.send()

    def lost(self, link: Link) -> None:
        """Take back what this connection, now gone, has not acknowledged."""
        mine = [key for key in self._unacknowledged if key[0] is link]
        for key in reversed(mine):
            self._ready.appendleft(self._unacknowledged.pop(key))
        self.send()

    def close(self) -> None:
        """Stop: nothing leaves any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _come_due(self) -> None:
        self._timer = None
        now = self._clock.now() + 0.0005  # what is due within half a millisecond leaves with it
        while self._scheduled and self._scheduled[0][0] <= now:
            self._ready.append(heapq.heappop(self._scheduled)[1])
        if self._scheduled:
            self._set_timer()
        self.send()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = self._scheduled[0][0]
        self._timer = self._clock.call_at(self._timer_due, self._come_due)

    def _receiver(self) -> Link | None:
        able = [link for link in self._account.links if link.can_receive]
        if not able:
            return None
        self._next += 1
        return able[self._next % len(able)]
