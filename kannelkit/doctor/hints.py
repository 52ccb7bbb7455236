"""What to do about a trouble with a provider that is known: a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kannelkit.providers.profile import Grade

# password: a bind is refused for its login or password; refused: for another reason, or for none that is told
Trouble = Literal["password", "refused", "no-address", "no-connection", "no-tls"]


@dataclass(frozen=True, slots=True)
class Hint:
    """What helps; `grade` A where the provider itself says so."""

    trouble: Trouble
    text: str
    grade: Grade
    source: str


_PAGE = "the provider's page about SMPP, Подключение"
_SMSC_RU = (
    Hint(
        "password",
        "SMSC.ru: the login is the account's, the password one that was made for SMPP on the page «Пароли для "
        "доступа», without Russian letters",
        "A",
        _PAGE,
    ),
    Hint(
        "refused",
        "SMSC.ru: in the account's settings, group «Настройки API», switch SMPP on and list the address from which "
        "this machine comes",
        "A",
        _PAGE,
    ),
    Hint("no-connection", "SMSC.ru listens on port 3700, with TLS on 3443", "A", _PAGE),
    Hint("no-tls", "SMSC.ru speaks TLS on port 3443, and none on 3700", "A", _PAGE),
    Hint("no-address", "SMSC.ru's hosts are smpp.m.smsc.ru and, as backup-host, smpp2.m.smsc.ru", "A", _PAGE),
)
# the brands of one company share what its pages say about ports and settings, but not the names of its hosts
_BRANDS = ("smscentre.com", "smsc.ua", "smsc.kz")
_HINTS = {
    "smsc.ru": _SMSC_RU,
    **dict.fromkeys(_BRANDS, tuple(hint for hint in _SMSC_RU if hint.trouble != "no-address")),
}


def hints(provider: str, *troubles: Trouble) -> tuple[str, ...]:
    """Return what helps at this provider, nothing where it is not known."""
    return tuple(hint.text for trouble in troubles for hint in _HINTS.get(provider, ()) if hint.trouble == trouble)
