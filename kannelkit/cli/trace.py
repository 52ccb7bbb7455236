"""`kannelkit trace SPEC ACCOUNT`."""

from __future__ import annotations

import difflib
import json
import sys
from pathlib import Path

import click

from kannelkit.cli.named import complete, known, secretless
from kannelkit.errors import GatewayError
from kannelkit.smpp.constants import CommandId
from kannelkit.spec import Spec
from kannelkit.supervise.commands import named, supervise

_EXAMPLES = """\b
Examples:
  kannelkit trace gateway.yaml shop
  kannelkit trace gateway.yaml shop --only submit_sm,deliver_sm --number +79161234567
  kannelkit trace gateway.yaml shop --json | jq 'select(.command_status > 0)'

A line tells when, from where to where, the command, its sequence number and in brackets the one that the same exchange
has on the other side, the status of a response in words, and the fields that are not 0 or empty.

Exit codes: 0 ended by Ctrl-C, 1 it cannot look on, or the account is taken from the relay, 2 wrong use.
"""
_AGAIN_SECONDS = 0.5
_NAMES = {command.name.lower(): int(command) for command in CommandId}


class Commands(click.ParamType[tuple[int, ...]]):
    """Names of SMPP's commands, or their numbers, with commas between them."""

    name = "COMMAND[,...]"

    def convert(
        self, value: str | tuple[int, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        return tuple(self._one(name.strip().lower(), param, ctx) for name in value.split(","))

    def _one(self, name: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if name in _NAMES:
            return _NAMES[name]
        try:
            number = int(name, 0)
        except ValueError:
            number = -1
        if 0 <= number < 2**32:
            return number
        near = difflib.get_close_matches(name, _NAMES, n=1)
        return self.fail(f"{name!r} is no command of SMPP; {near[0] if near else 'submit_sm'} is one", param, ctx)


class Number(click.ParamType[str]):
    """A telephone number's digits."""

    name = "NUMBER"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        digits = value.strip().removeprefix("+").translate({ord(each): None for each in " -()"})
        if not (digits.isascii() and digits.isdecimal()):
            return self.fail(f"{value!r} is no telephone number; write +79161234567", param, ctx)
        return digits


@click.command("trace", epilog=_EXAMPLES)
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("account", shell_complete=complete)
@click.option(
    "--only",
    type=Commands(),
    multiple=True,
    help="These commands alone, and generic_nack: a request with its responses, or a response. May be given again.",
)
@click.option("--number", type=Number(), help="PDUs in which this number stands, and what answers them.")
@click.option("--texts", is_flag=True, help="Show the messages' texts, too, and all octets of what cannot be decoded.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout.")
def command(
    spec: Path, account: str, only: tuple[tuple[int, ...], ...], number: str | None, texts: bool, as_json: bool
) -> None:
    """Show each PDU of ACCOUNT as it passes the relay, decoded, on both sides of it, until Ctrl-C.

    For accounts with pacing: relay. Passwords are never shown, texts only with --texts; telephone numbers are. Whoever
    looks on holds nothing up: what a slow terminal does not read in time is left out, and counted.
    """
    import asyncio

    loaded = secretless(spec)
    known(account, [each.smsc_id for each in loaded.smpp_accounts])
    paced = [each.smsc_id for each in loaded.smpp_accounts if each.relayed is not None]
    if account not in paced:
        others = f"; {', '.join(paced)} {'does' if len(paced) == 1 else 'do'}" if paced else ""
        raise GatewayError(
            f"{account} does not pass the relay{others}",
            f"write pacing: relay for {account} in {spec}, then kannelkit apply {named(loaded.path)}",
        )
    try:
        commands = sorted({each for some in only for each in some})
        asyncio.run(_follow(loaded, account, commands, number or "", texts, as_json))
    except (KeyboardInterrupt, BrokenPipeError):
        _let_go_of_stdout()


async def _follow(spec: Spec, account: str, only: list[int], number: str, texts: bool, as_json: bool) -> None:
    import asyncio

    from kannelkit.cli.trace_lines import Reading, line
    from kannelkit.relay.trace import watch
    from kannelkit.supervise.relaysettings import folder, kept_accounts

    kept = kept_accounts(folder(spec))
    if kept and account not in kept:
        raise GatewayError(f"the relay runs without {account} yet", f"kannelkit apply {named(spec.path)}")
    reading = Reading(texts=texts)
    seen = False
    while True:
        if kept and account not in kept_accounts(folder(spec)):
            raise _removed(spec, account)
        begun = False
        async for told in watch(folder(spec), account, only, number):
            if not begun:
                begun = True
                how = "" if texts else "; texts are left out (--texts)"
                click.echo("the relay is back" if seen else f"PDUs of {account}, until Ctrl-C{how}", err=True)
                seen = True
                continue
            if "removed" in told:
                raise _removed(spec, account)
            found = reading.read(told)
            click.echo(json.dumps(found, ensure_ascii=False) if as_json else line(found))
        if not seen:
            raise GatewayError("the relay does not run", f"{supervise(spec)} runs it")
        if begun:
            click.echo("the relay has ended; waiting for the next one", err=True)
        await asyncio.sleep(_AGAIN_SECONDS)


def _removed(spec: Spec, account: str) -> GatewayError:
    why = f"it was removed, or its pacing was changed: kannelkit history {named(spec.path)}"
    return GatewayError(f"{account} does not pass the relay any more", why)


def _let_go_of_stdout() -> None:
    """Have the interpreter not complain of a reader that is gone."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stderr.close()
