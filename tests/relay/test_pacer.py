"""Accounts that share one limit share it fairly, whatever their way to the provider is; in simulated time."""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Mapping

import pytest

from kannelkit.pacing.limit import Limit, Sent
from kannelkit.relay.pacer import Pacer
from tests.harness.pacing_model import Bucket, Fixed, Law, Sliding

SECONDS = 600.0


class Skipping(selectors.BaseSelector):
    """Waits for nothing: the time that would be waited for has passed."""

    def __init__(self) -> None:
        self.now = 0.0
        self._real = selectors.DefaultSelector()

    def register(self, fileobj: int | object, events: int, data: object = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)  # type: ignore[arg-type]  # as it comes from asyncio

    def unregister(self, fileobj: int | object) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)  # type: ignore[arg-type]  # as it comes from asyncio

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += max(0.0, timeout or 0.0)
        return self._real.select(0)

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Mapping[int | object, selectors.SelectorKey]:  # type: ignore[override]  # what asyncio asks
        return self._real.get_map()  # type: ignore[return-value]  # the same


class SimulatedTime(asyncio.SelectorEventLoop):
    """An event loop whose clock goes as far as the next timer."""

    def __init__(self) -> None:
        self._skipping = Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.now


class Account:
    """A sender that always has more to send, of which so many may be unanswered."""

    def __init__(self, law: Law, delay: float, window: int) -> None:
        self.accepted = self.refused = 0
        self._law, self._delay, self._window = law, delay, window
        self._unanswered = 0
        self.pacer: Pacer | None = None

    def ready(self, now: float) -> bool:
        return self._unanswered < self._window

    def due(self) -> float:
        return math.inf

    def waits(self) -> bool:
        return True

    def send_next(self, now: float, sent: Sent) -> None:
        self._unanswered += 1
        asyncio.get_running_loop().call_later(self._delay / 2, self._arrived, sent)

    def flush(self) -> None:
        pass

    def _arrived(self, sent: Sent) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(self._delay / 2, self._answered, sent, self._law.admits(loop.time()))

    def _answered(self, sent: Sent, admitted: bool) -> None:
        assert self.pacer is not None
        now = asyncio.get_running_loop().time()
        self._unanswered -= 1
        if admitted:
            self.accepted += 1
            self.pacer.limit.accepted(sent, now)
        else:
            self.refused += 1
            self.pacer.limit.refused(sent, now)
        self.pacer.kick()


@pytest.mark.parametrize("delays", [(0.05, 0.05), (0.01, 0.2)])
@pytest.mark.parametrize("law", ["sliding", "fixed", "bucket"])
def test_two_accounts_share_one_limit(law: str, delays: tuple[float, float]) -> None:
    limit = 30
    made: dict[str, Law] = {"sliding": Sliding(limit), "fixed": Fixed(limit, edge=0.3), "bucket": Bucket(limit, limit)}
    accounts = [Account(made[law], delay, window=100) for delay in delays]

    async def run() -> None:
        pacer = Pacer(Limit(2.0 * limit))
        for account in accounts:
            account.pacer = pacer
            pacer.join(account)
        pacer.kick()
        await asyncio.sleep(SECONDS)
        pacer.stop()

    with asyncio.Runner(loop_factory=SimulatedTime) as runner:
        runner.run(run())
    accepted = [account.accepted for account in accounts]
    assert sum(accepted) >= 0.985 * limit * SECONDS
    assert min(accepted) >= 0.45 * sum(accepted)
