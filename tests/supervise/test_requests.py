"""Requests: what other commands ask for is done or refused in words, told in the journal, and kept."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import pytest

from kannelkit.errors import GatewayError
from kannelkit.host import processes
from kannelkit.spec import load
from kannelkit.supervise.applying import Applying
from kannelkit.supervise.asking import overview_of
from kannelkit.supervise.changes import Changes
from kannelkit.supervise.configuration import configure, known
from kannelkit.supervise.control import Tell
from kannelkit.supervise.journal import Journal
from kannelkit.supervise.memory import Event, KeptSide, Memory
from kannelkit.supervise.own import OwnBoxes
from kannelkit.supervise.requests import Requests
from kannelkit.supervise.running import Running
from kannelkit.supervise.views import OtherRefusals, Overview
from kannelkit.throttle.lines import SubmitRefused
from tests.supervise.played import PlayedGateway, passes, played

SECRETS = ("adm1npw", "p4ssw0rd")
SPEC = """
state-dir: state
core: {admin-password: adm1npw}
smsc:
  - {smsc-id: a, host: smsc.test, smsc-username: u, smsc-password: p4ssw0rd, throughput: 60, backup-host: b.test,
     allowed-smsc-id: a}
  - {smsc-id: b, host: smsc.test, smsc-username: v, smsc-password: p4ssw0rd, throughput: 20, account-group: shared,
     allowed-smsc-id: b}
  - {smsc-id: c, host: smsc.test, smsc-username: w, smsc-password: p4ssw0rd, throughput: 20, account-group: shared,
     allowed-smsc-id: c}
