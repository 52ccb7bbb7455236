"""A browser for the tests of pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.integration.browser import Browser, chromium


@pytest.fixture(scope="module")
def chromium_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Yield the port at which a Chromium of this module's is asked."""
    with chromium(tmp_path_factory.mktemp("chromium")) as port:
        yield port


@pytest.fixture
async def browser(chromium_port: int) -> AsyncIterator[Browser]:
    """Yield a browser with a page of its own."""
    async with Browser(chromium_port) as found:
        yield found
