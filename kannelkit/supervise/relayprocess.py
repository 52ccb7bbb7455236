"""The relay's process: begun with a settings file and sockets, and how it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

from kannelkit.errors import GatewayError

LOG, OUT = "relay.log", "relay.out"
MOST_SAID = 200  # characters


def launch(folder: Path, settings: Path, descriptors: Collection[int]) -> subprocess.Popen[bytes]:
    """Start a relay with these settings, which inherits these sockets. Raises GatewayError."""
    words = [sys.executable, "-m", "kannelkit", "relay", "--settings", str(settings), "--json"]
    try:
        with (
            os.fdopen(os.open(folder / LOG, _APPEND, 0o640), "wb") as log,
            os.fdopen(os.open(folder / OUT, _TRUNCATE, 0o640), "wb") as out,
        ):
            return subprocess.Popen(  # noqa: S603 - this very program, with a file that kannelkit wrote
                words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=out,
                start_new_session=True,
                cwd="/",
                pass_fds=tuple(descriptors),
            )
    except OSError as error:
        raise GatewayError(f"the relay cannot be started: {error.strerror}", f"look at {folder}") from error


def how_ended(folder: Path, code: int | None) -> str:
    """Return how a relay ended whose exit code is known or not, and what it said of that."""
    how = "ended"
    if code is not None and code < 0:
        names = {number.value: number.name for number in signal.Signals}
        how = f"was ended by {names.get(-code, f'signal {-code}')}"
    elif code:
        how = f"ended with exit code {code}"
    try:
        lines = (folder / OUT).read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return f"{how}: {lines[-1][:MOST_SAID]}" if lines else how


_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
_TRUNCATE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
