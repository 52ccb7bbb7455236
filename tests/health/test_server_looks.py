"""A look at whatever the admin port answers leads to an answer, and to metrics that can be read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from kannelkit.errors import GatewayError
from kannelkit.gateway.status import parse_status
from kannelkit.health.exposition import Exposition
from kannelkit.health.metrics import CHOICES
from kannelkit.health.metrics_gateway import add_gateway
from kannelkit.health.metrics_rows import Seen, link_rows
from kannelkit.health.metrics_totals import Totals
from kannelkit.health.server import Known
from kannelkit.health.server_looks import Looks
from kannelkit.health.values import sending_accounts
from kannelkit.spec import Spec, load
from tests.gateway.server import listening
from tests.harness.waiting import until
from tests.health.statusxml import GOOD, READABLE, UNREADABLE, accounts


def spec(folder: Path, port: int) -> Spec:
    path = folder / "spec.yaml"
    smsc = "".join(
        f"- {{smsc-id: account{n}, host: 127.0.0.1, port: 1, smsc-username: u, smsc-password: p}}\n" for n in range(3)
    )
    path.write_text(f"core: {{admin-port: {port}, admin-password: admin-secret}}\nsmsc:\n{smsc}")
    return load(path, {})


@asynccontextmanager
async def looking(of: Spec, reload: Callable[[], Spec], said: list[str]) -> AsyncIterator[Looks]:
    """Look at a gateway; the first look has ended when this yields."""
    looks = Looks(of, reload, said.append, every=0.05)
    running = asyncio.create_task(looks.run())
    try:
        await until(lambda: looks.known().report() is not None or running.done())
        yield looks
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize("what", [*READABLE, *UNREADABLE])
async def test_a_look_at_anything_is_one(tmp_path: Path, what: str) -> None:
    body = {**READABLE, **UNREADABLE}[what]

    async def admin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    said: list[str] = []
    async with listening(admin) as port:
        of = spec(tmp_path, port)
        async with looking(of, lambda: of, said) as looks:
            known = looks.known()
            state = known.state()
            assert state is not None
            if what in READABLE and what not in NO_LINKS:
                await until(lambda: sends(known))  # a look that came too late on a busy machine has another one
            else:
                assert not sends(known)
            for names in CHOICES:
                assert list(text_string_to_metric_families(known.metrics(names).decode()))
    assert said == []


def sends(known: Known) -> bool:
    report = known.report()
    assert report is not None
    return bool(sending_accounts(report))


async def test_looks_go_on_whatever_they_meet_and_are_missed_when_they_do_not(tmp_path: Path) -> None:
    of = spec(tmp_path, 1)  # nobody listens there
    assert Looks(of, lambda: of, print).alive(time.monotonic())
    async with looking(of, lambda: of, []) as looks:
        assert looks.known().alive()
        assert not looks.alive(time.monotonic() + 60)


NO_LINKS = ("no link", "seven megabytes of one box")

places = st.integers(0, len(GOOD))


@settings(max_examples=200)
@given(places, places, st.binary(max_size=30))
def test_metrics_of_any_status_can_be_read(begin: int, end: int, filling: bytes) -> None:
    changed = GOOD[:begin] + filling + GOOD[max(begin, end) :]
    try:
        status = parse_status(changed)
    except GatewayError:
        return
    totals, text = Totals(), Exposition()
    rows = link_rows(accounts(3), None, status)
    totals.status(status, rows)
    add_gateway(text, Seen(0.0, 0.0, status, None, None, rows), totals, "0")
    assert list(text_string_to_metric_families(text.octets().decode()))
