"""The socket by which a supervisor is asked: only its owner's, and nothing that comes through it ends anything."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kannelkit.errors import GatewayError, HostError
from kannelkit.plan.compare import plan
from kannelkit.plan.values import LinkSeen
from kannelkit.supervise.asking import ask, plain, shown
from kannelkit.supervise.control import FILE, Control, Tell
from tests.harness.waiting import until


class Answers:
    """What a supervisor does with requests, and which it got."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, Any]] = []
        self.go_on = asyncio.Event()
        self.done = 0

    async def __call__(self, request: Mapping[str, Any], tell: Tell) -> Mapping[str, object]:
        self.asked.append(request)
        match request.get("do"):
            case "refuse":
                raise GatewayError("no", "ask for something else")
            case "fail":
                raise ZeroDivisionError("oh")
            case "wait":
                tell({"event": "step", "text": "begun"})
                await self.go_on.wait()
        self.done += 1
        return {"event": "done", "number": self.done}


def unheard(event: Mapping[str, Any]) -> None:
    pytest.fail(f"nothing was to be told before the end: {event}")


async def raw(state_dir: Path, octets: bytes) -> list[dict[str, Any]]:
    """Send octets as they are, say that no more come, and return the answer's lines."""
    reader, writer = await asyncio.open_unix_connection(str(state_dir / FILE))
    writer.write(octets)
    writer.write_eof()
    try:
        return [json.loads(line) async for line in reader]
    except ConnectionError:
        return []
    finally:
        writer.close()


async def test_a_request_is_answered_and_what_happens_meanwhile_is_told(tmp_path: Path) -> None:
    answers = Answers()
    told: list[Mapping[str, Any]] = []
    async with Control(tmp_path, answers):
        answers.go_on.set()
        assert await ask(tmp_path, {"do": "wait"}, told.append) == {"event": "done", "number": 1}
        with pytest.raises(GatewayError, match="no") as refused:
            await ask(tmp_path, {"do": "refuse"}, unheard)
        with pytest.raises(GatewayError, match="ZeroDivisionError"):
            await ask(tmp_path, {"do": "fail"}, unheard)
    assert refused.value.hint == "ask for something else"
    assert told == [{"event": "step", "text": "begun"}]
    assert not (tmp_path / FILE).exists()


async def test_the_socket_is_its_owners_and_replaces_one_that_was_left(tmp_path: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / FILE))
    left.close()
    async with Control(tmp_path, Answers()):
        assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
        assert (await ask(tmp_path, {}, unheard))["event"] == "done"


async def test_a_file_in_its_place_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("mine")
    with pytest.raises(HostError, match=FILE):
        await Control(tmp_path, Answers()).__aenter__()
    assert (tmp_path / FILE).read_text() == "mine"


async def test_a_path_that_no_socket_can_have_is_no_hindrance(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    async with Control(deep, Answers()):
        assert (await ask(deep, {}, unheard))["event"] == "done"


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\n",
        b"no json\n",
        b"[1]\n",
        b'{"do": "plan"',
        b"\xff\xfe\n",
        b"[" * 10_000 + b"\n",
        b'"' + b"x" * 20_000 + b'"\n',
    ],
    ids=repr,
)
async def test_what_is_no_request_is_said_to_be_none(tmp_path: Path, octets: bytes) -> None:
    answers = Answers()
    async with Control(tmp_path, answers):
        said = await raw(tmp_path, octets[:40_000])
        assert [event["event"] for event in said] in (["error"], [])
        assert answers.asked == []
        assert (await ask(tmp_path, {}, unheard))["event"] == "done"


async def test_what_was_begun_goes_on_when_the_client_is_gone(tmp_path: Path) -> None:
    answers = Answers()
    async with Control(tmp_path, answers):
        _, writer = await asyncio.open_unix_connection(str(tmp_path / FILE))
        writer.write(b'{"do": "wait"}\n')
        await writer.drain()
        await until(lambda: answers.asked)
        writer.transport.abort()
        answers.go_on.set()
        await until(lambda: answers.done)
        assert (await ask(tmp_path, {}, unheard))["number"] == 2


async def test_too_many_clients_are_sent_away_and_the_others_served(tmp_path: Path) -> None:
    answers = Answers()
    async with Control(tmp_path, answers):
        waiting = [asyncio.create_task(ask(tmp_path, {"do": "wait"}, lambda event: None)) for _ in range(8)]
        await until(lambda: len(answers.asked) == len(waiting))
        with pytest.raises(GatewayError, match=r"went away|broke off"):
            await ask(tmp_path, {}, unheard)
        answers.go_on.set()
        assert len(await asyncio.gather(*waiting)) == len(waiting)
        assert (await ask(tmp_path, {}, unheard))["event"] == "done"


async def test_who_waits_is_told_of_the_end(tmp_path: Path) -> None:
    answers = Answers()
    async with Control(tmp_path, answers):
        waiting = asyncio.create_task(ask(tmp_path, {"do": "wait"}, lambda event: None))
        await until(lambda: answers.asked)
    with pytest.raises(GatewayError, match="stopped meanwhile"):
        await waiting
    assert answers.done == 0


async def test_where_nobody_listens_the_next_step_is_told(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(HostError) as refused:
            await ask(folder, {}, unheard)
        assert "kannelkit up" in refused.value.hint
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / FILE))
    left.close()
    with pytest.raises(HostError, match="does not run"):
        await ask(tmp_path, {}, unheard)
    assert os.listdir(tmp_path) == [FILE]


def test_a_plan_is_the_same_at_the_other_end_but_for_its_texts() -> None:
    link = "group = smsc\nsmsc = smpp\nsmsc-id = a\nsmsc-admin-id = a-1\nsmsc-username = u\nsmsc-password = {}\n"
    core = "group = core\nadmin-port = {}\nadmin-password = p\n\n"
    before, after = core.format(1) + link.format("p4ssw0rd-1"), core.format(2) + link.format("p4ssw0rd-2")
    found = plan(before, after, [LinkSeen("a-1", "online")])
    assert found.changes
    sent = json.dumps(plain(found))
    assert "p4ssw0rd" not in sent
    there = shown(json.loads(sent))
    assert (there.changes, there.steps, there.digest) == (found.changes, found.steps, found.digest)
    assert (there.dangers, there.running, there.rates) == (found.dangers, found.running, found.rates)
