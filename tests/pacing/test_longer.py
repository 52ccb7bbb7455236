"""That two seconds are counted is told by two refusals, the one soon after the other."""

from __future__ import annotations

import pytest

from kannelkit.pacing.longer import Longer


@pytest.mark.parametrize(
    ("first", "then", "is_longer"),
    [
        ((1.0, 15, 15), (4.0, 8, 15), True),  # 15 in two seconds
        ((1.0, 15, 15), (60.0, 8, 15), True),  # few: a punishment may lie between
        ((1.0, 15, 15), (4.0, 15, 15), False),  # 15 in one
        ((1.0, 88, 88), (4.0, 60, 88), True),
        ((1.0, 88, 88), (60.0, 60, 88), False),  # long ago
        ((63.4, 22, 35), (65.4, 21, 35), False),  # a fixed second: one less where its edge lies elsewhere
    ],
)
def test_two_refusals_agree_on_two_seconds(
    first: tuple[float, int, int], then: tuple[float, int, int], is_longer: bool
) -> None:
    longer = Longer()
    assert not longer.told(*first)
    assert longer.told(*then) is is_longer
