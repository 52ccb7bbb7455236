"""The demonstration from its first line to its last: the provider, then one half after the other."""

from __future__ import annotations

import asyncio
import math
import secrets
import tempfile
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from kannelkit.demo import gateway, load
from kannelkit.demo.figures import START_SECONDS, Half, half, is_over, standing
from kannelkit.demo.gateway import Gateway
from kannelkit.demo.provider import Provider, Seen, provider
from kannelkit.demo.screen import Screen
from kannelkit.errors import GatewayError
from kannelkit.simulator.rules import AccountRules
from kannelkit.spec import Spec
from kannelkit.supervise.boxes import find_program
from kannelkit.supervise.memory import Event

LIMIT = 30
THROUGHPUT = 2 * LIMIT
DELAY = 0.05  # seconds until a submit is answered

# The load of a half is what the limit allows until the end of its span and so many seconds more, to keep a backlog.
_MORE_SECONDS = 2
# Kannel alone delivers half of the load in that time. The rest leaves at `throughput` when the limit is lifted, which
# takes a quarter of the time; kannelkit has little left.
_DRAIN_SHARE = 0.25
# both gateways' starts and stops, and what kannelkit has left
_AROUND_SECONDS = 5.0
_SHORTEST_SPAN = 4

LEAST_SECONDS = math.ceil((2 + _DRAIN_SHARE) * (START_SECONDS + _SHORTEST_SPAN) + _AROUND_SECONDS)

_LOOK_EVERY = 0.5
_DRAIN_SECONDS = 120.0
_TITLES = {"alone": "Kannel alone", "kannelkit": "with kannelkit"}


def span_of(seconds: float) -> int:
    """Return the seconds of each half's span, so that all of it takes about `seconds`; LEAST_SECONDS are needed.

    It is an even number, for Kannel alone sends in one second and pauses in the next.
    """
    return int(((seconds - _AROUND_SECONDS) / (2 + _DRAIN_SHARE) - START_SECONDS) // 2) * 2


async def show(seconds: int, screen: Screen) -> tuple[Half, Half]:
    """Show both halves, each with a span of `seconds`, and return their figures: Kannel alone, with kannelkit.

    Everything that is started ends before this returns, is cancelled or raises, and the temporary folder goes.
    Raises GatewayError or HostError where something does not start, ends, or does not do what it has to.
    """
    for program in ("bearerbox", "smsbox"):
        find_program(program)
    with tempfile.TemporaryDirectory(prefix="kannelkit-demo-") as made:
        folder = Path(made)
        password = secrets.token_hex(4)
        rules = [AccountRules(login, password, LIMIT) for login in _TITLES]
        async with provider(folder, rules, DELAY) as smsc:
            halves = []
            for login, title in _TITLES.items():
                screen.begins(title, math.ceil(START_SECONDS + seconds))
                spec = gateway.make_spec(folder / login, smsc.port, login, password, THROUGHPUT)
                halves.append(await _half(login, spec, smsc, seconds, screen))
                screen.ends(halves[-1])
    return halves[0], halves[1]


async def _half(login: str, spec: Spec, smsc: Provider, seconds: int, screen: Screen) -> Half:
    told: deque[Event] = deque()  # shown from here: what fails in the screen must not fail inside the supervisor
    count = math.ceil(LIMIT * (START_SECONDS + seconds + _MORE_SECONDS))
    screen.stage("starting bearerbox and smsbox")
    running = gateway.alone(spec) if login == "alone" else gateway.supervised(spec, told.append)
    async with running as kannel:
        screen.stage(f"sending {count} messages")
        async with _loading(kannel, count) as loading:
            measured = await _span(login, kannel, smsc, seconds, loading, told, screen)
            taken = await loading
        await smsc.lift(login)
        drained = await _drained(login, kannel, smsc, screen)
        screen.stage("stopping the boxes")
    return half(seconds, LIMIT, measured.counters, measured.slots, taken, drained.counters)


@asynccontextmanager
async def _loading(kannel: Gateway, count: int) -> AsyncIterator[asyncio.Task[int]]:
    loading = asyncio.create_task(load.send(*kannel.sendsms, count))
    try:
        yield loading
    finally:
        loading.cancel()
        await asyncio.wait({loading})


async def _span(
    login: str,
    kannel: Gateway,
    smsc: Provider,
    seconds: int,
    loading: asyncio.Task[int],
    told: deque[Event],
    screen: Screen,
) -> Seen:
    """Return what the provider saw when the span is over."""
    until = START_SECONDS + seconds
    while True:
        kannel.check()
        if loading.done():
            loading.result()
        seen = await smsc.seen(login)
        while told:
            screen.event(told.popleft())
        first = seen.counters.first_submit
        if first is not None:
            screen.progress(standing(min(seen.now - first, until), seen.now, seen.slots))
            if is_over(seconds, seen.counters, seen.slots, seen.now):
                return seen
        await asyncio.sleep(_LOOK_EVERY)


async def _drained(login: str, kannel: Gateway, smsc: Provider, screen: Screen) -> Seen:
    """Return what the provider saw when the gateway has nothing left to send."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + _DRAIN_SECONDS
    while True:
        kannel.check()
        left = (await kannel.admin.status()).store_size  # a message is there until its answer has come
        seen = await smsc.seen(login)
        if left == 0 and not seen.counters.unanswered:
            return seen
        if clock() >= deadline:
            raise GatewayError(
                f"{left} messages are still in bearerbox {_DRAIN_SECONDS:.0f} s after the span", gateway.BUSY
            )
        screen.draining(left or 0)
        await asyncio.sleep(_LOOK_EVERY)
