"""The meanings of err and stat: the lists of SMSC.ru, each row with its grade, in two languages."""

from __future__ import annotations

import re

import pytest

from kannelkit.providers.errors import meaning, state_words
from kannelkit.providers.facts import Row, facts, grade
from kannelkit.providers.flags import Kind
from kannelkit.smpp.receipts import STATES

# fmt: off
PHONE = [0, 1, 6, 11, 12, 13, 21, 200, 219, 220, 237, 238, 239, 240, 241, 242, 243, 244, 245, 246, 247, 248, 249, 250,
         251, 252, 253, 254, 255]
# fmt: on
MAIL = [0, 2, 3, 4]


@pytest.mark.parametrize("kind", [None, *(kind for kind in Kind if kind is not Kind.MAIL)])
def test_codes_of_sms_calls_and_hlr(kind: Kind | None) -> None:
    assert [code for code in range(-1, 1000) if meaning(code, kind)] == PHONE


def test_codes_of_mail() -> None:
    assert [code for code in range(-1, 1000) if meaning(code, Kind.MAIL)] == MAIL


def test_no_code_is_there_twice() -> None:
    rows = facts("smsc_ru_errors")
    assert [row["code"] for row in rows["error"]] == PHONE
    assert [row["code"] for row in rows["mail"]] == MAIL


def test_the_kind_decides() -> None:
    assert meaning(1, Kind.MAIL) is None
    assert meaning(2) is None
    full = meaning(2, Kind.MAIL)
    assert full is not None
    assert (full.text, full.grade, full.final) == ("the mailbox is full", "B", None)


@pytest.mark.parametrize("err", [-1, 2, 7, 100, 256, 10**9])
def test_unknown_code_has_no_meaning(err: int) -> None:
    assert meaning(err) is None


def test_final_only_where_the_provider_says_so() -> None:
    said = [found for kind in (None, Kind.MAIL) for code in range(256) if (found := meaning(code, kind))]
    assert [(each.code, each.final) for each in said if each.final is not None] == [(219, False)]


def test_languages() -> None:
    both = [(meaning(220, lang="en"), "full"), (meaning(220, lang="ru"), "заполнена")]
    for found, word in both:
        assert found is not None
        assert word in found.text


def test_state_words() -> None:
    assert (state_words("DELIVRD"), state_words("DELIVRD", "ru")) == ("delivered", "доставлено")
    assert state_words("delivrd") == "delivered"
    assert state_words("HANDED") == "HANDED"
    assert {row["name"] for row in facts("smsc_ru_statuses")["state"]} == set(STATES)


TABLES = ["smsc_ru_channels", "smsc_ru_statuses", "smsc_ru_errors"]
ROWS = {
    f"{name}-{kind}-{number}": row
    for name in TABLES
    for kind, rows in facts(name).items()
    for number, row in enumerate(rows)
}
WORDS = {key: row for key, row in ROWS.items() if "en" in row or "ru" in row}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_every_fact_has_a_grade(row: Row) -> None:
    assert grade(row) in ("A", "B", "C")


@pytest.mark.parametrize("row", WORDS.values(), ids=WORDS)
def test_every_meaning_is_in_both_languages(row: Row) -> None:
    assert re.search("[a-z]|[A-Z]{3}", row["en"])
    assert re.search("[а-яё]|MMS|SMS|WAP|e-mail", row["ru"])


def test_a_row_without_a_grade_is_seen() -> None:
    with pytest.raises(ValueError, match="no such grade: D"):
        grade({"grade": "D"})
