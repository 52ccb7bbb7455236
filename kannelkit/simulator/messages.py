"""What matters of a message: what a client asks for, and what is kept of it once it is accepted."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

from kannelkit.providers.channels import Channel, ChannelText, parse
from kannelkit.providers.statuses import Kind
from kannelkit.simulator import content
from kannelkit.simulator.clock import Clock
from kannelkit.simulator.content import Alphabet, Content, LongBy
from kannelkit.simulator.outcomes import DELIVERED, Outcome
from kannelkit.smpp.constants import CommandStatus
from kannelkit.smpp.pdu import Pdu

LONGEST_ADDRESS = 20  # octets in a submit_sm; a data_sm could carry 64, which no deliver_sm could give back
ENROUTE: Final = "ENROUTE"

KINDS: Final = {
    Channel.MAIL: Kind.MAIL,
    Channel.CALL: Kind.CALL,
    Channel.VIBER: Kind.VIBER,
    Channel.SOC: Kind.SOC,
    Channel.HLR: Kind.HLR,
    Channel.PING: Kind.PING,
}
"""What a receipt says of a channel. The provider names no type for Telegram: it is told as an SMS."""


class Submit(NamedTuple):
    """A message's addresses (TON, NPI, then the digits) and what else is asked of a provider."""

    source: bytes
    destination: bytes
    registered: int
    priority: int
    data_coding: int
    content: Content
    identity: bytes  # the same for two messages with equal addresses and content, user data header included

    @property
    def request(self) -> bytes:
        """What is the same when a client asks for the same again: a long message's reference may be another then."""
        part = self.content.part
        if part is None:
            return self.identity
        place = b"%d/%d" % (part.number, part.total)
        return b"\0".join((self.source, self.destination, place, self.content.octets))


@dataclass(slots=True, eq=False)
class Message:
    """A message that was accepted. Moments are seconds since the simulator's start.

    `octets` are the whole content without headers, empty while parts of it are awaited. `parts` counts SMS: those that
    came, or those that a longer text fills; a comment fills none.
    """

    id: int
    sender: bytes  # TON, NPI, then the digits or letters
    receiver: bytes
    accepted: float
    octets: bytes
    data_coding: int
    alphabet: Alphabet
    kind: Kind
    parts: int = 1
    long_by: LongBy = ""
    registered: int = 0
    priority: int = 0
    channel_text: ChannelText | None = None  # worked out for those that go by another channel than SMS
    outcome: Outcome = DELIVERED
    ended: float = math.inf  # when it ends, which may be yet to come; infinite while nobody knows

    @property
    def source(self) -> str:
        """The sender's address."""
        return self.sender[2:].decode("latin-1")

    @property
    def destination(self) -> str:
        """The subscriber's address."""
        return self.receiver[2:].decode("latin-1")

    @property
    def text(self) -> str | None:
        """The whole text as it was submitted, or None where it is binary."""
        return content.text(self.octets, self.alphabet)

    @property
    def channel(self) -> ChannelText:
        """What the text says: the channel, and the text without what is not delivered."""
        if self.channel_text is not None:
            return self.channel_text
        text = self.text
        if text is None or not content.has_comment(self.octets, self.alphabet):
            return ChannelText(Channel.SMS, text or "")
        return parse(text)

    def state(self, now: float) -> str:
        """Return how it stands at `now`, in the words of a receipt's `stat`."""
        return self.outcome.state if now >= self.ended else ENROUTE

    def as_dict(self, clock: Clock) -> dict[str, Any]:
        """Return the message as plain values, dates in UTC; octets are hexadecimal."""
        now = clock.now()
        over = now >= self.ended
        hlr = self.outcome.hlr if over else None
        return {
            "id": self.id,
            "source": self.source,
            "destination": self.destination,
            "text": self.text,
            "octets": self.octets.hex(),
            "data_coding": self.data_coding,
            "alphabet": str(self.alphabet),
            "kind": str(self.kind),
            "parts": self.parts,
            "long_by": self.long_by,
            "channel": {name: str(value) for name, value in asdict(self.channel).items() if value},
            "registered_delivery": self.registered,
            "priority": self.priority,
            "accepted": clock.date(self.accepted).isoformat(timespec="milliseconds"),
            "ended": clock.date(self.ended).isoformat(timespec="milliseconds") if over else None,
            "state": self.state(now),
            "err": self.outcome.err if over else 0,
            "hlr": asdict(hlr) if hlr is not None else None,
        }


def read(received: Pdu, iso: bool) -> Submit:
    """Return what matters of a decoded submit_sm or data_sm; `iso`: data_coding 0 is ISO-8859-1."""
    fields: dict[str, Any] = received.fields
    source = b"%c%c%b" % (fields["source_addr_ton"], fields["source_addr_npi"], fields["source_addr"])
    destination = b"%c%c%b" % (fields["dest_addr_ton"], fields["dest_addr_npi"], fields["destination_addr"])
    octets = received.message()
    carried = content.read(received, octets, iso)
    if received.tlvs:
        octets += b"".join(tlv.value for tlv in received.tlvs if tlv.tag in content.SAR)
    return Submit(
        source,
        destination,
        fields["registered_delivery"],
        fields.get("priority_flag", 0),  # a data_sm has none
        fields["data_coding"],
        carried,
        b"%b\0%b\0%b" % (source, destination, octets),
    )


def wrong_address(received: Pdu) -> int:
    """Return 0, or the status that says which address of a submit_sm or data_sm is too long or missing."""
    if len(received.octets("source_addr")) > LONGEST_ADDRESS:
        return CommandStatus.ESME_RINVSRCADR
    if not 0 < len(received.octets("destination_addr")) <= LONGEST_ADDRESS:
        return CommandStatus.ESME_RINVDSTADR
    return CommandStatus.ESME_ROK
