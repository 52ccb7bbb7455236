"""What a scrape costs: kannelkit beside the method of kannel_exporter, on the same status.xml over the same HTTP.

`python -m tests.benchmarks.bench_scrape [--rounds N]`. The method, rebuilt here, since kannel_exporter is in no package
registry: at every scrape fetch status.xml, parse it whole with xmltodict, make prometheus_client's metrics of it, write
them. kannelkit is measured as Prometheus sees it, written anew and answered from a look made before, and the whole way,
fetch, read, count, write; once with the same metrics, once with all of its own. For 100 and for 1,000 links.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import re
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from urllib.request import urlopen

import aiohttp
import xmltodict  # type: ignore[import-untyped] # ships no types
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from kannelkit.gateway.status import MOST_OCTETS, GatewayStatus, parse_status
from kannelkit.health.exposition import Exposition, Written
from kannelkit.health.fetch import fetch
from kannelkit.health.metrics import Choice
from kannelkit.health.metrics_exporter import add_exporter
from kannelkit.health.metrics_gateway import add_gateway
from kannelkit.health.metrics_rows import Seen, link_rows
from kannelkit.health.metrics_totals import Totals
from kannelkit.health.server import Known, Server
from kannelkit.health.values import SENDING, Check, Report
from kannelkit.render.links import Account
from kannelkit.spec.load import parse
from kannelkit.spec.model import Address
from kannelkit.supervise.overview import Readings, overview
from tests.gateway.server import listening
from tests.health.statusxml import accounts, links_of, status_xml

PEER = "kannel_exporter's method"
SAME_WHOLE = "kannelkit, the same metrics, the whole way"
SAME = "kannelkit, the same metrics, from the last look"
ALL_WHOLE = "kannelkit, all its metrics, the whole way"
ALL = "kannelkit, all its metrics, from the last look"
MOST_SHARE = 3
MOST_MILLISECONDS = 50
_SERVE = "--serve"
_LOOKS = 100
_TOTALS = {
    "failed": "failed_messages_total",
    "received_sms": "received_sms_total",
    "sent_sms": "sent_sms_total",
    "received_dlr": "received_dlr_total",
    "sent_dlr": "sent_dlr_total",
}
_GAUGES = {"queued": "queued_messages", "online": "online_connections", "offline": "offline_connections"}


class Method(Collector):
    """kannel_exporter's method: at each scrape the whole way, from Kannel to the metrics."""

    def __init__(self, url: str) -> None:
        self._url = url

    def collect(self) -> Iterator[Metric]:
        with urlopen(self._url) as answer:  # nothing but this machine
            gateway = xmltodict.parse(answer.read(), postprocessor=lambda path, key, value: (key, value or ""))[
                "gateway"
            ]
        yield GaugeMetricFamily("bearerbox_up", "up", value=1)
        uptime = [int(number) for number in re.findall(r"\d+", gateway["status"])]
        yield GaugeMetricFamily("bearerbox_uptime_seconds", "uptime", value=uptime[-1])
        for direction in ("received", "sent"):
            of = gateway["sms"][direction]
            yield CounterMetricFamily(f"bearerbox_sms_{direction}_total", "total", value=int(of["total"]))
            yield GaugeMetricFamily(f"bearerbox_sms_{direction}_queued", "queued", value=int(of["queued"]))
        smscs: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for link in gateway["smscs"]["smsc"]:
            sums = smscs[link["id"]]
            for key in ("failed", "queued"):
                sums[key] += int(link[key])
            for kind in ("sms", "dlr"):
                for direction in ("received", "sent"):
                    sums[f"{direction}_{kind}"] += int(link[kind][direction])
            sums["online" if re.findall(r"\d+", link["status"]) else "offline"] += 1
        for families, names in ((CounterMetricFamily, _TOTALS), (GaugeMetricFamily, _GAUGES)):
            for key, name in names.items():
                family = families(f"bearerbox_smsc_{name}", name, labels=["smsc_id"])
                for smsc_id, sums in smscs.items():
                    family.add_metric([smsc_id], sums[key])
                yield family


async def serve(links: int) -> None:
    """Be a bearerbox with so many links, and say on which port, until stdin ends."""
    # at every look each link has been online for longer, and sent one more
    bodies = itertools.cycle([status_xml(links_of(links, more), links) for more in range(_LOOKS)])

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = next(bodies)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    async with listening(answer) as port:
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


def asked(port: int) -> GatewayStatus:
    """Return the status as a look has it from bearerbox."""
    return parse_status(fetch("127.0.0.1", port, "/status.xml?password=x", 5.0, MOST_OCTETS))


