"""The text of a delivery receipt (SMPP v3.4 issue 1.2, appendix B): written in the usual form, read in any.

The form is a custom, not a rule: SMSCs leave parts out, reorder them and add their own (SMSC.ru's HLR answers
have `imsi:`, `mcc:` and more, and no dates). So the reader takes what is there and keeps what it does not
know.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Final

from kannelkit.smpp.constants import MessageState
from kannelkit.smpp.pduerror import PduError

STATES: Final[dict[str, MessageState]] = {
    "SCHEDLD": MessageState.SCHEDULED,
    "ENROUTE": MessageState.ENROUTE,
    "DELIVRD": MessageState.DELIVERED,
    "EXPIRED": MessageState.EXPIRED,
    "DELETED": MessageState.DELETED,
    "UNDELIV": MessageState.UNDELIVERABLE,
    "ACCEPTD": MessageState.ACCEPTED,
    "UNKNOWN": MessageState.UNKNOWN,
    "REJECTD": MessageState.REJECTED,
    "SKIPPED": MessageState.SKIPPED,
}
"""The message_state that a receipt's `stat` stands for (3.4: appendix B; SCHEDLD and SKIPPED are written by custom)."""

_NAMES: Final = {
    "message_id": "id",
    "sub": "sub",
    "dlvrd": "dlvrd",
    "submit_date": "submit date",
    "done_date": "done date",
    "stat": "stat",
    "err": "err",
}
_FIELDS: Final = {name: field for field, name in _NAMES.items()}
_KEY: Final = re.compile(rb"(?<!\S)(submit date|done date|[a-z][a-z0-9_-]*):", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt's parts, each as it was written (dates YYMMDDhhmm, in a time zone that nobody states); None: absent.

    `other` holds the parts with other names, in order; a piece before the first name has the name "".
    Octets above 0x7F are kept as the character of that number.
    """

    message_id: str | None = None
    sub: str | None = None
    dlvrd: str | None = None
    submit_date: str | None = None
    done_date: str | None = None
    stat: str | None = None
    err: str | None = None
    text: str | None = None
    other: tuple[tuple[str, str], ...] = ()

    @property
    def message_state(self) -> MessageState | None:
        """What `stat` stands for, or None where it is absent or not one of the usual words."""
        return STATES.get(self.stat.upper()) if self.stat is not None else None


def read_receipt(octets: bytes) -> Receipt | None:
    """Return the receipt in a message's octets, or None where it has neither an `id:` nor a `stat:`."""
    known: dict[str, str] = {}
    other: list[tuple[str, str]] = []
    text: str | None = None
    position = 0
    name = ""
    for match in [*_KEY.finditer(octets), None]:
        value = octets[position : match.start() if match else len(octets)].strip().decode("latin-1")
        field = _FIELDS.get(name.lower())
        if field is not None and field not in known:
            known[field] = value
        elif name or value:
            other.append((name, value))
        if match is None:
            break
        position = match.end()
        name = match[1].decode("latin-1")
        if name.lower() == "text":
            text = octets[position:].decode("latin-1")
            break
    if "message_id" not in known and "stat" not in known:
        return None
    return Receipt(**known, text=text, other=tuple(other))


def build_receipt(receipt: Receipt) -> bytes:
    """Return the octets of a receipt; `read_receipt` gives it back. Parts that are None are left out.

    Raises PduError (fault "own") for values that could not be told apart when read, such as a name inside a
    value.
    """
    parts = [f"{name}:{value}" if name else value for name, value in receipt.other if not name]
    for each in fields(Receipt):
        name = _NAMES.get(each.name)
        value = getattr(receipt, each.name)
        if name is not None and value is not None:
            parts.append(f"{name}:{value}")
    parts += [f"{name}:{value}" for name, value in receipt.other if name]
    if receipt.text is not None:
        parts.append(f"text:{receipt.text}")
    try:
        octets = " ".join(parts).encode("latin-1")
    except UnicodeEncodeError:
        raise PduError("a receipt's text has octets, not characters above U+00FF", fault="own") from None
    if read_receipt(octets) != receipt:
        raise PduError("a part of the receipt would be read as something else", fault="own")
    return octets
