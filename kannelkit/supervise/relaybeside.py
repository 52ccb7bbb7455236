"""The relay beside boxes that something else runs: kept, and brought to what these were started with."""

from __future__ import annotations

import asyncio

from kannelkit.errors import KannelkitError
from kannelkit.spec import Spec
from kannelkit.supervise.applying import Applying
from kannelkit.supervise.journal import in_one_line
from kannelkit.supervise.running import Running

_TRY_EVERY = 5.0  # seconds


class RelayBeside:
    """Has the relay run for the spec that is in force, which another start of bearerbox may have changed.

    It outlives this process, as bearerbox does, and is taken on by the next one.
    """

    def __init__(self, running: Running, applying: Applying) -> None:
        self._running = running
        self._applying = applying
        self._spec: Spec | None = None  # for which it was brought up last
        self._bringing: asyncio.Task[None] | None = None
        self._try_at = 0.0
        self._told = ""

    async def begin(self, *, cut_off: bool) -> None:
        """Take on the relay that is there, or start it; where a change of it was `cut_off`, whoever takes that back
        does. Raises KannelkitError.
        """
        self._running.relay.adopt(self._running.memory.boxes().get("relay"))
        if not cut_off:
            self._spec = self._running.configuration.spec
            await self._applying.bring_relay()

    async def keep(self, now: float, *, may_bring: bool) -> None:
        """See to its process, and where it `may` be brought to another spec and that is in force, begin with it."""
        await self._running.relay.keep(now)
        under_way = self._bringing is not None and not self._bringing.done()
        spec = self._running.configuration.spec
        if may_bring and spec is not self._spec and not under_way and now >= self._try_at:
            self._try_at = now + _TRY_EVERY
            self._bringing = asyncio.create_task(self._bring(spec))

    async def end(self) -> bool:
        """Leave it as it is; return whether it runs on."""
        if self._bringing is not None:
            self._bringing.cancel()
            await asyncio.gather(self._bringing, return_exceptions=True)
        return self._running.relay.running

    async def _bring(self, spec: Spec) -> None:
        try:
            await self._applying.bring_relay()
        except KannelkitError as error:
            if self._told != error.message:
                self._told = error.message
                self._running.say("warning", f"the relay runs as before: {in_one_line(error)}")
        else:
            self._spec, self._told = spec, ""
