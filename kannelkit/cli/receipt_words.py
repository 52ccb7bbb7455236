"""A delivery receipt in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from kannelkit.gateway.receipts_in import Kind, Receipt
from kannelkit.providers import errors, statuses
from kannelkit.providers.statuses import Status

_NACK = "NACK/"  # what Kannel puts before its own words for a message that the provider refused (gw/bb_smscconn.c)


@dataclass(frozen=True, slots=True)
class Told:
    """A receipt, what its text says, and the whole in words."""

    receipt: Receipt
    status: Status
    words: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for a program."""
        status, receipt = self.status, self.receipt
        meaning = errors.meaning(status.err) if status.err is not None else None
        return {
            "kind": kind_name(receipt.kind),
            "final": receipt.final,
            "id": receipt.id,
            "smsc": receipt.smsc,
            "text": receipt.text,
            "state": status.state,
            "err": status.err,
            "meaning": meaning.text if meaning else None,
            "hlr": asdict(status.hlr) if status.hlr else None,
            "words": self.words,
        }


def kind_name(kind: int) -> str:
    """Return the word for what a receipt tells."""
    if kind == Kind.EXPIRED:
        return "expired"
    return next((each.name.lower() for each in Kind if kind & each and each.name), str(kind))


def told(receipt: Receipt) -> Told:
    """Return a receipt in words; any text is taken."""
    status = statuses.read_text(receipt.text)
    return Told(receipt, status, _words(receipt, status))


def _words(receipt: Receipt, status: Status) -> str:
    kind = receipt.kind
    if kind & Kind.ACCEPTED:
        return f"accepted by the provider{_as(receipt.id)}"
    if kind & Kind.REFUSED:
        return f"refused by the provider: {receipt.text.removeprefix(_NACK) or 'without a word'}"
    if kind & Kind.QUEUED:
        return "queued at the provider"
    words = ["delivered" if kind & Kind.DELIVERED else "expired" if kind == Kind.EXPIRED else "not delivered"]
    if not receipt.delivered and status.state:
        words.append(f"{status.state}, {errors.state_words(status.state)}")
    if status.err:
        meaning = errors.meaning(status.err)
        words.append(f"error {status.err}" + (f", {meaning.text}" if meaning else ""))
    if status.hlr:
        hlr = status.hlr
        known = [f"{name} {value}" for name, value in asdict(hlr).items() if value]
        words.append(", ".join(known).replace("_", " "))
    return ": ".join(words[:2]) + "".join(f"; {each}" for each in words[2:]) + _as(receipt.id)


def _as(message_id: str) -> str:
    return f" (id {message_id})" if message_id else ""
