"""One measured run of one gateway against the foreign SMSC: load, a span of traffic, the drain, the figures."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.harness.gateway import Gateway, stored
from tests.harness.kannel_alone import KannelAlone
from tests.harness.load import load
from tests.harness.node_smsc import NodeSmsc
from tests.harness.pem import write_pem
from tests.harness.supervised import Supervised
from tests.harness.timeline import Timeline, doubled, lost, measure, seconds_to_limit, span

# Messages a second: all are in bearerbox before the span begins, for each that arrives wakes the link's thread
# and so changes the rhythm of its bursts.
LOAD_SPEED = 500.0
_DRAIN_SECONDS = 180.0
_SETTLE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """What the SMSC does: a limit in messages a second over one sliding second, a delay in ms, TLS or not."""

    limit: int
    delay_ms: int
    tls: bool = False

    def __str__(self) -> str:
        return f"limit {self.limit}, delay {self.delay_ms} ms{', TLS' if self.tls else ''}"


@dataclass(frozen=True, slots=True)
class Result:
    """The figures of one run; rates over the span, everything else over the whole run."""

    who: str
    throughput: float
    accepted_per_second: float
    refused_in_span: int
    refused: int
    refused_share: float
    lost: int
    doubled: int
    changes: int
    seconds_to_limit: float | None
    complete: bool


def count_for(scenario: Scenario, throughput: float, seconds: float) -> int:
    """Return how many messages keep a backlog to the end of the span."""
    return int(min(scenario.limit, max(throughput, 1)) * (seconds + 13))


async def drained(gateway: Gateway, smsc: NodeSmsc, seconds: float) -> bool:
    """Return whether bearerbox kept nothing any more before `seconds` passed."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while loop.time() < deadline:
        if await stored(gateway.admin_port) == 0 and not (await smsc.counters())["pending"]:
            await asyncio.sleep(_SETTLE_SECONDS)
            return await stored(gateway.admin_port) == 0
        await asyncio.sleep(0.5)
    return False


async def wait_for_span(smsc: NodeSmsc, seconds: float) -> tuple[float, float]:
    """Return the span to measure, in ms, when it is over."""
    while True:
        timeline = await smsc.timeline()
        wanted = span(timeline, seconds)
        if wanted is not None and timeline.now > wanted[1]:
            return wanted
        remaining = 1.0 if wanted is None else (wanted[1] - timeline.now) / 1000
        await asyncio.sleep(min(max(remaining, 0.05), 5.0))


async def run(
    scenario: Scenario,
    who: str,
    throughput: float,
    *,
    seconds: float,
    messages: int | None,
    speed: float = LOAD_SPEED,
    say: Callable[[str], None],
    keep: Path | None = None,
) -> Result:
    """Measure `who` ("alone" or "supervised") from `throughput`, and judge every message after the drain.

    After the span the SMSC's limit is lifted: what is left leaves at the gateway's own speed.
    """
    with tempfile.TemporaryDirectory(prefix="kannelkit-bench-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        pem = write_pem(folder / "link.pem") if scenario.tls else None
        async with NodeSmsc(limit=scenario.limit, delay_ms=scenario.delay_ms, tls_pem=pem) as smsc:
            gateway: KannelAlone | Supervised
            if who == "alone":
                gateway = KannelAlone(folder / "alone", smsc.port, throughput, tls_pem=pem)
            else:
                gateway = Supervised(folder / "supervised", smsc.port, int(throughput), tls_pem=pem)
            async with gateway:
                count = messages or count_for(scenario, throughput, seconds)
                say(f"{scenario}: {who} from {throughput:g}, {count} messages")
                began = asyncio.get_running_loop().time()
                loading = asyncio.create_task(load(gateway.sendsms_port, count, speed=speed))
                loading.add_done_callback(
                    lambda task: say(f"  all sent after {asyncio.get_running_loop().time() - began:.1f} s")
                )
                begin, end = await wait_for_span(smsc, seconds)
                sent = await loading
                measured = await smsc.timeline()
                backlog = await stored(gateway.admin_port)
                await smsc.change(limit=0)
                complete = await drained(gateway, smsc, _DRAIN_SECONDS)
                keys = await smsc.messages()
            if keep is not None:
                _keep(keep, scenario, who, throughput, measured, gateway)
        for failure in list(sent.failed.items())[:3]:
            say(f"  not taken by smsbox: {failure}")
        if not backlog:
            say("  the backlog ended before the span did: the rate says less than it could")
        rates = measure(measured, begin, end)
        result = Result(
            who=who,
            throughput=throughput,
            accepted_per_second=rates.accepted_per_second,
            refused_in_span=rates.refused,
            refused=len(measured.refused),
            refused_share=len(measured.refused) / max(1, len(measured.refused) + len(measured.accepted)),
            lost=len(lost(sent.accepted, keys)),
            doubled=sum(times - 1 for times in doubled(keys).values()),
            changes=measured.binds() - 1,
            seconds_to_limit=seconds_to_limit(measured, scenario.limit),
            complete=complete,
        )
        say(
            f"  {result.accepted_per_second:.2f}/s, refused {result.refused}, changes {result.changes}, "
            f"lost {result.lost}, doubled {result.doubled}"
        )
        return result


def _keep(
    keep: Path,
    scenario: Scenario,
    who: str,
    throughput: float,
    timeline: Timeline,
    gateway: KannelAlone | Supervised,
) -> None:
    """Write the timeline and what kannelkit said to a folder, to be looked into afterwards."""
    keep.mkdir(parents=True, exist_ok=True)
    name = f"{who}-{throughput:g}-of-{scenario.limit}-{scenario.delay_ms}ms{'-tls' if scenario.tls else ''}"
    lines = [f"{time:.3f} accepted" for time in timeline.accepted]
    lines += [f"{time:.3f} refused" for time in timeline.refused]
    lines += [f"{event['at']:.3f} {event}" for event in timeline.events]
    lines.sort(key=lambda line: float(line.split(" ", 1)[0]))
    (keep / f"{name}.timeline").write_text("\n".join(lines) + "\n")
    if isinstance(gateway, Supervised):
        shutil.copy(gateway.output, keep / f"{name}.out")
    for log in gateway.folder.glob("**/bearerbox.log"):
        shutil.copy(log, keep / f"{name}.log")
