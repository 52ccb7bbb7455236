"""A gateway played in memory, with links that stop, die and start as Kannel's do, in a time of its own."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Collection, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from kannelkit.errors import GatewayError
from kannelkit.gateway.admin import Admin
from kannelkit.gateway.status import BoxStatus, GatewayStatus, LinkStatus
from kannelkit.plan.groups import groups
from kannelkit.plan.groups import links as links_of_text
from kannelkit.plan.links import ROUTING
from kannelkit.render import Account, Link
from kannelkit.render.links import shares
from kannelkit.spec import Spec, load

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


def spec_in(folder: Path, text: str) -> Spec:
    """Write a spec beside its state-dir, `state`, and return it with passwords that were made."""
    (folder / "state").mkdir(exist_ok=True)
    path = folder / "gateway.yaml"
    path.write_text(text)
    spec = load(path, {})
    return spec.with_made(dict.fromkeys(spec.to_make(), "made"))


async def passes(seconds: float) -> None:
    """Let so much of the played time pass."""
    await asyncio.sleep(seconds)


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
    return Account(name, name, ceiling, connections, connections, "primary", tuple(links))


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
        self.queued: dict[str, int] = {}
        self.unanswered = 0
        self._links = {name: _Played(runs_at=rate) for name, rate in self.file.items()}
        self._refused = 0

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def rates(self) -> dict[str, int | None]:
        """Return what each link really runs at, None where it is not online."""
        return {name: one.runs_at if one.state == "online" else None for name, one in self._links.items()}

    def put(self, name: str, state: str, online_after: float = FOREVER) -> None:
        """Put a link into another state; one that is to be online after some seconds waits for that."""
        one = self._links[name]
        one.state, one.changes_at, one.changes_to = state, online_after, "online"

    async def status(self) -> GatewayStatus:
        self._answer()
        self._pass()
        self.fewest_online = min(self.fewest_online, sum(one.state == "online" for one in self._links.values()))
        links = [link(name, one.state, queued=self.queued.get(name, 0)) for name, one in self._links.items()]
        return status(*links, store=sum(self.queued.values()) + self.unanswered)

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
        for name, one in self._links.items():
            if one.changes_at <= self.now:
                one.state, one.changes_at = one.changes_to, FOREVER
                if one.state == "dead":
                    self._leave(name)

    def _leave(self, name: str) -> None:
        """Give the queue of a link that ended to one that is online."""
        heir = next((other for other, one in self._links.items() if one.state == "online"), None)
        if heir is not None:
            self.queued[heir] = self.queued.get(heir, 0) + self.queued.pop(name, 0)


@dataclass
class _KannelLink:
    values: Mapping[str, str]
    state: str = "connecting"
    changes_at: float = FOREVER
    changes_to: str = ""
    binds: int = 0


class PlayedKannel(Admin):
    """The admin port of a bearerbox that makes its links from `file`, a kannel.conf, as Kannel does.

    `refusing` are ports at which a bind is refused, `away` those at which nothing answers; `said` lists the commands.
    `routeless` lists the accounts that had no link to take their messages at some moment, as long as they had one.
    """

    def __init__(self, file: str, refusing: Collection[str] = (), away: Collection[str] = ()) -> None:
        # without Admin's own: nothing here goes over a socket
        self.file = file
        self.refusing = refusing
        self.away = away
        self.said: list[tuple[str, str]] = []
        self.routeless: list[str] = []
        self.queued: dict[str, int] = {}
        self._links: dict[str, _KannelLink] = {}
        self.start_all()

    @property
    def runs(self) -> dict[str, Mapping[str, str]]:
        """What each link was last made or routed with."""
        return {name: link.values for name, link in self._links.items()}

    @property
    def binds(self) -> dict[str, int]:
        """How often each link was bound since bearerbox's start, those apart that never were."""
        return {name: link.binds for name, link in self._links.items() if link.binds}

    def start_all(self) -> None:
        """Start bearerbox: every link is online or on its way, and none counts as bound anew."""
        self._links = {name: _KannelLink(values) for name, values in self._in_file().items()}
        for link in self._links.values():
            self._goes(link)
            link.state, link.changes_at, link.binds = link.changes_to, FOREVER, 0

    async def status(self) -> GatewayStatus:
        self._pass()
        links = [link(name, one.state, queued=self.queued.get(name, 0)) for name, one in self._links.items()]
        return status(*links, store=sum(self.queued.values()))

    async def stop_link(self, admin_id: str) -> str:
        self._note("stop", admin_id)
        one = self._links[admin_id]
        if one.state != "dead":
            one.state, one.changes_at, one.changes_to = "disconnected", self._now + 0.03, "dead"
        self._look_for_routes()
        return "done"

    async def start_link(self, admin_id: str) -> str:
        self._note("start", admin_id)
        one, values = self._links.get(admin_id), self._in_file().get(admin_id)
        if one is None or values is None or one.state != "dead":
            return "Could not start"
        one.values = values
        self._goes(one)
        return "done"

    async def add_link(self, admin_id: str) -> str:
        self._note("add", admin_id)
        values = self._in_file().get(admin_id)
        if admin_id in self._links or values is None:
            return "Could not add"
        self._links[admin_id] = _KannelLink(values)
        self._goes(self._links[admin_id])
        return "done"

    async def remove_link(self, admin_id: str) -> str:
        self._note("remove", admin_id)
        assert self._links[admin_id].state == "dead", "a link that runs would go on, out of sight"
        del self._links[admin_id]
        self._look_for_routes()
        return "done"

    async def graceful_restart(self) -> str:
        self._note("reload", "")
        wanted = self._in_file()
        for name in self._links.keys() - wanted.keys():
            del self._links[name]
        for name, values in wanted.items():
            one = self._links.get(name)
            if one is None or _unrouted(one.values) != _unrouted(values):
                self._links[name] = one = _KannelLink(values)
                self._goes(one)
            one.values = values
        self._look_for_routes()
        return "done"

    @property
    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _in_file(self) -> dict[str, Mapping[str, str]]:
        return {name: each[0] for name, each in links_of_text(groups(self.file)).items()}

    def _note(self, word: str, name: str) -> None:
        self._pass()
        self.said.append((word, name))

    def _goes(self, one: _KannelLink) -> None:
        one.state = "connecting"
        if one.values["port"] in (*self.away, "1"):
            one.state, one.changes_at, one.changes_to = "re-connecting", FOREVER, "re-connecting"
            return
        one.changes_to = "dead" if one.values["port"] in self.refusing else "online"
        one.binds += one.changes_to == "online"
        one.changes_at = self._now + 0.04 if _running() else FOREVER

    def _pass(self) -> None:
        for one in self._links.values():
            if one.changes_at <= self._now:
                one.state, one.changes_at = one.changes_to, FOREVER

    def _look_for_routes(self) -> None:
        open_for = {
            one.values["smsc-id"]
            for one in self._links.values()
            if one.state not in ("dead", "disconnected") and "allowed-smsc-id" not in one.values
        }
        self.routeless += {one.values["smsc-id"] for one in self._links.values()} - open_for


def _unrouted(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if name not in ROUTING}


def _running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@dataclass
class Observed:
    """What follows a played gateway: the moments that are good, as spans, and the last answer of the provider."""

    gateway: PlayedGateway | PlayedKannel
    good: list[tuple[float, float]] = field(default_factory=lambda: [(0.0, FOREVER)])
    answered: float = 0.0

    async def look(self) -> GatewayStatus:
        return await self.gateway.status()

    def moment(self, account: str) -> bool:
        now = asyncio.get_running_loop().time()
        return any(begin <= now < end for begin, end in self.good)

    def last_answer(self, account: str) -> float:
        return self.answered
