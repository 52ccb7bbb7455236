"""Times as people read them."""

from __future__ import annotations

import pytest

from kannelkit.plan.figures import FIGURES, Figure, figure, total
from kannelkit.plan.values import Add, Recreate, Reroute, Restart, Step

SAID = [
    (0.06, 0.35, "60 to 350 ms"),
    (0.06, 1.4, "60 ms to 1.4 s"),
    (1, 1, "about 1 s"),
    (3, 6, "3 to 6 s"),
    (0.0012, 0.0502, "1 to 50 ms"),
    (0.1612, 0.996, "160 ms to 1 s"),
    (12.3, 45.6, "12 to 46 s"),
    (59.9, 600, "60 s to 10 min"),
    (0, 0, "about 0 ms"),
]


@pytest.mark.parametrize(("least", "most", "said"), SAID)
def test_said(least: float, most: float, said: str) -> None:
    assert str(Figure(least, most, "measured")) == said


def test_every_figure_says_where_it_is_from() -> None:
    assert all(one.source and 0 < one.least <= one.most for one in FIGURES.values())


def test_steps_take_their_sum() -> None:
    steps: list[Step] = [Recreate("a", "a"), Recreate("b", "a"), Restart(("smsbox",))]
    assert total(steps).most == pytest.approx(2 * figure(steps[0]).most + figure(steps[2]).most)
    assert total([]) == Figure(0, 0, "the sum of its steps")


def test_a_reload_takes_longer_the_more_links_there_are() -> None:
    few, many = (figure(Reroute(("a",), among)) for among in (5, 300))
    assert few.most < 0.1
    assert many.least > 1
    assert figure(Add("a", "a")) == FIGURES["add"]
    assert figure(Restart(("bearerbox", "smsbox"))) == FIGURES["restart bearerbox"]
