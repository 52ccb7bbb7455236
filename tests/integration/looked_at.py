"""A gateway that `kannelkit up` runs, and that somebody else looks at from outside, as the plugin does."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from kannelkit.health.checks import report
from kannelkit.health.observe import Observer
from kannelkit.health.values import Check, Report, Status
from kannelkit.spec import load as load_spec
from tests.integration.operated import PATIENCE, Up

SECONDS = 1.5  # for each of the three steps of a look


class LookedAt(Up):
    """`kannelkit up` and its gateway; `last` is what was seen of it last."""

    last: Report

    async def look(self, path: Path | None = None) -> Report:
        """Look once, as the plugin does, at this gateway or at that of another spec."""
        spec = load_spec(path or self.path, {})
        seen = await asyncio.to_thread(Observer().observe, spec, SECONDS)
        return report(seen, spec.health_thresholds)

    async def until(self, id: str, *statuses: Status, path: Path | None = None) -> Check:
        """Look until the worst check of this id says one of these, and return it."""
        deadline = time.monotonic() + PATIENCE
        while True:
            self.last = await self.look(path)
            check = max(self.last.of(id), key=lambda each: _ORDER.index(each.status))
            if check.status in statuses:
                return check
            assert time.monotonic() < deadline, f"{id} does not become {statuses}: {check}"
            await asyncio.sleep(0.1)

    async def well(self) -> None:
        """Wait until nothing is wrong with it."""
        deadline = time.monotonic() + PATIENCE
        while (found := await self.look()).status != "ok":
            wrong = [check for check in found.checks if check.status != "ok"]
            assert time.monotonic() < deadline, wrong
            await asyncio.sleep(0.1)

    async def command(self, *arguments: str) -> tuple[int, str]:
        """Run `kannelkit` with these arguments; return its exit code and what it printed."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "kannelkit", *arguments), stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode()

    async def plugin(self, *arguments: str) -> tuple[int, str]:
        """Return the exit code and the first line of `kannelkit health`."""
        code, out = await self.command("health", str(self.path), *arguments)
        return code, out.splitlines()[0]


_ORDER: tuple[Status, ...] = ("ok", "unknown", "warning", "critical")