"""
Work = Callable[["Asked"], Coroutine[Any, Any, Any]]


class Asked:
    """A gateway that is supervised in memory, and can be asked; `events` is what was told, `moved` who was moved."""

    def __init__(self, path: Path, *, runs: bool = True) -> None:
        spec = load(path, {})
        spec = spec.with_made(dict.fromkeys(spec.to_make(), "made-up"))
        spec.state_dir.mkdir(exist_ok=True)
        self.path = path
        self.memory = Memory(spec.state_dir / "state.db")
        self.events: list[Event] = []
        self.moved: list[tuple[str, str | None, bool]] = []
        journal = Journal(self.memory, self.events.append)
        configuration = configure(spec, known(self.memory))
        self.admin = PlayedGateway({link.admin_id: 1 for one in configuration.accounts for link in one.sending})
        self.running = Running(configuration, self.admin, self.memory, journal, lambda: False)
        boxes = self.running.boxes = OwnBoxes(self.running)
        if runs:
            for box in (boxes.bearerbox, boxes.smsbox):
                box.process = processes.current(os.getpid())
        configuration.conf.write()
        self.changes = Changes(self.running)
        applying = Applying(self.running, self.changes, lambda: spec, lambda spec: ())
        self.requests = Requests(self.running, self.changes, applying, journal, path, self._move)

    async def _move(self, account: str, to: str | None, tell: Tell, force: bool) -> Mapping[str, object]:
        self.moved.append((account, to, force))
        return {"side": "backup"}

    async def ask(self, do: str, **more: object) -> Mapping[str, Any]:
        request = {"do": do, "spec": os.path.realpath(self.path), **more}
        answer = await self.requests.answer(json.loads(json.dumps(request)), lambda event: None)
        assert answer["event"] == "done"
        said = json.dumps(answer)
        assert not [secret for secret in SECRETS if secret in said]
        found: Mapping[str, Any] = json.loads(said)
        return found

    async def state(self, **more: object) -> Overview:
        return overview_of((await self.ask("state", **more))["state"])

    async def refusal(self, do: str, **more: object) -> str:
        with pytest.raises(GatewayError) as caught:
            await self.ask(do, **more)
        return str(caught.value)

    async def watched(self, seconds: float) -> None:
        """Follow the gateway as the supervisor does."""
        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        while clock() < end:
            await self.running.watch.tick()
            self.requests.sampled(clock())
            await passes(0.05)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC)
    return path


def doing(path: Path, work: Work) -> Asked:
    """Do some work with a gateway in played time, and return the gateway."""

    async def whole() -> Asked:
        asked = Asked(path)
        try:
            await work(asked)
        finally:
            asked.memory.close()
        return asked

    return played(whole())


def test_the_state_is_told_without_asking_bearerbox(path: Path) -> None:
    async def work(asked: Asked) -> None:
        await asked.watched(3.0)
        watch = asked.running.watch
        refusals = [SubmitRefused("a", status, 1, 12, 6) for status in (0x14, 0x14, 0x45)]
        asked.requests.heard([*refusals, SubmitRefused("nobody", 0x14, 1, 12, 6)])
        watch.answers("a").accepted += 90
        watch.answers("a").refused += 7
        await watch.look()
        asked.requests.sampled(asyncio.get_running_loop().time())
        await passes(1.0)
        before = len(asked.admin.said)
        seen = await asked.state()
        assert len(asked.admin.said) == before
        assert (seen.state, seen.supervisor, [box.pid for box in seen.boxes]) == (
            "running",
            os.getpid(),
            [os.getpid()] * 2,
        )
        a, b, c = seen.accounts
        assert (a.throughput, a.ceiling, a.floor, a.side, a.host) == (60, 60, 1, "primary", "smsc.test:2775")
        assert a.accepted is not None
        assert a.refused is not None
        assert (sum(a.curve.accepted), sum(a.curve.refused)) == (90, 7)
        assert a.other_refusals == (OtherRefusals(0x14, "ESME_RMSGQFUL", 2), OtherRefusals(0x45, "ESME_RSUBMITFAIL", 1))
        assert [link.share for link in a.links] == [60, 60]
        assert (b.unit, c.unit, b.throughput, b.floor) == ("shared", "shared", 20, 2)
        few = await asked.state(curves=["b"])
        assert (len(few.accounts[0].curve.accepted), len(few.accounts[1].curve.accepted) > 2) == (0, True)

    doing(path, work)


def test_a_status_that_is_old_says_nothing_of_now(path: Path) -> None:
    async def work(asked: Asked) -> None:
        await asked.watched(0.5)
        await passes(11.0)
        silent = await asked.state()
        assert (silent.state, silent.accounts[0].state) == ("silent", "unknown")
        ended = await Asked(path, runs=False).state()
        assert (ended.state, ended.accounts[0].state, ended.accounts[0].links[0].state) == (
            "not running",
            "offline",
            "absent",
        )

    doing(path, work)


def test_a_pause_is_kept_and_told_once(path: Path) -> None:
    async def pause(asked: Asked) -> None:
        found = await asked.ask("pause", account="b")
        assert found["units"] == [
            {"unit": "shared", "accounts": ["b", "c"], "paused": True, "changed": True, "throughput": 20}
        ]
        again = (await asked.ask("pause", account="shared"))["units"]
        assert [(unit["changed"], unit["paused"]) for unit in again] == [(False, True)]
        assert [account.paused for account in (await asked.state()).accounts] == [False, True, True]

    paused = doing(path, pause)
    assert [(event.kind, event.account) for event in paused.events] == [("paused", "shared")]

    async def resume(asked: Asked) -> None:
        assert asked.changes.paused == {"shared"}
        units = (await asked.ask("resume", all=True))["units"]
        assert [(unit["unit"], unit["changed"]) for unit in units] == [("a", False), ("shared", True)]
        assert asked.changes.paused == set()

    resumed = doing(path, resume)
    assert [(event.kind, event.account) for event in resumed.events] == [("resumed", "shared")]


def test_a_rate_by_hand_is_in_force_kept_and_told(path: Path) -> None:
    async def work(asked: Asked) -> None:
        await asked.watched(3.0)
        done = await asked.ask("rate", account="a", throughput=25, pause=True)
        assert (done["unit"], done["before"], done["after"], done["online"], done["paused"]) == (
            "a",
            60,
            25,
            True,
            True,
        )
        again = await asked.ask("rate", account="a", throughput=25)
        assert (again["before"], again["after"]) == (25, 25)
        view = (await asked.state()).accounts[0]
        assert (view.throughput, view.by_hand, view.paused, view.settled) == (25, True, True, True)
        assert asked.memory.learnt()["a"].throughput == 25
        assert "throughput = 25" in (path.parent / "state" / "kannel.conf").read_text()

    asked = doing(path, work)
    assert [(event.kind, event.text) for event in asked.events] == [
        ("paused", "a: adaptation paused at 60 SMS per second"),
        ("rate", "a: by hand: throughput 60 -> 25"),
    ]
    assert asked.events[1].data["direction"] == "by-hand"
    assert [word for _, word, _ in asked.admin.said] == ["stop", "start"]


REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "another spec": ({"do": "state", "spec": "/elsewhere.yaml"}, "the gateway runs from"),
    "nothing known": ({"do": "dance"}, "knows no such request"),
    "nothing at all": ({}, "knows no such request"),
    "no account": ({"do": "pause"}, "without an account"),
    "an unknown account": ({"do": "rate", "account": "x", "throughput": 5}, "without an account 'x'"),
    "an account that is a list": ({"do": "pause", "account": ["a"]}, "without an account"),
    "above the ceiling": ({"do": "rate", "account": "a", "throughput": 61}, "61 is above the ceiling, 60 SMS"),
    "below the floor": ({"do": "rate", "account": "b", "throughput": 1}, "1 is below the floor, 2 SMS per second"),
    "no number": ({"do": "rate", "account": "a", "throughput": "5"}, "a number of SMS"),
    "a truth": ({"do": "rate", "account": "a", "throughput": True}, "a number of SMS"),
    "a fraction": ({"do": "rate", "account": "a", "throughput": 5.5}, "5.5 is no whole number"),
    "several at once": ({"do": "rate", "all": True, "throughput": 5}, "without an account None"),
    "nobody to move": ({"do": "failover", "account": "x", "to": "backup"}, "without an account 'x'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_is_refused_in_words_and_changes_nothing(path: Path, case: str) -> None:
    request, words = REFUSED[case]

    async def work(asked: Asked) -> None:
        whole = {"spec": os.path.realpath(path), **request}
        with pytest.raises(GatewayError, match=words):
            await asked.requests.answer(whole, lambda event: None)
        assert asked.changes.paused == set()

    asked = doing(path, work)
    assert (asked.events, asked.admin.said) == ([], [])


def test_without_bearerbox_no_rate_is_changed(path: Path) -> None:
    async def work(asked: Asked) -> None:
        boxes = asked.running.boxes
        assert isinstance(boxes, OwnBoxes)
        boxes.bearerbox.process = None
        assert "bearerbox is not running" in await asked.refusal("rate", account="a", throughput=25, pause=True)
        assert asked.changes.paused == set()

    asked = doing(path, work)
    assert (asked.events, asked.admin.said) == ([], [])


def test_an_account_is_moved_by_whoever_can(path: Path) -> None:
    async def work(asked: Asked) -> None:
        assert (await asked.ask("failover", account="a", to="backup"))["side"] == "backup"
        await asked.ask("failover", account="a")
        await asked.ask("failover", account="a", to="backup", force=True)
        assert asked.moved == [("a", "backup", False), ("a", None, False), ("a", "backup", True)]

    doing(path, work)


def test_since_when_and_why_an_account_is_on_its_backup_is_told(path: Path) -> None:
    async def work(asked: Asked) -> None:
        asked.memory.side("a", KeptSide("backup", 500.0))
        asked.running.tell("failover", "a: moved", "a", to="backup", why="no answer for 30 s")
        view = (await asked.state()).accounts[0]
        assert (view.since, view.why) == (500.0, "no answer for 30 s")
        asked.memory.side("a", KeptSide("primary", 900.0))  # the event is about the other side
        view = (await asked.state()).accounts[0]
        assert (view.since, view.why) == (900.0, "")

    doing(path, work)
