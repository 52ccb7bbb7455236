"""Totals never fall, whatever Kannel's counters do, and their number is bounded, whatever is made up."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.gateway.status import LinkStatus
from kannelkit.health.metrics_totals import MOST_SERIES, Totals
from kannelkit.throttle.lines import BindRefused, LinkTroubled, Panicked, SubmitRefused, Trouble
from tests.health.gateway import link, seen, status

SENT = "kannel_link_sms_sent_total"
ACCEPTED = "kannelkit_accepted_total"
ONE = ("one", "one-1", "smpp.example.net")


def count(totals: Totals, *links: LinkStatus, uptime: int = 100, sent: int = 1000) -> tuple[float, float]:
    """Let totals see a status, and return what link one-1 and account one sent by them."""
    says = status(links, uptime, sent)
    totals.status(says, seen(says).rows)
    return totals.total(SENT, ONE), totals.total(ACCEPTED, ("one",))


def test_what_was_before_is_not_counted_and_a_new_link_goes_on() -> None:
    totals = Totals()
    assert count(totals, link("one-1", sent=1000)) == (0, 0)
    assert count(totals, link("one-1", sent=1040)) == (40, 40)
    assert count(totals, link("one-1", sent=5)) == (45, 45)  # made anew
    assert count(totals) == (45, 45)  # away
    assert count(totals, link("one-1", sent=3)) == (48, 48)  # made anew again


def test_what_a_link_sent_before_its_end_and_nobody_saw_is_its_accounts() -> None:
    totals = Totals()
    count(totals, link("one-1", sent=100), link("two-1", "two"), sent=1000)
    assert count(totals, link("one-1", sent=110), link("two-1", "two", sent=5), sent=1015) == (10, 10)
    assert count(totals, link("one-1", sent=2), link("two-1", "two", sent=6), sent=1025) == (12, 19)  # 7 more before
    assert count(totals, link("two-1", "two", sent=6), sent=1029) == (12, 23)  # 4 more, and gone
    assert totals.total(ACCEPTED, ("two",)) == 6


def test_a_new_link_that_has_sent_more_than_the_old_one_is_known_by_its_age() -> None:
    totals, old = Totals(), link("one-1", sent=0)
    count(totals, old, link("two-1", "two"), sent=1000)
    new = replace(link("one-1", sent=20), seconds=1)
    assert count(totals, new, link("two-1", "two"), sent=1040) == (20, 40)


def test_where_there_is_one_account_all_is_its() -> None:
    totals = Totals()
    count(totals, link("one-1"), sent=1000)
    assert count(totals, link("one-1", sent=20), sent=1040) == (20, 40)


def test_of_links_of_several_accounts_made_anew_nobody_can_say_whose_it_was() -> None:
    totals = Totals()
    count(totals, link("one-1", sent=100), link("two-1", "two", sent=100), sent=1000)
    assert count(totals, link("one-1", sent=1), link("two-1", "two", sent=1), sent=1050) == (1, 1)
    assert count(totals, link("one-1", sent=2), link("two-1", "two", sent=1), sent=1051) == (2, 2)


def test_numbers_that_are_taken_one_after_another_settle() -> None:
    totals = Totals()
    two = link("two-1", "two")
    count(totals, link("one-1", sent=100), two, sent=1000)
    assert count(totals, link("one-1", sent=110), two, sent=1007) == (10, 10)  # three came between the two numbers
    assert count(totals, link("one-1", sent=110), two, sent=1012) == (10, 10)  # and two before these
    assert count(totals, link("one-1", sent=4), two, sent=1020) == (14, 20)  # 1000 to 1020


def test_a_new_bearerbox_is_seen_by_its_age_even_where_its_counts_are_higher() -> None:
    totals = Totals()
    count(totals, link("one-1", sent=10), uptime=100)
    assert count(totals, link("one-1", sent=30), uptime=5, sent=30) == (30, 30)


def test_what_a_link_standing_by_sent_is_the_accounts_and_no_links() -> None:
    totals = Totals()
    count(totals, link("one-1"), link("one-backup-1"), link("one-park"))
    count(totals, link("one-1", sent=1), link("one-backup-1", sent=2), link("one-park", sent=4))
    assert totals.total(ACCEPTED, ("one",)) == 3
    assert [value for _, value in totals.samples(SENT)] == [1]


def test_links_with_one_name_are_counted_each_by_itself() -> None:
    totals = Totals()
    count(totals, link("one-1", sent=100), link("one-1", sent=7))
    assert count(totals, link("one-1", sent=110), link("one-1", sent=1))[0] == 11


@given(st.lists(st.tuples(st.lists(st.integers(0, 50), max_size=3), st.integers(0, 30)), max_size=20))
def test_totals_never_fall_and_miss_nothing_that_was_seen(course: list[tuple[list[int], int]]) -> None:
    totals, before, least, last = Totals(), 0.0, 0, 0
    for number, (sent, uptime) in enumerate(course):
        now, _ = count(totals, *(link("one-1", sent=each) for each in sent), uptime=uptime)
        assert now >= before
        if number and len(sent) == 1:
            least = max(0, sent[0] - last) if len(course[number - 1][0]) == 1 else 0
            assert now - before >= least
        before, last = now, sent[0] if sent else 0


def test_refusals_are_counted_by_status_and_other_events_are_none() -> None:
    totals = Totals()
    totals.logged(
        [
            SubmitRefused("one", 0x58, 1, 2, 3),
            SubmitRefused("one", 0x58, 1, 2, 3),
            SubmitRefused("one", 0x14, 1, 2, 3),
            BindRefused("one", 0x0E, 1, 2, 3),
            LinkTroubled("one", Trouble.BROKEN, 1, 2, 3),
            Panicked("out of memory", 1, 2, 3),
        ]
    )
    refused = "kannelkit_refused_total"
    assert totals.total(refused, ("one", "ESME_RTHROTTLED")) == 2
    assert totals.total(refused, ("one", "ESME_RMSGQFUL")) == 1
    assert totals.total("kannelkit_binds_refused_total", ("one", "ESME_RINVPASWD")) == 1


def test_a_provider_that_answers_with_every_number_fills_nothing() -> None:
    totals = Totals()
    totals.logged(SubmitRefused("one", number, 1, 2, 3) for number in range(0x400, 0x1400))
    samples = totals.samples("kannelkit_refused_total")
    assert len(samples) < 60
    assert sum(value for _, value in samples) == 0x1000


def test_made_up_names_fill_nothing() -> None:
    totals = Totals()
    for number in range(MOST_SERIES + 7):
        totals.add("kannelkit_log_read_bytes_total", (str(number),))
    assert len(totals.samples("kannelkit_log_read_bytes_total")) == MOST_SERIES
    assert totals.left_out == 7


def test_doubts_of_the_journal_add_up() -> None:
    totals, metric = Totals(), "kannelkit_refusals_doubted_total"
    totals.begin(["one"])
    assert not totals.samples(metric)  # nobody doubts where nobody supervises
    for doubted in (3, 5):
        totals.happened({"kind": "note", "account": "one", "doubted": doubted})
    assert totals.total(metric, ("one",)) == 8


EVENTS_THAT_ARE_NONE: list[dict[str, object]] = [
    {},
    {"kind": "rate"},
    {"kind": "rate", "account": None, "direction": "lower"},
    {"kind": "rate", "account": "one", "direction": "sideways"},
    {"kind": "failover", "account": "one", "to": 7},
    {"kind": "ready", "account": "one"},
    {"kind": "note", "account": "one"},
    {"kind": "note", "account": "one", "doubted": "many"},
    {"kind": "note", "account": "one", "doubted": -1},
]


@pytest.mark.parametrize("event", EVENTS_THAT_ARE_NONE, ids=str)
def test_an_event_that_is_no_change_and_no_move_counts_nothing(event: dict[str, object]) -> None:
    totals = Totals()
    totals.happened(event)
    assert not totals.samples("kannelkit_throughput_changes_total")
    assert not totals.samples("kannelkit_failovers_total")
    assert not totals.samples("kannelkit_refusals_doubted_total")


@pytest.mark.parametrize("away", [None, "long", -1, float("nan")])
def test_a_change_whose_duration_is_not_known_is_one_all_the_same(away: object) -> None:
    totals = Totals()
    totals.happened({"kind": "rate", "account": "one", "direction": "raise", "links_away_ms": away})
    assert totals.total("kannelkit_throughput_changes_total", ("one", "raise")) == 1
    assert totals.durations("kannelkit_throughput_change_seconds") == []


@pytest.mark.parametrize(
    ("metric", "key"),
    [("kannelkit_throughput", ("one",)), ("kannelkit_accepted_total", ()), ("kannelkit_accepted_total", ("a", "b"))],
)
def test_what_is_no_counter_with_these_labels_is_not_counted(metric: str, key: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=metric):
        Totals().add(metric, key)


def test_a_counter_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="grow"):
        Totals().add("kannelkit_accepted_total", ("one",), -1)
