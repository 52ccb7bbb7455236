"""When a host was sent a message and last said something, from what the kernel counts; whose host is silent then."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from kannelkit.host.connections import Connection
from kannelkit.host.processes import ProcessId
from kannelkit.supervise.configuration import configure, known
from kannelkit.supervise.journal import Journal
from kannelkit.supervise.memory import Memory
from kannelkit.supervise.own import OwnBoxes
from kannelkit.supervise.revive import named
from kannelkit.supervise.running import Running
from kannelkit.supervise.silence import Peer, Silence, Traffic
from tests.supervise.played import PlayedGateway, link, played, spec_in, status

HERE: Peer = ("192.0.2.1", 2775)
OTHER: Peer = ("192.0.2.2", 2775)
LEAST = {HERE: 40, OTHER: 40}
NEVER = float("-inf")


def one(sent: int, received: int, *, inode: int = 1, peer: Peer = HERE, ago: float = 0.25) -> Connection:
    return Connection(peer, inode, sent, received, ago, ago)


# what is counted at each second from 0 on -> when a message last went, came, and anything came
COURSES: dict[str, tuple[list[list[Connection]], tuple[float, float, float]]] = {
    "nothing": ([[], []], (NEVER, NEVER, NEVER)),
    "what went before": ([[one(5000, 5000)], [one(5000, 5000)]], (NEVER, NEVER, NEVER)),
    "a message": ([[one(100, 20)], [one(160, 20)]], (0.75, NEVER, NEVER)),
    "a message and its answer": ([[one(100, 20)], [one(160, 47)]], (0.75, NEVER, 0.75)),
    "a message that came": ([[one(100, 20)], [one(117, 90)]], (NEVER, 0.75, 0.75)),
    "is the link alive?": ([[one(100, 20)], [one(116, 36)], [one(132, 36)]], (NEVER, NEVER, 0.75)),
    "a message and then only that": ([[one(100, 20)], [one(160, 20)], [one(176, 20)]], (0.75, NEVER, NEVER)),
    "a connection that is new": ([[], [one(60, 20)]], (0.75, NEVER, 0.75)),
    "one that was closed": ([[one(100, 20)], [one(160, 20)], []], (0.75, NEVER, NEVER)),
    "another one's number again": ([[one(100, 20)], [], [one(50, 20)]], (1.75, NEVER, 1.75)),
    "another host's": ([[one(0, 0, peer=OTHER)], [one(100, 100, peer=OTHER)]], (NEVER, NEVER, NEVER)),
}


@pytest.mark.parametrize("course", COURSES)
def test_what_went_and_what_came(course: str) -> None:
    looks, found = COURSES[course]
    traffic = Traffic()
    for second, seen in enumerate(looks):
        traffic.seen(seen, LEAST, float(second))
    peers = {HERE}
    assert (traffic.sent(peers), traffic.heard(peers, anything=False), traffic.heard(peers, anything=True)) == found


SPEC = """
state-dir: state
core: {admin-password: secret}
smsc:
  - {smsc-id: acc, host: 192.0.2.1, smsc-username: u, smsc-password: p, backup-host: 192.0.2.3}
  - {smsc-id: same, host: 192.0.2.1, smsc-username: v, smsc-password: p}
  - {smsc-id: apart, host: 192.0.2.2, smsc-username: w, smsc-password: p, backup-host: 192.0.2.3}
