"""What the err of a status means; the numbers of e-mails are other ones than those of everything else.

SMSC.ru's lists stand in `smsc_ru_errors.toml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from kannelkit.providers.facts import Language, Row, facts, grade
from kannelkit.providers.flags import Kind
from kannelkit.providers.profile import Grade


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one code means.

    `final` says whether another try is in vain (true) or may succeed (false); None: the provider does not say.
    """

    code: int
    text: str
    grade: Grade
    final: bool | None


def meaning(err: int, kind: Kind | None = None, lang: Language = "en") -> Meaning | None:
    """Return what a code means for this kind of message, or None for one that is in no list.

    Without a kind the code is taken for one of SMS, calls and HLR requests.
    """
    row = _codes(kind is Kind.MAIL).get(err)
    if row is None:
        return None
    return Meaning(err, row[lang], grade(row), row.get("final"))


def state_words(state: str, lang: Language = "en") -> str:
    """Return what a state (DELIVRD) means in words; one that is not known is its own word."""
    row = _states().get(state.upper())
    return state if row is None else str(row[lang])


@cache
def _codes(mail: bool) -> Mapping[int, Row]:
    return {row["code"]: row for row in facts("smsc_ru_errors")["mail" if mail else "error"]}


@cache
def _states() -> Mapping[str, Row]:
    return {row["name"]: row for row in facts("smsc_ru_statuses")["state"]}
