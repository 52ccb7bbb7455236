"""When a side is of no use, and what is no reason to say so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import pytest

from kannelkit.failover.evidence import Evidence
from kannelkit.failover.values import Seen

AFTER = 30.0
EVERY = 0.25


def looks(
    seconds: float,
    online: Iterable[tuple[float, float]] = ((0.0, 1e9),),
    *,
    answers_a_second: float = 0.0,
    queued: bool = False,
    in_flight: Callable[[float], int | None] = lambda at: None,
    unanswered: Callable[[float], bool] = lambda at: False,
    second_link: Iterable[tuple[float, float]] | None = None,
    begin: float = 0.0,
) -> Iterable[Seen]:
    """Yield what is seen of links that are online during the spans `online`, and of another one of `second_link`."""
    of_links = {"a-1": tuple(online)}
    if second_link is not None:
        of_links["a-2"] = tuple(second_link)
    for look in range(int(seconds / EVERY) + 1):
        at = begin + look * EVERY
        links: Mapping[str, bool] = {
            name: any(first <= at < last for first, last in spans) for name, spans in of_links.items()
        }
        yield Seen(at, links, int(at * answers_a_second), queued, in_flight(at), unanswered(at))


def first_reason(seen: Iterable[Seen], after: float = AFTER) -> tuple[float, str] | None:
    """Return when the side is first said to be of no use, and why."""
    evidence = Evidence(after)
    for one in seen:
        evidence.seen(one)
        why = evidence.unusable()
        if why is not None:
            return one.at, why
    return None


def spans(first: float, lasts: float, away: float, until: float) -> list[tuple[float, float]]:
    """Return times online: until `first`, then again and again for `lasts` with `away` between."""
    found, at = [(0.0, first)], first + away
    while at < until:
        found.append((at, at + lasts))
        at += lasts + away
    return found


GONE = [
    pytest.param(looks(60, online=[(0, 10)]), 40.0, "no link online for 30 s", id="lost"),
    pytest.param(looks(60, online=[]), 30.0, "no link online for 30 s", id="never there"),
    pytest.param(looks(60, queued=True), 30.0, "no answer for 30 s while messages are on their way", id="silent"),
    pytest.param(
        looks(60, unanswered=lambda at: at >= 10),
        40.0,
        "no answer for 30 s while messages are on their way",
        id="one that is known to have left",
    ),
    pytest.param(
        looks(60, in_flight=lambda at: 3 if at < 10 else 4),
        40.0,
        "no answer for 30 s while messages are on their way",
        id="one more unanswered",
    ),
    pytest.param(
        looks(60, in_flight=lambda at: int(at * 40)),
        31.0,
        "no answer for 30 s while messages are on their way",
        id="ever more unanswered",
    ),
    pytest.param(
        looks(90, spans(10, 5, 1, 90)), 40.0, "each bind is closed again, the last after 5 s", id="closed each 5 s"
    ),
    pytest.param(
        looks(90, spans(10, 5, 10, 90)), 40.0, "each bind is closed again, the last after 5 s", id="slow to return"
    ),
    pytest.param(
        looks(200, spans(60, 12, 20, 200)), 102.0, "online for 30 of the last 60 s", id="more away than there"
    ),
    pytest.param(
        looks(90, online=[(0, 10)], second_link=[(0, 20)]), 50.0, "no link online for 30 s", id="one after the other"
    ),
]


@pytest.mark.parametrize(("seen", "when", "why"), GONE)
def test_a_side_of_no_use(seen: Iterable[Seen], when: float, why: str) -> None:
    found = first_reason(seen)
    assert found is not None
    assert found[1] == why
    assert abs(found[0] - when) <= 1.0


WELL = [
    pytest.param(looks(600), id="no traffic"),
    pytest.param(looks(600, in_flight=lambda at: 7), id="segments that are not whole"),
    pytest.param(looks(600, in_flight=lambda at: 0 if at < 0.2 else 1), id="counted late"),
    pytest.param(looks(600, in_flight=lambda at: -1 if at < 10 else 0), id="counted wrong"),
    pytest.param(looks(600, answers_a_second=0.1, in_flight=lambda at: int(at)), id="ever more, and answers"),
    pytest.param(looks(600, queued=True, answers_a_second=0.1), id="an answer every ten seconds"),
    pytest.param(looks(600, [(0, 100), (129, 600)]), id="away for less than the time"),
    pytest.param(looks(600, [(0, 100), (101, 104), (105, 600)]), id="two losses, then there"),
    pytest.param(looks(600, spans(10, 40, 20, 600)), id="there for two thirds"),
    pytest.param(looks(600, [(0, 50)], second_link=[(0, 600)]), id="one of two links"),
    pytest.param(looks(600, spans(10, 5, 1, 600), second_link=[(0, 600)]), id="one of two is closed again and again"),
]


@pytest.mark.parametrize("seen", WELL)
def test_a_side_that_is_of_use(seen: Iterable[Seen]) -> None:
    assert first_reason(seen) is None


def test_time_stands_still_while_nobody_sees() -> None:
    evidence = Evidence(AFTER)
    for seen in looks(20, online=[]):
        evidence.seen(seen)
    evidence.blind()
    for seen in looks(9, online=[], begin=500):
        evidence.seen(seen)
    assert evidence.unusable() is None
    for seen in looks(2, online=[], begin=509):
        evidence.seen(seen)
    assert evidence.unusable() == "no link online for 31 s"


def test_a_silence_goes_on_after_a_moment_without_sight() -> None:
    evidence = Evidence(AFTER)
    for begin in (0.0, 100.0):
        evidence.blind()
        for seen in looks(16, queued=True, begin=begin):
            evidence.seen(seen)
    assert evidence.unusable() == "no answer for 32 s while messages are on their way"


def test_what_is_not_looked_at_for_long_counts_little() -> None:
    evidence = Evidence(AFTER)
    evidence.seen(Seen(0.0, {"a": False}, 0, queued=False))
    evidence.seen(Seen(1000.0, {"a": False}, 0, queued=False))
    assert evidence.unusable() is None


def test_an_answer_that_takes_long_is_no_silence_however_short_the_time() -> None:
    assert first_reason(looks(60, queued=True, answers_a_second=1 / 3), after=1.0) is None


def test_a_new_bearerbox_is_seen_anew() -> None:
    evidence = Evidence(AFTER)
    for seen in looks(60, online=[]):
        evidence.seen(seen)
    evidence.begin()
    assert evidence.unusable() is None
    for seen in looks(20, online=[], begin=60):
        evidence.seen(seen)
    assert evidence.unusable() is None
