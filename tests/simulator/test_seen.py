"""What is remembered of messages, and that it stays little."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kannelkit.simulator.seen import Digests, Latest, Recent

MESSAGES = st.lists(st.binary(max_size=2), max_size=200)


@given(MESSAGES)
def test_a_message_is_known_from_the_second_time_on(messages: list[bytes]) -> None:
    digests = Digests(1000)
    known = [digests.add(message) for message in messages]
    assert known == [message in messages[:place] for place, message in enumerate(messages)]


@given(MESSAGES, st.integers(2, 20))
def test_half_of_what_may_be_kept_is_never_forgotten(messages: list[bytes], kept: int) -> None:
    digests = Digests(kept)
    for place, message in enumerate(messages):
        known = digests.add(message)
        latest = list(dict.fromkeys(reversed(messages[:place])))[: kept // 2]
        assert known or message not in latest
        assert not known or message in messages[:place]


def test_digests_of_more_than_are_kept_do_not_pile_up() -> None:
    digests = Digests(100)
    for number in range(10_000):
        assert not digests.add(b"%d" % number)
    assert len(digests) <= 100


@given(st.lists(st.tuples(st.integers(0, 50), st.integers()), max_size=200), st.integers(2, 40))
def test_latest_entries_are_there(entries: list[tuple[int, int]], kept: int) -> None:
    latest: Latest[int] = Latest(kept)
    expected: dict[int, int] = {}
    for key, value in entries:
        latest[key] = value
        expected.pop(key, None)
        expected[key] = value
        for each in list(expected)[-(kept // 2) :]:
            assert latest.get(each) == expected[each]
        assert len(latest) <= kept
    assert latest.get(51) is None


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from([b"a", b"b", b"c"]))), st.integers(1, 60))
def test_a_message_is_recent_for_exactly_the_span(messages: list[tuple[int, bytes]], span: int) -> None:
    recent = Recent(1000)
    now = 0
    added: dict[bytes, int] = {}
    for gap, message in messages:
        now += gap
        assert recent.has(message, now, span) is (message in added and now - added[message] < span)
        recent.add(message, now, span)
        added[message] = now


def test_recent_messages_do_not_pile_up() -> None:
    recent = Recent(1000)
    for number in range(10_000):
        recent.add(b"%d" % number, number, 60)
    assert len(recent) <= 120
