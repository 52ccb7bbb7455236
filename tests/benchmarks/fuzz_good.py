"""What the fuzzers share: a session that behaves and must not notice, and whether a program grew meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from kannelkit.errors import GatewayError
from kannelkit.gateway.esme import Esme
from kannelkit.host.bind import Login
from kannelkit.host.reach import Address
from kannelkit.smpp.constants import CommandId
from kannelkit.smpp.pdu import FieldValue, Pdu

GOOD_PAUSE = 0.02  # seconds between two messages of a good session
LONGEST_WAIT = 10.0  # seconds for an answer or receipt, those without a processor left out
PATIENCE = 60.0  # the same, whatever the machine does besides
MORE_MEMORY, MORE_OBJECTS = 1.10, 1.05  # times what was there in the second third


@dataclass(frozen=True)
class Moment:
    """When something was asked for, and how long each of these processes had waited for a processor by then."""

    seconds: float
    denied: tuple[tuple[int, float], ...]

    @classmethod
    def of(cls, pids: tuple[int, ...]) -> Moment:
        return cls(time.monotonic(), tuple((pid, denied(pid)) for pid in pids))

    def waited(self) -> float:
        """Return the seconds since, without those in which the process that fared worse had no processor."""
        return time.monotonic() - self.seconds - max(denied(pid) - before for pid, before in self.denied)


def denied(pid: int) -> float:
    """Return the seconds that a process has waited for a processor (Linux, Documentation/scheduler/sched-stats)."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except OSError:  # the process ended, or the kernel does not count it
        return 0.0


@dataclass
class Good:
    """A session that behaves, and what it was given; `troubles` is to stay empty."""

    name: str
    pids: tuple[int, ...]  # of the simulator and of this program
    sent: int = 0
    receipts: int = 0
    waits: list[float] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    waiting: dict[bytes, Moment] = field(default_factory=dict)  # message id -> when it was sent
    early: set[bytes] = field(default_factory=set)  # of receipts that were read in one go with the answer before them

    def received(self, pdu: Pdu) -> int:
        """Take a receipt."""
        for tlv in pdu.tlvs:
            if tlv.tag == 0x001E:
                self.receipts += 1
                message_id = tlv.value.rstrip(b"\0")
                if self.waiting.pop(message_id, None) is None:
                    self.early.add(message_id)
        return 0

    async def run(self, address: Address, until: float) -> None:
        """Send until then, and wait for the last receipt."""
        name = self.name.encode()
        login = Login(name, name, b"", 0x34, True)
        try:
            async with Esme(address, login, received=self.received, patience=PATIENCE) as esme:
                if await esme.bind("transceiver"):
                    raise GatewayError("the bind is refused")
                while time.monotonic() < until:
                    await self._send(esme)
                    await asyncio.sleep(GOOD_PAUSE)
                async with asyncio.timeout(PATIENCE):
                    while self.waiting:
                        await asyncio.sleep(0.05)
        except GatewayError as error:
            self.troubles.append(str(error))
        except TimeoutError:
            self.troubles.append(f"{len(self.waiting)} receipts never came")
        if self.early:
            self.troubles.append(f"{len(self.early)} receipts came twice, or for messages of others")

    def figures(self) -> dict[str, float | None]:
        """Return what it sent and had, and how long it waited."""
        return {
            "sent": self.sent,
            "receipts": self.receipts,
            "median_wait_ms": round(statistics.median(self.waits) * 1000, 1) if self.waits else None,
            "longest_wait_ms": round(max(self.waits) * 1000) if self.waits else None,
        }

    async def _send(self, esme: Esme) -> None:
        began = Moment.of(self.pids)
        self.sent += 1
        fields: dict[str, FieldValue] = {
            "source_addr": b"shop",
            "destination_addr": b"79%09d" % self.sent,
            "registered_delivery": 1,
            "short_message": b"%d" % self.sent,
        }
        answer = await esme.request(Pdu(CommandId.SUBMIT_SM, fields=fields))
        self.waits.append(time.monotonic() - began.seconds)
        if began.waited() > LONGEST_WAIT:
            self.troubles.append(f"a submit was answered after {self.waits[-1]:.1f} s")
        if answer.command_status:
            self.troubles.append(f"a submit was answered with 0x{answer.command_status:02x}")
        elif answer.octets("message_id") in self.early:
            self.early.remove(answer.octets("message_id"))
        else:
            self.waiting[answer.octets("message_id")] = began
        late = [began for began in self.waiting.values() if began.waited() > LONGEST_WAIT]
        if late:
            self.troubles.append(f"{len(late)} receipts did not come within {LONGEST_WAIT:g} s")
            self.waiting.clear()


async def listens(reader: asyncio.StreamReader, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while await reader.read(65536):
                pass


def more(told: list[dict[str, int]], objects: Callable[[Iterable[int]], int] = max) -> list[str]:
    """Return in words what grew from the second third of what a program told of itself to the last one.

    Memory is compared at its most. `objects` is `min` for a program that may hold many, and lets go of them.
    """
    return list(filter(None, (_grown(told, "rss", MORE_MEMORY, max), _grown(told, "objects", MORE_OBJECTS, objects))))


def _grown(told: list[dict[str, int]], name: str, most: float, of: Callable[[Iterable[int]], int]) -> str:
    """Return in words how much a figure grew from the second third to the last, "" where that is no more than usual."""
    third = len(told) // 3
    if third < 30:
        return ""  # too short to say
    before, after = (of(each[name] for each in part) for part in (told[third : 2 * third], told[2 * third :]))
    return f"{name} grew from {before} to {after}" if after > before * most else ""
