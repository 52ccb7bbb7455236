"""What every test goes by: hypothesis tries the same each time unless KANNELKIT_THOROUGH is set, what needs a real
Kannel is skipped where there is none, and with several workers what waits is spread over what computes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.harness.kannel import program
from tests.harness.order import spread

# machines are shared, and a slow one is no finding; a failure that comes again can be looked into
settings.register_profile(
    "usual", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True, max_examples=50
)
# by hand: other examples at each run, and more of them where a test does not say how many
settings.register_profile(
    "thorough", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=False, max_examples=1000
)
settings.load_profile("thorough" if os.environ.get("KANNELKIT_THOROUGH") else "usual")

KANNEL_IS_THERE = program("bearerbox") is not None
INTEGRATION = Path(__file__).parent / "integration"


def waits(item: pytest.Item) -> bool:
    """Return whether a test mostly waits for a real gateway."""
    return item.path.parent == INTEGRATION and item.get_closest_marker("kannel") is not None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have what waits run beside what computes (pytest-xdist gives each worker an unbroken part)."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers > 1:
        items[:] = spread(items, workers, waits, lambda item: item.path)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what starts a real bearerbox where there is none."""
    if not KANNEL_IS_THERE and item.get_closest_marker("kannel"):
        pytest.skip("needs Kannel")