"""


class Kernel:
    """Counts that a test sets."""

    def __init__(self) -> None:
        self.counted: list[Connection] | None = []
        self.asked: Collection[Peer] = ()

    def __call__(self, process: ProcessId, peers: Collection[Peer]) -> list[Connection] | None:
        self.asked = peers
        return self.counted


class Stage:
    """A gateway of three accounts, the first two at one host; its links have been online for 4 s at each look."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.kernel = Kernel()
        self.silence = Silence(running, self.kernel)

    def look(self, at: float, counted: list[Connection] | None, in_flight: int = 1) -> set[str]:
        """Look at some second, and return the accounts whose hosts leave a message without an answer."""
        self.kernel.counted = counted
        seen = status(*(link(name) for name in ("acc-1", "same-1", "apart-1")), store=in_flight)
        self.silence.look(seen, named(seen), at)
        accounts = self.running.watch.accounts.values()
        return {account.smsc_id for account in accounts if self.silence.unanswered(account, at)}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    spec = spec_in(tmp_path, SPEC)
    memory = Memory(tmp_path / "state" / "state.db")
    running = Running(configure(spec, known(memory)), PlayedGateway({}), memory, Journal(memory, print), lambda: False)
    boxes = OwnBoxes(running)
    boxes.bearerbox.process = ProcessId(1, 1.0)
    running.boxes = boxes
    yield Stage(running)
    memory.close()


def test_who_sent_a_message_and_heard_nothing_is_unanswered(stage: Stage) -> None:
    async def play() -> None:
        quiet = one(100, 20, inode=2, peer=OTHER)
        assert stage.look(10.0, [one(100, 20), quiet]) == set()
        assert set(stage.kernel.asked) == {HERE, OTHER}
        assert stage.look(11.0, [one(100, 20), one(160, 20, inode=2, peer=OTHER)]) == {"apart"}
        assert stage.look(12.0, [one(100, 20), one(176, 36, inode=2, peer=OTHER)]) == {"apart"}  # only: alive?
        stage.running.watch.answers("apart").last = 12.5
        assert stage.look(13.0, [one(100, 20), one(176, 63, inode=2, peer=OTHER)]) == set()

    played(play())


def test_accounts_of_one_host_are_unanswered_together_and_any_sign_of_life_counts(stage: Stage) -> None:
    async def play() -> None:
        mine, theirs = one(100, 20), one(100, 20, inode=3)
        stage.look(10.0, [mine, theirs])
        assert stage.look(11.0, [one(160, 20), theirs]) == {"acc", "same"}
        assert stage.look(12.0, [one(160, 20, ago=1.25), one(116, 36, inode=3)]) == set()  # it answered: alive?
        assert stage.look(20.0, [one(220, 20), one(116, 36, inode=3, ago=9.0)]) == {"acc", "same"}
        stage.running.watch.answers("same").last = 19.9
        assert stage.look(21.0, [one(220, 20, ago=1.25), one(116, 36, inode=3, ago=9.0)]) == set()

    played(play())


def test_where_bearerbox_waits_for_no_answer_nobody_is_unanswered(stage: Stage) -> None:
    async def play() -> None:
        stage.look(10.0, [one(100, 20)])
        assert stage.look(11.0, [one(160, 20)], in_flight=0) == set()
        assert stage.look(12.0, [one(160, 20)]) == {"acc", "same"}

    played(play())


def test_the_bind_of_a_link_is_no_message(stage: Stage) -> None:
    async def play() -> None:
        stage.look(10.0, [])
        assert stage.look(20.0, [one(60, 20, ago=4.5)]) == set()  # its link is online for 4 s
        assert stage.look(21.0, [one(120, 20)]) == {"acc", "same"}

    played(play())


def test_where_the_kernel_does_not_tell_nobody_is_unanswered(stage: Stage) -> None:
    async def play() -> None:
        stage.look(10.0, [one(100, 20)])
        assert stage.look(11.0, None) == set()
        assert stage.look(12.0, [one(160, 20)]) == set()  # which may have gone long ago

    played(play())


def test_another_bearerboxs_counts_begin_anew(stage: Stage) -> None:
    async def play() -> None:
        stage.look(10.0, [one(100, 20)])
        assert stage.look(11.0, [one(160, 20)]) == {"acc", "same"}
        boxes = stage.running.boxes
        assert isinstance(boxes, OwnBoxes)
        boxes.bearerbox.process = ProcessId(2, 2.0)
        assert stage.look(12.0, [one(160, 20, inode=7)]) == set()

    played(play())
