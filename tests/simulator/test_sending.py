"""The order and the pace in which an account's messages go on to subscribers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from kannelkit.providers.flags import Kind
from kannelkit.simulator import AccountRules, Behaviour, Bounds, Simulator
from kannelkit.simulator.clock import Clock
from kannelkit.simulator.content import Alphabet
from kannelkit.simulator.messages import Message
from kannelkit.simulator.sending import MAILING, Sending
from kannelkit.smpp.constants import CommandStatus
from tests.simulator.esme import Esme
from tests.simulator.test_time import jump, play, settle


def waiting(number: int, sender: bytes = b"shop", priority: int = 0, parts: int = 1) -> Message:
    made = Message(number, sender, b"\1\1", 0.0, b"", 0, Alphabet.GSM, Kind.SMS)
    made.priority, made.parts = priority, parts
    return made


def sent(rate: int | None, fill: Callable[[Sending], None], seconds: list[float]) -> list[list[int]]:
    """Return the ids that were sent at first and after each jump of the clock."""
    found: list[list[int]] = [[]]

    async def scene() -> None:
        sending = Sending(Clock(asyncio.get_running_loop()), rate, lambda message, now: found[-1].append(message.id))
        fill(sending)
        await settle()
        for each in seconds:
            found.append([])
            jump(each)
            await settle()
        sending.close()

    play(scene)
    return found


def numbered(count: int) -> Callable[[Sending], None]:
    def fill(sending: Sending) -> None:
        for number in range(count):
            sending.add(waiting(number), 0.0)

    return fill


def test_without_a_rate_all_go_at_once() -> None:
    assert sent(None, numbered(50), []) == [list(range(50))]


def test_rate_is_kept() -> None:
    found = sent(10, numbered(100), [1.0, 1.0, 1.0])
    assert [number for each in found for number in each] == list(range(sum(map(len, found))))
    assert len(found[0]) == 1
    assert all(8 <= len(each) <= 12 for each in found[1:])


def test_long_message_takes_as_long_as_its_parts() -> None:
    def fill(sending: Sending) -> None:
        for number in range(4):
            sending.add(waiting(number, parts=10), 0.0)

    assert sent(10, fill, [0.9, 0.3]) == [[0], [], [1]]


def test_late_timer_is_made_up_for_by_no_more_than_a_second() -> None:
    found = sent(10, numbered(1000), [3600.0])
    assert len(found[1]) <= 12


def test_idleness_saves_nothing_up() -> None:
    found: list[int] = []

    async def scene() -> None:
        clock = Clock(asyncio.get_running_loop())
        sending = Sending(clock, 10, lambda message, now: found.append(message.id))
        jump(3600)
        for number in range(50):
            sending.add(waiting(number), clock.now())
        await settle()
        sending.close()

    play(scene)
    assert found == [0]


SINGLES = [("another sender", b"bank", 0, True), ("its priority", b"shop", 1, True), ("neither", b"shop", 0, False)]


@pytest.mark.parametrize(
    ("sender", "priority", "first"), [each[1:] for each in SINGLES], ids=[each[0] for each in SINGLES]
)
def test_single_message_overtakes_a_mailing(sender: bytes, priority: int, first: bool) -> None:
    def fill(sending: Sending) -> None:
        numbered(50)(sending)
        sending.add(waiting(99, sender, priority), 0.0)

    order = [number for each in sent(1000, fill, [0.5]) for number in each]
    assert order.index(99) == (MAILING if first else 50)


def test_rate_may_change() -> None:
    def fill(sending: Sending) -> None:
        numbered(50)(sending)
        sending.change(None)

    assert sorted(sent(1, fill, [])[0]) == list(range(50))


def test_queue_is_full_at_last() -> None:
    async def scene() -> None:
        rules = AccountRules("test", "test", limit=None, delivery_rate=1)
        async with Simulator([rules], Behaviour(), bounds=Bounds(messages=5)) as smsc, Esme(smsc.port) as esme:
            await esme.bind()
            statuses = [(await esme.submit_and_wait(b"%d" % number)).command_status for number in range(10)]
            assert statuses[:5] == [0] * 5
            assert statuses[-1] == CommandStatus.ESME_RMSGQFUL
            smsc.change_account("test", {"delivery-rate": "none"})
            await settle()
            assert (await esme.submit_and_wait(b"again")).command_status == 0

    play(scene)
