"""What every test goes by: hypothesis has no deadlines, and what needs a real Kannel is skipped where there is none."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.harness.kannel import program

# machines are shared, and a slow one is no finding
settings.register_profile("kannelkit", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kannelkit")

KANNEL_IS_THERE = program("bearerbox") is not None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what starts a real bearerbox where there is none."""
    if not KANNEL_IS_THERE and item.get_closest_marker("kannel"):
        pytest.skip("needs Kannel")
