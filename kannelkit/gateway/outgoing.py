"""Rows to messages: each is looked at as the provider would look at it, before the first one is sent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from kannelkit.findings import Finding, Place
from kannelkit.gateway.lists import Cell, Row
from kannelkit.gateway.route import Route, Routes
from kannelkit.gateway.sendsms import Message
from kannelkit.providers import channels
from kannelkit.providers.channels import Channel, ChannelError, ChannelText
from kannelkit.smpp import parts
from kannelkit.smpp.parts import Alphabet, Count, choose, count

SAME_WITHIN = 60  # seconds; SMSC.ru takes no second identical request to a subscriber within a minute

_WITHOUT_TEXT = frozenset({Channel.HLR, Channel.PING})
_CODINGS = {Alphabet.DEFAULT: 0, Alphabet.UCS2: 2}
_ADDRESS_OCTETS = 20  # of a submit_sm's addresses; bearerbox discards a message with a longer one (gw/smsc/smsc_smpp.c)
_SENDER_CHARACTERS = 11  # of a sender with letters: 3GPP TS 23.040, 9.1.2.5, ten octets of septets
_PRIORITIES = range(4)
_MOST_MINUTES = 7 * 24 * 60
_DIGITS = re.compile(r"\+?[0-9]+")
_ORNAMENTS = str.maketrans("", "", " ().-")
# a field of a channel's text -> the column that it stands in
_FIELDS = {
    "text": "text",
    "subject": "subject",
    "voice": "voice",
    "parameters": "call-parameters",
    "bot": "bot",
    "comment": "comment",
}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that can be sent. `count` is of what goes over the wire, `charged` of the text of an SMS alone.
    `charset` is what it is written in there.

    `number` tells it from the others of its run, from 1 on.
    """

    number: int
    place: Place
    wanted: ChannelText
    message: Message
    count: Count
    charged: Count | None
    charset: str
    refuses_repeats: bool

    @property
    def same(self) -> tuple[str, str]:
        """What it has in common with a message that is the same to its receiver, and to SMSC.ru."""
        return (self.message.to.lstrip("+"), self.message.text)


