"""Logs that are rotated while a real gateway sends, also by logrotate with the file that `kannelkit systemd` writes."""

from __future__ import annotations

import asyncio
import getpass
import gzip
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from kannelkit.cli.main import group
from kannelkit.render.units import rotated
from kannelkit.spec import load as load_spec
from tests.harness import child
from tests.harness.load import load
from tests.integration.operated import LOGIN, PATIENCE, Up, arrived, drained, simulator

pytestmark = pytest.mark.kannel

LOGROTATE = shutil.which("logrotate", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
SPEED = 60  # SMS per second


class Rotation:
    """The rotation of a spec's logs; `now` returns what reopen-logs said."""

    def __init__(self, folder: Path, spec: Path) -> None:
        self._spec = spec
        self._output = folder / "rotation.out"

    async def now(self, number: int) -> str:
        """Rename every log, as logrotate's `nocreate` does."""
        for log in rotated(load_spec(self._spec, {})):
            log.rename(log.with_name(f"{log.name}.{number}"))
        return await self.run(sys.executable, "-m", "kannelkit", "reopen-logs", self._spec)

    async def run(self, *words: str | Path) -> str:
        self._output.unlink(missing_ok=True)
        process = await child.start(*words, output=self._output)
        code = await asyncio.wait_for(process.wait(), PATIENCE)
        said = self._output.read_text()
        assert code == 0, said
        return said


class ByLogrotate(Rotation):
    """logrotate with what `kannelkit systemd` made of the spec, and nothing else."""

    def __init__(self, folder: Path, spec: Path) -> None:
        super().__init__(folder, spec)
        out = folder / "machine"
        made = CliRunner().invoke(group, ["systemd", str(spec), "--user", getpass.getuser(), "-o", str(out)])
        assert made.exit_code == 0, made.output
        self._file = out / "etc/logrotate.d/kannelkit-gateway"
        self._state = folder / "logrotate.state"
        if os.geteuid():  # only root may become somebody
            self._file.write_text(re.sub(r"^ +su .*\n", "", self._file.read_text(), flags=re.MULTILINE))

    async def now(self, number: int) -> str:
        assert LOGROTATE is not None
        return await self.run(LOGROTATE, "--force", "--state", self._state, self._file)


def lines(log: Path) -> list[str]:
    """Return the lines of a log over all its rotations."""
    files = log.parent.glob(f"{log.name}*")
    texts = (gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes() for file in files)
    return [line for text in texts for line in text.decode().splitlines()]


async def load_until(enough: asyncio.Event, gateway: Up) -> int:
    """Send half a second's messages again and again, and return how many all that were."""
    series = 0
    while not enough.is_set():
        series += 1
        sent = await load(gateway.sendsms_port, SPEED // 2, speed=SPEED, series=series)
        assert sent.failed == {}
    return series * (SPEED // 2)


WAYS = [
    pytest.param(Rotation, id="renamed"),
    pytest.param(
        ByLogrotate,
        id="logrotate",
        marks=pytest.mark.skipif(LOGROTATE is None, reason="logrotate is not installed (Debian: logrotate)"),
    ),
]


@pytest.mark.parametrize("way", WAYS)
async def test_no_line_and_no_message_is_lost_and_no_link_is_bound_anew(tmp_path: Path, way: type[Rotation]) -> None:
    async with simulator() as smsc, Up(tmp_path, smsc, throughput=SPEED) as gateway:
        await gateway.saying("ready")
        rotation = way(tmp_path, gateway.path)
        rotated_all = asyncio.Event()
        sending = asyncio.create_task(load_until(rotated_all, gateway))
        for number in range(2):
            said = await rotation.now(number)
            assert re.findall(r"(\w+) \(pid \d+\) has opened its logs anew", said) == ["bearerbox", "smsbox"]
        rotated_all.set()
        messages = await sending
        await drained(gateway)
        assert arrived(smsc) == (messages, 0)
        access = gateway.log.with_name("access.log")
        assert len([line for line in lines(access) if " Sent SMS " in line]) == messages
        assert len(list(access.parent.glob("access.log.*"))) == 2
        assert "gracefully restarting" not in "".join(lines(gateway.log))
        assert smsc.account(LOGIN).counters.binds == 1
        smsc.change_limit(LOGIN, 20)  # kannelkit reads on in the new log
        await load(gateway.sendsms_port, 60, speed=400)
        await gateway.saying(f"throughput {SPEED} -> ")


async def test_nothing_is_sent_a_signal_where_no_box_runs(tmp_path: Path) -> None:
    async with simulator() as smsc:
        gateway = Up(tmp_path, smsc)
        gateway.write()
        answer = subprocess.run(
            [sys.executable, "-m", "kannelkit", "reopen-logs", gateway.path],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (answer.returncode, answer.stdout) == (0, "")
        assert answer.stderr == "bearerbox does not run\nsmsbox does not run\n"
        assert not gateway.state.exists()
