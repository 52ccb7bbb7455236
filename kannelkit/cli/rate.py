"""`kannelkit rate SPEC ACCOUNT [N]`."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kannelkit.cli.figures import local_time
from kannelkit.cli.named import asked, complete, field, known, secretless, units
from kannelkit.cli.paced import relay_line, relay_rate
from kannelkit.errors import GatewayError
from kannelkit.spec import Spec

if TYPE_CHECKING:
    from kannelkit.supervise.views import AccountView


@click.command("rate")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("account", shell_complete=complete)
@click.argument("throughput", metavar="[N]", type=click.FloatRange(0, min_open=True), required=False)
@click.option("--pause", is_flag=True, help="Stay there: the rate is not adapted until kannelkit resume.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.pass_context
def command(ctx: click.Context, spec: Path, account: str, throughput: float | None, pause: bool, as_json: bool) -> None:
    """Bring ACCOUNT to N SMS per second over all its links, now; without N, show what it runs at.

    The links are made anew at a moment at which no answer is due, so nothing is lost or sent twice. N lies between the
    spec's floor and ceiling. From there on kannelkit adapts the rate as always, unless it is paused. Exit code 1 where
    links did not come back.

    With pacing: relay no link is touched: no more than N leave, from this moment on and until kannelkit resume. N may
    have a fraction then, 7.5 for instance.
    """
    if pause and throughput is None:
        raise click.UsageError("--pause goes with N; kannelkit pause leaves the rate where it is")
    if throughput is not None and not math.isfinite(throughput):
        raise click.BadParameter(f"{throughput:g} is no rate", param_hint="N")
    loaded = secretless(spec)
    view = _seen(loaded, known(account, units(loaded)))
    named = shlex.quote(str(spec))
    if throughput is None:
        click.echo(json.dumps(as_object(view), ensure_ascii=False) if as_json else "\n".join(lines(view, named)))
        return
    if throughput.is_integer():
        throughput = int(throughput)
    _within(view, throughput, loaded, named)
    request = {"do": "rate", "account": view.smsc_id, "throughput": throughput, "pause": pause}
    done = asked(loaded, request, lambda text: None if as_json else click.echo(text, err=True))
    if as_json:
        told = {name: field(done, name) for name in ("unit", "before", "after", "links_away_ms", "online", "paused")}
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        click.echo(_held(done, view.unit, named) if view.relayed else _told(done, view.unit, named))
    ctx.exit(0 if field(done, "online") else 1)


def as_object(view: AccountView) -> dict[str, object]:
    """Return what an account runs at as one JSON object; `since` in seconds since the epoch."""
    return {
        "account": view.smsc_id,
        "unit": view.unit,
        "throughput": view.throughput,
        "ceiling": view.ceiling,
        "floor": None if view.relayed else view.floor,  # the relay goes as low as the provider has it go
        "settled": view.settled,
        "paused": view.paused,
        "by_hand": view.by_hand,
        "since": view.rate_since,
        **({"rate": None if view.relay is None else view.relay.rate} if view.relayed else {}),
    }


def lines(view: AccountView, named: str) -> Iterator[str]:
    """Yield what an account runs at, for people; `named` is its spec as a command takes it."""
    rate = "no limit"
    if view.relayed and view.relay is None:
        rate = "the relay does not answer"
    elif view.throughput is not None:
        rate = f"{relay_rate(view) if view.relayed else view.throughput} SMS per second"
    shared = f", shared by {view.unit}" if view.unit != view.smsc_id else ""
    yield f"{view.smsc_id}: {rate}{shared}" + ("" if view.settled else ", being changed")
    ceiling = "none" if view.ceiling is None else view.ceiling
    if view.relayed:
        yield f"  ceiling {ceiling}, paced by the relay"
        if view.relay is not None:
            yield f"  {relay_line(view.relay)}"
        if view.paused:
            yield f"  goes no higher: kannelkit resume {named} {view.unit}"
        elif view.relay is not None:
            yield "  adapted all the time"
        return
    yield f"  ceiling {ceiling}, floor {view.floor}"
    if view.rate_since is not None:
        yield f"  {'set by hand' if view.by_hand else 'learnt'} at {local_time(view.rate_since)}"
    elif view.throughput == view.ceiling:
        yield "  nothing learnt: it runs at the ceiling"
    yield f"  paused: kannelkit resume {named} {view.unit}" if view.paused else "  adapted to what the provider takes"


def _seen(spec: Spec, name: str) -> AccountView:
    """Return how an account stands, or the first of those that share a rate of that name."""
    from kannelkit.supervise.asking import overview_of

    try:
        seen = overview_of(field(asked(spec, {"do": "state", "curves": []}), "state"))
    except (KeyError, TypeError) as error:
        raise GatewayError("the supervisor's answer cannot be read", "are both kannelkits the same version?") from error
    for view in seen.accounts:
        if name in (view.smsc_id, view.unit):
            return view
    raise GatewayError(f"the gateway runs without {name} yet", f"kannelkit apply {shlex.quote(str(spec.path))}")


def _within(view: AccountView, throughput: float, spec: Spec, named: str) -> None:
    """Raise GatewayError, with what sets it, where a throughput is not within the bounds that the gateway runs with."""
    if not view.relayed and not isinstance(throughput, int):
        from kannelkit.supervise.requests import FRACTIONS

        raise GatewayError(f"{throughput:g} is no whole number", FRACTIONS)
    if view.ceiling is not None and throughput > view.ceiling:
        what = f"{throughput:g} is above the ceiling of {view.unit}, {view.ceiling} SMS per second"
        raise GatewayError(what, _raised(spec, view, named))
    if throughput < view.floor and not view.relayed:
        what = f"{throughput} is below the floor of {view.unit}, {view.floor} SMS per second"
        if spec.supervisor.floor < view.floor:
            raise GatewayError(what, "each of its connections needs 1 at least: write fewer connections")
        raise GatewayError(what, f"supervisor.rate.floor in {spec.path} sets it; then kannelkit apply {named}")


def _raised(spec: Spec, view: AccountView, named: str) -> str:
    for account in spec.smpp_accounts:
        value = account.group.values.get("throughput")
        if account.smsc_id != view.smsc_id or value is None:
            continue
        if account.ceiling != view.ceiling:
            return f"{value.place} says {value.text} by now: kannelkit apply {named}"
        if value.origin == "written":
            return f"throughput at {value.place} sets it; write more there, then kannelkit apply {named}"
        whose = f"the profile {account.provider} sets it"
        return f"{whose}; write throughput for {view.smsc_id} at {account.group.place}, then kannelkit apply {named}"
    return f"the spec sets it; then kannelkit apply {named}"


def _held(done: Mapping[str, Any], unit: str, named: str) -> str:
    after = field(done, "after")
    return f"{unit}: no more than {after:g} SMS per second from now on, until kannelkit resume {named} {unit}"


def _told(done: Mapping[str, Any], unit: str, named: str) -> str:
    before, after = field(done, "before"), field(done, "after")
    if before == after:
        what = f"{unit}: runs at {after} SMS per second already"
    else:
        back = f"links back in {field(done, 'links_away_ms')} ms" if field(done, "online") else "links not back yet"
        what = f"{unit}: {'no limit' if before is None else before} -> {after} SMS per second, {back}"
    if field(done, "paused"):
        return f"{what}; paused until kannelkit resume {named} {unit}"
    return f"{what}; adapted from there (kannelkit pause {named} {unit} keeps it there)"
