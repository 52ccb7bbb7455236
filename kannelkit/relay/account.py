"""One account: bearerbox's binds, the provider's connections for each of them, and the host that they go to."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Coroutine
from dataclasses import asdict
from typing import Final, Protocol

from kannelkit.errors import GatewayError
from kannelkit.host.reach import reach
from kannelkit.relay.bearerbox import BearerboxConnection, bind_request
from kannelkit.relay.counts import Counts, Note
from kannelkit.relay.lately import Lately
from kannelkit.relay.octets import HEADER
from kannelkit.relay.orphans import Orphans
from kannelkit.relay.pacer import Pacer
from kannelkit.relay.places import Place
from kannelkit.relay.provider import connect
from kannelkit.relay.session import Session
from kannelkit.relay.settings import RelayAccount
from kannelkit.relay.sides import Sides
from kannelkit.relay.trace import Traced
from kannelkit.smpp.constants import CommandId, status_name
from kannelkit.smpp.pdu import Pdu
from kannelkit.smpp.pduerror import PduError

_MOST_CONNECTIONS: Final = 16  # of bearerbox; it makes one, or two with a receiver of its own
_AGAIN, _LONGEST = 0.2, 5.0  # seconds until a lost connection is made again, at first and at the most
_LASTED: Final = 10.0  # seconds: a connection that lasted so long is made again as the first one
# seconds without a provider after which bearerbox is let go of, so that it sends elsewhere what it can
_PATIENCE: Final = 5.0
_LAST_ANSWERS: Final = 10.0  # seconds for answers that nobody takes any more, or that hold up a move
_LAST_UNBIND: Final = 25.0  # seconds; bearerbox waits 30 for its unbind_resp (gw/smsc/smsc_smpp.c)
_FINISH: Final = "finish"

SIDES: Final = ("primary", "backup")


class Tell(Protocol):
    """Who is told what happens."""

    def __call__(self, account: str, text: str, **more: object) -> None:
        """Take what happened to an account ("": to all of it), in words, and what of it a program may want to know."""


class Account:
    """All of one account; `place` is where it was before this began, `former` the one that it takes the place of."""

    def __init__(
        self,
        settings: RelayAccount,
        pacer: Pacer,
        note: Note,
        tell: Tell,
        place: Place | None = None,
        former: Account | None = None,
    ) -> None:
        self.settings = settings
        self.pacer = pacer
        self.counts = Counts(unanswered=note.left_behind, maybe_doubled=note.before + note.left_behind)
        self.orphans = Orphans()
        self.lately = Lately()
        self.traced = Traced()
        self.sides = Sides(len(settings.hosts), settings.after, settings.back_after)
        self.place = self._resumed(place)
        """Where it is, None while it has not left its primary."""
        if former is not None:
            self.counts, self.orphans, self.lately = former.counts, former.orphans, former.lately
            self.traced = former.traced
        self._note = note
        self._tell = tell
        self._clock = asyncio.get_running_loop().time
        self._connections: list[BearerboxConnection] = []
        self._sessions: list[Session] = []
        self._keepers: dict[Session, list[asyncio.Task[None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._bare_since: float | None = None  # no provider is bound
        self._in_vain = float("-inf")  # when bearerbox wanted a bind last and got none
        self._moving = False
        self._turn = asyncio.Event()  # set when the account has moved, and then another one
        self._probing = False
        self._stopping = False
        self._said = ""
        self._trouble = ""  # why the last connection to the provider ended, or was none
        if note.left_behind and former is None:
            self.say(f"{note.left_behind} submits had no answer when the relay before this one ended: possible doubles")

    @property
    def unanswered(self) -> int:
        """Submits that the provider owes an answer."""
        return sum(session.unanswered for session in self._sessions)

    def say(self, text: str, **more: object) -> None:
        """Tell what happened, once where it happens again and again."""
        if text != self._said:
            self._said = text
            self._tell(self.settings.name, text, **more)

    def note(self) -> None:
        """Note on disk how much is unanswered."""
        self._note.say(self.unanswered + len(self.orphans), self.counts.maybe_doubled)

    def state(self) -> dict[str, object]:
        """Return how it stands, as plain values."""
        now = self._clock()
        sessions = [session for session in self._sessions if session.bearerbox is not None]
        oldest = min((session.held.oldest for session in sessions), default=float("inf"))
        return {
            "account": self.settings.name,
            "unit": self.settings.unit,
            "bearerbox": sum(session.bearerbox is not None and session.bearerbox.bound for session in sessions),
            "connections": sum(len(session.connections) for session in sessions),
            "connections_wanted": sum(len(self._keepers.get(session, ())) for session in sessions),
            "trouble": self._trouble,
            "rate": self.pacer.rate if self.pacer.rate < float("inf") else None,
            "by_hand": self.pacer.by_hand,
            "paused": self.pacer.paused,
            "trying": self.pacer.limit.trying,
            "held": sum(len(session.held) for session in sessions),
            "held_for": round(now - oldest, 3) if oldest <= now else 0.0,
            "held_at_most": self.settings.held_for,
            **asdict(self.counts),
            "unanswered": self.unanswered,  # now; the total, of which there may be doubles, is another one
            "without_answer": self.counts.unanswered,
            **self._where(now),
            **self._responses(now),
        }

    def _where(self, now: float) -> dict[str, object]:
        hosts, sides, place = self.settings.hosts, self.sides, self.place
        useless = sides.useless_for(now)
        return {
            "host": str(hosts[sides.current]),
            "other_host": str(hosts[sides.other]) if len(hosts) > 1 else None,
            "side": SIDES[sides.current],
            "side_since": None if place is None else place.since,
            "side_why": "" if place is None else place.why,
            "side_by_hand": sides.by_hand,
            "moving": self._moving,
            "failed_returns": sides.failed_returns,
            "back_wait": sides.back_wait,
            "useless_for": None if useless is None else round(useless, 1),
        }

    def _responses(self, now: float) -> dict[str, object]:
        minute = self.lately.minute(now)
        return {
            "response_median": minute.median,
            "response_99": minute.most,
            "answers_lately": minute.answers,
            "refused_lately": minute.refused,
            "answers": self.lately.answers,
            "response_seconds": round(self.lately.seconds, 6),
        }

    # what bearerbox's connections ask

    def admits(self, connection: BearerboxConnection) -> bool:
        """Take up a new connection and return True; where all are taken, in place of the oldest that has not bound."""
        if len(self._connections) >= _MOST_CONNECTIONS:
            idler = next((each for each in self._connections if not each.bind_frame), None)
            if idler is None:
                return False
            self._connections.remove(idler)
            idler.abort()
        self._connections.append(connection)
        return True

    def gone(self, connection: BearerboxConnection) -> None:
        """Let go of one that ended: what it was owed is waited for, so that it can be counted."""
        if connection in self._connections:
            self._connections.remove(connection)
        session, connection.session = connection.session, None
        if session is not None:
            session.let_go()
            self._spawn(self._finish(session), _FINISH)

    async def bind(self, connection: BearerboxConnection, asked: Pdu) -> None:
        """Bind at the provider as bearerbox asks; the answer goes to the connection."""
        receives = asked.command_id == CommandId.BIND_RECEIVER
        for other in list(self._connections):
            theirs = other.bind_frame and HEADER.unpack_from(other.bind_frame)[1] == CommandId.BIND_RECEIVER
            if other is not connection and other.bind_frame and theirs == receives:
                other.close()  # half open: bearerbox has one at a time
                await asyncio.wait((other.closed,))
        ending = [task for task in self._tasks if task.get_name() == _FINISH]
        if ending:  # never two binds where the login allows one
            await asyncio.wait(ending, timeout=_LAST_ANSWERS)
        login = self.settings.login
        try:
            request = bind_request(asked, login.system_id, login.password, login.system_type, login.interface_version)
        except PduError as error:
            self.say(f"the login cannot be written into a bind: {error.message}")
            connection.close()
            return
        session = connection.session = Session(self, connection)
        self._sessions.append(session)
        self.pacer.join(session)
        count = 1 if receives else self.settings.connections
        self._keepers[session] = [
            asyncio.create_task(self._keep(session, request, first=not place)) for place in range(count)
        ]

    async def drain(self, connection: BearerboxConnection) -> None:
        """Wait until a connection that takes leave has the answers it is owed."""
        if connection.session is not None:
            await connection.session.settled(_LAST_UNBIND)

    async def move(self, side: str, *, force: bool) -> int:
        """Go to a host because somebody wants that, and return how many submits had no answer then.

        Raises GatewayError where it is not gone to: without `force` that is a host that takes no connection, too.
        """
        to = self._movable_or_raise(side)
        if not force:
            found = await reach(self.settings.hosts[to])
            if found is not None:
                name, host = self.settings.name, self.settings.hosts[to]
                hint = f"nothing was changed: {name} would be without any host; --force moves it all the same"
                raise GatewayError(f"the {side}, {host}, does not answer: {found}", hint)
            self._movable_or_raise(side)
        self._moving = True
        before = self.counts.unanswered
        await asyncio.wait((self._spawn(self._move("by hand", by_hand=True)),))
        return self.counts.unanswered - before

    def _movable_or_raise(self, side: str) -> int:
        """Return which of the hosts it is; raise GatewayError where it cannot be gone to now."""
        name = self.settings.name
        if side not in SIDES:
            raise GatewayError(f"there is no side {side!r}: primary or backup")
        if len(self.settings.hosts) == 1:
            raise GatewayError(f"{name} has no second host")
        if self._moving or self._stopping:
            raise GatewayError(f"{name} is being moved or changed this moment", "look where it is then")
        if side == SIDES[self.sides.current]:
            raise GatewayError(f"{name} is on its {side} already")
        return SIDES.index(side)

    # time, and the end

    def tick(self) -> None:
        """To be called twice a second."""
        now = self._clock()
        for session in list(self._sessions):
            session.tick(now)
        self.counts.maybe_doubled += self.orphans.expire(now)
        bound = any(session.good for session in self._sessions)
        waiting = any(session.bearerbox is not None for session in self._sessions)
        known = waiting or now - self._in_vain < _LASTED
        self.sides.seen(bound if known and not self._moving else None, now)
        if any(session.connections for session in self._sessions) or not waiting or self._moving:
            self._bare_since = None
        elif self._bare_since is None:
            self._bare_since = now
        elif now - self._bare_since >= self._patience:
            self._bare_since = None
            self._in_vain = now
            for session in list(self._sessions):
                if session.bearerbox is not None:
                    session.bearerbox.close()
        if self.sides.wants_probe(now) and not self._probing:
            self._probing = True
            self._spawn(self._probe())
        why = self.sides.decide(now)
        if why and not self._moving:
            self._moving = True
            self._spawn(self._move(why))

    async def stop(self) -> None:
        """Take no more from bearerbox, wait for the answers that are still to come, and take leave of both."""
        self._stopping = True
        for connection in self._connections:
            connection.stop_reading()
        await asyncio.gather(*(session.settled(_LAST_ANSWERS) for session in list(self._sessions)))
        connections = list(self._connections)
        for connection in connections:
            connection.unbind()
        if connections:
            await asyncio.wait([connection.closed for connection in connections], timeout=_LAST_ANSWERS)
        while self._tasks:
            await asyncio.wait(self._tasks)
        self.note()

    @property
    def _patience(self) -> float:
        return _PATIENCE if len(self.settings.hosts) == 1 else self.settings.after + _PATIENCE

    async def _keep(self, session: Session, request: bytes, *, first: bool) -> None:
        """Keep a connection bound for a session: make it again when it ended, until this is cancelled."""
        wait = _AGAIN
        while True:
            while self._moving or not (first or session.connections):  # the first one finds out what there is
                await asyncio.sleep(_AGAIN)
            began = self._clock()
            why = await self._connected(session, request)
            self.say(why)
            self._trouble = why
            bearerbox = session.bearerbox
            if bearerbox is not None and not bearerbox.bound:
                self._in_vain = self._clock()
                bearerbox.close()
            wait = _AGAIN if self._clock() - began >= _LASTED else min(_LONGEST, 2 * wait)
            turn = self._turn
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if self._moving else wait):
                    await turn.wait()
                    wait = _AGAIN

    async def _connected(self, session: Session, request: bytes) -> str:
        """Connect, bind, and return in words why that ended."""
        address = self.settings.hosts[self.sides.current]
        try:
            connection = await connect(
                session, address, self.settings.verify, self.settings.window, self.settings.enquire_every
            )
        except GatewayError as error:
            return error.message
        try:
            answer = await connection.bind(request)
            status = HEADER.unpack_from(answer)[2]
            if status:
                self.counts.binds_refused += 1
                if session.bearerbox is not None and not session.bearerbox.bound:
                    session.bearerbox.answer_bind(answer)
                return f"{address}: the bind is refused: {status_name(status)}"
            self.say(f"{address}: bound")
            self._trouble = ""
            session.arrived()
            return f"{address}: {await asyncio.shield(connection.ended)}"
        except GatewayError as error:
            return error.message
        finally:
            if connection.bound_at is None:
                connection.end("not bound")

    async def _finish(self, session: Session) -> None:
        """End a session that bearerbox has left."""
        for keeper in self._keepers.pop(session, []):
            keeper.cancel()
        await session.settled(0.0 if self._stopping else _LAST_ANSWERS)
        self.pacer.leave(session)
        await session.unbind()
        self._sessions.remove(session)
        self.note()

    async def _probe(self) -> None:
        answers = await reach(self.settings.hosts[self.sides.other]) is None
        self.sides.probed(answers, self._clock())
        self._probing = False

    async def _move(self, why: str, *, by_hand: bool = False) -> None:
        """Go to the other host: with nothing unanswered where the answers come, and never with both bound."""
        left = self.settings.hosts[self.sides.current]
        patience = self.settings.answer_within
        await asyncio.gather(*(session.settled(patience, moving=True) for session in self._sessions))
        unanswered = self.unanswered
        await asyncio.gather(*(session.unbind() for session in list(self._sessions)))
        before = SIDES[self.sides.current]
        self.sides.moved(self._clock(), by_hand=by_hand)
        self.counts.moves += 1
        to = self.settings.hosts[self.sides.current]
        self.place = Place(str(to), time.time(), why, by_hand, self.sides.failed_returns)
        move: dict[str, object] = {"from": before, "to": SIDES[self.sides.current], "why": why}
        move |= {"unanswered": unanswered, "by_hand": by_hand}
        self.say(f"goes from {left} to {to}: {why}; {unanswered} without an answer", move=move)
        self._moving = False
        self._turn.set()
        self._turn = asyncio.Event()
        for session in self._sessions:
            session.go_on()

    def _resumed(self, place: Place | None) -> Place | None:
        """Go on at the host where it was, if that is one of its hosts still."""
        hosts = [str(host) for host in self.settings.hosts]
        if place is None or place.host not in hosts:
            return None
        now, current = asyncio.get_running_loop().time(), hosts.index(place.host)
        self.sides.resume(current, by_hand=place.by_hand, failed_returns=place.failed_returns, now=now)
        return place

    def _spawn(self, work: Coroutine[None, None, None], name: str = "") -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
