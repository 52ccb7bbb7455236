"""What is said of refused binds."""

from __future__ import annotations

import pytest

from kannelkit.failover.refusals import BIND_REFUSALS, Reasons, bind_refusal, sentence


@pytest.mark.parametrize("status", sorted(BIND_REFUSALS))
def test_every_refusal_says_what_to_do_and_where_that_is_from(status: int) -> None:
    refusal = bind_refusal(status)
    assert refusal.why
    assert refusal.advice
    assert refusal.grade in ("A", "B", "C")
    assert "SMPP 3.4" in refusal.source or "gw/" in refusal.source
    assert sentence(status).startswith(f"bind refused, 0x{status:02x}: {refusal.why}")


def test_a_status_that_nobody_knows_is_passed_on() -> None:
    assert sentence(0x0400).startswith("bind refused, 0x400: a status without a common meaning")


def test_a_reason_is_told_once_until_it_changes_or_is_long_past() -> None:
    reasons = Reasons()
    told = [
        reasons.news("a", 0x0E, 0.0),
        reasons.news("a", 0x0E, 300.0),
        reasons.news("b", 0x0E, 300.0),
        reasons.news("a", 0x0D, 301.0),
        reasons.news("a", 0x0E, 302.0),
        reasons.news("a", 0x0E, 600.0),
        reasons.news("a", 0x0E, 1300.0),
    ]
    assert told == [True, False, True, True, True, False, True]
    assert (reasons.last("a", 1200.0), reasons.last("a", 1301.0), reasons.last("c", 0.0)) == (0x0E, None, None)
