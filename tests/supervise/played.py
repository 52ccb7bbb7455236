"""A gateway played in memory, with links that stop, die and start as Kannel's do, in a time of its own."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kannelkit.errors import GatewayError
from kannelkit.gateway.admin import Admin
from kannelkit.gateway.status import BoxStatus, GatewayStatus, LinkStatus
from kannelkit.render import Account, Link
from kannelkit.render.links import shares

Result = TypeVar("Result")
FOREVER = float("inf")


class _Jumping(selectors.SelectSelector):
    """Waits for nothing: the time that would pass passes at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("nothing is left that could happen")
        self.now += max(0.0, timeout)
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _Jumping()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def played(what: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end in a loop whose sleeps take no time, and return what it returns."""
    loop = _Loop()
    try:
        return loop.run_until_complete(what)
    finally:
        loop.close()


def account(name: str = "acc", *, connections: int = 1, backup: int = 0, ceiling: int | None = 60) -> Account:
    """Return an account as `render` makes it."""
    split = shares(ceiling, connections) if ceiling else (None,) * connections
    links = [
        Link(f"{name}-{number}", name, "primary", number, "host", 2775, share, None)
        for number, share in enumerate(split, start=1)
    ]
    links += [
        Link(f"{name}-backup-{number}", name, "backup", number, "other", 2775, split[0], None)
        for number in range(1, backup + 1)
    ]
    links.append(Link(f"{name}-park", name, "park", 1, "127.0.0.1", 1, None, None))
    return Account(name, ceiling, connections, connections, tuple(links))


def link(admin_id: str, state: str = "online", *, queued: int = 0, sent: int = 0) -> LinkStatus:
    """Return one link of a status."""
    seconds = 4 if state == "online" else None
    return LinkStatus("name", admin_id, "acc", state, seconds, 0, queued, sent, 0, 0, 0)


def status(*links: LinkStatus, out: int = 0, store: int | None = 0, smsbox: bool = True) -> GatewayStatus:
    """Return a status with these links; `out` messages wait in the global queue, `store` are in the store."""
    boxes = (BoxStatus("smsbox", "box", "127.0.0.1", 0, "online", 9, False),) if smsbox else ()
    return GatewayStatus(
        "Kannel bearerbox version `1.4.5'.", "running", 9, links, boxes, 0, out, store, 0, 0, 0, 0, 0, "spool"
    )


@dataclass
class _Played:
    state: str = "online"
    runs_at: int | None = None
    changes_at: float = FOREVER
    changes_to: str = ""


@dataclass
class Habits:
    """How links behave: seconds to die after a stop and to be online after a start; starts refused at first."""

    dies_after: float = 0.03
    online_after: float = 0.04
    refused_starts: int = 0
    silent: tuple[float, float] = (FOREVER, FOREVER)


class PlayedGateway(Admin):
    """The admin port of a bearerbox whose links take their rate from `file`, admin id -> SMS per second.

    `said` lists the commands with their times.
    """

    def __init__(self, file: Mapping[str, int | None], habits: Habits | None = None) -> None:
        # without Admin's own: nothing here goes over a socket
        self.file = dict(file)
        self.habits = habits or Habits()
        self.said: list[tuple[float, str, str]] = []
        self.fewest_online = len(self.file)
        self._links = {name: _Played(runs_at=rate) for name, rate in self.file.items()}
        self._refused = 0

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def rates(self) -> dict[str, int | None]:
        """Return what each link really runs at, None where it is not online."""
        return {name: one.runs_at if one.state == "online" else None for name, one in self._links.items()}

    async def status(self) -> GatewayStatus:
        self._answer()
        self._pass()
        self.fewest_online = min(self.fewest_online, sum(one.state == "online" for one in self._links.values()))
        return status(*(link(name, one.state) for name, one in self._links.items()))

    async def stop_link(self, admin_id: str) -> str:
        self._answer()
        self._pass()
        self.said.append((self.now, "stop", admin_id))
        one = self._links[admin_id]
        if one.state != "dead":
            one.changes_at, one.changes_to = self.now + self.habits.dies_after, "dead"
        return "done"

    async def start_link(self, admin_id: str) -> str:
        self._answer()
        self._pass()
        self.said.append((self.now, "start", admin_id))
        one = self._links[admin_id]
        self._refused += 1
        if one.state != "dead" or self._refused <= self.habits.refused_starts:
            return "Could not start"
        one.state, one.runs_at = "connecting", self.file[admin_id]
        one.changes_at, one.changes_to = self.now + self.habits.online_after, "online"
        return "done"

    def _answer(self) -> None:
        begin, end = self.habits.silent
        if begin <= self.now < end:
            raise GatewayError("no answer")

    def _pass(self) -> None:
        for one in self._links.values():
            if one.changes_at <= self.now:
                one.state, one.changes_at = one.changes_to, FOREVER


@dataclass
class Observed:
    """What follows a played gateway: the moments that are good, as spans, and the last answer of the provider."""

    gateway: PlayedGateway
    good: list[tuple[float, float]] = field(default_factory=lambda: [(0.0, FOREVER)])
    answered: float = 0.0

    async def look(self) -> GatewayStatus:
        return await self.gateway.status()

    def moment(self, account: str) -> bool:
        return any(begin <= self.gateway.now < end for begin, end in self.good)

    def last_answer(self, account: str) -> float:
        return self.answered
