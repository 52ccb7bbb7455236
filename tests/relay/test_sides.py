"""Which host is in force, in simulated time."""

from __future__ import annotations

from kannelkit.relay.sides import Sides


def follow(sides: Sides, begin: float, seconds: float, *, good: bool | None, other: bool) -> float | None:
    """Look twice a second and return when the account moves, None where it stays."""
    for tick in range(int(seconds * 2)):
        now = begin + tick / 2
        sides.seen(good, now)
        if sides.wants_probe(now):
            sides.probed(other, now)
        if sides.decide(now) is not None:
            sides.moved(now)
            return now
    return None


def test_it_is_left_when_it_was_of_no_use_for_long_enough_and_the_other_one_answers() -> None:
    sides = Sides(2, 30, 300)
    assert follow(sides, 0, 100, good=True, other=True) is None
    moved = follow(sides, 100, 100, good=False, other=True)
    assert moved is not None
    assert 130 <= moved <= 131
    assert sides.current == 1


def test_it_stays_where_the_other_one_does_not_answer_either_or_is_not_there() -> None:
    assert follow(Sides(2, 30, 300), 0, 1000, good=False, other=False) is None
    assert follow(Sides(1, 30, 300), 0, 1000, good=False, other=True) is None
    assert follow(Sides(2, 30, 300), 0, 1000, good=None, other=True) is None


def test_one_that_was_moved_by_hand_stays_until_it_is_of_no_use() -> None:
    sides = Sides(2, 30, 300)
    sides.moved(0, by_hand=True)
    assert follow(sides, 0, 2000, good=True, other=True) is None
    moved = follow(sides, 2000, 100, good=False, other=True)
    assert moved is not None
    assert 2030 <= moved <= 2032
    assert (sides.current, sides.by_hand, sides.failed_returns) == (0, False, 0)
    resumed = Sides(2, 30, 300)
    resumed.resume(1, by_hand=False, failed_returns=1, now=5000)
    home = follow(resumed, 5000, 2000, good=True, other=True)
    assert home is not None
    assert 5600 <= home <= 5603


def test_it_goes_home_when_the_primary_has_answered_for_long_and_later_each_time_that_this_was_no_use() -> None:
    sides = Sides(2, 30, 300)
    now = 0.0
    waits = []
    for _ in range(3):
        left = follow(sides, now, 100, good=False, other=True)
        assert left is not None
        home = follow(sides, left, 3000, good=True, other=True)
        assert home is not None
        waits.append(round((home - left) / 300))
        now = home
    assert waits == [1, 2, 4]
