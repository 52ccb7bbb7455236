"""What happens in a simulator as JSON lines: what arrived, how it ended, and the totals now and then."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

from kannelkit.simulator.page_view import newest
from kannelkit.simulator.server import Simulator

LOOK_SECONDS = 0.2
COUNTERS_SECONDS = 5.0
_MOST_OPEN = 10_000  # messages whose end is looked for


class Events:
    """Finds what is new at each look; a message that is open is told again when it has ended."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._last = 0
        self._open: dict[int, str] = {}  # message id -> account, the oldest first
        self._counters: Mapping[str, Any] = {}
        self._counted = 0.0

    def listening(self) -> dict[str, Any]:
        """Return the first event: where to bind."""
        simulator = self._simulator
        return {
            "event": "listening",
            "host": simulator.host,
            "port": simulator.port,
            "tls_port": simulator.tls_port,
            "control_port": simulator.control_port,
            "accounts": [{"login": rules.login, "limit": rules.limit} for rules in simulator.rules],
        }

    def look(self, now: float, *, last: bool = False) -> Iterator[dict[str, Any]]:
        """Yield what is new at `now`, in seconds of any clock; the totals from time to time and at the `last` look."""
        simulator = self._simulator
        found = newest(simulator.accounts.values(), sys.maxsize, self._last)
        for account, message in reversed(found):
            self._last = message.id
            told = message.as_dict(simulator.clock)
            yield {"event": "message", "account": account.rules.login, **told}
            if told["ended"] is None:
                self._open[message.id] = account.rules.login
                if len(self._open) > _MOST_OPEN:
                    del self._open[next(iter(self._open))]
        yield from self._ended()
        if last or now - self._counted >= COUNTERS_SECONDS:
            self._counted = now
            accounts = {login: account.as_dict() for login, account in simulator.accounts.items()}
            if last or accounts != self._counters:
                self._counters = accounts
                yield {"event": "counters", "accounts": accounts}

    def _ended(self) -> Iterator[dict[str, Any]]:
        clock = self._simulator.clock
        now = clock.now()
        for number, login in list(self._open.items()):
            message = self._simulator.account(login).messages.get(number)
            if message is None:
                del self._open[number]
            elif message.ended <= now:
                del self._open[number]
                told = message.as_dict(clock)
                ended = {name: told[name] for name in ("id", "destination", "parts", "ended", "state", "err", "hlr")}
                yield {"event": "ended", "account": login, **ended}


async def tell(simulator: Simulator, done: asyncio.Event) -> None:
    """Print events until `done`; a reader that is slow does not hold the simulator up. Ends where nobody reads."""
    events = Events(simulator)
    try:
        await asyncio.to_thread(_print, [events.listening()])
        while not done.is_set():
            await asyncio.to_thread(_print, list(events.look(time.monotonic())))
            try:
                await asyncio.wait_for(done.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue
        await asyncio.to_thread(_print, [*events.look(time.monotonic(), last=True), {"event": "end"}])
    except BrokenPipeError:
        done.set()


def _print(events: list[dict[str, Any]]) -> None:
    if events:
        sys.stdout.write("".join(f"{json.dumps(event)}\n" for event in events))
        sys.stdout.flush()