class Checking:
    """Turns rows into messages; `findings` are what is wrong, `notes` what is not sure to be right."""

    def __init__(self, routes: Routes) -> None:
        self.findings: list[Finding] = []
        self.notes: list[Finding] = []
        self._routes = routes
        self._seen: dict[tuple[str, str], Place] = {}
        self._told: set[str] = set()

    def messages(self, rows: Iterable[Row], usual: Row) -> list[Outgoing]:
        """Return the messages of the rows, without those that cannot be sent; `usual` fills the gaps of each row."""
        found = (self._message(number, row, usual) for number, row in enumerate(rows, 1))
        return [each for each in found if each is not None]

    def _message(self, number: int, own: Row, usual: Row) -> Outgoing | None:
        before = len(self.findings)
        place = own["to"].place if "to" in own else next(iter(own.values())).place
        row = {**usual, **own}
        route = self._route(row, place)
        to = self._receiver(row, route, place)
        sender = self._sender(row, route, place)
        wanted, text = self._text(row, route, place)
        priority = self._number(row, "priority", _PRIORITIES)
        validity = self._number(row, "validity", range(1, _MOST_MINUTES + 1))
        if len(self.findings) > before or wanted is None:
            return None
        alphabet = choose(text, route.default)
        if alphabet is not choose(text, route.possible):
            self._misread(route, place)
        message = Message(
            to,
            text,
            sender,
            smsc=route.smsc_id or None,
            coding=_CODINGS[alphabet],
            priority=priority,
            validity=validity,
        )
        whole = count(text, alphabet, route.octets)
        charged = None
        if wanted.channel is Channel.SMS:
            charged = count(wanted.text, choose(wanted.text, route.default), route.octets)
        self._length(row, route, whole, place)
        repeats = route.refuses_repeats
        if repeats:
            self._once((message.to.lstrip("+"), message.text), place)
        if len(self.findings) > before:
            return None
        charset = "ucs-2" if alphabet is Alphabet.UCS2 else route.charset
        return Outgoing(number, place, wanted, message, whole, charged, charset, repeats)

    def _find(self, place: Place, rule: str, message: str, hint: str) -> None:
        self.findings.append(Finding(place, rule, message, hint))

    def _note(self, place: Place, rule: str, message: str, hint: str) -> None:
        if message not in self._told:  # the same of ten thousand lines is told once
            self._told.add(message)
            self.notes.append(Finding(place, rule, message, hint))

    def _route(self, row: Row, place: Place) -> Route:
        cell = row.get("account")
        route = self._routes.route(cell.text if cell else "")
        where = cell.place if cell else place
        if cell and route.smsc_id != cell.text:
            forced = f"forced-smsc of the sendsms-user sends everything to {route.smsc_id}"
            self._find(where, "M209", forced, "leave the account out, or name another user with --user")
        elif cell and cell.text not in self._routes.names:
            known = ", ".join(sorted(self._routes.names)[:20])
            self._find(where, "M209", f"there is no account {cell.text!r}", f"the spec has {known}")
        elif not route.accounts:
            message = f"no link takes messages for {route.smsc_id or 'no account in particular'}"
            self._find(where, "M209", message, "name another account, or look at its allowed-smsc-id")
        elif cell and route.others:
            others = ", ".join(route.others)
            hint = f"write allowed-smsc-id in the accounts, or denied-smsc-id: {cell.text} in {others}"
            self._find(where, "M209", f"Kannel may send it through {others} as well", hint)
        return route

    def _receiver(self, row: Row, route: Route, place: Place) -> str:
        if "to" not in row:
            self._find(place, "M201", "no receiver", "write a number into the column to")
            return ""
        text = row["to"].text.strip()
        bare = text.translate(_ORNAMENTS)
        to = bare if _DIGITS.fullmatch(bare) else text
        wrong = sorted(set(to) - route.receiver_characters)
        if wrong:
            letters = " ".join(repr(character) for character in wrong[:5])
            hint = "write digits, + before them if you like; other characters: sendsms-chars in group smsbox"
            self._find(row["to"].place, "M201", f"smsbox takes no receiver with {letters}: {text[:40]!r}", hint)
        elif not any(character.isdigit() for character in to) and "@" not in to:
            self._find(row["to"].place, "M201", f"{text[:40]!r} is no receiver", "write a number")
        elif len(to.lstrip("+")) > _ADDRESS_OCTETS:
            message = f"a receiver of {len(to)} characters, where SMPP has room for {_ADDRESS_OCTETS}"
            self._find(row["to"].place, "M201", message, "Kannel would discard the message")
        return to

    def _sender(self, row: Row, route: Route, place: Place) -> str | None:
        cell = row.get("from")
        if route.forced_sender:
            return None
        if cell is None:
            if not route.sender:
                asked = row["channel"].text.lower() if "channel" in row else ""
                unseen = f"; on channel {asked} the subscriber does not see it" if asked in _WITHOUT_TEXT else ""
                hint = f"add --from NAME, or write default-sender: NAME in the sendsms-user{unseen}"
                self._find(place, "M207", "no sender: smsbox refuses the message", hint)
            return None
        octets = len(cell.text.encode("utf-8", "surrogatepass"))
        if not cell.text.isprintable():
            self._find(cell.place, "M207", "a sender with a character that cannot be shown", "leave it out")
        elif octets > _ADDRESS_OCTETS:
            message = f"a sender of {octets} octets, where SMPP has room for {_ADDRESS_OCTETS}"
            self._find(cell.place, "M207", message, "Kannel would discard the message")
        elif not cell.text.isascii():
            message = f"a sender with letters beyond ASCII: {cell.text!r}"
            self._note(cell.place, "M207", message, "SMPP does not say how a provider reads them")
        elif not _DIGITS.fullmatch(cell.text) and len(cell.text) > _SENDER_CHARACTERS:
            message = f"a sender with letters has at most {_SENDER_CHARACTERS} characters: {cell.text!r}"
            self._note(cell.place, "M207", message, "a handset may show a part of it, or the provider refuse it")
        return cell.text

    def _text(self, row: Row, route: Route, place: Place) -> tuple[ChannelText | None, str]:
        """Return what the message says and the text that stands for it."""
        cell = row.get("channel")
        try:
            channel = Channel(cell.text.lower()) if cell else Channel.SMS
        except ValueError:
            known = ", ".join(Channel)
            self._find(cell.place if cell else place, "M203", f"there is no channel {cell and cell.text!r}", known)
            return None, ""
        given = {field: row[column].text for field, column in _FIELDS.items() if column in row}
        if channel not in _WITHOUT_TEXT and not given.get("text", "").strip():
            self._find(
                row["text"].place if "text" in row else place, "M202", "no text", "write one, or give --text for all"
            )
            return None, ""
        broken = [column for column in _FIELDS.values() if column in row and not _whole(row[column].text)]
        if broken:
            self._find(row[broken[0]].place, "M202", "half a character (a lone surrogate)", "leave it out")
            return None, ""
        given["bot"] = given.get("bot", "").removeprefix("@")
        wanted = ChannelText(channel, **given)
        if (channel is not Channel.SMS or wanted.comment) and route.accounts:
            self._special(cell, wanted, route, place)
        if wanted.voice and channel is Channel.CALL and wanted.voice not in channels.voices():
            names = ", ".join(channels.voices())
            self._note(row["voice"].place, "M204", f"the voice {wanted.voice!r} is not known here", f"known: {names}")
        try:
            return wanted, channels.build(wanted)
        except ChannelError as error:
            column = _FIELDS[error.field]
            self._find(row[column].place if column in row else place, "M204", error.reason, error.hint)
            return None, ""

    def _special(self, cell: Cell | None, wanted: ChannelText, route: Route, place: Place) -> None:
        where = cell.place if cell else place
        what = f"channel {wanted.channel}" if wanted.channel is not Channel.SMS else "a comment"
        if not route.knows_channels:
            strange = ", ".join(account.smsc_id for account in route.accounts if not account.knows_channels)
            hint = "name an account of SMSC.ru with --account; `provider: smsc.ru` in the spec says that it is one"
            self._find(where, "M203", f"{what}: to the provider of {strange} it would be a part of the text", hint)
        elif route.changed_by:
            message = f"{what}: {', '.join(route.changed_by)} of the sendsms-user would change its text"
            self._find(where, "M203", message, "name another user with --user")

    def _misread(self, route: Route, place: Place) -> None:
        for account in route.misread:
            read, written = account.read.upper(), account.written.upper()
            why = f"{account.smsc_id} reads data_coding 0 as {read}, and Kannel writes {written}"
            message = f"in UCS-2, 70 characters a part: {why}"
            fits = f"write alt-charset: {read}" if account.read != parts.GSM else "leave out alt-charset"
            self._note(place, "M210", message, f"{fits} in the account")

    def _number(self, row: Row, column: str, allowed: range) -> int | None:
        cell = row.get(column)
        if cell is None:
            return None
        text = cell.text.strip()
        if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) in allowed):
            message = f"{column} is a number from {allowed.start} to {allowed.stop - 1}, not {text[:20]!r}"
            self._find(cell.place, "M208", message, "correct it, or leave it out")
            return None
        return int(text)

    def _length(self, row: Row, route: Route, whole: Count, place: Place) -> None:
        where = row["text"].place if "text" in row else place
        if whole.parts > route.most_parts:
            number = f"{whole.parts} part{'s' * (whole.parts != 1)}"
            message = f"{number}, and smsbox cuts off what is beyond {route.most_parts}"
            hint = "shorten the text, or raise max-messages of the sendsms-user"
            self._find(where, "M205", message, hint)
        elif whole.parts > 1 and not route.joins:
            message = f"{whole.parts} parts, which would arrive as messages of their own"
            self._find(where, "M205", message, "write concatenation: true in the sendsms-user")
        elif whole.parts > 1 and route.changed_by:
            message = f"{', '.join(route.changed_by)} of the sendsms-user may make more parts of it"
            self._note(where, "M205", message, "the count is without")

    def _once(self, same: tuple[str, str], place: Place) -> None:
        first = self._seen.setdefault(same, place)
        if first is not place:
            reason = f"the same text to the same number as {_short(first)}"
            hint = f"the provider takes no second one within {SAME_WITHIN} s; leave it out, or change the text"
            self._find(place, "M206", reason, hint)


def _whole(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _short(place: Place) -> str:
    return f"line {place.line}" if place.line else str(place)
