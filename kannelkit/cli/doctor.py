"""`kannelkit doctor SPEC`."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import stat
import sys
import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kannelkit.cli.figures import shown
from kannelkit.doctor.steps import STEPS
from kannelkit.doctor.values import Result, Status, counted
from kannelkit.errors import InputError
from kannelkit.findings import Finding, Place

if TYPE_CHECKING:
    from kannelkit.doctor.examine import Binds, Request
    from kannelkit.spec import Spec

_MARKS: dict[Status, tuple[str, str]] = {
    "ok": ("✓", "green"),
    "warning": ("!", "yellow"),
    "failed": ("✗", "red"),
    "skipped": ("-", "bright_black"),
}
_WORDS: dict[Status, str] = {"ok": "ok", "warning": "warning", "failed": "failed", "skipped": "not tried"}
_INDENT = 2 + max(map(len, STEPS)) + 2
_WIDEST = 120
_QUICK = 0.1  # seconds, below which it is not said how long a step took


@click.command("doctor", short_help="Try what an operator would try: versions, rights, DNS, TLS, a bind to each host.")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout, when all is done.")
@click.option(
    "--bind/--no-bind",
    "bind",
    default=None,
    help="Bind even where that may close a live bind, or never. [default: only where it cannot]",
)
@click.option(
    "--only", multiple=True, type=click.Choice(list(STEPS)), metavar="STEP", help="Only this step; may be repeated."
)
@click.option(
    "-t",
    "--timeout",
    type=click.IntRange(3, 600),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="What has not been tried by then is left out.",
)
@click.pass_context
def command(
    ctx: click.Context, spec: Path, as_json: bool, bind: bool | None, only: tuple[str, ...], timeout: int
) -> None:
    """Try what an operator would try by hand before the gateway of SPEC sends its first message.

    \b
    Each step says what it found and what to do:
      kannel, spec, secrets, conf    programs, file, what Kannel makes of it
      gateway, ports, rights, disk, limits, clock, certificate    this machine
      dns, connect, tls, bind    both hosts of each provider

    Nothing is changed and nothing is sent. A bind is tried by itself only where no live one of this gateway can be
    closed by it. Run it as the user that the boxes run as. Exit code 0 where nothing failed, 1 otherwise.

    \b
    Examples:
      kannelkit doctor gateway.yaml
      kannelkit doctor gateway.yaml --only dns --only connect
      kannelkit doctor gateway.yaml --json | jq '.results[] | select(.status == "failed")'
    """
    from kannelkit.doctor.examine import Request
    from kannelkit.supervise.commands import named

    if os.environ.get("NO_COLOR"):
        ctx.color = False
    read, findings, missing = _read(spec)
    request = Request(
        read,
        findings,
        missing,
        named(spec),
        _BINDS[bind],
        frozenset(only or STEPS),
        timeout,
    )
    results = asyncio.run(_as_they_end(request, quiet=as_json))
    failed = any(result.status == "failed" for result in results)
    if as_json:
        whole = {"ok": not failed, "spec": str(spec), "results": [result.as_dict() for result in results]}
        click.echo(json.dumps(whole, ensure_ascii=False).encode("utf-8", "replace"))
    else:
        click.echo(summary(results), err=not sys.stdout.isatty())
    ctx.exit(1 if failed else 0)


_BINDS: dict[bool | None, Binds] = {None: "auto", True: "always", False: "never"}


def _read(path: Path) -> tuple[Spec | None, Sequence[Finding], Sequence[Finding]]:
    """Return the spec, as far as it can be had, what lint finds in it, and which secrets are missing."""
    from kannelkit.cli.lint import observed
    from kannelkit.lint import look
    from kannelkit.spec.source import decoded

    file = str(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would keep its reader waiting
            return None, (Finding(Place(file), "S001", "is no regular file", "name a spec file"),), ()
        text = decoded(path.read_bytes(), file)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no file can have this name"
        return None, (Finding(Place(file), "S001", f"cannot be read: {why}", "name a spec file that is there"),), ()
    except InputError as error:
        return None, error.findings, ()
    absolute = Path(os.path.abspath(path))
    looked = look.spec(text, absolute, os.environ, file, secrets=False)
    facts = None if looked.subject is None else observed(looked.subject, datetime.now(UTC))
    missing = [each for each in look.spec(text, absolute, os.environ, file).findings if each.rule == _MISSING]
    try:
        spec = look.without_secrets(text, absolute, os.environ, file)
    except InputError:
        spec = None
    return spec, look.findings(looked, facts), missing


_MISSING = "S203"  # a secret is not where the spec says


async def _as_they_end(request: Request, *, quiet: bool) -> list[Result]:
    """Show each result as it comes, unless it is to be `quiet`, and return all."""
    from kannelkit.doctor.examine import examine

    terminal = sys.stdout.isatty()
    waits = terminal and not quiet and os.environ.get("TERM") != "dumb"
    results: list[Result] = []

    def begun(what: str) -> None:
        if waits:
            _erase()
            click.echo(f"  {click.style(f'... {shown(what)}', dim=True)}", nl=False)

    async for result in examine(request, begun):
        if waits:
            _erase()
        before = results[-1] if results and results[-1].step == result.step else None
        if terminal and not quiet:
            width = min(shutil.get_terminal_size().columns, _WIDEST)
            for line in for_terminal(result, width, before=before, marks=_has_marks()):
                click.echo(line)
        elif not quiet:
            for line in plain(result):
                click.echo(line)
        results.append(result)
    if waits:
        _erase()
    return results


def _erase() -> None:
    """Take away the line that says what is waited for; that is no colour, and is written without one, too."""
    sys.stdout.write("\r\x1b[2K")
    sys.stdout.flush()


def plain(result: Result) -> Iterator[str]:
    """Yield a result's lines for a pipe."""
    yield shown(f"{_WORDS[result.status]}: {result.step}: {result.summary}")
    for advice in _advice(result):
        yield shown(f"  hint: {advice}")


