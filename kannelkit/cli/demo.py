"""`kannelkit demo`."""

from __future__ import annotations

import asyncio
import json
import signal
import sys

import click
from rich.console import Console

from kannelkit.demo.figures import Half, as_dict
from kannelkit.demo.report import conclusion, report
from kannelkit.demo.screen import Screen, screen_for
from kannelkit.demo.show import LEAST_SECONDS, LIMIT, THROUGHPUT, show, span_of

_USUAL_SECONDS = 90
_MOST_SECONDS = 1800
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command("demo", short_help="Show what kannelkit gains: a real Kannel alone, then supervised.")
@click.option(
    "--seconds",
    type=click.IntRange(LEAST_SECONDS, _MOST_SECONDS),
    default=_USUAL_SECONDS,
    show_default=True,
    help="How long all of it takes, about. At the default each half is measured for 34 s, at the least for 4.",
)
@click.option("--json", "as_json", is_flag=True, help="The figures as one JSON object on stdout.")
def command(seconds: int, as_json: bool) -> None:
    """Show on this machine what kannelkit gains: a real Kannel alone, then with kannelkit.

    Both get the same messages through smsbox's sendsms, and both are told to send twice as fast as the provider
    takes them: throughput = 60 at a limit of 30 SMS per second. The provider is the simulator, and all figures are
    what it counted; the rates and shares are those after the first 2.5 seconds. Nothing leaves this machine, and
    everything is removed at the end. Ends with exit code 1 when a message was lost or sent twice.
    """
    console = Console(stderr=True, highlight=False)
    console.print(
        f"A pretend provider takes {LIMIT} SMS per second and refuses what is more.\n"
        f"A real Kannel is told to send {THROUGHPUT} per second: first alone, then with kannelkit.",
        soft_wrap=True,
    )
    try:
        with screen_for(console) as screen:
            alone, supervised = asyncio.run(_run(span_of(seconds), screen))
    except asyncio.CancelledError:
        console.print("stopped; what was started has ended, and its folder is gone", soft_wrap=True)
        sys.exit(1)
    if as_json:
        click.echo(json.dumps(as_dict(LIMIT, alone, supervised)))
        console.print(conclusion(LIMIT, alone, supervised), soft_wrap=True)
    else:
        report(Console(highlight=False), LIMIT, alone, supervised)
    if not (alone.whole and supervised.whole):
        sys.exit(1)


async def _run(seconds: int, screen: Screen) -> tuple[Half, Half]:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(show(seconds, screen))

    def stop() -> None:
        for number in _SIGNALS:  # once is enough: another one must not break off the stopping
            loop.add_signal_handler(number, lambda: None)
        screen.stage("stopping")
        task.cancel()

    for number in _SIGNALS:
        loop.add_signal_handler(number, stop)
    return await task
