"""The relay as a process: started for accounts, anew only where it has to be, adopted, started again when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kannelkit.errors import GatewayError, HostError
from kannelkit.host import processes
from kannelkit.host.processes import ProcessId
from kannelkit.supervise.relay import Relay
from kannelkit.supervise.relaysettings import kept_accounts
from tests.harness.ports import free_ports

PATIENCE = 60.0


@dataclass
class Heard:
    """Notes what it is told."""

    said: list[str] = field(default_factory=list)
    kept: dict[str, ProcessId | None] = field(default_factory=dict)

    def say(self, kind: str, text: str, **data: object) -> None:
        self.said.append(text)

    def tell(self, kind: str, text: str, account: str, **data: object) -> None:
        self.said.append(text)

    def keep(self, name: str, process: ProcessId | None) -> None:
        self.kept[name] = process


def account(name: str, port: int, **more: object) -> Mapping[str, Any]:
    return {
        "name": name,
        "listen_port": port,
        "listen_password": "password",
        "hosts": [{"host": "127.0.0.1", "port": 1}],
        "login": {"system_id": "login", "password": "secret"},
        "connections": 1,
        "window": 10,
        **more,
    }


@contextlib.asynccontextmanager
async def relay(
    folder: Path, heard: Heard, holds: Mapping[str, float] | None = None, **more: Any
) -> AsyncIterator[Relay]:
    made = Relay(folder, heard, lambda: holds or {}, **more)
    try:
        yield made
    finally:
        await made.cancel()
        await made.stop()
        made.close()


async def kept(of: Relay, holds: Callable[[], object]) -> None:
    """Keep it until something holds."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await of.keep(loop.time())
            await asyncio.sleep(0.02)


async def test_it_takes_accounts_on_and_lets_them_go_while_it_runs(tmp_path: Path) -> None:
    first, second = free_ports(2)
    heard = Heard()
    a, b = account("a", first), account("b", second)
    async with relay(tmp_path / "relay", heard) as one:
        assert one.touched_by({"a": a}) == ("a",)
        await one.bring({"a": a})
        begun = one.process
        assert set(one.states) == {"a"}
        assert one.touched_by({"a": a, "b": b}) == ("b",)
        await one.bring({"a": a})
        await one.bring({"a": a, "b": b})
        assert set(one.states) == {"a", "b"}
        await one.bring({"a": a, "b": {**b, "unit": "u"}})
        assert one.states["b"]["unit"] == "u"
        assert one.touched_by({"b": {**b, "unit": "u"}}) == ()
        await one.bring({"b": {**b, "unit": "u"}})
        assert one.process == begun
        assert set(one.states) == {"b"}
        assert set(kept_accounts(tmp_path / "relay")) == {"b"}
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", first))
        # it listens itself where it began later, and a new one does again
        assert one.process is not None
        processes.kill(one.process)
        await kept(one, lambda: one.running and set(one.states) == {"b"})
        socket.create_connection(("127.0.0.1", second)).close()
        assert (tmp_path / "relay/settings.json").stat().st_mode & 0o777 == 0o600
        await one.bring({})
        assert not one.running
        assert kept_accounts(tmp_path / "relay") == {}


async def test_what_it_refuses_leaves_everything_as_it_was(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    async with relay(tmp_path / "relay", Heard()) as one:
        await one.bring({"a": account("a", port)})
        begun = one.process
        with pytest.raises(GatewayError, match=r"the settings are not taken: .*window"):
            await one.bring({"a": account("a", port, window=0)})
        assert (one.process, one.accounts) == (begun, {"a": account("a", port)})
        assert kept_accounts(tmp_path / "relay") == {"a": account("a", port)}
        assert set(one.states) == {"a"}


async def test_one_of_another_version_is_started_anew(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    async with relay(tmp_path / "relay", Heard()) as one:
        await one.bring({"a": account("a", port)})
        begun = one.process
        async with relay(tmp_path / "relay", Heard(), version="another") as other:
            assert other.adopt(one.process)
            assert other.touched_by({"a": account("a", port)}) == ()
            one.close()  # as its end would
            await other.bring({"a": account("a", port, unit="u")})
            assert other.process != begun
            assert other.states["a"]["unit"] == "u"


async def test_one_that_a_signal_has_stopped_is_let_go_on_and_else_ended(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    heard = Heard()
    async with relay(tmp_path / "relay", heard, patience=3.0) as one:
        await one.bring({"a": account("a", port)})
        assert one.process is not None
        processes.send_signal(one.process, signal.SIGSTOP)
        await kept(one, lambda: any("SIGCONT" in text for text in heard.said))
        processes.send_signal(one.process, signal.SIGSTOP)
        await kept(one, lambda: any("started again" in text for text in heard.said))
        await kept(one, lambda: one.running and set(one.states) == {"a"})


async def test_one_that_ends_is_started_again_and_told_what_it_is_held_to(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    heard = Heard()
    async with relay(tmp_path / "relay", heard, {"a": 7.0}) as one:
        await one.bring({"a": account("a", port, ceiling=30.0)})
        assert one.states["a"]["rate"] == 7.0
        assert one.process is not None
        processes.kill(one.process)
        with socket.create_connection(("127.0.0.1", port)):  # whoever connects meanwhile is not refused
            await kept(one, lambda: any("SIGKILL: started again" in text for text in heard.said))
            await kept(one, lambda: one.running and one.states.get("a", {}).get("rate") == 7.0)


async def test_another_kannelkit_takes_it_on(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    async with relay(tmp_path / "relay", Heard()) as one:
        await one.bring({"a": account("a", port)})
        async with relay(tmp_path / "relay", Heard()) as other:
            assert other.adopt(one.process)
            assert other.accounts == {"a": account("a", port)}
            assert other.touched_by({"a": account("a", port)}) == ()
            stranger = processes.current(1)
            assert not other.adopt(stranger)
            assert not other.adopt(None)
            one.close()  # as an end of the first one would


async def test_a_port_that_is_taken_is_told_before_anything_is_stopped(tmp_path: Path) -> None:
    port, taken = free_ports(2)
    async with relay(tmp_path / "relay", Heard()) as one:
        await one.bring({"a": account("a", port)})
        begun = one.process
        with socket.socket() as other:
            other.bind(("127.0.0.1", taken))
            other.listen()
            with pytest.raises(HostError, match=f"relay-port {taken} is in use by .*"):
                await one.bring({"a": account("a", port), "b": account("b", taken)})
        assert one.process == begun
        assert one.running
        assert set(one.accounts) == {"a"}
