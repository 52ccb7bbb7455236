"""Messages handed to smsbox, a few at a time, each at most once: what was begun is written down before the request."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from kannelkit.errors import GatewayError
from kannelkit.gateway.journal import Journal, List, State
from kannelkit.gateway.outgoing import SAME_WITHIN, Outgoing
from kannelkit.gateway.sendsms import Answer, Fate, Message, SendSms

CONCURRENCY = 8
# seconds before the next try while bearerbox's queue is full or smsbox is away; after the last one it is given up
PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
_MOST_UNKNOWN = 3  # one after the other: then more of them would only be more of which nobody knows

_HELD = Answer(
    Fate.REFUSED,
    "held back: the same text went to the same number less than a minute ago",
    "the provider takes no second one within a minute; send it again then",
)


class Writing:
    """Where it is written down what was begun of some messages: a journal, and in it a list.

    Without a list a message is remembered for a minute, for the sake of its like.
    """

    def __init__(self, journal: Journal, messages: Iterable[Outgoing], clock: Callable[[], float] = time.time) -> None:
        """Take the time from `clock`, in seconds since the epoch."""
        self.list: List | None = None
        self._journal = journal
        self._clock = clock
        self._ids: dict[int, bytes] = {}
        times: dict[tuple[object, ...], int] = {}
        for outgoing in messages:
            content = outgoing.content
            times[content] = times.get(content, 0) + 1
            self._ids[outgoing.number] = journal.digest(*content, times[content])

    def take_up(self, file: str, *, anew: bool = False, resume: bool = False) -> List:
        """Write the messages down as a list, or go on with it; raises as `Journal.take_up`."""
        ids = list(self._ids.values())
        self.list = self._journal.take_up(file, ids, self._clock(), anew=anew, resume=resume)
        return self.list

    def state(self, outgoing: Outgoing) -> State | None:
        """Return what was known of a message when its list was taken up."""
        return None if self.list is None else self.list.states.get(self._ids[outgoing.number])

    def repeats(self, messages: Iterable[Outgoing]) -> Iterator[tuple[Outgoing, float]]:
        """Yield each message that the provider would refuse now, with the seconds since its like was sent."""
        now = self._clock()
        recent = self._journal.recent(now - SAME_WITHIN)
        for outgoing in messages:
            at = recent.get(self._repeated(outgoing) or b"")
            if at is not None:
                yield outgoing, now - at

    def write(self, answered: Iterable[tuple[Outgoing, State]], begun: Iterable[Outgoing]) -> frozenset[int]:
        """Write down answers and what is about to be sent; return the numbers of what must not be sent now."""
        begun = list(begun)
        held = self._journal.write(
            None if self.list is None else self.list.id,
            self._clock(),
            answered=[(self._ids[each.number], state, self._repeated(each)) for each, state in answered],
            begun=[(self._ids[each.number], self._repeated(each)) for each in begun],
            same_within=SAME_WITHIN,
        )
        return frozenset(each.number for each in begun if self._ids[each.number] in held)

    def end(self) -> None:
        """Write down that every message of the list was taken."""
        if self.list is not None:
            self._journal.end(self.list.id, self._clock())

    def _repeated(self, outgoing: Outgoing) -> bytes | None:
        return self._journal.digest(*outgoing.repeated) if outgoing.refuses_repeats else None


@dataclass
class Sending:
    """One run over messages. `told` is given each answer that is the last one for its message.

    `prepared` returns what is handed to smsbox for a message. `trouble` is why the run ended before its messages did.
    """

    sms: SendSms
    writing: Writing | None
    told: Callable[[Outgoing, Answer], None]
    prepared: Callable[[Outgoing], Message] = lambda outgoing: outgoing.message
    slowed: Callable[[Answer, float], None] = lambda answer, seconds: None
    concurrency: int = CONCURRENCY
    pauses: Sequence[float] = PAUSES
    trouble: Answer | None = None
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _answered: list[tuple[Outgoing, State]] = field(default_factory=list)
    _room: int = 0
    _tries: int = 0  # in a row that were certainly in vain
    _unknown: int = 0  # in a row
    _reached: bool = False
    _last: Answer = _HELD

    def stop(self) -> None:
        """Begin no more messages; `run` returns when those under way are answered."""
        self._stop.set()

    async def run(self, messages: Iterable[Outgoing]) -> int:
        """Send the messages and return how many were not begun. Raises HostError where nothing can be written down."""
        waiting = deque(messages)
        self._room = self.concurrency
        under_way: dict[asyncio.Task[Answer], Outgoing] = {}
        try:
            while True:
                for outgoing in self._begun(waiting, len(under_way)):
                    under_way[asyncio.create_task(self._deliver(outgoing))] = outgoing
                if not under_way:
                    if not waiting or self._stop.is_set() or self.trouble:
                        return len(waiting)
                    continue
                done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                again = [under_way[task] for task in done if not self._ended(under_way[task], task.result())]
                waiting.extendleft(again)
                for task in done:
                    del under_way[task]
                if again and not under_way:
                    await self._pause()
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
            self._write([])

    def _begun(self, waiting: deque[Outgoing], under_way: int) -> list[Outgoing]:
        """Take as many messages as there is room for and write down that they are about to be sent."""
        room = 0 if self._stop.is_set() or self.trouble else self._room - under_way
        begun = [waiting.popleft() for _ in range(min(room, len(waiting)))]
        held = self._write(begun)
        for outgoing in begun:
            if outgoing.number in held:
                self.told(outgoing, _HELD)
        return [outgoing for outgoing in begun if outgoing.number not in held]

    def _write(self, begun: Sequence[Outgoing]) -> frozenset[int]:
        answered, self._answered = self._answered, []
        if self.writing is None or not (answered or begun):
            return frozenset()
        return self.writing.write(answered, begun)

    async def _deliver(self, outgoing: Outgoing) -> Answer:
        try:
            return await self.sms.deliver(self.prepared(outgoing))
        except GatewayError as error:  # no request can carry it, and none was made
            return Answer(Fate.REFUSED, error.message, error.hint)

    def _ended(self, outgoing: Outgoing, answer: Answer) -> bool:
        """Take an answer; return whether it is the last one for its message."""
        fate = answer.fate
        if fate in (Fate.NOT_NOW, Fate.UNREACHED):
            self._answered.append((outgoing, State.REFUSED))
            self._room = 1
            if self._tries >= len(self.pauses) or (fate is Fate.UNREACHED and not self._reached):
                self.trouble = answer
            else:
                self._last = answer
            return False
        self._reached = True
        self._tries = 0
        if fate is Fate.UNKNOWN:
            self._unknown += 1
            self._room = 1
            if self._unknown >= _MOST_UNKNOWN:
                self.trouble = answer
        else:
            self._unknown = 0
            self._room = min(self.concurrency, self._room + 1)
            self._answered.append((outgoing, State.TAKEN if fate is Fate.TAKEN else State.REFUSED))
        self.told(outgoing, answer)
        return True

    async def _pause(self) -> None:
        if self.trouble or self._stop.is_set():
            return
        seconds = self.pauses[self._tries]
        self._tries += 1
        self._write([])
        self.slowed(self._last, seconds)
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return
