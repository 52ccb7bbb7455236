"""A run over messages, against servers that answer as smsbox does, later, not at all, and no more."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import aiohttp
import pytest

from kannelkit.findings import Place
from kannelkit.gateway.journal import FILE, Journal, State
from kannelkit.gateway.lists import Cell
from kannelkit.gateway.outgoing import Checking, Outgoing
from kannelkit.gateway.pace import Pace
from kannelkit.gateway.route import Routes
from kannelkit.gateway.sending import Sending, Writing
from kannelkit.gateway.sendsms import Answer, Fate, SendSms
from tests.gateway.server import listening, never
from tests.gateway.specs import OTHER, SMSC_RU, spec
from tests.harness.waiting import turn

TAKEN = "202 Accepted|0: Accepted for delivery"
FULL = "503 Service Unavailable|Temporal failure, try again later."
DENIED = "403 Forbidden|Not routable. Do not try again."
CLOSED = ""
SILENT = "silent"


def messages(count: int, account: dict[str, str] = OTHER) -> list[Outgoing]:
    rows = [{"to": Cell(f"7{number:04d}", Place("f", number))} for number in range(1, count + 1)]
    usual = {"text": Cell("hello", Place("--text")), "from": Cell("Cafe", Place("--from"))}
    checking = Checking(Routes(spec(account)))
    found = checking.messages(rows, usual)
    assert checking.findings == []
    return found


class Smsbox:
    """Answers by `answer(number, how often it was asked for it)`; `asked` are the numbers in order."""

    def __init__(self, answer: Callable[[int, int], str]) -> None:
        self.asked: list[int] = []
        self.under_way = 0
        self.most = 0
        self._answer = answer

    async def exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.split(": ", 1) for line in head.strip().split("\r\n")[1:])
        await reader.readexactly(int(headers["Content-Length"]))
        number = int(headers["X-Kannel-To"][1:])
        self.asked.append(number)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await turn()
        self.under_way -= 1
        answer = self._answer(number, self.asked.count(number))
        if answer == SILENT:
            await never()
        status, _, words = answer.partition("|")
        if status:
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(words)}\r\n\r\n{words}".encode())
        else:
            writer.close()


class Run:
    """One run; `fates` are what was told, by number, `paused` how long it waited."""

    def __init__(self, writing: Writing | None = None) -> None:
        self.fates: dict[int, Fate] = {}
        self.paused: list[float] = []
        self.sending: Sending
        self._writing = writing

    async def over(
        self,
        smsbox: Smsbox,
        outgoing: Sequence[Outgoing],
        pauses: Sequence[float] = (0, 0, 0),
        *,
        timeout: float = 30.0,
    ) -> Run:
        def told(each: Outgoing, answer: Answer) -> None:
            assert each.number not in self.fates
            self.fates[each.number] = answer.fate

        def slowed(answer: Answer, seconds: float) -> None:
            self.paused.append(seconds)

        async with listening(smsbox.exchange) as port, aiohttp.ClientSession() as session:
            sms = SendSms(session, port, "app", "pw", timeout=timeout)
            self.sending = Sending(sms, self._writing, told, slowed=slowed, pace=Pace(pauses=pauses))
            await self.sending.run(outgoing)
        return self


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path) as journal:
        yield journal


async def test_each_is_sent_once_and_few_at_a_time() -> None:
    smsbox = Smsbox(lambda number, times: TAKEN)
    run = await Run().over(smsbox, messages(50))
    assert sorted(smsbox.asked) == list(range(1, 51))
    assert set(run.fates.values()) == {Fate.TAKEN}
    assert smsbox.most <= 8


async def test_a_refusal_concerns_its_message_alone() -> None:
    smsbox = Smsbox(lambda number, times: DENIED if number % 10 == 0 else TAKEN)
    run = await Run().over(smsbox, messages(30))
    assert sorted(smsbox.asked) == list(range(1, 31))
    assert [number for number, fate in sorted(run.fates.items()) if fate is Fate.REFUSED] == [10, 20, 30]
    assert run.sending.left == 0


async def test_what_was_certainly_not_taken_is_tried_again() -> None:
    smsbox = Smsbox(lambda number, times: FULL if times <= number % 3 else TAKEN)
    run = await Run().over(smsbox, messages(9))
    assert set(run.fates.values()) == {Fate.TAKEN}
    assert sorted(smsbox.asked) == sorted(number for number in range(1, 10) for _ in range(1 + number % 3))
    assert run.paused


async def test_a_queue_that_stays_full_ends_the_run(journal: Journal) -> None:
    outgoing = messages(20)
    writing = Writing(journal, outgoing)
    writing.take_up("f")
    run = await Run(writing).over(Smsbox(lambda number, times: FULL), outgoing, pauses=(0, 0, 0))
    assert (run.fates, run.sending.left, run.paused) == ({}, 20, [0, 0, 0])
    assert run.sending.trouble is not None
    assert run.sending.trouble.fate is Fate.NOT_NOW
    assert set(writing.take_up("f").states.values()) <= {State.REFUSED}


@pytest.mark.parametrize("answer", [CLOSED, SILENT, "500 Internal Server Error|Sending failed.", "200 OK|what?"])
async def test_what_may_have_been_taken_is_never_sent_again(answer: str, journal: Journal) -> None:
    outgoing = messages(6)
    writing = Writing(journal, outgoing)
    writing.take_up("f")
    smsbox = Smsbox(lambda number, times: answer if number == 2 else TAKEN)
    run = await Run(writing).over(smsbox, outgoing, timeout=2.0 if answer == SILENT else 60.0)
    assert sorted(smsbox.asked) == [1, 2, 3, 4, 5, 6]
    assert {number for number, fate in run.fates.items() if fate is Fate.UNKNOWN} == {2}
    writing.take_up("f")
    assert [writing.state(each) for each in outgoing[:3]] == [State.TAKEN, State.BEGUN, State.TAKEN]


async def test_many_of_unknown_fate_end_the_run() -> None:
    smsbox = Smsbox(lambda number, times: CLOSED)
    run = await Run().over(smsbox, messages(100))
    assert len(smsbox.asked) == len(run.fates) <= 10
    assert run.sending.left == 100 - len(run.fates)
    assert run.sending.trouble is not None


async def test_nobody_there_ends_the_run_at_once() -> None:
    async with aiohttp.ClientSession() as session:
        sending = Sending(SendSms(session, 1, "app", "pw"), None, lambda each, answer: None)
        await sending.run(messages(20))
    assert sending.left == 20
    assert sending.trouble is not None
    assert sending.trouble.fate is Fate.UNREACHED


async def test_those_of_unknown_fate_that_were_under_way_together_are_one_trouble() -> None:
    smsbox = Smsbox(lambda number, times: CLOSED if number <= 8 else TAKEN)
    run = await Run().over(smsbox, messages(30))
    assert (run.sending.left, run.sending.trouble) == (0, None)
    assert sum(fate is Fate.UNKNOWN for fate in run.fates.values()) == 8


async def test_cancelled_it_tells_of_what_was_under_way(journal: Journal) -> None:
    outgoing = messages(12)
    writing = Writing(journal, outgoing)
    writing.take_up("f")
    run = Run(writing)
    running = asyncio.create_task(run.over(Smsbox(lambda number, times: answered(number)), outgoing))

    def answered(number: int) -> str:
        if number == 7:
            running.cancel()
        return TAKEN if number < 3 else SILENT

    with pytest.raises(asyncio.CancelledError):
        await running
    assert len(run.fates) + run.sending.left == 12
    writing.take_up("f")
    states = {each.number: writing.state(each) for each in outgoing}
    wanted = {Fate.TAKEN: State.TAKEN, Fate.UNKNOWN: State.BEGUN}
    assert states == {number: wanted.get(run.fates.get(number, Fate.REFUSED)) for number in states}


async def test_a_stop_begins_no_more_and_takes_what_is_answered(journal: Journal) -> None:
    outgoing = messages(40)
    writing = Writing(journal, outgoing)
    writing.take_up("f")
    run = Run(writing)

    def answer(number: int, times: int) -> str:
        if number == 12:
            run.sending.stop()
        return TAKEN

    smsbox = Smsbox(answer)
    await run.over(smsbox, outgoing)
    assert len(run.fates) == len(smsbox.asked) < 25
    assert run.sending.left == 40 - len(run.fates)
    writing.take_up("f")
    assert sum(writing.state(each) is State.TAKEN for each in outgoing) == len(run.fates)


async def test_what_was_begun_is_on_the_disk_before_it_is_asked_for(journal: Journal, tmp_path: Path) -> None:
    outgoing = messages(20)
    writing = Writing(journal, outgoing)
    writing.take_up("f")
    begun: list[int] = []
    reader = sqlite3.connect(tmp_path / FILE)

    def answer(number: int, times: int) -> str:
        begun.extend(reader.execute("SELECT count(*) FROM messages WHERE state = 'begun'").fetchone())
        return TAKEN

    await Run(writing).over(Smsbox(answer), outgoing)
    reader.close()
    assert len(begun) == 20
    assert min(begun) >= 1  # itself at least


async def test_the_like_of_one_that_was_just_sent_is_held_back(journal: Journal) -> None:
    outgoing = messages(3, SMSC_RU)
    smsbox = Smsbox(lambda number, times: TAKEN)
    now = 1000.0
    await Run(Writing(journal, outgoing, lambda: now)).over(smsbox, outgoing)
    late = Writing(journal, outgoing, lambda: now + 20)
    assert [(each.number, seconds) for each, seconds in late.repeats(outgoing)] == [(1, 20), (2, 20), (3, 20)]
    run = await Run(late).over(smsbox, outgoing)  # as where two processes begin at once
    assert smsbox.asked == [1, 2, 3]
    assert set(run.fates.values()) == {Fate.REFUSED}
    assert list(Writing(journal, outgoing, lambda: now + 61).repeats(outgoing)) == []


async def test_two_lines_that_say_the_same_are_two_messages(journal: Journal) -> None:
    one, *_ = messages(1)
    outgoing = [one, Outgoing(2, one.place, one.wanted, one.message, one.count, one.charged, one.charset, False)]
    writing = Writing(journal, outgoing)
    writing.take_up("f")
    smsbox = Smsbox(lambda number, times: TAKEN)
    await Run(writing).over(smsbox, outgoing[:1])
    writing.take_up("f")
    assert [writing.state(each) for each in outgoing] == [State.TAKEN, None]
