"""Ports, TLS, and the control port."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from kannelkit.certs.dummy import dummy_certificate
from kannelkit.errors import HostError
from kannelkit.simulator import AccountRules, Behaviour, Order, Simulator
from tests.simulator.esme import Esme


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("certificate") / "smsc.pem"
    path.touch(mode=0o600)
    path.write_bytes(dummy_certificate(["localhost"], 2, datetime.now(UTC)))
    return path


async def test_tls_beside_plain(certificate: Path) -> None:
    trusted = ssl.create_default_context(cafile=str(certificate))
    trusted.check_hostname = False
    async with Simulator(tls_port=0, certificate=certificate) as smsc:
        assert smsc.tls_port is not None
        async with Esme(smsc.tls_port, trusted) as esme:
            assert esme.writer.get_extra_info("ssl_object").version() in ("TLSv1.2", "TLSv1.3")
            assert (await esme.bind()).command_status == 0
            assert (await esme.submit_and_wait()).command_status == 0
            async with Esme(smsc.port) as newer:
                assert (await newer.bind()).command_status == 0
                assert await esme.ended() == b""


async def test_no_tls_on_the_tls_port(certificate: Path) -> None:
    async with Simulator(tls_port=0, certificate=certificate) as smsc:
        assert smsc.tls_port is not None
        async with Esme(smsc.tls_port) as esme:
            esme.writer.write(b"\0\0\0\x10" * 4)
            await esme.ended()
        async with Esme(smsc.port) as esme:
            assert (await esme.bind()).command_status == 0


async def test_certificate_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "not.pem").write_text("hello")
    for path in (tmp_path / "not.pem", tmp_path / "absent.pem"):
        with pytest.raises(HostError, match=r"\.pem"):
            await Simulator(tls_port=0, certificate=path).start()


async def test_port_in_use_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(HostError, match=f"127.0.0.1:{port}"):
            await Simulator(port=port).start()
        with pytest.raises(HostError, match=f"127.0.0.1:{port}"):
            await Simulator(control_port=port).start()


def test_wrong_use() -> None:
    with pytest.raises(ValueError, match="same login"):
        Simulator([AccountRules("a", "x"), AccountRules("a", "y")])
    with pytest.raises(ValueError, match="certificate"):
        Simulator(tls_port=0)


async def test_stop_ends_every_connection() -> None:
    smsc = Simulator(behaviour=Behaviour(delay=3600))
    await smsc.start()
    async with Esme(smsc.port) as esme:
        await esme.bind()
        esme.submit()
        await smsc.stop()
        assert await esme.ended() == b""
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", smsc.port)
    assert smsc.account("test").counters.binds == 1


@pytest.fixture
async def controlled() -> AsyncIterator[tuple[Simulator, aiohttp.ClientSession]]:
    rules = [AccountRules("test", "secret"), AccountRules("other", "secret", limit=None)]
    async with (
        Simulator(rules, control_port=0) as smsc,
        aiohttp.ClientSession(f"http://127.0.0.1:{smsc.control_port}") as session,
    ):
        yield smsc, session


Controlled = tuple[Simulator, aiohttp.ClientSession]


async def test_counters_over_http(controlled: Controlled) -> None:
    smsc, session = controlled
    async with Esme(smsc.port) as esme:
        await esme.bind(b"other", b"secret")
        await esme.submit_and_wait()
        await esme.submit_and_wait()
        async with session.get("/counters") as answer:
            text = await answer.text()
    told = json.loads(text)
    assert "secret" not in text
    assert set(told["accounts"]) == {"test", "other"}
    other = told["accounts"]["other"]
    expected = {"accepted": 2, "doubled": 1, "refused": 0, "online": 1, "limit": None, "unanswered": 0}
    assert {name: other[name] for name in expected} == expected
    assert 0 <= other["first_accepted"] <= other["last_accepted"] <= told["seconds"]
    async with session.get("/timeline", params={"account": "other"}) as answer:
        timeline = await answer.json()
    assert sum(timeline["accepted"]) == 2
    assert len(timeline["accepted"]) == len(timeline["refused"])


async def test_limit_and_law_change_over_http(controlled: Controlled) -> None:
    smsc, session = controlled
    async with session.post("/limit", json={"account": "test", "limit": 0}) as answer:
        assert await answer.json() == {"account": "test", "limit": 0, "law": "sliding-window", "burst": None}
    async with Esme(smsc.port) as esme:
        await esme.bind(password=b"secret")
        assert (await esme.submit_and_wait()).command_status == 0x58
        form = {"account": "test", "limit": "5", "law": "token-bucket", "burst": "2"}
        async with session.post("/limit", data=form) as answer:
            assert answer.status == 200
        assert [(await esme.submit_and_wait()).command_status for _ in range(2)] == [0, 0]
    async with session.post("/limit", json={"account": "test", "limit": None}) as answer:
        assert (await answer.json())["limit"] is None


async def test_behaviour_and_reset_over_http(controlled: Controlled) -> None:
    smsc, session = controlled
    async with session.post("/behaviour", json={"order": "none", "delay": 0.5, "unbind": "close"}) as answer:
        told = await answer.json()
    assert (told["order"], told["delay"], told["unbind"]) == ("none", 0.5, "close")
    assert smsc.behaviour.order is Order.NONE
    async with Esme(smsc.port) as esme:
        await esme.bind(password=b"wrong")
    async with session.post("/reset") as answer:
        assert (await answer.json())["accounts"]["test"]["binds_refused"] == 0


WRONG = [
    ("/limit", {"account": "nobody", "limit": 3}),
    ("/limit", {"account": "test"}),
    ("/limit", {"account": "test", "limit": -1}),
    ("/limit", {"account": "test", "limit": 1.25}),
    ("/limit", {"account": "test", "limit": True}),
    ("/limit", {"account": "test", "limit": "many"}),
    ("/limit", {"account": "test", "limit": 3, "law": "none"}),
    ("/limit", {"account": ["test"], "limit": 3, "law": ["none"]}),
    ("/limit", {"account": "test", "limit": 3, "speed": 3}),
    ("/limit", [1]),
    ("/behaviour", {"delay": -1}),
    ("/behaviour", {"delay": "nan"}),
    ("/behaviour", {"delay": None}),
    ("/behaviour", {"order": "backwards"}),
    ("/behaviour", {"idle": 0}),
    ("/behaviour", {"colour": 1}),
]


@pytest.mark.parametrize(("path", "body"), WRONG)
async def test_wrong_change_is_refused_and_changes_nothing(controlled: Controlled, path: str, body: object) -> None:
    smsc, session = controlled
    async with session.post(path, json=body) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]
    assert smsc.behaviour == Behaviour()
    assert smsc.account("test").rules == AccountRules("test", "secret")


async def test_control_port_takes_no_garbage_and_no_web_pages(controlled: Controlled) -> None:
    _, session = controlled
    async with session.post("/limit", data=b"{", headers={"Content-Type": "application/json"}) as answer:
        assert answer.status == 400
    async with session.post("/limit", json=["x" * 100_000]) as answer:
        assert answer.status == 413
    async with session.post("/reset", headers={"Origin": "http://example.org"}) as answer:
        assert answer.status == 403
    async with session.get("/timeline", params={"account": "nobody"}) as answer:
        assert answer.status == 400
    async with session.get("/reset") as answer:
        assert answer.status == 405
