"""`kannelkit top SPEC`."""

from __future__ import annotations

import asyncio
import json
import math
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kannelkit.cli.named import secretless
from kannelkit.cli.variables import AnyVariable
from kannelkit.spec import Spec

if TYPE_CHECKING:
    from kannelkit.supervise.views import Overview

# it answers from what it knows, within milliseconds
_ANSWER_SECONDS = 5.0


@click.command("top")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--interval",
    type=click.FloatRange(0.2, 3600),
    default=1.0,
    show_default=True,
    metavar="S",
    help="Seconds between two looks.",
)
@click.option("--once", is_flag=True, help="One frame as plain text, and an end.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object at each look, until Ctrl-C; one with --once.")
def command(spec: Path, interval: float, once: bool, as_json: bool) -> None:
    """Watch the gateway that SPEC describes, live: accounts, links, rates against limits, refusals, queues, decisions.

    Keys: q quits, the arrows or j and k select an account, Enter shows its links and its last five minutes, p pauses
    or resumes its adaptation, ? tells the rest. Without a terminal it prints one frame, as with --once. Where no
    kannelkit supervises it shows what `kannelkit status` can see.
    """
    if math.isnan(interval):
        raise click.BadParameter("a number of seconds is needed", param_hint="--interval")
    loaded = secretless(spec)
    if as_json:
        asyncio.run(_stream(loaded, None if once else interval))
    elif once or not _has_terminal():
        asyncio.run(_print_one(loaded, spec))
    else:
        from kannelkit.cli.live import Live

        asyncio.run(Live(loaded, spec, interval).run())


def _has_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown")


async def look(spec: Spec, curves: list[str] | None) -> Overview:
    """Return how a spec's gateway stands: from the supervisor, with these accounts' curves (None: all), or read by
    ourselves where none answers. Raises KannelkitError where neither can be.
    """
    from kannelkit.errors import GatewayError, HostError
    from kannelkit.spec import load
    from kannelkit.supervise.asking import ask, overview_of
    from kannelkit.supervise.readings import look as look_ourselves

    request = {"do": "state", "spec": os.path.realpath(spec.path), **({} if curves is None else {"curves": curves})}
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            answer = await ask(spec.state_dir, request, lambda event: None, spec)
        return overview_of(answer["state"])
    except TimeoutError as error:
        raise GatewayError("the kannelkit that supervises does not answer", "kannelkit status asks Kannel") from error
    except HostError:
        environment = AnyVariable()
        anew = load(spec.path, environment)
        return await look_ourselves(anew, missing=environment.missing)
    except (KeyError, TypeError) as error:
        raise GatewayError("the supervisor's answer cannot be read", "are both kannelkits the same version?") from error


async def _print_one(spec: Spec, path: Path) -> None:
    from kannelkit.cli.frame import Looking, frame

    seen = await look(spec, None)
    ascii_only = not (sys.stdout.encoding or "").lower().startswith("utf")
    width = shutil.get_terminal_size((100, 24)).columns
    for line in frame(seen, str(path), Looking(), width, ascii_only=ascii_only):
        click.echo(line.plain.rstrip())


async def _stream(spec: Spec, interval: float | None) -> None:
    from kannelkit.supervise.asking import plain_overview

    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    while not ended.is_set():
        begun = loop.time()
        click.echo(json.dumps(plain_overview(await look(spec, None)), ensure_ascii=False))
        sys.stdout.flush()
        if interval is None:
            return
        try:
            async with asyncio.timeout_at(begun + interval):
                await ended.wait()
        except TimeoutError:
            continue
