"""One box (bearerbox or smsbox) as a process: started, adopted, watched by pid and start time, stopped in order."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from kannelkit.errors import GatewayError
from kannelkit.host import processes
from kannelkit.host.processes import ProcessId

# seconds to wait before the next start of a box that keeps ending: 1, 2, 4, ... up to this
_LONGEST_PAUSE = 30.0
# a box that ran this long before it ended is started again at once
_RAN_WELL = 60.0
# a box needs 2 to 4 s to stop, longer when a provider does not answer its unbind (30 s)
_STOP_SECONDS = 40.0
_KILL_SECONDS = 5.0


def find_program(name: str) -> str:
    """Return the path of one of Kannel's programs. Raises GatewayError where it is not installed."""
    # sbin is not on an ordinary user's PATH in Debian
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"))
    found = shutil.which(name, path=path)
    if found is None:
        raise GatewayError(f"{name} is not installed", "Debian and Ubuntu: apt-get install kannel")
    return found


class Box:
    """A box that runs from one configuration file.

    It is a process group of its own, so that Ctrl-C in the terminal reaches kannelkit alone, and it lives on when
    kannelkit is killed. What it says before its log is open goes to `out_file`.
    """

    def __init__(
        self, name: str, conf_file: Path, out_file: Path, keep: Callable[[str, ProcessId | None], None]
    ) -> None:
        self.name = name
        self.process: ProcessId | None = None
        self._conf_file = conf_file
        self._out_file = out_file
        self._keep = keep
        self._child: subprocess.Popen[bytes] | None = None
        self._since = 0.0
        self._failures = 0

    def adopt(self, process: ProcessId | None) -> bool:
        """Take on a process that an earlier kannelkit started, if it still runs from the same file."""
        if process is None or not processes.alive(process):
            return False
        words = processes.command_line(process)
        if not words or Path(words[0]).name != self.name or str(self._conf_file) not in words:
            return False
        self.process = process
        return True

    def start(self, now: float) -> ProcessId:
        """Start the box at `now` (monotonic seconds). Raises GatewayError."""
        program = find_program(self.name)
        # panics only: everything else goes to the log file
        words = [program, "--verbosity", "4", str(self._conf_file)]
        try:
            descriptor = os.open(self._out_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise GatewayError(f"{self._out_file}: {error.strerror}", "what the box says has to go there") from error
        try:
            self._child = subprocess.Popen(  # noqa: S603 - Kannel's own program with a file that kannelkit wrote
                words, stdin=subprocess.DEVNULL, stdout=descriptor, stderr=descriptor, start_new_session=True, cwd="/"
            )
        except OSError as error:
            raise GatewayError(f"{program} cannot be started: {error.strerror}") from error
        finally:
            os.close(descriptor)
        self.process = processes.current(self._child.pid)
        self._since = now
        self._keep(self.name, self.process)
        if self.process is None:
            raise GatewayError(f"{self.name} ended as soon as it was started{self.last_words()}")
        return self.process

    @property
    def running(self) -> bool:
        """Whether the box's process is there now."""
        if self._child is not None:
            self._child.poll()  # or it would stay a zombie
        return self.process is not None and processes.alive(self.process)

    @property
    def ours(self) -> bool:
        """Whether this object started the process that runs, rather than adopted it."""
        return self._child is not None and self.running

    def ended(self, now: float) -> float:
        """Take note that the box ended by itself at `now`; return the seconds to wait before the next start."""
        self._keep(self.name, None)
        self.process = None
        self._failures = 0 if now - self._since >= _RAN_WELL else self._failures + 1
        return min(_LONGEST_PAUSE, 2.0 ** (self._failures - 1)) if self._failures else 0.0

    def exit_text(self) -> str:
        """Return how the last process ended, in words, as far as that is known."""
        code = self._child.poll() if self._child is not None else None
        if code is None:
            return "ended"
        if code < 0:
            names = {number.value: number.name for number in signal.Signals}  # not all real-time signals have one
            return f"was ended by {names.get(-code, f'signal {-code}')}"
        return f"ended with exit code {code}"

    def last_words(self) -> str:
        """Return the end of what the box said outside its log, as a part of an error message."""
        try:
            lines = self._out_file.read_text(errors="replace").splitlines()
        except OSError:
            return ""
        panics = [line.split("PANIC: ", 1)[1] for line in lines if "PANIC: " in line]
        return f": {panics[0]}" if panics else ""

    async def stop(self, seconds: float = _STOP_SECONDS) -> bool:
        """Stop the box in order, and only after `seconds` by force; return whether it went by itself."""
        if self.process is None:
            return True
        in_order = await processes.end(self.process, seconds)
        if self._child is not None:
            self._child.poll()
        self._keep(self.name, None)
        self.process = None
        return in_order

    async def kill(self) -> None:
        """End the box at once, by force."""
        if self.process is not None:
            processes.kill(self.process)
            await processes.wait_gone(self.process, _KILL_SECONDS)
        if self._child is not None:
            self._child.poll()
        self._keep(self.name, None)
        self.process = None