def for_terminal(result: Result, width: int, *, before: Result | None = None, marks: bool = True) -> Iterator[str]:
    """Yield a result's lines for a terminal of so many columns; what the one `before` of the same step says as well is
    left out.
    """
    sign, colour = _MARKS[result.status]
    mark = click.style(sign if marks else {"✓": "+", "✗": "x"}.get(sign, sign), fg=colour, bold=True)
    name = "" if before else result.step
    took = f" {click.style(f'({result.seconds:.1f} s)', dim=True)}" if result.seconds >= _QUICK and not before else ""
    for number, line in enumerate(_wrapped(result.summary, width)):
        head = f"{mark} {click.style(name.ljust(_INDENT - 2), bold=True)}" if number == 0 else " " * _INDENT
        yield f"{head}{line}" + (took if number == 0 else "")
    same = before is not None and _advice(before) == _advice(result)
    for advice in ("as above",) if same and _advice(result) else _advice(result):
        for number, line in enumerate(_wrapped(advice, width - 2)):
            lead = ("→ " if marks else "> ") if number == 0 else "  "
            yield f"{' ' * _INDENT}{click.style(f'{lead}{line}', fg='cyan')}"


def _advice(result: Result) -> tuple[str, ...]:
    """Return what is to be known and done, what is most to the point first."""
    return (*result.details, *filter(None, [result.advice]))


def _wrapped(text: str, width: int) -> list[str]:
    room = max(width - _INDENT - 8, 30)  # what a step took stands behind its first line
    return textwrap.wrap(shown(text), room, break_long_words=False, break_on_hyphens=False) or [""]


def _has_marks() -> bool:
    try:
        "✓→".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def summary(results: Sequence[Result]) -> str:
    """Return one line for people: how much of what."""
    from kannelkit.doctor.examine import by_status

    counts = by_status(results)
    parts = [
        *([f"{counts['failed']} failed"] if counts["failed"] else []),
        *([counted(counts["warning"], "warning")] if counts["warning"] else []),
        *([f"{counts['skipped']} not tried"] if counts["skipped"] else []),
    ]
    return ", ".join(parts) if parts else "all is well"
