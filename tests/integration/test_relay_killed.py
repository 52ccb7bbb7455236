"""Whatever is killed while messages flow through the relay: none is lost, and every double is one that it counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.relay.killing import BEARERBOX_ORDERED, ORDERED, killed

pytestmark = pytest.mark.kannel


async def test_what_is_killed_loses_nothing_and_doubles_only_what_is_counted(tmp_path: Path) -> None:
    tally = await killed(tmp_path, ["the relay", "bearerbox", "the SMSC", ORDERED, "the relay"], seed=1)
    assert tally.lost == 0
    assert tally.doubled <= tally.counted
    # what has no answer at each of the moments, and little more: half a second's worth would be 500
    assert tally.counted < tally.unanswered + 100


async def test_a_restart_in_order_loses_and_doubles_nothing(tmp_path: Path) -> None:
    tally = await killed(tmp_path, [ORDERED, BEARERBOX_ORDERED], seed=2)
    assert (tally.lost, tally.doubled, tally.counted) == (0, 0, 0)
