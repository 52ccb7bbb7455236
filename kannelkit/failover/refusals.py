"""What it means that an SMSC refuses a bind, and what to do about it: a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from kannelkit.smpp.constants import CommandStatus


@dataclass(frozen=True, slots=True)
class BindRefusal:
    """Why a bind was refused, what to do, and where the meaning is from.

    `grade` is A for the SMPP specification or Kannel's source, B for a provider's own page, C for practice: what
    providers are seen to mean by it beyond the specification's words.
    """

    why: str
    advice: str
    grade: str
    source: str


_SPECIFICATION = "SMPP 3.4, 5.1.3"

BIND_REFUSALS: Mapping[int, BindRefusal] = MappingProxyType(
    {
        int(CommandStatus.ESME_RINVPASWD): BindRefusal(
            "wrong password",
            "compare smsc-password with the provider's password for SMPP, which need not be that of its website; "
            "Kannel sends 8 characters of it",
            "A",
            _SPECIFICATION,
        ),
        int(CommandStatus.ESME_RINVSYSID): BindRefusal(
            "wrong system_id",
            "compare smsc-username with the login that the provider gave you; Kannel sends 15 characters of it",
            "A",
            _SPECIFICATION,
        ),
        int(CommandStatus.ESME_RINVSYSTYP): BindRefusal(
            "wrong system_type",
            "compare system-type with what the provider asks for; Kannel sends 12 characters of it",
            "A",
            _SPECIFICATION,
        ),
        int(CommandStatus.ESME_RBINDFAIL): BindRefusal(
            "bind failed",
            "is this machine's address on the provider's list, is the account paid for and open, and is nobody else "
            "bound with this login?",
            "C",
            "SMPP 3.4, 5.1.3, says no more; SMSC.ru asks for the address to be listed on its password page",
        ),
        int(CommandStatus.ESME_RALYBND): BindRefusal(
            "already bound",
            "somebody else is bound with this login, or the provider still holds an earlier bind: end that one, or ask "
            "for more connections",
            "A",
            f"{_SPECIFICATION}; Kannel takes it for success, and the SMSC rejects every message: gw/smsc/smsc_smpp.c, "
            "handle_pdu",
        ),
        int(CommandStatus.ESME_RINVBNDSTS): BindRefusal(
            "not allowed in this state",
            "does the provider take a transceiver? Otherwise write transceiver-mode: false and a receive-port",
            "C",
            _SPECIFICATION,
        ),
        int(CommandStatus.ESME_RINVCMDID): BindRefusal(
            "no such command",
            "the provider does not know a transceiver: write transceiver-mode: false and a receive-port",
            "C",
            _SPECIFICATION,
        ),
        int(CommandStatus.ESME_RTHROTTLED): BindRefusal(
            "too many binds in a short time", "it is tried again; a longer reconnect-delay helps", "C", _SPECIFICATION
        ),
        int(CommandStatus.ESME_RSYSERR): BindRefusal(
            "an error in the provider's system",
            "it is tried again; ask the provider where it goes on",
            "A",
            _SPECIFICATION,
        ),
        int(CommandStatus.ESME_RX_T_APPN): BindRefusal(
            "a temporary error on the provider's side", "it is tried again", "A", _SPECIFICATION
        ),
    }
)
_UNKNOWN = BindRefusal("a status without a common meaning", "ask the provider what it means by it", "C", _SPECIFICATION)

# the same refusal is told again after so many seconds without one
_FORGOTTEN = 600.0


def bind_refusal(status: int) -> BindRefusal:
    """Return what a refusal with this command_status means."""
    return BIND_REFUSALS.get(status, _UNKNOWN)


def sentence(status: int) -> str:
    """Return a refusal in words, with what to do."""
    refusal = bind_refusal(status)
    return f"bind refused, 0x{status:02x}: {refusal.why}: {refusal.advice}"


class Reasons:
    """Remembers why binds were refused, so that each reason is told once and not at every try."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, float]] = {}

    def news(self, account: str, status: int, at: float) -> bool:
        """Take note of a refusal at `at` (seconds); return whether the last one was another, or long ago."""
        before = self._last.get(account)
        self._last[account] = (status, at)
        return before is None or before[0] != status or at - before[1] > _FORGOTTEN

    def last(self, account: str, since: float) -> int | None:
        """Return the status of the account's last refusal, None where there was none since `since`."""
        status, at = self._last.get(account, (0, float("-inf")))
        return status if at >= since else None
