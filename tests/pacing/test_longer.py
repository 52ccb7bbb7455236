"""That two seconds are counted is told by two refusals that agree on them, or by three where chance is likely."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from kannelkit.pacing.history import History
from kannelkit.pacing.longer import Longer

Stretch = tuple[float, float, int]  # begin, end, and so many accepted, evenly


def shown(told: Sequence[tuple[Sequence[Stretch], float, float | None]]) -> list[bool]:
    """Return what each refusal shows: what was accepted before it, when it left, when one is accepted after it."""
    history = History()
    longer = Longer(history)
    found = []
    for stretches, refused, accepted in told:
        for begin, end, number in stretches:
            for each in range(number):
                history.left(begin + each * (end - begin) / number)
        found.append(longer.told(refused))
        if accepted is not None:
            history.left(accepted)
            longer.accepted(accepted)
    return found


FULL = [(0.0, 1.0, 88)]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param([([(0.0, 1.0, 15)], 1.0, 2.0), ([(2.1, 4.0, 15)], 4.0, None)], [False, True], id="15 in two"),
        pytest.param([([(0.0, 1.0, 15)], 1.0, 2.0), ([(58.1, 60.0, 15)], 60.0, None)], [False, True], id="few"),
        pytest.param([([(0.0, 1.0, 15)], 1.0, 1.1), ([(2.0, 4.0, 30)], 4.0, None)], [False, False], id="15 in one"),
        pytest.param([(FULL, 1.0, 2.0), ([(2.1, 4.0, 88)], 4.1, None)], [False, True], id="88 in two"),
        pytest.param([(FULL, 1.0, 2.0), ([(58.0, 60.0, 88)], 60.1, None)], [False, False], id="long ago"),
        pytest.param([(FULL, 1.0, 1.5), ([(2.1, 4.0, 88)], 4.1, None)], [False, False], id="accepted while full"),
        pytest.param(
            [(FULL, 1.0, 1.5), ([(2.1, 4.0, 88)], 4.1, 4.2), ([(4.3, 6.1, 88)], 6.2, None)],
            [False, False, True],
            id="accepted while full, three agree",
        ),
    ],
)
def test_refusals_agree_on_two_seconds(
    told: Sequence[tuple[Sequence[Stretch], float, float | None]], expected: list[bool]
) -> None:
    assert shown(told) == expected
