"""A delivery receipt that came by smsbox, in words and as plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from kannelkit.cli import dlr_told
from kannelkit.gateway.receipts_in import Kind, Receipt
from kannelkit.providers import errors, statuses


@dataclass(frozen=True, slots=True)
class Told:
    """A receipt, what it says in one line, and what to do about it."""

    receipt: Receipt
    words: str
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for a program."""
        receipt = self.receipt
        status = statuses.read_text(receipt.text)
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
            "notes": list(self.notes),
        }


def kind_name(kind: int) -> str:
    """Return the word for what a receipt tells, as Kannel has it."""
    if kind == Kind.EXPIRED:
        return "expired"
    return next((each.name.lower() for each in Kind if kind & each and each.name), str(kind))


def told(receipt: Receipt) -> Told:
    """Return a receipt in words; any text is taken."""
    found = dlr_told.of_text(receipt.text.encode("utf-8", "replace"), "en")
    words = kind_name(receipt.kind) if found is None else found.headline
    for name, label, value in found.rows if found else ():
        if name == "hlr" and value != "-":
            words += f"; {label} {value}"
    return Told(receipt, words + (f" (id {receipt.id})" if receipt.id else ""), found.notes if found else ())
