"""What the page shows, as plain values: the newest messages and how each account stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from heapq import nlargest
from typing import TYPE_CHECKING, Final

from kannelkit.providers.errors import meaning
from kannelkit.providers.statuses import Hlr
from kannelkit.simulator.content import Alphabet

if TYPE_CHECKING:
    from kannelkit.simulator.account import Account
    from kannelkit.simulator.clock import Clock
    from kannelkit.simulator.handler import Posted
    from kannelkit.simulator.messages import Message
    from kannelkit.simulator.server import Simulator

_CHANNELS: Final = {
    "sms": "",
    "mail": "e-mail",
    "call": "call",
    "viber": "Viber",
    "soc": "social network",
    "tgm": "Telegram code",
    "bot": "Telegram bot",
    "hlr": "HLR request",
    "ping": "ping",
}
# how a state looks: the class of its colour and its symbol
_LOOKS: Final = {"DELIVRD": ("up", "●"), "ENROUTE": ("waiting", "◌"), "ACCEPTD": ("waiting", "◌")}
_FAILED: Final = ("away", "✖")
_ALPHABETS: Final = {
    Alphabet.GSM: "GSM 03.38",
    Alphabet.ISO: "ISO-8859-1",
    Alphabet.UCS2: "UCS-2",
    Alphabet.BINARY: "binary",
}
_LONG_BY: Final = {"udh": "by user data header", "sar": "by SAR TLVs", "payload": "in message_payload"}
_LONGEST: Final = 2000  # characters of a text, or octets of a binary message, that are shown


@dataclass(frozen=True, slots=True)
class Row:
    """A message as it is shown; `brief` is its line in small print, `details` what is folded away."""

    id: int
    source: str
    destination: str
    channel: str
    subject: str
    text: str
    binary: bool
    state: str
    tone: str
    symbol: str
    brief: str
    details: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands; `number` is its place among the accounts."""

    number: int
    login: str
    limit: str
    number_or_none: str
    online: int
    accepted: int
    rate: int
    refused: int
    rejected: int
    receipts: int
    waiting: int
    handler: str


def newest(accounts: Iterable[Account], limit: int, after: int = 0) -> list[tuple[Account, Message]]:
    """Return the newest messages of these accounts, the newest first: at most `limit`, with ids above `after`."""
    found = ((account, message) for account in accounts for message in account.recent(limit, after))
    return nlargest(limit, found, key=lambda each: each[1].id)


def rows(found: Iterable[tuple[Account, Message]], clock: Clock) -> list[Row]:
    """Return messages as they are shown, in this machine's time."""
    return [_row(account.rules.login, message, clock) for account, message in found]


def _row(login: str, message: Message, clock: Clock) -> Row:
    said = message.channel
    binary = message.alphabet is Alphabet.BINARY
    text = message.octets[:_LONGEST].hex(" ") if binary else said.text
    state = message.state(clock.now())
    tone, symbol = _LOOKS.get(state, _FAILED)
    err = message.outcome.err
    if err and state == message.outcome.state:
        known = meaning(err, message.kind)
        state = f"{state}, error {err}{f': {known.text}' if known is not None else ''}"
    arrived = clock.date(message.accepted).astimezone()
    brief = [f"{arrived:%H:%M:%S}", login, _ALPHABETS[message.alphabet]]
    if message.parts > 1 or message.long_by:
        parts = f"{message.parts} part{'s' * (message.parts != 1)}"
        brief.append(f"{parts} {_LONG_BY.get(message.long_by, '')}".rstrip())
    return Row(
        id=message.id,
        source=message.source or "(no sender)",
        destination=message.destination,
        channel=_CHANNELS.get(str(said.channel), str(said.channel)),
        subject=_cut(said.subject),
        text=_cut(text),
        binary=binary,
        state=state,
        tone=tone,
        symbol=symbol,
        brief=" · ".join(brief),
        details=tuple((name, _cut(value)) for name, value in _details(message, arrived) if value),
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _details(message: Message, arrived: datetime) -> Iterator[tuple[str, str]]:
    """Yield what is folded away, each with its name; "" where there is nothing to say."""
    said = message.channel
    yield "Message id", str(message.id)
    yield "Arrived", arrived.isoformat(" ", "milliseconds")
    yield "Comment", said.comment
    yield "Voice", said.voice
    yield "Call parameters", said.parameters
    yield "Bot", said.bot
    yield "Sender", _address(message.sender)
    yield "Receiver", _address(message.receiver)
    yield "data_coding", f"0x{message.data_coding:02x}"
    yield "registered_delivery", f"0x{message.registered:02x}"
    yield "priority_flag", str(message.priority) if message.priority else ""
    yield "Octets", str(len(message.octets))
    if message.outcome.hlr is not None:
        for each in fields(Hlr):
            yield f"HLR {each.name.replace('_', ' ')}", getattr(message.outcome.hlr, each.name)


def _address(octets: bytes) -> str:
    """Return an address with its type of number and numbering plan."""
    return f"{octets[2:].decode('latin-1')} (TON {octets[0]}, NPI {octets[1]})" if octets[2:] else ""


def standings(simulator: Simulator, posted: Callable[[str], Posted]) -> list[Standing]:
    """Return how each account stands; `posted` tells how the requests to an HTTP handler's address fared."""
    now = simulator.clock.now()
    return [_standing(number, account, now, posted) for number, account in enumerate(simulator.accounts.values())]


def _standing(number: int, account: Account, now: float, posted: Callable[[str], Posted]) -> Standing:
    rules, counters = account.rules, account.counters
    return Standing(
        number=number,
        login=rules.login,
        limit="none" if rules.limit is None else f"{rules.limit} a second",
        number_or_none="none" if rules.limit is None else str(rules.limit),
        online=len(account.links),
        accepted=counters.accepted,
        rate=account.timeline.between(now - 1.0, now)[0],
        refused=counters.refused,
        rejected=counters.rejected,
        receipts=counters.receipts_acknowledged,
        waiting=len(account.receipts),
        handler=_fared(posted(rules.handler)) if rules.handler else "",
    )


def _fared(posted: Posted) -> str:
    parts = [f"took {posted.taken}"]
    if posted.waiting:
        parts.append(f"{posted.waiting} waiting")
    if posted.given_up:
        parts.append(f"{posted.given_up} given up")
    if posted.last_trouble:
        parts.append(f"last trouble: {posted.last_trouble}")
    return ", ".join(parts)


def address(simulator: Simulator) -> str:
    """Return where clients bind."""
    tls = "" if simulator.tls_port is None else f" and, with TLS, {simulator.tls_port}"
    return f"{simulator.host}:{simulator.port}{tls}"
