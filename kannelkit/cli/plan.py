"""`kannelkit plan SPEC`."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from kannelkit.cli.figures import shown
from kannelkit.cli.named import asked
from kannelkit.cli.prepared import prepared
from kannelkit.cli.variables import AnyVariable
from kannelkit.errors import GatewayError, HostError, InputError
from kannelkit.plan.compare import plan as compared
from kannelkit.plan.figures import figure, total
from kannelkit.plan.groups import Key, groups
from kannelkit.plan.masking import secrets_in
from kannelkit.plan.relay import with_relay
from kannelkit.plan.values import LinkSeen, Plan, Rate, Step
from kannelkit.plan.words import Style, lines
from kannelkit.render import InForce, kannel_conf
from kannelkit.render.difference import masked_diff
from kannelkit.spec import Spec, lacking, load
from kannelkit.spec.model import reached_at
from kannelkit.supervise.commands import named, supervise

# a bearerbox that is well answers within milliseconds; one that stops links is busy for longer
_ANSWER_SECONDS = 5.0
_STYLES: dict[Style, dict[str, Any]] = {
    "": {},
    "create": {"fg": "green"},
    "update": {"fg": "yellow"},
    "delete": {"fg": "red"},
    "note": {"fg": "magenta"},
    "danger": {"fg": "red", "bold": True},
    "heading": {"bold": True},
    "aside": {"dim": True},
}


@click.command("plan")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option("--diff", "as_diff", is_flag=True, help="The two kannel.conf as a unified diff.")
@click.option("--check", is_flag=True, help="Exit 1 when there are changes.")
@click.pass_context
def command(ctx: click.Context, spec: Path, as_json: bool, as_diff: bool, check: bool) -> None:
    """Show what SPEC would change in the running gateway, what each change disturbs, and for how long.

    Compares the file that the running gateway works from, and the links that it really has, with what SPEC stands
    for. Changes nothing in the gateway; passwords that SPEC leaves out are made and kept, as `generate` does. Where
    variables that SPEC names for secrets are not set, the kannelkit that supervises the gateway is asked.
    """
    if as_json and as_diff:
        raise click.UsageError("--json and --diff are two forms of the same plan: choose one")
    environment = AnyVariable()
    loaded = load(spec, environment)
    found = told(loaded) if environment.missing and not as_diff else None
    running = None
    if found is None:
        loaded = prepared(spec)
        running = running_text(loaded)
        found = planned(loaded, running)
    if as_json:
        # octets of a file that are no UTF-8 are escapes in JSON
        text = json.dumps(as_object(found), ensure_ascii=False)
        click.echo(text.encode("utf-8", "backslashreplace").decode("utf-8"))
    elif as_diff:
        for line in _diff(loaded, running, found):
            click.echo(line)
    else:
        for line in shown_lines(found):
            click.echo(line)
        if found.changes:
            click.echo(f"next: {f'kannelkit apply {named(loaded.path)}' if found.running else supervise(loaded)}")
    if found.changes and (said := _lint_finds(spec, secrets=not environment.missing)):
        click.echo(said, err=True)
    ctx.exit(1 if check and found.changes else 0)


def told(spec: Spec) -> Plan | None:
    """Return the plan of the kannelkit that supervises the spec's gateway and has its secrets, None where none does.

    Raises GatewayError with what it has against that.
    """
    try:
        return told_plan(asked(spec, {"do": "plan"}))
    except HostError:
        return None


def told_plan(answer: Mapping[str, Any]) -> Plan:
    """Return the plan that a supervisor answered with. Raises GatewayError."""
    from kannelkit.supervise.asking import shown as as_told

    try:
        return as_told(answer["plan"])
    except (KeyError, TypeError) as error:
        raise GatewayError("the supervisor's plan cannot be read", "are both kannelkits the same version?") from error


def planned(spec: Spec, running: str | None) -> Plan:
    """Return what brings the gateway that runs from the text `running` to the spec, which has all its passwords.

    Asks the running bearerbox for its links. Raises InputError where the spec's gateway cannot be run by kannelkit,
    GatewayError where something listens on the administration port and does not answer as bearerbox does.
    """
    if missing := lacking(spec):
        raise InputError(missing)
    from kannelkit.supervise.relayasked import reloads
    from kannelkit.supervise.relaysettings import folder, kept_accounts, relay_accounts

    in_force, rates = _in_force(spec)
    found = compared(
        running,
        kannel_conf(spec, in_force),
        asyncio.run(_links(spec, running)),
        secrets=spec.secrets(),
        rates=rates,
        unlearnt=kannel_conf(spec),
    )
    before, after = kept_accounts(folder(spec)), relay_accounts(spec)
    can = found.running and before != after and asyncio.run(reloads(folder(spec)))
    return with_relay(found, before, after, reloads=can)


def running_text(spec: Spec) -> str | None:
    """Return the kannel.conf that the spec's gateway was last given, None before its first start; raises HostError."""
    path = spec.files.kannel_conf
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HostError(f"cannot read {path}: {error.strerror}", "run as the user that runs the gateway") from error


