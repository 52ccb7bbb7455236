"""`kannelkit apply SPEC`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from kannelkit.cli.lint import observed
from kannelkit.cli.named import secretless
from kannelkit.cli.plan import as_object, shown_lines, told_plan
from kannelkit.conf import Opened, opener
from kannelkit.errors import GatewayError, KannelkitError
from kannelkit.findings import Finding
from kannelkit.lint import look, report
from kannelkit.plan.values import Plan
from kannelkit.plan.words import SHORT
from kannelkit.render import kannel_conf
from kannelkit.spec import Spec
from kannelkit.spec.source import decoded

_CHANGED = "the gateway or the spec changed since the plan was shown"


@click.command("apply")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--plan", "digest", metavar="DIGEST", help="Carry out this plan, as kannelkit plan showed it, or none.")
@click.option("--yes", "agreed", is_flag=True, help="Agree to what a person has to agree to.")
@click.option("--discard", is_flag=True, help="Give up messages that wait for an account that is removed.")
@click.option("--force", is_flag=True, help="Apply although kannelkit lint finds errors that were not there before.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout at the end.")
@click.pass_context
def command(
    ctx: click.Context, spec: Path, digest: str | None, agreed: bool, discard: bool, force: bool, as_json: bool
) -> None:
    """Bring the running gateway to what SPEC says now, link by link, and take everything back where a link stays away.

    The kannelkit that supervises the gateway (up or watch) does it, and goes on when this command is ended.
    """
    loaded = secretless(spec)
    said: list[str] = []
    found: Plan | None = None
    try:
        found = told_plan(asyncio.run(_ask(loaded, {"do": "plan"}, [])))
        if not as_json:
            for line in shown_lines(found):
                click.echo(line)
        if digest is not None and (len(digest) < SHORT or not found.digest.startswith(digest)):
            raise GatewayError(_CHANGED, f"look at the new plan: kannelkit plan {spec}")
        if found.dangers and not agreed:
            _agree(found, asking=not as_json and sys.stdin.isatty())
        # also where nothing changes for the boxes: the supervisor's own settings may be others
        wish = {"agreed": bool(found.dangers), "discard": discard, "force": force, "digest": found.digest}
        asyncio.run(_ask(loaded, {"do": "apply", **wish}, said))
    except KannelkitError as error:
        if not as_json:
            raise
        click.echo(_json(found, said, error))
        ctx.exit(error.exit_code)
    if as_json:
        click.echo(_json(found, said, None))
    elif found.changes:
        click.echo(click.style("applied", fg="green", bold=True))


def new_errors(spec: Spec) -> tuple[Finding, ...]:
    """Return the errors that lint finds in the kannel.conf of a spec, and not in the one that runs, but for the rules
    that the spec silences; each at its place in the spec where lint finds it there, too.
    """
    now = datetime.now(UTC)
    name, wanted = str(spec.files.kannel_conf), kannel_conf(spec)
    on_disk = opener()

    def found(looked: look.Looked) -> dict[tuple[str, str], Finding]:
        facts = None if looked.subject is None else observed(looked.subject, now)
        return {(each.rule, each.message): each for each in look.findings(looked, facts)}

    running = found(look.conf(name, on_disk))
    found_now = found(look.conf(name, lambda file: Opened(name, wanted) if file == name else on_disk(file)))
    new = {
        what: finding
        for what, finding in found_now.items()
        if what not in running and finding.rule not in spec.silenced and report.severity(finding.rule) == "error"
    }
    if new:
        with contextlib.suppress(OSError):
            text = decoded(spec.path.read_bytes(), str(spec.path))
            in_spec = found(look.spec(text, spec.path, os.environ, str(spec.path)))
            new = {what: in_spec.get(what, finding) for what, finding in new.items()}
    return tuple(new.values())


async def _ask(spec: Spec, request: Mapping[str, object], said: list[str]) -> Mapping[str, Any]:
    """Ask the kannelkit that supervises; what it says meanwhile is shown, and added to `said`."""
    from kannelkit.supervise.asking import ask

    with _progress() as show:

        def tell(event: Mapping[str, Any]) -> None:
            said.append(str(event.get("text", "")))
            show(said[-1])

        return await ask(spec.state_dir, {"spec": os.path.realpath(spec.path), **request}, tell, spec)


def _progress() -> AbstractContextManager[Any]:
    """Return what shows each step as it begins: with a spinner in a terminal, as a line elsewhere."""
    if not sys.stderr.isatty():
        return contextlib.nullcontext(lambda text: click.echo(text, err=True))
    return _spinning()


@contextlib.contextmanager
def _spinning() -> Iterator[Any]:
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True)
    with console.status("") as status:
        last: list[str] = []

        def show(text: str) -> None:
            if last:
                console.print(Text(f"  {last[-1]}"))
            last.append(text)
            status.update(Text(text))

        yield show
        if last:
            console.print(Text(f"  {last[-1]}"))


def _agree(found: Plan, *, asking: bool) -> None:
    if not asking:
        raise GatewayError("somebody has to agree to this:\n  " + "\n  ".join(found.dangers), "agree with --yes")
    click.confirm("apply?", abort=True, err=True)


def _json(found: Plan | None, said: list[str], error: KannelkitError | None) -> str:
    plan = None if found is None else as_object(found)
    problem = None if error is None else {"message": error.message, "hint": error.hint}
    whole = {"applied": error is None and bool(found and found.changes), "error": problem, "plan": plan, "said": said}
    return json.dumps(whole, ensure_ascii=False)