def looked(status: GatewayStatus, of: Sequence[Account], totals: Totals, names: Choice) -> Seen:
    """Return what a look makes of a status, counted."""
    if names == "kannel_exporter":  # which knows of links alone
        rows = link_rows(of, None, status)
        totals.status(status, rows)
        return Seen(time.time(), 0.01, status, rows=rows)
    state = overview(of, Readings(time.time(), status=status, supervisor=1))
    rows = link_rows(of, state, status)
    totals.status(status, rows)
    checks = tuple(Check(SENDING, "ok", "sends", account=account.smsc_id) for account in of)
    return Seen(time.time(), 0.01, status, state, Report(time.time(), checks), rows)


def written(seen: Seen, totals: Totals, names: Choice, before: Written) -> bytes:
    """Return the metrics of a look, under the names asked for."""
    text = Exposition(before)
    if names == "kannelkit":
        add_gateway(text, seen, totals, "0")
    else:
        add_exporter(text, seen, totals)
    return text.octets()


async def timed(rounds: int, ways: dict[str, Callable[[], Awaitable[bytes]]]) -> dict[str, tuple[float, int]]:
    """Return each way's median in ms and how many series it gave; in each round one way comes after the other."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    series = {}
    for _ in range(rounds):
        for name, way in ways.items():
            begun = time.perf_counter()
            text = await way()
            took[name].append((time.perf_counter() - begun) * 1000)
            series[name] = lines(text)
    return {name: (statistics.median(each), series[name]) for name, each in took.items()}


async def measure(links: int, rounds: int) -> dict[str, tuple[float, int]]:
    """Return what a scrape of so many links costs each way, in ms, and how many series it gives."""
    player = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.benchmarks.bench_scrape", _SERVE, str(links)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert player.stdin is not None
    assert player.stdout is not None
    port = int(await player.stdout.readline())
    of, totals = accounts(links), Totals()
    totals.begin(account.smsc_id for account in of)
    before: Written = {}
    registry = CollectorRegistry()
    registry.register(Method(f"http://127.0.0.1:{port}/status.xml?password=x"))
    spec = parse("smsc: [{provider: smsc.ru, smsc-username: a, smsc-password: b}]", Path("/spec.yaml"), {}, "spec.yaml")
    async with aiohttp.ClientSession() as session:
        seen = looked(asked(port), of, totals, "kannelkit")
        known = Known(
            lambda: None, lambda: None, lambda names: written(seen, totals, names, before), lambda: spec, lambda: True
        )
        server = Server(known, Address("127.0.0.1", 0))
        url = f"http://127.0.0.1:{await server.start()}/metrics"

        async def peer() -> bytes:
            return await asyncio.to_thread(generate_latest, registry)

        def whole(names: Choice) -> bytes:
            return written(looked(asked(port), of, totals, names), totals, names, before)

        async def answered(names: Choice) -> bytes:
            async with session.get(f"{url}?names={names}") as answer:
                return await answer.read()

        found = await timed(
            rounds,
            {
                PEER: peer,
                SAME_WHOLE: lambda: asyncio.to_thread(whole, "kannel_exporter"),
                SAME: lambda: answered("kannel_exporter"),
                ALL_WHOLE: lambda: asyncio.to_thread(whole, "kannelkit"),
                ALL: lambda: answered("kannelkit"),
            },
        )
        await server.stop()
    player.stdin.close()
    await player.wait()
    return found


def lines(text: bytes) -> int:
    """Return how many series a text has."""
    return sum(not line.startswith(b"#") for line in text.splitlines())


def main() -> int:
    """Measure; return 1 where a scrape costs more than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument(_SERVE, type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve is not None:
        asyncio.run(serve(arguments.serve))
        return 0
    failed = False
    for links in (100, 1_000):
        found = asyncio.run(measure(links, arguments.rounds))
        peer = found[PEER][0]
        print(f"{links} links (median of {arguments.rounds})")
        for name, (milliseconds, series) in found.items():
            print(f"  {name:48} {milliseconds:8.2f} ms  {milliseconds / peer:5.2f}  {series:6d} series")
        if links == 100:
            failed = max(found[SAME_WHOLE][0], found[ALL][0]) > peer / MOST_SHARE
        else:
            failed = failed or found[ALL][0] > MOST_MILLISECONDS
    print(f"wanted: at 100 links under 1/{MOST_SHARE} of the method, at 1,000 under {MOST_MILLISECONDS} ms: ", end="")
    print("missed" if failed else "held")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
