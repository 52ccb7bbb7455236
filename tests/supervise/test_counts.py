"""Counts: what the provider accepted never falls, whatever Kannel's own counters do; parking links count nowhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.supervise.counts import Counts, counted_ids, mean_parts
from tests.supervise.played import account, link, status

TWO = account(connections=2, backup=1)


def test_a_new_links_count_goes_on_from_the_old_ones() -> None:
    counts = Counts([account()])
    seen = [counts.samples(status(link("acc-1", sent=sent)), 0.0)["acc"].accepted for sent in (10, 40, 0, 7, 7, 3)]
    assert seen == [10, 40, 40, 47, 47, 50]


def test_a_new_bearerbox_begins_at_nothing() -> None:
    counts = Counts([account()])
    counts.samples(status(link("acc-1", sent=40)), 0.0)
    counts.forget()
    assert counts.samples(status(link("acc-1", sent=50)), 1.0)["acc"].accepted == 90


# what happens to a link between two readings: messages that were accepted, or a re-creation
steps = st.lists(st.tuples(st.sampled_from(["acc-1", "acc-2", "acc-backup-1"]), st.integers(-1, 300)), max_size=60)


@given(steps)
def test_accepted_never_falls_and_is_exact_when_each_link_is_read_before_it_is_made_anew(
    happened: list[tuple[str, int]],
) -> None:
    counts, sent = Counts([TWO]), {"acc-1": 0, "acc-2": 0, "acc-backup-1": 0}
    truth, before = 0, 0
    for name, messages in happened:
        if messages < 0:
            sent[name] = 0
        else:
            sent[name] += messages
            truth += messages
        accepted = counts.samples(status(*(link(one, sent=n) for one, n in sent.items())), 0.0)["acc"].accepted
        assert accepted >= before
        before = accepted
    assert before == truth


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), max_size=30))
def test_accepted_never_falls_whatever_a_status_says(readings: list[tuple[int, int]]) -> None:
    counts, before = Counts([TWO]), 0
    for one, other in readings:
        accepted = counts.samples(status(link("acc-1", sent=one), link("acc-2", sent=other)), 0.0)["acc"].accepted
        assert accepted >= before
        before = accepted


@pytest.mark.parametrize(
    ("links", "online"),
    [
        ((link("acc-1"), link("acc-2")), True),
        ((link("acc-1"), link("acc-2", "re-connecting")), False),
        ((link("acc-1"),), False),
        ((), False),
        ((link("acc-1"), link("acc-2"), link("acc-backup-1", "dead"), link("acc-park", "re-connecting")), True),
        ((link("acc-backup-1"), link("acc-park")), False),
    ],
)
def test_an_account_is_online_when_all_its_first_links_are(links: tuple[object, ...], online: bool) -> None:
    assert Counts([TWO]).samples(status(*links), 0.0)["acc"].online is online  # type: ignore[arg-type] # cases as data


def test_the_parking_link_is_in_no_count() -> None:
    assert counted_ids(TWO) == ("acc-1", "acc-2", "acc-backup-1")
    parked = status(
        link("acc-1", queued=1), link("acc-2"), link("acc-park", "re-connecting", queued=50, sent=50), out=3
    )
    sample = Counts([TWO]).samples(parked, 0.0)["acc"]
    assert (sample.accepted, sample.waiting) == (0, 4)


def test_each_account_has_its_own_links() -> None:
    samples = Counts([account("a"), account("b")]).samples(status(link("a-1", sent=5), link("b-1", sent=9)), 2.5)
    assert {name: (sample.accepted, sample.at) for name, sample in samples.items()} == {"a": (5, 2.5), "b": (9, 2.5)}


@pytest.mark.parametrize(
    ("store", "queued", "in_flight"),
    [
        (750, 700, 50),
        (700, 700, 0),
        (699, 700, -1),  # the numbers are read one after another: a few move meanwhile
        (695, 700, -5),
        (694, 700, None),  # too many for that
        (None, 700, None),
    ],
)
def test_in_flight_is_what_is_stored_and_in_no_queue(store: int | None, queued: int, in_flight: int | None) -> None:
    sample = Counts([account()]).samples(status(link("acc-1", queued=queued), store=store), 0.0)["acc"]
    assert sample.in_flight == in_flight


@given(messages=st.integers(20, 500), parts=st.integers(2, 10), waiting=st.integers(0, 50))
def test_the_mean_of_parts_is_found_where_long_messages_wait(messages: int, parts: int, waiting: int) -> None:
    seen = status(link("acc-1", queued=messages * parts), out=waiting, store=messages + waiting)
    assert mean_parts(seen) == pytest.approx(parts)
    sample = Counts([account()]).samples(seen, 0.0)["acc"]
    assert sample.in_flight is None
    assert sample.parts == pytest.approx(parts)


@given(messages=st.integers(0, 500), in_flight=st.integers(0, 50), waiting=st.integers(0, 50))
def test_short_messages_have_one_part(messages: int, in_flight: int, waiting: int) -> None:
    seen = status(link("acc-1", queued=messages), out=waiting, store=messages + waiting + in_flight)
    sample = Counts([account()]).samples(seen, 0.0)["acc"]
    assert (sample.in_flight, sample.parts) == (in_flight, 1.0)
