"""Moves by hand on a gateway that is played: what is kept, written and told, and what is undone where it cannot be."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kannelkit.errors import GatewayError, HostError
from kannelkit.host.processes import ProcessId
from kannelkit.host.reach import Address
from kannelkit.supervise.changes import Changes
from kannelkit.supervise.configuration import configure, known
from kannelkit.supervise.failover import Failover
from kannelkit.supervise.journal import Journal
from kannelkit.supervise.memory import Event, KeptSide, Memory
from kannelkit.supervise.own import OwnBoxes
from kannelkit.supervise.running import Running
from kannelkit.throttle.lines import SubmitRefused
from tests.supervise.played import Habits, PlayedGateway, passes, played, spec_in

SPEC = """
state-dir: state
core: {admin-password: secret}
smsc:
  - {smsc-id: acc, host: h.test, smsc-username: u, smsc-password: p, throughput: 60, connections: 2,
     backup-host: g.test}
  - {smsc-id: alone, host: h.test, smsc-username: v, smsc-password: p, throughput: 10}
"""
LINKS = ["acc-1", "acc-2", "acc-backup-1", "acc-backup-2", "acc-park", "alone-1", "alone-park"]


class Boxes(OwnBoxes):
    """Boxes that run as long as it is said."""

    runs = True

    def alive(self) -> bool:
        return self.runs


@dataclass
class Stage:
    """A gateway whose boxes run; `told` are the events. Hosts that are not in `away` take connections."""

    running: Running
    gateway: PlayedGateway
    told: list[Event]
    away: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    async def reach(self, address: Address) -> str | None:
        self.asked.append(address.host)
        return "no connection within 3 s" if address.host in self.away else None

    @property
    def kept(self) -> KeptSide | None:
        return self.running.memory.sides().get("acc")

    @property
    def commands(self) -> list[tuple[str, str]]:
        return [(word, name) for _, word, name in self.gateway.said]

    def supervised(self) -> tuple[Failover, Changes]:
        changes = Changes(self.running)
        return Failover(self.running, changes, self.reach), changes

    async def by_hand(self, failover: Failover, name: str, to: str | None, *, force: bool = False) -> dict[str, object]:
        await self.running.watch.look()
        failover.act(asyncio.get_running_loop().time())
        return dict(await failover.by_hand(name, to, lambda event: None, force))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    spec = spec_in(tmp_path, SPEC)
    memory = Memory(tmp_path / "state" / "state.db")
    gateway = PlayedGateway(dict.fromkeys(LINKS, 30), Habits())
    for name in ("acc-backup-1", "acc-backup-2"):
        gateway.put(name, "dead")
    told: list[Event] = []
    running = Running(configure(spec, known(memory)), gateway, memory, Journal(memory, told.append), lambda: False)
    running.configuration.conf.write()
    boxes = Boxes(running)
    boxes.bearerbox.process = ProcessId(1, 1.0)
    running.boxes = boxes
    yield Stage(running, gateway, told)
    memory.close()


def test_a_move_by_hand_is_kept_written_carried_out_and_told(stage: Stage) -> None:
    async def play() -> None:
        failover, _ = stage.supervised()
        said = await stage.by_hand(failover, "acc", "backup")
        assert (said["side"], said["by_hand"], said["why"]) == ("backup", True, "by hand")
        assert stage.commands == [
            ("stop", "acc-1"),
            ("stop", "acc-2"),
            ("start", "acc-backup-1"),
            ("start", "acc-backup-2"),
        ]
        assert stage.kept is not None
        assert (stage.kept.side, stage.kept.settled, stage.kept.by_hand) == ("backup", True, True)
        conf = stage.running.configuration.conf
        assert conf.in_force.sides == {"acc": "backup"}
        assert conf.is_current()
        (event,) = stage.told
        assert event.kind == "failover"
        assert {name: event.data[name] for name in ("from", "to", "by_hand")} == {
            "from": "primary",
            "to": "backup",
            "by_hand": True,
        }

    played(play())


def test_where_the_file_cannot_be_written_all_stays_as_it_was(stage: Stage) -> None:
    async def play() -> None:
        failover, _ = stage.supervised()
        path = stage.running.configuration.conf.path
        path.unlink()
        path.mkdir()
        with pytest.raises(HostError):
            await stage.by_hand(failover, "acc", "backup")
        assert stage.commands == []
        assert stage.kept is not None
        assert (stage.kept.side, stage.kept.settled) == ("primary", True)
        assert stage.running.configuration.conf.in_force.sides == {"acc": "primary"}
        assert stage.told == []
        path.rmdir()
        assert (await stage.by_hand(failover, "acc", "backup"))["side"] == "backup"

    played(play())


REFUSED = [
    ("alone", "backup", "alone has no second host"),
    ("alone", None, "alone has no second host"),
    ("acc", "primary", "acc is on its primary already"),
    ("acc", "elsewhere", "there is no side 'elsewhere'"),
]


@pytest.mark.parametrize(("name", "to", "why"), REFUSED)
def test_what_cannot_be_is_refused(stage: Stage, name: str, to: str | None, why: str) -> None:
    async def play() -> None:
        failover, _ = stage.supervised()
        with pytest.raises(GatewayError, match=why):
            await stage.by_hand(failover, name, to)
        assert stage.commands == []

    played(play())


def test_a_host_that_takes_no_connection_is_gone_to_by_force_alone(stage: Stage) -> None:
    async def play() -> None:
        failover, _ = stage.supervised()
        stage.away.add("g.test")
        with pytest.raises(GatewayError, match=r"the backup, g\.test:2775, does not answer") as refused:
            await stage.by_hand(failover, "acc", "backup")
        assert "--force" in refused.value.hint
        assert (stage.commands, stage.asked, stage.told) == ([], ["g.test"], [])
        assert (await stage.by_hand(failover, "acc", "backup", force=True))["side"] == "backup"
        assert stage.asked == ["g.test"]  # the primary is asked later, for the way home

    played(play())


def test_before_anything_was_seen_it_is_not_said_that_there_is_no_second_host(stage: Stage) -> None:
    async def play() -> None:
        failover, _ = stage.supervised()
        with pytest.raises(GatewayError, match="have not been seen yet"):
            await failover.by_hand("acc", None, lambda event: None)
        assert isinstance(stage.running.boxes, Boxes)
        stage.running.boxes.runs = False
        with pytest.raises(GatewayError, match="bearerbox is not running"):
            await failover.by_hand("acc", "backup", lambda event: None)

    played(play())


def test_without_bearerbox_nothing_is_moved(stage: Stage) -> None:
    async def play() -> None:
        failover, _ = stage.supervised()
        assert isinstance(stage.running.boxes, Boxes)
        stage.running.boxes.runs = False
        with pytest.raises(GatewayError, match="bearerbox is not running"):
            await stage.by_hand(failover, "acc", "backup", force=True)
        assert (stage.commands, stage.told) == ([], [])
        assert stage.kept is None or stage.kept.side == "primary"

    played(play())


def test_no_link_is_stopped_for_what_a_log_says_while_nothing_may_be_changed(stage: Stage) -> None:
    async def play() -> None:
        failover, _ = stage.supervised()
        await stage.running.watch.look()
        failover.act(asyncio.get_running_loop().time())
        rejected = SubmitRefused("acc", 0x04, 1, 12, 6)
        failover.heard([rejected], may_act=False)
        await passes(5)
        assert stage.commands == []
        failover.heard([rejected])
        await passes(5)
        assert [word for word, _ in stage.commands][:1] == ["stop"]
        await failover.cancel()

    played(play())


def test_two_hosts_of_no_use_are_told_once(stage: Stage) -> None:
    async def play() -> None:
        failover, _ = stage.supervised()
        stage.away |= {"g.test", "h.test"}
        for name in ("acc-1", "acc-2"):
            stage.gateway.put(name, "re-connecting")
        for _ in range(1200):
            await stage.running.watch.look()
            failover.act(asyncio.get_running_loop().time())
            await passes(0.1)
        assert len(stage.asked) > 20
        (told,) = [event.text for event in stage.told]
        assert re.fullmatch(
            r"acc: the primary is of no use \(no link online for \d+ s\), and the backup: no connection within 3 s",
            told,
        )
        stage.away.clear()
        for _ in range(50):
            await stage.running.watch.look()
            failover.act(asyncio.get_running_loop().time())
            await passes(0.1)
        assert stage.told[-1].kind == "failover"
        await failover.cancel()

    played(play())


def test_while_the_configuration_is_changed_nothing_is_moved(stage: Stage) -> None:
    async def play() -> None:
        failover, changes = stage.supervised()
        async with changes.hold():
            with pytest.raises(GatewayError, match="the configuration is being changed"):
                await stage.by_hand(failover, "acc", "backup")
        assert stage.commands == []
        assert (await stage.by_hand(failover, "acc", "backup"))["side"] == "backup"

    played(play())


def test_a_side_whose_links_have_not_ended_is_not_gone_back_to_at_once(stage: Stage) -> None:
    async def play() -> None:
        stage.gateway.habits.dies_after = 30.0
        stage.running.bearerbox.process = None  # so that no connection can be cut
        failover, _ = stage.supervised()
        await stage.by_hand(failover, "acc", "backup")
        with pytest.raises(GatewayError, match="has not ended an earlier bind: acc-1, acc-2"):
            await stage.by_hand(failover, "acc", "primary")
        await passes(30)
        assert (await stage.by_hand(failover, "acc", "primary"))["side"] == "primary"

    played(play())


def test_a_kannelkit_that_comes_after_finds_links_that_run_and_should_not(stage: Stage) -> None:
    async def play() -> None:
        stage.running.memory.side("acc", KeptSide("backup", 0.0, settled=False))
        stage.running.take(configure(stage.running.configuration.spec, known(stage.running.memory)))
        failover, _ = stage.supervised()
        for _ in range(100):
            await stage.running.watch.look()
            failover.act(asyncio.get_running_loop().time())
            await passes(0.05)
        assert stage.kept is not None
        assert stage.kept.settled
        assert stage.commands[:4] == [
            ("stop", "acc-1"),
            ("stop", "acc-2"),
            ("start", "acc-backup-1"),
            ("start", "acc-backup-2"),
        ]
        assert [event.text for event in stage.told if event.kind == "failover"] == [
            "acc: primary -> backup (g.test:2775): a move that was cut off is finished; "
            "what had no answer, if anything, is sent again"
        ]
        await failover.cancel()

    played(play())
