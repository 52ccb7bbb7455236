"""`kannelkit health SPEC`, a plugin for Nagios, Icinga and what understands their plugins."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from kannelkit.cli.variables import AnyVariable
from kannelkit.errors import HostError, InputError, KannelkitError
from kannelkit.spec.model import Threshold
from kannelkit.spec.thresholds import number, unknown_hint, usual

if TYPE_CHECKING:
    from kannelkit.health.values import Figure, Report, Status
    from kannelkit.spec import Spec

# the exit codes of a plugin (the Monitoring Plugins' development guidelines)
EXIT_CODES = {"ok": 0, "warning": 1, "critical": 2, "unknown": 3}
_MOST_NAMED = 3
_PART = 0.3  # of the time, for each of the three steps of a look
_STARTING = 0.4  # seconds that were gone before anything could be timed
_NAME = "KANNEL"


class _WrongUse(click.UsageError):
    exit_code = EXIT_CODES["unknown"]


class _Plugin(click.Command):
    """A command whose wrong use is UNKNOWN: exit code 2 would be CRITICAL to a monitor."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: object
    ) -> click.Context:
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            click.echo(_line("unknown", f"wrong use: {error.format_message()}"))
            raise _WrongUse(error.format_message(), ctx=error.ctx) from error


def _complete_threshold(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(f"{name}=") for name in usual() if name.startswith(incomplete)]


def _complete_check(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from kannelkit.health.table import CHECKS

    return [CompletionItem(about.id, help=about.title) for about in CHECKS.values() if about.id.startswith(incomplete)]


def _bounds(_ctx: click.Context, _param: click.Parameter, given: tuple[str, ...]) -> Mapping[str, float | None]:
    """Return the numbers of NAME=VALUE by name."""
    found: dict[str, float | None] = {}
    for text in given:
        name, _, value = text.partition("=")
        if name not in usual():
            raise click.BadParameter(f"there is no threshold {name!r}; {unknown_hint(name, usual())}")
        try:
            found[name] = number(value)
        except ValueError:
            raise click.BadParameter(f"{text!r}: write {name}=NUMBER, or {name}=never") from None
    return found


def _ids(_ctx: click.Context, _param: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    if given:
        import difflib

        from kannelkit.health.table import CHECKS

        for name in given:
            if name not in CHECKS:
                near = difflib.get_close_matches(name, CHECKS, n=1)
                hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(CHECKS)}"
                raise click.BadParameter(f"there is no check {name!r}; {hint}")
    return given


@click.command("health", cls=_Plugin)
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "-w",
    "--warning",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_bounds,
    shell_complete=_complete_threshold,
    help="Warn from this value on, whatever the spec says: queue-minutes=10; never for never.",
)
@click.option(
    "-c",
    "--critical",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_bounds,
    shell_complete=_complete_threshold,
    help="Critical from this value on.",
)
@click.option(
    "--check",
    "ids",
    multiple=True,
    metavar="ID",
    callback=_ids,
    shell_complete=_complete_check,
    help="Only this check; may be given several times. All of them by default.",
)
@click.option(
    "-t",
    "--timeout",
    type=click.FloatRange(1, 300),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="Give up after so long, and say UNKNOWN.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout; the exit code is the same.")
@click.option("-v", "--verbose", is_flag=True, help="Every check in a line of its own, after the first line.")
@click.pass_context
def command(
    ctx: click.Context,
    spec: Path,
    warning: Mapping[str, float | None],
    critical: Mapping[str, float | None],
    ids: tuple[str, ...],
    timeout: float,
    as_json: bool,
    verbose: bool,
) -> None:
    """Check once how the gateway that SPEC describes stands: a plugin for Nagios and Icinga.

    Prints one line with performance data. Exit code 0 for OK, 1 for WARNING, 2 for CRITICAL, 3 for UNKNOWN, wrong use
    included. No daemon is needed, and nothing is changed. What a check looks at: kannelkit explain health.ID.
    """
    ended = threading.Event()
    threading.Thread(target=_give_up, args=(ended, timeout, as_json), daemon=True).start()
    try:
        report = _looked(spec, warning, critical, ids, timeout)
    except KannelkitError as error:
        ended.set()
        first = str(error.findings[0]) if isinstance(error, InputError) and error.findings else error.message
        click.echo(_unknown(first, as_json))
        ctx.exit(EXIT_CODES["unknown"])
    ended.set()
    if as_json:
        click.echo(json.dumps(report.as_dict(), ensure_ascii=False))
    else:
        for line in lines(report, verbose=verbose):
            click.echo(line)
    ctx.exit(EXIT_CODES[report.status])


