"""What waits to leave, and in which order it does."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from kannelkit.relay.held import Held, Submit


def submit(order: int, *, urgent: bool = False, arrived: float = 0.0, octets: bytes = b"") -> Submit:
    return Submit(octets, 4, order, order, arrived, urgent)


def taken(held: Held, now: float = 0.0) -> list[int]:
    order = []
    while held.ready(now):
        order.append(held.take(now).order)
    return order


def test_urgent_ones_leave_first_and_each_kind_in_its_order() -> None:
    held = Held(100, 1000)
    for each in (submit(1), submit(2, urgent=True), submit(3), submit(4, urgent=True)):
        held.add(each)
    assert taken(held) == [2, 4, 1, 3]


def test_what_goes_again_is_before_what_never_left_and_behind_what_is_urgent() -> None:
    held = Held(100, 1000)
    for order in range(1, 5):
        held.add(submit(order))
    first = [held.take(0.0) for _ in range(3)]
    for each in reversed(first):
        held.again(each)
    held.add(submit(5, urgent=True))
    assert taken(held) == [5, 1, 2, 3, 4]


def test_what_has_to_wait_leaves_when_it_is_due_and_holds_up_nobody() -> None:
    held = Held(100, 1000)
    held.again(submit(1), not_before=2.0)
    held.add(submit(2))
    assert held.due() == 2.0
    assert taken(held, 1.0) == [2]
    assert not held.ready(1.9)
    assert taken(held, 2.0) == [1]
    assert held.due() == math.inf


def test_what_is_too_old_is_given_back_wherever_it_waits() -> None:
    held = Held(100, 1000)
    held.add(submit(1, arrived=1.0))
    held.add(submit(2, arrived=5.0))
    held.again(submit(3, arrived=2.0))
    held.again(submit(4, arrived=3.0, urgent=True), not_before=9.0)
    assert sorted(each.order for each in held.expire(3.0)) == [1, 3, 4]
    assert (len(held), held.oldest) == (1, 5.0)


def test_it_is_full_by_number_or_by_octets() -> None:
    held = Held(2, 10)
    held.add(submit(1))
    assert (held.full, held.roomy) == (False, True)
    held.add(submit(2))
    assert (held.full, held.roomy) == (True, False)
    held.clear()
    held.add(submit(3, octets=bytes(10)))
    assert (held.full, held.roomy) == (True, False)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["add", "take", "again", "later"])), max_size=60))
def test_nothing_gets_lost_and_nothing_is_there_twice(steps: list[tuple[bool, str]]) -> None:
    held = Held(10, 1000)
    away: list[Submit] = []
    for order, (urgent, step) in enumerate(steps):
        if step == "add":
            held.add(submit(order, urgent=urgent, octets=bytes(order)))
        elif step == "take" and held.ready(0.0):
            away.append(held.take(0.0))
        elif away:
            held.again(away.pop(), 1.0 if step == "later" else -math.inf)
    added = {order for order, (_, step) in enumerate(steps) if step == "add"}
    count = len(held)
    there = taken(held, 2.0)
    assert len(there) == count
    assert sorted(there + [each.order for each in away]) == sorted(added)
    assert (len(held), held.roomy) == (0, True)
