"""A report's worst check, and which accounts it says are sending."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.health.values import SENDING, Check, Figure, Report, Status, sending, sending_accounts, worst

STATUSES: tuple[Status, ...] = ("ok", "unknown", "warning", "critical")


def test_worst_is_critical_then_warning_then_unknown() -> None:
    for position, status in enumerate(STATUSES):
        assert worst(STATUSES[: position + 1]) == status


def test_nothing_checked_is_not_all_well() -> None:
    assert worst(()) == "unknown"
    assert Report(0.0, ()).status == "unknown"


@given(st.lists(st.sampled_from(STATUSES), min_size=1))
def test_order_does_not_matter_and_more_checks_never_better_it(statuses: list[Status]) -> None:
    assert worst(statuses) == worst(reversed(statuses))
    assert worst((worst(statuses), worst(statuses[:-1] or statuses))) == worst(statuses)


@pytest.mark.parametrize(
    ("status", "sends"), [("ok", True), ("warning", True), ("critical", False), ("unknown", False)]
)
def test_an_account_sends_where_its_check_says_so(status: Status, sends: bool) -> None:
    other = Check("queue", "critical", "", account="one")
    report = Report(0.0, (Check(SENDING, status, "", account="one"), other))
    assert sending(report, "one") is sends
    assert not sending(report, "two")
    assert sending_accounts(report) == (("one",) if sends else ())
    assert report.as_dict()["sending"] == {"one": sends}


def test_a_report_is_plain_values() -> None:
    report = Report(1.5, (Check("queue", "ok", "none", figures=(Figure("queue", 0, warning=10),)),))
    assert json.loads(json.dumps(report.as_dict()))["checks"][0]["figures"][0]["warning"] == 10