def _looked(
    path: Path,
    warning: Mapping[str, float | None],
    critical: Mapping[str, float | None],
    ids: tuple[str, ...],
    timeout: float,
) -> Report:
    from kannelkit.health.checks import report
    from kannelkit.health.observe import Observer
    from kannelkit.health.values import Report
    from kannelkit.spec import load
    from kannelkit.supervise.readings import same

    variables = AnyVariable()
    spec = load(path, variables)
    runs = spec
    if variables.missing:  # a monitor has none of the gateway's secrets; what runs with them is kept
        runs = _kept(spec) or load(path, os.environ)
    seen = Observer().observe(runs, min(3.0, timeout * _PART))
    if runs is not spec and seen.unapplied is not None:
        seen = dataclasses.replace(seen, unapplied=not same(runs, spec, secrets=False))
    whole = report(seen, _thresholds(spec, warning, critical))
    return Report(whole.at, tuple(check for check in whole.checks if not ids or check.id in ids))


def _kept(spec: Spec) -> Spec | None:
    from kannelkit.supervise.kept import kept

    try:
        return kept(spec.state_dir)
    except HostError:  # another user's gateway
        return None


def _thresholds(
    spec: Spec, warning: Mapping[str, float | None], critical: Mapping[str, float | None]
) -> Mapping[str, Threshold]:
    return {
        name: Threshold(warning.get(name, bounds.warning), critical.get(name, bounds.critical))
        for name, bounds in spec.health_thresholds.items()
    }


def _give_up(ended: threading.Event, seconds: float, as_json: bool) -> None:
    """End the process with UNKNOWN when it is not done in time, in whatever it hangs."""
    if not ended.wait(seconds - _STARTING):
        sys.stdout.write(_unknown(f"not done within {seconds:g} s", as_json) + "\n")
        sys.stdout.flush()
        os._exit(EXIT_CODES["unknown"])


def _unknown(why: str, as_json: bool) -> str:
    if as_json:
        return json.dumps({"at": None, "status": "unknown", "why": why, "sending": {}, "checks": []})
    return _line("unknown", why)


# -- the form of a plugin's output


def lines(report: Report, *, verbose: bool = False) -> Iterator[str]:
    """Yield the lines of a plugin: the answer with all performance data, then, where asked for, each check."""
    figures = " ".join(_performance(figure) for check in report.checks for figure in check.figures)
    yield _line(report.status, _summary(report)) + (f" | {figures}" if figures else "")
    if verbose:
        for check in report.checks:
            advice = f" -> {check.advice}" if check.advice else ""
            yield _shown(f"{check.status.upper()} {check.id}: {check.summary}{advice}")


def _summary(report: Report) -> str:
    """Return what is wrong, the worst first, or in few words that nothing is."""
    from kannelkit.health.values import SENDING, sending_accounts

    wrong = [
        check for status in ("critical", "warning", "unknown") for check in report.checks if check.status == status
    ]
    named = [check.summary for check in wrong if check.status == wrong[0].status] if wrong else []
    if named:
        more = len(wrong) - len(named[:_MOST_NAMED])
        return "; ".join(named[:_MOST_NAMED]) + (f"; and {more} more" if more else "")
    sends, every = len(sending_accounts(report)), len(report.of(SENDING))
    parts = [f"{sends} account{'s' * (sends != 1)} sending"] if every else []
    parts += [check.summary for check in report.of("queue")]
    return ", ".join(parts) or "all is well: " + ", ".join(dict.fromkeys(check.id for check in report.checks))


def _line(status: Status, words: str) -> str:
    return _shown(f"{_NAME} {status.upper()} - {words}")


def _shown(text: str) -> str:
    """Return the text as one line in which no `|` begins performance data and nothing plays tricks on a terminal."""
    text = text.replace("|", "/").replace("\n", " ").replace("\r", " ").replace("\\n", " ")
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _performance(figure: Figure) -> str:
    """Return 'label'=value[unit];[warning];[critical];[least];[most], as the guidelines have it."""
    label = _shown(figure.name).replace("'", "''").replace("=", "_")
    bounds = (figure.warning, figure.critical, figure.least, figure.most)
    return f"'{label}'={_digits(figure.value)}{figure.unit};{';'.join(map(_digits, bounds))}".rstrip(";")


def _digits(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}".rstrip("0").rstrip(".")
