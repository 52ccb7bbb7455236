"""Programs that a test starts and therefore stops: by pid, first asked, then made to."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process
from contextlib import suppress
from pathlib import Path


async def start(*arguments: str | Path, output: Path, cwd: Path | None = None) -> Process:
    """Start a program with both its outputs appended to the file `output`; raise OSError as exec does."""
    with output.open("ab") as file:
        return await asyncio.create_subprocess_exec(
            *map(str, arguments), stdin=asyncio.subprocess.DEVNULL, stdout=file, stderr=file, cwd=cwd
        )


async def stop(process: Process | None, seconds: float) -> int | None:
    """Ask the program to end with SIGTERM, kill it when `seconds` have passed; return its exit code."""
    if process is None:
        return None
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), seconds)
        except TimeoutError:
            with suppress(ProcessLookupError):  # it may have ended just now
                process.kill()
            await process.wait()
    return process.returncode
