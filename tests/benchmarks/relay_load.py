"""How busy the machine is, and how late it lets programs run: what is measured without rest is not what it seems."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Mapping
from contextlib import suppress

import psutil

_SLEEP = 0.02  # seconds
_HIGH = 0.99


class Lateness:
    """How late this program's timers come, which are asked for again and again while `watch` runs."""

    def __init__(self) -> None:
        self._late = array("f")

    async def watch(self) -> None:
        """Go on until this is cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            due = clock() + _SLEEP
            await asyncio.sleep(_SLEEP)
            self._late.append(clock() - due)

    def text(self) -> str:
        """Return it in words."""
        late = sorted(self._late)
        if not late:
            return "no timer came"
        high = late[int(len(late) * _HIGH)]
        return f"timers came {high * 1000:.1f} ms late at the 99th percentile, {late[-1] * 1000:.0f} ms at the most"


class Load:
    """Counts from its making on: `processes` are pids by what is told of them."""

    def __init__(self, processes: Mapping[str, list[int]]) -> None:
        self._processes = {name: [psutil.Process(pid) for pid in pids] for name, pids in processes.items()}
        self._began = time.monotonic()
        self._used = {name: _seconds(own) for name, own in self._processes.items()}
        self._busy = _busy()

    def shares(self) -> dict[str, float]:
        """Return the share of all processors that each has used, and `machine`, which is everything."""
        all_of_it = (time.monotonic() - self._began) * (psutil.cpu_count() or 1)
        found = {name: (_seconds(own) - self._used[name]) / all_of_it for name, own in self._processes.items()}
        return found | {"machine": (_busy() - self._busy) / all_of_it}

    def text(self) -> str:
        """Return the shares in words."""
        shares = self.shares()
        machine = shares.pop("machine")
        each = f" ({', '.join(f'{name} {share:.0%}' for name, share in shares.items())})" if shares else ""
        return f"processor {machine:.0%} of {psutil.cpu_count()} cores{each}"


def _seconds(processes: list[psutil.Process]) -> float:
    """Return the processor's seconds that processes have taken; those that have ended count no more."""
    total = 0.0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def _busy() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))
