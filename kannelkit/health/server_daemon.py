"""The health daemon as a whole, looks and answers: by itself, or beside a supervisor on the same event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from kannelkit.health.metrics import Choice
from kannelkit.health.server import Server
from kannelkit.health.server_looks import Looks
from kannelkit.spec import Spec

# a look takes well under a second, and six where everything hangs
_STALE_SECONDS = 15.0


class Daemon:
    """Looks at the gateway of a spec and answers at its health.listen, for as long as it is entered.

    Entering raises HostError where it cannot listen; making one does, where others could ask without a token. `load`
    reads the spec anew, `tell` is given what a person should know; `every` is how many seconds lie between two looks.
    """

    def __init__(
        self,
        spec: Spec,
        load: Callable[[], Spec],
        tell: Callable[[str], None],
        *,
        names: Choice = "kannelkit",
        every: float = 1.0,
    ) -> None:
        self._spec = spec
        self._tell = tell
        self._looks = Looks(spec, load, tell, every=every)
        self._looking: asyncio.Task[None] | None = None
        self._server = Server(
            self._looks.known(),
            spec.health_listen,
            token=spec.health_token.text if spec.health_token else None,
            certificate=spec.health_certificate,
            names=names,
            stale_after=every + _STALE_SECONDS,
        )

    def alive(self, now: float) -> bool:
        """Return whether looks go on at `now` (time.monotonic)."""
        return self._looks.alive(now)

    async def __aenter__(self) -> Self:
        port = await self._server.start()
        spec = self._spec
        host = f"[{spec.health_listen.host}]" if ":" in spec.health_listen.host else spec.health_listen.host
        self._tell(f"listening at {'https' if spec.health_certificate else 'http'}://{host}:{port}/")
        if spec.health_token is not None and spec.health_certificate is None:
            self._tell("the token travels in clear text: health.certificate is missing")
        self._looking = asyncio.create_task(self._looks.run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await self._server.stop()
