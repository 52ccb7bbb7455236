"""What takes its time, on a loop whose clock stands still between jumps: nothing here waits, however slow it is."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Awaitable, Callable

import pytest

from kannelkit.simulator import AccountRules, AtUnbind, Behaviour, Law, Simulator
from kannelkit.smpp.constants import CommandId, CommandStatus
from tests.harness.waiting import turn
from tests.simulator.esme import PATIENCE, Esme


class Patient(selectors.DefaultSelector):
    """Gives up when nothing came for long: on a clock that stands still no timer will be due by itself."""

    vain = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        begun = time.monotonic()
        found = super().select(timeout)
        self.vain = 0.0 if found else self.vain + time.monotonic() - begun
        if self.vain > PATIENCE:
            raise TimeoutError("nothing happens any more, unless the clock is put forward")
        return found


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still until it is put forward."""

    def __init__(self) -> None:
        self.now = 1000.0
        super().__init__(Patient())

    def time(self) -> float:
        return self.now


def jump(seconds: float) -> None:
    """Put the clock of the running loop forward."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    loop.now += seconds


def play(scene: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await scene()

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(whole())


async def settle() -> None:
    """Let everything that is due happen."""
    for _ in range(10):
        await turn()


def test_connection_may_be_idle_for_two_minutes() -> None:
    async def scene() -> None:
        async with Simulator() as smsc, Esme(smsc.port) as esme:
            await esme.bind()
            for _ in range(3):
                jump(119)
                await settle()
                assert len(smsc.account("test").links) == 1
                await esme.ask(CommandId.ENQUIRE_LINK)
            jump(121)
            assert await esme.ended() == b""

    play(scene)


def test_connection_has_half_a_minute_to_bind() -> None:
    async def scene() -> None:
        async with Simulator() as smsc, Esme(smsc.port) as esme:
            await esme.ask(CommandId.ENQUIRE_LINK)
            jump(29)
            await settle()
            assert smsc.counters()["connections"] == 1
            jump(2)
            assert await esme.ended() == b""

    play(scene)


@pytest.mark.parametrize("law", [law for law in Law if law not in (Law.PUNISHING, Law.CLOSING)])
def test_next_second_has_room_again(law: Law) -> None:
    async def scene() -> None:
        async with Simulator([AccountRules("test", "test", limit=2, law=law)]) as smsc, Esme(smsc.port) as esme:
            await esme.bind()
            for _ in range(3):
                for number in range(10):
                    esme.submit(b"%d" % number)
                statuses = [(await esme.receive()).command_status for _ in range(10)]
                assert statuses[:2] == [0, 0]
                assert statuses.count(0) < 10
                jump(1)

    play(scene)


def test_receipt_that_a_client_could_not_take_comes_again_after_five_seconds() -> None:
    async def scene() -> None:
        async with Simulator(behaviour=Behaviour(receipt_delay=0)) as smsc, Esme(smsc.port) as esme:
            await esme.bind()
            await esme.submit_and_wait(b"a", receipt=True)
            first = await esme.receive()
            full = CommandStatus.ESME_RMSGQFUL
            esme.send(CommandId.DELIVER_SM_RESP, sequence_number=first.sequence_number, status=full)
            # one that is due before it is not held up by it
            await esme.submit_and_wait(b"b", receipt=True)
            assert (await esme.receive()).message().startswith(b"id:2 ")
            jump(4.5)
            await settle()
            assert smsc.account("test").counters.receipts_sent == 2
            jump(0.5)
            again = await esme.receive()
            assert again.message() == first.message()
            assert again.sequence_number != first.sequence_number

    play(scene)


def test_receipt_leaves_when_its_message_is_delivered() -> None:
    async def scene() -> None:
        async with Simulator(behaviour=Behaviour(receipt_delay=60)) as smsc, Esme(smsc.port) as esme:
            await esme.bind()
            await esme.submit_and_wait(receipt=True)
            jump(59)
            await settle()
            assert smsc.account("test").counters.receipts_sent == 0
            jump(1)
            assert (await esme.receive()).command_id == CommandId.DELIVER_SM

    play(scene)


def test_identical_message_is_taken_again_after_the_span() -> None:
    async def scene() -> None:
        async with Simulator(behaviour=Behaviour(same_within=60)) as smsc, Esme(smsc.port) as esme:
            await esme.bind()
            statuses = []
            for seconds in (0, 59, 2):
                jump(seconds)
                statuses.append((await esme.submit_and_wait()).command_status)
            assert statuses == [0, CommandStatus.ESME_RSUBMITFAIL, 0]

    play(scene)


def test_answer_waits_for_its_delay_and_no_longer() -> None:
    async def scene() -> None:
        behaviour = Behaviour(delay=100, unbind=AtUnbind.ANSWER)
        async with Simulator(behaviour=behaviour) as smsc, Esme(smsc.port) as esme:
            await esme.bind()
            esme.submit()
            await esme.ask(CommandId.ENQUIRE_LINK)
            jump(99)
            await settle()
            assert smsc.account("test").counters.unanswered == 1
            jump(1)
            assert (await esme.receive()).command_id == CommandId.SUBMIT_SM_RESP

    play(scene)


def test_client_that_reads_nothing_is_cut_off_after_the_close() -> None:
    async def scene() -> None:
        async with Simulator([AccountRules("test", "test", limit=None)]) as smsc, Esme(smsc.port) as esme:
            await esme.bind()
            esme.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport has it
            enquiries = b"\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\1" * 4096
            account = smsc.account("test")
            while account.links[0].can_receive:  # until both ends' buffers are full
                esme.writer.write(enquiries)
                await settle()
            jump(121)
            await settle()
            assert account.counters.closed_idle == 1
            jump(5)
            await settle()
            assert smsc.counters()["connections"] == 0

    play(scene)
