"""The timeline counts each submit in its slot, and keeps no more slots than it may."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from kannelkit.simulator.counters import Timeline

EVENTS = st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=200).map(
    lambda events: sorted(events, key=lambda event: event[0])
)


def filled(events: list[tuple[int, bool]], kept: int) -> Timeline:
    timeline = Timeline(slot=0.25, kept=kept)
    for moment, accepted in events:  # in sixteenths of a second, four to a slot
        (timeline.accepted if accepted else timeline.refused)(moment / 16)
    return timeline


def slots(timeline: Timeline) -> tuple[Counter[int], Counter[int]]:
    told = timeline.slots()
    first = round(told.start / told.slot)
    return Counter({first + place: count for place, count in enumerate(told.accepted) if count}), Counter(
        {first + place: count for place, count in enumerate(told.refused) if count}
    )


@given(EVENTS)
def test_every_submit_is_in_its_slot(events: list[tuple[int, bool]]) -> None:
    accepted, refused = slots(filled(events, kept=1000))
    assert accepted == Counter(moment // 4 for moment, taken in events if taken)
    assert refused == Counter(moment // 4 for moment, taken in events if not taken)


@given(EVENTS, st.integers(10, 40))
def test_the_latest_slots_are_kept_and_not_many_more(events: list[tuple[int, bool]], kept: int) -> None:
    timeline = filled(events, kept)
    accepted, _ = slots(timeline)
    newest = max((moment // 4 for moment, _ in events), default=0)
    everything = Counter(moment // 4 for moment, taken in events if taken)
    for slot, count in everything.items():
        if slot > newest - kept:
            assert accepted[slot] == count
    assert len(timeline.slots().accepted) <= kept * 1.1 + 1


@given(EVENTS, st.integers(0, 100), st.integers(0, 100))
def test_a_span_sums_its_slots(events: list[tuple[int, bool]], first: int, last: int) -> None:
    timeline = filled(events, kept=1000)
    expected = [
        sum(first <= moment // 4 < last and taken is want for moment, taken in events) for want in (True, False)
    ]
    assert list(timeline.between(first / 4, last / 4)) == expected
