"""`kannelkit simulate`: a pretend SMSC in the foreground, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from kannelkit.cli.simulate_events import tell
from kannelkit.errors import InputError
from kannelkit.findings import Finding, Place
from kannelkit.providers.profile import Profile
from kannelkit.providers.shipped import PROFILES
from kannelkit.simulator.limits import Law
from kannelkit.simulator.outcomes import OutcomeRule
from kannelkit.simulator.rules import AccountRules, AtUnbind, Behaviour, Bounds, Order, limit_of
from kannelkit.simulator.server import Simulator

PLAIN_SECONDS = 5.0  # between two lines of counters where they do not go to a terminal
LIVE_SECONDS = 0.5
DEFAULT = AccountRules("test", "test")  # nobody's secret

_PORTS = (2775, 3443)  # without and with TLS
_SAME_WITHIN = 60.0  # seconds: SMSC.ru takes no second identical request within a minute
_CERTIFICATE_DAYS = 30
_USUAL = Behaviour()
_SPAN = click.FloatRange(0, 3600)  # seconds

Command = Callable[..., None]
Read = TypeVar("Read")


def _read(reader: Callable[[Any], Read]) -> Callable[[click.Context, click.Parameter, Any], Read]:
    """Return an option's callback: what `reader` makes of the value, whose ValueError says why it cannot be."""

    def callback(context: click.Context, parameter: click.Parameter, value: Any) -> Read:
        try:
            return reader(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return callback


_account = _read(lambda texts: [AccountRules.parse(text) for text in texts])
_outcomes = _read(lambda texts: [OutcomeRule.parse(text) for text in texts])
_handler = _read(lambda text: None if text is None else DEFAULT.changed({"handler": text}).handler)
_limit = _read(lambda number: None if number is None else limit_of(str(number)))


def _behaviour(name: str, kind: click.ParamType[Any], what: str) -> Callable[[Command], Command]:
    """Return the option for a field of Behaviour, whose default is the field's."""
    option = f"--{name.replace('_', '-')}"
    return click.option(option, type=kind, default=str(getattr(_USUAL, name)), show_default=True, help=what)


_EXAMPLES = """\b
Examples:
  kannelkit simulate
  kannelkit simulate --provider smsc.ru --tls --account login:password@30
  kannelkit simulate --outcome to=7916*,share=0.1,state=UNDELIV,err=220 --outcome channel=call,after=30
  kannelkit simulate --account shop:secret@30 --account fast:secret@none,binds=2 --delay 0.05
  kannelkit simulate --handler http://127.0.0.1:8000/smsc --json | jq 'select(.event == "message")'
  curl -s -d account=test -d from=79991234567 -d to=7999 -d text=STOP 127.0.0.1:13085/incoming

Outcome rules are name=value,...: which messages (to, from, login: patterns; channel; share of the numbers; nth to a
number) end how (state, err, after so many seconds, and for HLR imsi, msc, mcc, mnc, cn, net, rcn, rnet). The first
that matches decides. What arrives is on the control port's page. More in docs/simulator.md.
"""


@click.command(short_help="Run a pretend SMSC to bind to.", epilog=_EXAMPLES)
@click.option(
    "--provider",
    type=click.Choice(["smsc.ru"]),
    help="Behave as this provider: its ports (3700; with TLS 3443), limit, idle time, and no message twice within a "
    "minute. What is given besides wins.",
)
@click.option(
    "--account",
    "accounts",
    multiple=True,
    callback=_account,
    metavar="LOGIN:PASSWORD[@LIMIT][,RULE=VALUE...]",
    help="An account, as often as needed. LIMIT: SMS per second, such as 7.5, or none (default 30). Rules: law, burst, "
    "limit-per (account, connection), binds (1-9 at once), second-bind (close-older, bind-failed, already-bound), "
    "bind-status (refuses every bind, such as 0x0d), addresses (allowed for binds, joined by +), same-within, "
    "single (each part a message of its own), delivery-rate, cost, incoming (true: by SMPP), handler (a URL). "
    "Default: test:test@30. Other users of this machine can read it: no real password here.",
)
@click.option(
    "--accounts",
    "accounts_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with one such account a line; empty lines and lines that begin with # are left out.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=2775, show_default=True, help="0: a free one.")
@click.option("--tls", is_flag=True, help="A port with TLS besides; where there is no --certificate, one is made.")
@click.option(
    "--tls-port", type=click.IntRange(0, 65535), help="The port for TLS; needs --tls or --certificate. [default: 3443]"
)
@click.option(
    "--certificate",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="PEM file with key and certificate for TLS (kannelkit make-dummy-cert makes one).",
)
@click.option(
    "--control-port",
    type=click.IntRange(0, 65535),
    default=13085,
    show_default=True,
    help="HTTP on 127.0.0.1: a page at /, and GET /messages, /messages/ID, /outcomes, /counters, "
    "/timeline?account=LOGIN, POST /incoming, /outcomes, /limit, /account, /behaviour, /drop, /refuse, /listen, "
    "/reset.",
)
@click.option(
    "--outcome",
    "outcomes",
    multiple=True,
    callback=_outcomes,
    metavar="RULE",
    help="How some messages end, as often as needed; what no rule matches is delivered. See below.",
)
@click.option(
    "--handler",
    callback=_handler,
    metavar="URL",
    help="Where statuses are posted that no registered_delivery asked for: of every account without one of its own. "
    "What stands behind a # in it is the secret of md5 and sha1.",
)
@click.option(
    "--limit",
    type=click.FloatRange(0),
    callback=_limit,
    help="The limit of the default account, in SMS per second, such as 30 or 7.5.",
)
@click.option(
    "--law",
    type=click.Choice([str(each) for each in Law]),
    default=str(Law.SLIDING_WINDOW),
    show_default=True,
    help="How the default account's second is counted.",
)
@click.option("--burst", type=click.IntRange(1), help="What the default account's token bucket holds.")
@_behaviour("delay", _SPAN, "Seconds until a submit is answered.")
@_behaviour("order", click.Choice([str(each) for each in Order]), "How the answers leave; none: submits get no answer.")
@_behaviour("coalesce", _SPAN, "Answers leave together, once in so many seconds.")
@_behaviour("unbind", click.Choice([str(each) for each in AtUnbind]), "Answer an unbind, or close the connection.")
@_behaviour("idle", click.FloatRange(0.1, 86400), "Seconds without a PDU until a connection is closed.")
@_behaviour(
    "same_within",
    _SPAN,
    "Seconds for which an identical message is rejected (SMSC.ru: 60); 0: it is accepted again.",
)
@_behaviour("parts_within", click.FloatRange(0.1, 86400), "Seconds until the parts of a long message must be there.")
@_behaviour("receipt_delay", _SPAN, "Seconds from a message to its delivery receipt.")
@_behaviour("receipt_window", click.IntRange(1, 1000), "Receipts that an account may leave unacknowledged.")
@_behaviour("reject_share", click.FloatRange(0, 1), "The share of the submits that is rejected, chosen by chance.")
@click.option(
    "--reject-status",
    default="0x14",
    show_default=True,
    metavar="STATUS",
    help="What they are told (0x14: queue full).",
)
@_behaviour("close_after", _SPAN, "Seconds after which a bind is closed, whatever it does; 0: never.")
@click.option("--silent", is_flag=True, help="Answer nothing at all, and close nothing.")
@click.option(
    "--seed",
    type=int,
    help="Makes repeatable what chance does: --reject-share, --order out-of-order, the share of an --outcome.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="What happens as JSON lines on stdout, and no counters on stderr."
)
def command(
    provider: str | None,
    accounts: list[AccountRules],
    accounts_file: Path | None,
    host: str,
    port: int,
    tls: bool,
    tls_port: int | None,
    certificate: Path | None,
    control_port: int,
    outcomes: list[OutcomeRule],
    handler: str | None,
    limit: float | None,
    law: str,
    burst: int | None,
    seed: int | None,
    as_json: bool,
    **behaviour: object,
) -> None:
    """Run a pretend SMSC to bind to.

    It takes binds, accepts messages within each account's limit, answers ESME_RTHROTTLED beyond it, and sends
    delivery receipts and incoming messages. Without options: login test, password test, 30 SMS per second, port 2775.
    What to write in a spec is printed at the start; counters follow on stderr.
    """
    context = click.get_current_context()
    given = {name for name in context.params if context.get_parameter_source(name) is not ParameterSource.DEFAULT}
    if accounts_file is not None:
        accounts = accounts + read_accounts(accounts_file)
    if accounts and (limit is not None or burst is not None):
        raise click.UsageError("--limit and --burst are the default account's; write login:password@limit instead")
    if tls_port is not None and certificate is None and not tls:
        raise click.UsageError("--tls-port needs --tls, or a --certificate")
    plain, with_tls = _PORTS
    if provider is not None:
        plain, with_tls, usual = _as_provider(PROFILES[provider])
        behaviour.update({name: value for name, value in usual.items() if name not in given})
    if not accounts:
        accounts = [replace(DEFAULT, limit=DEFAULT.limit if limit is None else limit, law=Law(law), burst=burst)]
    if handler is not None:
        accounts = [each if each.handler else each.changed({"handler": handler}) for each in accounts]
    try:
        wanted = _USUAL.changed(behaviour)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    with contextlib.ExitStack() as kept:
        if tls or certificate is not None:
            tls_port = with_tls if tls_port is None else tls_port
            if certificate is None:
                certificate = _made(Path(kept.enter_context(tempfile.TemporaryDirectory(prefix="kannelkit-"))), host)
        try:
            simulator = Simulator(
                accounts,
                wanted,
                host=host,
                port=port if "port" in given else plain,
                tls_port=tls_port,
                certificate=certificate,
                control_port=control_port,
                seed=seed,
                bounds=_bounds(),
                outcomes=outcomes,
            )
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        asyncio.run(run(simulator, provider=provider, as_json=as_json))


def _as_provider(profile: Profile) -> tuple[int, int, dict[str, object]]:
    """Return a provider's ports, without and with TLS, and its behaviour."""
    ports = next(each for each in profile.settings if each.directive == "port")
    behaviour: dict[str, object] = {"same_within": _SAME_WITHIN}
    if profile.limits.idle is not None:
        behaviour["idle"] = profile.limits.idle.value
    return int(ports.value), int(ports.tls_value or ports.value), behaviour


def _made(folder: Path, host: str) -> Path:
    """Return a key and a certificate for this run, readable by its user alone."""
    from kannelkit.certs.dummy import dummy_certificate  # cryptography takes long to import

    path = folder / "smsc.pem"
    path.touch(mode=0o600)
    names = dict.fromkeys((host, "127.0.0.1", "localhost"))
    path.write_bytes(dummy_certificate(list(names), _CERTIFICATE_DAYS, datetime.now(UTC), key="ec-p256"))
    return path


def _bounds() -> Bounds:
    """Return the usual bounds, with no more connections than half of the descriptors that this process may open."""
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    usual = Bounds()
    if descriptors == resource.RLIM_INFINITY:
        return usual
    return replace(usual, connections=max(1, min(usual.connections, descriptors // 2)))


def read_accounts(path: Path) -> list[AccountRules]:
    """Return the accounts in a file, one a line; raises InputError with the lines that are wrong."""
    accounts: list[AccountRules] = []
    findings: list[Finding] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            accounts.append(AccountRules.parse(line.strip()))
        except ValueError as error:
            findings.append(Finding(Place(str(path), number), "simulator-account", str(error)))
    if findings:
        raise InputError(findings)
    return accounts


async def run(simulator: Simulator, *, provider: str | None = None, as_json: bool = False) -> None:
    """Run the simulator until SIGINT or SIGTERM, telling on stderr how it stands or, as JSON, what happens.

    `provider` is the one that it stands for in a spec.
    """
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_tell)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, done.set)
    async with simulator:
        if as_json:
            await tell(simulator, done)
        else:
            click.echo(what_to_write(simulator, provider))
            await _show(simulator, done)


async def _show(simulator: Simulator, done: asyncio.Event) -> None:
    live = sys.stderr.isatty() and os.environ.get("TERM") not in (None, "dumb")
    drawn = 0
    told = ""
    while not done.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), LIVE_SECONDS if live else PLAIN_SECONDS)
        lines = counter_lines(simulator)
        if live:
            # back to the first of the lines drawn before, each cut to the terminal's width and cleared to its end
            width = shutil.get_terminal_size().columns
            lines = [line[: width - 1] for line in lines]
            click.echo(f"\x1b[{drawn}F" * bool(drawn) + "\n".join(f"{line}\x1b[K" for line in lines), err=True)
            drawn = len(lines)
        elif "\n".join(lines) != told:
            told = "\n".join(lines)
            click.echo(told, err=True)


def _tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say in one line what the operating system refuses, such as another descriptor; the rest is a fault of ours."""
    error = context.get("exception")
    if isinstance(error, OSError):
        click.echo(f"{context['message']}: {error}", err=True)
    else:
        loop.default_exception_handler(context)


def what_to_write(simulator: Simulator, provider: str | None = None) -> str:
    """Return what a person needs to bind: addresses, accounts, and an entry for a spec; no password but the default."""
    entry = ("provider", provider) if provider else ("smsc", "smpp")
    first = simulator.rules[0]
    addresses = f"SMSC on {simulator.host}:{simulator.port}"
    if simulator.tls_port is not None:
        addresses += f", with TLS on {simulator.host}:{simulator.tls_port}"
    limits = (
        f"{rules.login} ({'no limit' if rules.limit is None else f'{rules.limit}/s'})" for rules in simulator.rules
    )
    return "\n".join(
        [
            f"{addresses}; what arrives: http://127.0.0.1:{simulator.control_port}/",
            f"accounts: {', '.join(limits)}",
            "",
            "smsc:",
            "  - smsc-id: simulator",
            f"    {': '.join(entry)}",
            f"    host: {simulator.host}",
            f"    port: {simulator.port}",
            f"    smsc-username: {first.login}",
            f"    smsc-password: {DEFAULT.password if first.password == DEFAULT.password else '{env: SMSC_PASSWORD}'}",
            "    transceiver-mode: true",
            f"    throughput: {first.limit or DEFAULT.limit}",
            *([] if simulator.tls_port is None else [f"    # for TLS: port: {simulator.tls_port}, use-ssl: true"]),
            "",
            "Ctrl-C ends it.",
        ]
    )


def counter_lines(simulator: Simulator) -> list[str]:
    """Return one line for each account: how it stands, and its speed over the last second."""
    lines = []
    now = simulator.clock.now()
    for login, account in simulator.accounts.items():
        counters = account.counters
        accepted, refused = account.timeline.between(now - 1.0, now)
        lines.append(
            f"{login}: {len(account.links)} online, {counters.accepted} accepted ({accepted}/s), "
            f"{counters.refused} refused ({refused}/s), {counters.rejected} rejected, {counters.doubled} doubled, "
            f"{counters.receipts_sent} receipts"
        )
    return lines