def _in_force(spec: Spec) -> tuple[InForce, tuple[Rate, ...]]:
    """Return with what the supervisor would start the gateway, and the rates that are not the spec's."""
    from kannelkit.supervise.configuration import Known, configure, known
    from kannelkit.supervise.memory import Memory

    of_gateway = Known()
    path = spec.state_dir / "state.db"
    if path.exists():
        memory = Memory(path, read_only=True)
        try:
            of_gateway = known(memory)
        finally:
            memory.close()
    configuration = configure(spec, of_gateway)
    rates = [
        Rate(rate.account, rate.throughput, rate.settings.ceiling)
        for rate in configuration.rates.values()
        if rate.throughput is not None and rate.throughput != rate.settings.ceiling
    ]
    return configuration.conf.in_force, tuple(rates)


async def _links(spec: Spec, running: str | None) -> tuple[LinkSeen, ...] | None:
    """Return the links of the bearerbox that runs, None where none does."""
    import aiohttp

    from kannelkit.gateway.admin import Admin

    # the gateway runs from the file that it was given, and is reached as that file says
    core = groups(running).get(Key("core", "", 0), {}) if running is not None else {}
    port_text = core.get("admin-port", "")
    port = int(port_text) if port_text.isdecimal() else spec.admin_port
    password = core.get("admin-password") or spec.admin_password
    host = reached_at(core.get("admin-interface")) if core else spec.admin_host
    if await _nobody_listens(host, port):
        return None
    async with aiohttp.ClientSession() as session:
        status = await Admin(session, port, password, host, status_timeout=_ANSWER_SECONDS).status()
    return tuple(LinkSeen(link.admin_id, link.state) for link in status.links)


async def _nobody_listens(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except ConnectionRefusedError:
        return True
    except OSError as error:  # TimeoutError is one, too
        raise GatewayError(f"{host} port {port} cannot be reached: {error.strerror or 'no answer'}") from error
    writer.close()
    return False


def shown_lines(found: Plan) -> Iterator[str]:
    """Yield the plan's lines for people, in colours; click leaves these out where the output is no terminal."""
    for line in lines(found):
        yield click.style(shown(line.text), **_STYLES[line.style]) if line.text else ""


def as_object(found: Plan) -> dict[str, Any]:
    """Return the plan as one JSON object, without the texts, which hold passwords; times in seconds."""
    lasts = total(found.steps)
    return {
        "running": found.running,
        "changes": [
            {
                "action": change.action,
                "group": change.group,
                "name": change.name,
                "directives": [asdict(directive) for directive in change.directives],
                "steps": [_step(step) for step in change.steps],
                "dangers": change.danger.splitlines(),
                "note": change.note,
            }
            for change in found.changes
        ],
        "steps": [_step(step) for step in found.steps],
        "seconds": {"least": round(lasts.least, 3), "most": round(lasts.most, 3)},
        "dangers": list(found.dangers),
        "rates": [asdict(rate) for rate in found.rates],
        "digest": found.digest,
    }


def _step(step: Step) -> dict[str, Any]:
    lasts = figure(step)
    return {
        "step": type(step).__name__.lower(),
        **asdict(step),
        "seconds": {"least": lasts.least, "most": lasts.most},
    }


def _lint_finds(spec: Path, *, secrets: bool) -> str:
    """Return how many errors and warnings `kannelkit lint` has for the spec, nothing where it has none."""
    from kannelkit.cli.lint import observed
    from kannelkit.lint import look, report

    looked = look.spec(spec.read_text("utf-8"), spec.absolute(), os.environ, str(spec), secrets=secrets)
    facts = observed(looked.subject, datetime.now(UTC)) if looked.subject else None
    counts = report.counted(look.findings(looked, facts))
    said = [f"{counts[how]} {how}{'s' * (counts[how] != 1)}" for how in ("error", "warning") if counts[how]]
    return f"kannelkit lint {spec} finds {' and '.join(said)}" if said else ""


def _diff(spec: Spec, running: str | None, found: Plan) -> Iterator[str]:
    if running == found.wanted:
        return
    colours = {"+": "green", "-": "red", "@": "cyan"}
    secrets = spec.secrets() | secrets_in(groups(running or ""))
    for line in masked_diff(running or "", found.wanted, str(spec.files.kannel_conf), secrets):
        yield click.style(shown(line), fg=colours.get(line[:1]))
