"""The rotation that `kannelkit systemd` writes, carried out by logrotate while a real gateway sends."""

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
from tests.harness import child
from tests.harness.load import load
from tests.integration.operated import LOGIN, PATIENCE, Up, arrived, drained, simulator

pytestmark = pytest.mark.kannel

LOGROTATE = shutil.which("logrotate", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
MESSAGES, SPEED = 240, 60


class Rotation:
    """logrotate with what `kannelkit systemd` made of a spec, and nothing else."""

    def __init__(self, folder: Path, spec: Path) -> None:
        out = folder / "machine"
        made = CliRunner().invoke(group, ["systemd", str(spec), "--user", getpass.getuser(), "-o", str(out)])
        assert made.exit_code == 0, made.output
        self._file = out / "etc/logrotate.d/kannelkit-gateway"
        self._state = folder / "logrotate.state"
        if os.geteuid():  # only root may become somebody
            self._file.write_text(re.sub(r"^ +su .*\n", "", self._file.read_text(), flags=re.MULTILINE))

    async def now(self) -> str:
        assert LOGROTATE is not None
        output = self._state.with_suffix(".out")
        output.unlink(missing_ok=True)
        process = await child.start(LOGROTATE, "--force", "--state", self._state, self._file, output=output)
        code = await asyncio.wait_for(process.wait(), PATIENCE)
        said = output.read_text()
        assert code == 0, said
        return said


def lines(log: Path) -> list[str]:
    """Return the lines of a log over all its rotations."""
    files = log.parent.glob(f"{log.name}*")
    texts = (gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes() for file in files)
    return [line for text in texts for line in text.decode().splitlines()]


@pytest.mark.skipif(LOGROTATE is None, reason="logrotate is not installed (Debian: logrotate)")
async def test_no_line_and_no_message_is_lost_and_no_link_is_bound_anew(tmp_path: Path) -> None:
    async with simulator() as smsc, Up(tmp_path, smsc, throughput=SPEED) as gateway:
        await gateway.saying("ready")
        rotation = Rotation(tmp_path, gateway.path)
        sending = asyncio.create_task(load(gateway.sendsms_port, MESSAGES, speed=SPEED))
        for _ in range(3):
            said = await rotation.now()
            assert re.findall(r"(\w+) \(pid \d+\) has opened its logs anew", said) == ["bearerbox", "smsbox"]
        assert not sending.done()  # so it was under load
        sent = await sending
        assert sent.failed == {}
        await drained(gateway)
        assert arrived(smsc) == (MESSAGES, 0)
        access = gateway.log.with_name("access.log")
        assert len([line for line in lines(access) if " Sent SMS " in line]) == MESSAGES
        assert access.with_name("access.log.1").exists()
        assert access.with_name("access.log.2.gz").exists()
        assert {access.stat().st_mode & 0o777, gateway.log.stat().st_mode & 0o777} == {0o640}
        assert "gracefully restarting" not in "".join(lines(gateway.log))
        assert smsc.account(LOGIN).counters.binds == 1
        smsc.change_limit(LOGIN, 20)  # kannelkit reads on in the new log
        await load(gateway.sendsms_port, 60, speed=400, series=1)
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
