"""Changes of rate and shares on a Kannel that is played: what was decided is carried out, kept, and one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from kannelkit.errors import GatewayError, HostError
from kannelkit.supervise.changes import Changes
from kannelkit.supervise.configuration import configure, known
from kannelkit.supervise.journal import Journal
from kannelkit.supervise.memory import Event, Memory
from kannelkit.supervise.running import Running
from kannelkit.throttle.values import Decision, Learnt
from tests.supervise.played import PlayedKannel, passes, played, spec_in

SPEC = """
state-dir: state
core: {admin-password: secret}
smsc:
  - {smsc-id: a, host: h, smsc-username: u, smsc-password: p, throughput: 60, account-group: both, connections: 2}
  - {smsc-id: b, host: h, smsc-username: v, smsc-password: p, throughput: 60, account-group: both}
  - {smsc-id: c, host: h, smsc-username: w, smsc-password: p, throughput: 10}
"""


class FromFile(PlayedKannel):
    """A played Kannel that makes its links from the file on the disk."""

    path = Path()

    @property
    def file(self) -> str:
        return self.path.read_text()

    @file.setter
    def file(self, text: str) -> None:
        pass


class Gateway:
    """A gateway with what a supervisor knows of it, and the events that were told."""

    def __init__(self, folder: Path) -> None:
        spec = spec_in(folder, SPEC)
        self.memory = Memory(folder / "state/state.db")
        configuration = configure(spec, known(self.memory))
        configuration.conf.write()
        self.told: list[Event] = []
        self.kannel = type("Kannel", (FromFile,), {"path": configuration.conf.path})("")
        journal = Journal(self.memory, self.told.append)
        self.running = Running(configuration, self.kannel, self.memory, journal, lambda: False)
        self.changes = Changes(self.running)
        self.path = configuration.conf.path

    def throughputs(self) -> dict[str, int]:
        """Return what each link that binds was last made with."""
        return {name: int(values["throughput"]) for name, values in self.kannel.runs.items() if "throughput" in values}

    async def acted(self) -> None:
        """Let the changes do what is decided, to its end."""
        await self.running.watch.look()
        for _ in range(200):
            self.changes.act(asyncio.get_running_loop().time())
            await passes(0.05)


def decided(unit: str, after: int) -> Decision:
    return Decision(unit, "lower", 60, after, 30, 60, 30, 1.0)


Does = Callable[[Gateway], Coroutine[Any, Any, None]]


def on_a_gateway(folder: Path, does: Does) -> Gateway:
    async def run() -> Gateway:
        gateway = Gateway(folder)
        await does(gateway)
        return gateway

    return played(run())


def test_accounts_of_a_group_change_together_and_nobody_else(tmp_path: Path) -> None:
    async def does(gateway: Gateway) -> None:
        gateway.running.watch.decisions["both"] = decided("both", 31)
        await gateway.acted()

    gateway = on_a_gateway(tmp_path, does)
    assert gateway.throughputs() == {"a-1": 11, "a-2": 10, "b-1": 10, "c-1": 10}
    assert gateway.kannel.binds == {"a-1": 1, "a-2": 1, "b-1": 1}
    assert (gateway.memory.learnt(), gateway.memory.unsettled()) == ({"both": Learnt(31)}, frozenset())
    assert [(event.kind, event.account, event.data["after"]) for event in gateway.told] == [("rate", "both", 31)]


def test_a_link_lends_its_share_and_the_next_start_knows_it(tmp_path: Path) -> None:
    async def does(gateway: Gateway) -> None:
        gateway.running.watch.lenders["both"] = frozenset({2})
        await gateway.acted()
        await gateway.changes.change("both", 41)

    gateway = on_a_gateway(tmp_path, does)
    lent = {"a-1": 20, "a-2": 20, "b-1": 1, "c-1": 10}
    assert gateway.throughputs() == lent
    assert [(event.kind, event.data["lenders"]) for event in gateway.told] == [("shares", ["b-1"])]

    async def nothing(gateway: Gateway) -> None:
        assert gateway.running.watch.balances["both"].lenders == {2}

    assert on_a_gateway(tmp_path, nothing).throughputs() == lent


def test_a_paused_rate_stays_until_it_is_resumed_over_restarts(tmp_path: Path) -> None:
    async def does(gateway: Gateway) -> None:
        gateway.changes.pause("both")
        gateway.running.watch.decisions["both"] = decided("both", 30)
        await gateway.acted()

    assert on_a_gateway(tmp_path, does).kannel.binds == {}

    async def resumes(gateway: Gateway) -> None:
        assert gateway.changes.paused == {"both"}
        gateway.changes.resume("both")
        gateway.running.watch.decisions["both"] = decided("both", 30)
        await gateway.acted()

    assert on_a_gateway(tmp_path, resumes).throughputs()["a-1"] == 10


def test_a_unit_that_is_not_there_is_no_unit(tmp_path: Path) -> None:
    async def does(gateway: Gateway) -> None:
        for command in (gateway.changes.pause, gateway.changes.resume):
            with pytest.raises(KeyError):
                command("a")  # an account of a group has no rate of its own
        with pytest.raises(KeyError):
            await gateway.changes.change("a", 10)

    on_a_gateway(tmp_path, does)


def test_a_file_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    async def does(gateway: Gateway) -> None:
        before = gateway.path.read_text()
        gateway.path.unlink()
        gateway.path.mkdir()
        with pytest.raises(HostError):
            await gateway.changes.change("c", 5)
        gateway.path.rmdir()
        gateway.path.write_text(before)

    gateway = on_a_gateway(tmp_path, does)
    assert gateway.kannel.said == []
    assert (gateway.memory.learnt(), gateway.memory.unsettled()) == ({}, frozenset())
    assert gateway.running.configuration.conf.is_current()


def test_while_somebody_has_an_account_for_himself_its_group_waits_and_others_do_not(tmp_path: Path) -> None:
    async def does(gateway: Gateway) -> None:
        async with gateway.changes.quiet("a"):
            gateway.running.watch.decisions["both"] = decided("both", 30)
            gateway.running.watch.decisions["c"] = decided("c", 5)
            await gateway.acted()
            assert gateway.kannel.binds == {"c-1": 1}
            assert gateway.changes.busy("b")
        await gateway.acted()
        assert gateway.throughputs()["b-1"] == 10

    on_a_gateway(tmp_path, does)


def test_while_all_are_held_nothing_begins(tmp_path: Path) -> None:
    async def does(gateway: Gateway) -> None:
        async with gateway.changes.hold():
            gateway.running.watch.decisions["c"] = decided("c", 5)
            await gateway.acted()
            with pytest.raises(GatewayError, match="being changed"):
                await gateway.changes.change("c", 5)
        await gateway.acted()

    gateway = on_a_gateway(tmp_path, does)
    assert gateway.kannel.binds == {}
    assert gateway.running.watch.decisions == {}
