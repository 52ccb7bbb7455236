"""`kannelkit trace`: one looks on while messages pass a relay, until Ctrl-C; and hears why where there is none."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kannelkit.cli.main import group
from kannelkit.relay.settings import RelaySettings, write
from kannelkit.simulator import AccountRules, Simulator
from kannelkit.supervise.relaysettings import FILE
from tests.relay.running import NAME, account, bound, running

SPEC = """
state-dir: state
core: {admin-password: {env: A_VARIABLE_THAT_ONLY_THE_SUPERVISOR_HAS}}
smsc:
  - {smsc-id: acc, host: 127.0.0.1, smsc-username: u, smsc-password: p4ssw0rd, throughput: 60, pacing: relay,
     allowed-smsc-id: acc}
  - {smsc-id: bulk, host: bulk.test, smsc-username: v, smsc-password: p4ssw0rd, throughput: 20, allowed-smsc-id: bulk}
"""
PATIENCE = 60.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC)
    (tmp_path / "state").mkdir()
    return path


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(group, ["trace", *map(str, arguments)])
    assert "Traceback" not in result.output
    assert "p4ssw0rd" not in result.output
    return result


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["acc"], 1, "the relay does not run\n  hint: kannelkit up SPEC runs it"),
        (["bulk"], 1, "bulk does not pass the relay; acc does\n  hint: write pacing: relay for bulk in SPEC, then"),
        (["other"], 2, "the spec has no account 'other'. It has: acc, bulk"),
        (["acc", "--only", "submit_sn"], 2, "'submit_sn' is no command of SMPP; submit_sm is one"),
        (["acc", "--number", "shop"], 2, "'shop' is no telephone number; write +79161234567"),
    ],
)
def test_what_cannot_be_looked_at_is_said(path: Path, arguments: list[str], code: int, said: str) -> None:
    result = run(path, *arguments)
    assert result.exit_code == code
    assert said in result.stderr.replace(str(path), "SPEC")


def test_an_account_that_the_relay_does_not_have_yet_is_applied_first(path: Path) -> None:
    (path.parent / "state/relay").mkdir()
    (path.parent / "state/relay/settings.json").write_text(json.dumps({"accounts": [{"name": "another"}]}))
    result = run(path, "acc")
    assert (result.exit_code, "the relay runs without acc yet" in result.stderr) == (1, True)


@asynccontextmanager
async def tracing(path: Path, *arguments: str, stdout: int = PIPE) -> AsyncIterator[Process]:
    """Run the command as a person does; it looks on when the block begins."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "kannelkit", "trace", str(path), NAME, *arguments),
        stdout=stdout,
        stderr=PIPE,
        env={**os.environ, "NO_COLOR": "1"},
    )
    try:
        assert process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            assert (await process.stderr.readline()).startswith(b"PDUs of acc, until Ctrl-C")
            yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_one_looks_on_until_ctrl_c_and_through_another_relay(path: Path) -> None:
    folder = path.parent / "state/relay"
    async with AsyncExitStack() as stack:
        smsc = await stack.enter_async_context(Simulator([AccountRules("test", "test", limit=None)]))
        async with running(folder, account(smsc.port)):
            looking = tracing(path, "--only", "submit_sm", "--number", "+7 (999) 000-00-02", "--texts", "--json")
            process = await stack.enter_async_context(looking)
        assert process.stdout is not None
        assert process.stderr is not None
        assert await process.stderr.readline() == b"the relay has ended; waiting for the next one\n"
        async with running(folder, account(smsc.port)) as relay:
            assert await process.stderr.readline() == b"the relay is back\n"
            async with bound(relay) as esme:
                for number in (b"79990000001", b"79990000002"):
                    esme.send(0x04, {"destination_addr": number, "short_message": b"the text"})
                    await esme.receive()
                found = [json.loads(await process.stdout.readline()) for _ in range(6)]
            process.send_signal(signal.SIGINT)
            rest, errors = await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in errors
    assert b"79990000001" not in rest
    events = [each["event"] for each in found if "event" in each]
    assert events == ["connected", f"connected to 127.0.0.1:{smsc.port}"]
    assert [(each["side"], each["command"]) for each in found[2:]] == [
        ("bearerbox", "submit_sm"),
        ("provider", "submit_sm"),
        ("provider", "submit_sm_resp"),
        ("bearerbox", "submit_sm_resp"),
    ]
    assert {each["message"]["text"] for each in found if "message" in each} == {"the text"}


SAID_OF_A_REMOVED = (
    b"acc does not pass the relay any more\n  hint: it was removed, or its pacing was changed: kannelkit"
)


async def test_an_account_that_a_reload_takes_away_ends_it(path: Path) -> None:
    folder = path.parent / "state/relay"
    file = path.parent / "relay.json"
    async with Simulator([AccountRules("test", "test", limit=None)]) as smsc:
        other = account(smsc.port, name="other", unit="other")
        async with (
            running(folder, account(smsc.port), other, file=file) as relay,
            tracing(path, "--json") as process,
        ):
            write(file, RelaySettings(folder, (other,)))
            await relay.reload()
            printed, errors = await process.communicate()
    assert (process.returncode, printed) == (1, b"")
    assert SAID_OF_A_REMOVED in errors


async def test_a_relay_that_ended_with_its_last_account_ends_it(path: Path) -> None:
    folder = path.parent / "state/relay"
    settings = folder / FILE
    async with AsyncExitStack() as stack:
        smsc = await stack.enter_async_context(Simulator([AccountRules("test", "test", limit=None)]))
        async with running(folder, account(smsc.port)):
            settings.write_text(json.dumps({"accounts": [{"name": NAME}]}))
            process = await stack.enter_async_context(tracing(path))
            settings.unlink()  # as a supervisor does that has no account for a relay
        _, errors = await process.communicate()
    assert process.returncode == 1
    assert SAID_OF_A_REMOVED in errors


async def test_a_reader_that_leaves_ends_it_without_a_word(path: Path) -> None:
    reading, writing = os.pipe()
    async with (
        Simulator([AccountRules("test", "test", limit=None)]) as smsc,
        running(path.parent / "state/relay", account(smsc.port)) as relay,
        tracing(path, stdout=writing) as process,
    ):
        os.close(writing)
        os.close(reading)
        async with bound(relay) as esme:
            await esme.submit_and_wait()
            assert process.stderr is not None
            assert await process.stderr.read() == b""
        assert await process.wait() == 0
