"""Messages handed to smsbox, a few at a time, each at most once: what was begun is written down before the request."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from kannelkit.errors import GatewayError
from kannelkit.gateway.journal import Journal, List, State
from kannelkit.gateway.outgoing import SAME_WITHIN, Outgoing
from kannelkit.gateway.pace import Pace
from kannelkit.gateway.sendsms import Answer, Fate, Message, SendSms

_HELD = Answer(
    Fate.REFUSED,
    "held back: the same text went to the same number less than a minute ago",
    "the provider takes no second one within a minute; send it again then",
)
_BROKEN_OFF = Answer(Fate.UNKNOWN, "broken off before its answer came", "the message may have been taken all the same")


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
        times: dict[tuple[str, str], int] = {}
        for outgoing in messages:
            times[outgoing.same] = times.get(outgoing.same, 0) + 1
            self._ids[outgoing.number] = journal.digest(*outgoing.same, times[outgoing.same])

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
        """Write down that nothing of the list is left to begin."""
        if self.list is not None:
            self._journal.end(self.list.id, self._clock())

    def _repeated(self, outgoing: Outgoing) -> bytes | None:
        return self._journal.digest(*outgoing.same) if outgoing.refuses_repeats else None


class Sending:
    """One run over messages.

    `told` is given each answer that is the last one for its message, `slowed` an answer behind which it waits so many
    seconds; `prepared` returns what is handed to smsbox for a message. `left` is how many were not begun when the run
    is over, and `trouble` why.
    """

    def __init__(
        self,
        sms: SendSms,
        writing: Writing | None,
        told: Callable[[Outgoing, Answer], None],
        *,
        slowed: Callable[[Answer, float], None] = lambda answer, seconds: None,
        prepared: Callable[[Outgoing], Message] = lambda outgoing: outgoing.message,
        pace: Pace | None = None,
    ) -> None:
        self.left = 0
        self._sms = sms
        self._writing = writing
        self._told = told
        self._slowed = slowed
        self._prepared = prepared
        self._pace = pace or Pace()
        self._stop = asyncio.Event()
        self._answered: list[tuple[Outgoing, State]] = []  # not written down yet

    @property
    def trouble(self) -> Answer | None:
        """The answer behind which no more messages were begun."""
        return self._pace.trouble

    def stop(self) -> None:
        """Begin no more messages; `run` returns when those under way are answered."""
        self._stop.set()

    async def run(self, messages: Iterable[Outgoing]) -> None:
        """Send the messages. Raises HostError where it cannot be written down: then nothing more is sent.

        When it is cancelled, what became of messages under way is not known, and that is told.
        """
        waiting = deque(messages)
        under_way: dict[asyncio.Task[Answer], tuple[Outgoing, int]] = {}
        try:
            while True:
                turn = self._pace.begin()
                for outgoing in self._begun(waiting, len(under_way)):
                    under_way[asyncio.create_task(self._deliver(outgoing))] = (outgoing, turn)
                if not under_way:
                    if not waiting or self._stop.is_set() or self.trouble:
                        return
                    continue  # everything that was to be begun was held back
                done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                again = [answer for answer in (self._take(task, under_way, waiting) for task in done) if answer]
                if again and not under_way:
                    await self._wait(again[-1])
        finally:
            self.left = len(waiting)
            for task, (outgoing, _) in under_way.items():
                task.cancel()
                self._told(outgoing, _BROKEN_OFF)
            await asyncio.gather(*under_way, return_exceptions=True)
            self._write([])

    def _begun(self, waiting: deque[Outgoing], under_way: int) -> list[Outgoing]:
        """Take as many messages as there is room for and write down that they are about to be sent."""
        room = 0 if self._stop.is_set() else self._pace.room - under_way
        begun = [waiting.popleft() for _ in range(min(room, len(waiting)))]
        held = self._write(begun)
        for outgoing in begun:
            if outgoing.number in held:
                self._told(outgoing, _HELD)
        return [outgoing for outgoing in begun if outgoing.number not in held]

    def _write(self, begun: Sequence[Outgoing]) -> frozenset[int]:
        answered, self._answered = self._answered, []
        if self._writing is None or not (answered or begun):
            return frozenset()
        return self._writing.write(answered, begun)

    async def _deliver(self, outgoing: Outgoing) -> Answer:
        try:
            return await self._sms.deliver(self._prepared(outgoing))
        except GatewayError as error:  # no request can carry it, and none was made
            return Answer(Fate.REFUSED, error.message, error.hint)

    def _take(
        self,
        task: asyncio.Task[Answer],
        under_way: dict[asyncio.Task[Answer], tuple[Outgoing, int]],
        waiting: deque[Outgoing],
    ) -> Answer | None:
        """Take the answer of a task that is done; return it where its message waits for another try."""
        outgoing, turn = under_way.pop(task)
        answer = task.result()
        if answer.fate is not Fate.UNKNOWN:  # of which nothing is written behind what was begun
            self._answered.append((outgoing, State.TAKEN if answer.fate is Fate.TAKEN else State.REFUSED))
        if self._pace.take(answer, turn):
            self._told(outgoing, answer)
            return None
        waiting.appendleft(outgoing)
        return answer

    async def _wait(self, answer: Answer) -> None:
        seconds = self._pace.pause()
        if self.trouble or self._stop.is_set():
            return
        self._write([])
        self._slowed(answer, seconds)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)
