"""Looks at a gateway again and again, in a thread of its own, and keeps what was seen last for whoever asks.

For a health daemon that stands alone. A server's answers never wait for a look, and what a look meets, a bearerbox that
hangs or a status.xml of megabytes, is not in the way of the event loop that answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from kannelkit import __version__
from kannelkit.errors import HostError, InputError
from kannelkit.health.checks import report
from kannelkit.health.exposition import Exposition, Written
from kannelkit.health.hysteresis import Steady
from kannelkit.health.kept import Kept
from kannelkit.health.metrics import Choice
from kannelkit.health.metrics_exporter import add_exporter
from kannelkit.health.metrics_gateway import add_gateway
from kannelkit.health.metrics_logs import LogCounts
from kannelkit.health.metrics_rows import Seen, link_rows
from kannelkit.health.metrics_totals import Totals
from kannelkit.health.observe import Observer
from kannelkit.health.observed import Observed
from kannelkit.health.server import Known
from kannelkit.health.values import Report
from kannelkit.render import Account
from kannelkit.spec import Spec
from kannelkit.supervise.memory import Event, Memory
from kannelkit.supervise.running import logs_of

_MOST_EVENTS = 10_000
# a look takes well under a second, and six where everything hangs
_LOOK_SECONDS = 30.0


class Looks:
    """Looks at the gateway of a spec, from `run` until that is cancelled, with `every` seconds between two looks.

    `load` reads the spec anew once its file has changed; `tell` is given what a person should know.
    """

    def __init__(
        self, spec: Spec, load: Callable[[], Spec], tell: Callable[[str], None], *, every: float = 1.0
    ) -> None:
        self._ended = time.monotonic()
        self._spec = spec
        self._load = load
        self._tell = tell
        self._every = every
        self._written = _changed(spec.path)
        self._told = ""
        self._observer = Observer()
        self._steady = Steady()
        self._counting = Counting()
        self._report: Report | None = None
        self._observed: Observed | None = None

    def known(self) -> Known:
        """Return what a server answers from."""
        return Known(
            report=lambda: self._report,
            state=lambda: self._observed.overview if self._observed else None,
            metrics=self._counting.metrics,
            spec=lambda: self._spec,
            alive=lambda: self.alive(time.monotonic()),
        )

    def alive(self, now: float) -> bool:
        """Return whether looks go on at `now` (time.monotonic): the last one ended not long ago, whatever it saw."""
        return now - self._ended < self._every + _LOOK_SECONDS

    async def run(self) -> None:
        """Look, again and again. No fault of one look ends it; it is told once."""
        pool = ThreadPoolExecutor(1, "look")
        try:
            while True:
                look = asyncio.wrap_future(pool.submit(self._look))
                await asyncio.wait({look})
                self._ended = time.monotonic()
                self._say(look.exception())
                await asyncio.sleep(self._every)
        finally:
            pool.submit(self._counting.close)  # after the look that is under way
            pool.shutdown(wait=False)  # a look that hangs ends within seconds, and nobody here waits for it

    def _say(self, error: BaseException | None) -> None:
        if error is None:
            return
        text = f"a look failed for a reason of kannelkit's own, please report it: {error!r}"
        if text != self._told:
            self._told = text
            self._tell(text)

    def _look(self) -> None:
        self._read_spec()
        begun = time.monotonic()
        observed = self._observer.observe(self._spec)
        told = self._steady.settled(report(observed, self._spec.health_thresholds), time.monotonic())
        self._observed, self._report = observed, told
        self._counting.count(observed, told, self._observer.kept, time.monotonic() - begun)

    def _read_spec(self) -> None:
        written = _changed(self._spec.path)
        if written == self._written:
            return
        self._written = written
        try:
            self._spec = self._load()
            self._tell("the spec has changed and was read again; health.listen, token and certificate stay as they are")
        except InputError as error:
            self._tell(f"the spec has changed and cannot be read; the former one holds here:\n{error}")


class Counting:
    """The totals of a gateway, and its metrics as text. Counting and reading may happen in different threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals = Totals()
        self._seen = Seen(time.time())
        self._texts: dict[str, bytes] = {}
        self._written: Written = {}
        self._logs: LogCounts | None = None
        self._followed: object = None
        self._event: int | None = None
        self._newest: Sequence[Event] = ()

    def count(self, observed: Observed, told: Report, kept: Kept | None, seconds: float) -> None:
        """Count what happened since the last call; `kept` is None where the state-dir was never read."""
        status = observed.status
        accounts: Sequence[Account] = kept.accounts if kept else ()
        rows = link_rows(accounts, observed.overview, status)
        certificates = {
            f"{each.path.parent.name}/{each.path.name}": each.expires
            for each in observed.certificates
            if each.expires is not None
        }
        with self._lock:
            if kept is not None:
                self._follow(kept)
            if status is not None:
                self._totals.status(status, rows)
            self._seen = Seen(observed.at, seconds, status, observed.overview, told, rows, certificates)
            self._texts.clear()

    def metrics(self, names: Choice) -> bytes:
        """Return the text of /metrics; written at the first call after a look."""
        with self._lock:
            if names not in self._texts:
                text = Exposition(self._written)
                if names != "kannel_exporter":
                    add_gateway(text, self._seen, self._totals, __version__)
                if names != "kannelkit":
                    add_exporter(text, self._seen, self._totals)
                self._texts[names] = text.octets()
            return self._texts[names]

    def close(self) -> None:
        """Give back what is open."""
        if self._logs is not None:
            self._logs.close()

    def _follow(self, kept: Kept) -> None:
        names = sorted({account.smsc_id for account in kept.accounts})
        files = kept.spec.files
        wanted = (names, logs_of(kept.spec), files.access_log)
        if wanted != self._followed:
            self.close()
            self._followed = wanted
            self._logs = LogCounts(self._totals, wanted[1], files.access_log, names)
            self._totals.begin(names)
        if self._logs is not None:
            process = kept.processes.get("bearerbox")
            self._logs.read(process.pid if process else None)
        newest = kept.readings.events[-1:]
        if newest != self._newest or self._event is None:
            with contextlib.suppress(HostError, OSError, ValueError):
                self._happened(kept.spec.state_dir / "state.db")
                self._newest = newest

    def _happened(self, path: Path) -> None:
        if not path.exists():
            return
        memory = Memory(path, read_only=True)
        try:
            if self._event is None:  # what happened before is not counted
                newest = memory.history(most=1)
                self._event = newest[-1][0] if newest else 0
                return
            for number, event in memory.history(
                kinds=("rate", "failover", "note"), after=self._event, most=_MOST_EVENTS
            ):
                self._event = number
                self._totals.happened(event.as_dict())
        finally:
            memory.close()


@dataclass(frozen=True, slots=True)
class _Unchanged:
    """What a file is known by to be as it was."""

    inode: int
    octets: int
    written: int


def _changed(path: Path) -> _Unchanged | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return _Unchanged(status.st_ino, status.st_size, status.st_mtime_ns)
