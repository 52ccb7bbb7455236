"""`kannelkit send SPEC`."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from kannelkit.cli.named import secretless
from kannelkit.cli.prepared import prepared
from kannelkit.cli.variables import AnyVariable
from kannelkit.conf.values import TRUE
from kannelkit.errors import HostError, KannelkitError
from kannelkit.findings import Finding, Place
from kannelkit.gateway.lists import Cell, Row, decoded, looks_like_a_number, read_list
from kannelkit.host.files import make_folder
from kannelkit.host.secrets import keep
from kannelkit.providers.channels import Channel
from kannelkit.spec import Spec, load

if TYPE_CHECKING:
    from kannelkit.cli.sending import Shown
    from kannelkit.gateway.outgoing import Outgoing
    from kannelkit.gateway.route import Routes
    from kannelkit.gateway.sending import Writing

_MOST_OCTETS = 64 * 2**20  # of a list
_ASK_FROM = 20  # messages: from here on a person is asked in a terminal

_EXAMPLES = """\b
Examples:
  kannelkit send gateway.yaml --to 79991234567 --text "Your table is ready" --from Cafe --dlr wait
  kannelkit send gateway.yaml --to 79991234567 --channel tgm --text 4711 --from Cafe
  kannelkit send gateway.yaml --to customers.csv --dry-run
  kannelkit send gateway.yaml --to numbers.txt --text @letter.txt --from Cafe
  query | kannelkit send gateway.yaml --to - --from Cafe --json

A list is CSV, its header some of to, text, from, channel, subject, voice, call-parameters, bot, comment, priority,
validity, account; or one number a line. Its messages are sent once: the same command goes on where a broken one ended.
"""


def _complete_account(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    path = ctx.params.get("spec")
    try:
        spec = secretless(path) if isinstance(path, Path) else None
    except KannelkitError:
        return []
    names = sorted({account.smsc_id for account in spec.smpp_accounts}) if spec else []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


@click.command("send", epilog=_EXAMPLES)
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--to", multiple=True, required=True, metavar="NUMBER|FILE|-", help="A receiver, or a list; may be given again."
)
@click.option("--text", metavar="TEXT|@FILE|-", help="What to send; @FILE reads it from a file, - from stdin.")
@click.option("--from", "sender", metavar="SENDER", help="Who it is from.")
@click.option(
    "--channel",
    type=click.Choice([str(channel) for channel in Channel]),
    metavar="|".join(Channel),
    help="How it goes; sms unless said.",
)
@click.option("--subject", help="The subject of a mail.")
@click.option("--voice", help="The voice of a call: m, w2, ...")
@click.option("--call-parameters", metavar="TEXT", help="The parameters of a call, as the provider writes them.")
@click.option("--bot", metavar="NAME", help="The Telegram bot.")
@click.option("--comment", help="For your own history at the provider; not delivered, not charged.")
@click.option("--priority", metavar="0-3", help="3 is the most urgent.")
@click.option("--validity", metavar="MINUTES", help="How long the provider tries.")
@click.option(
    "--account", metavar="SMSC-ID", shell_complete=_complete_account, help="The account that it goes through."
)
@click.option("--user", metavar="NAME", help="The sendsms-user to send as; the spec's first one.")
@click.option("--dlr", type=click.Choice(["none", "wait"]), default="none", help="wait: show each receipt as it comes.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for receipts.",
)
@click.option("--dry-run", is_flag=True, help="Send nothing; show alphabet, parts, length and text of each message.")
@click.option(
    "--first",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    metavar="N",
    help="How much of a list --dry-run shows.",
)
@click.option("--resume", is_flag=True, help="Of a list that was sent, send what is new, and what was refused.")
@click.option("--anew", is_flag=True, help="Send all of a list, whatever was sent of it before.")
@click.option("--again-unknown", is_flag=True, help="Send again what may have been sent: nobody saw the answer.")
@click.option("--yes", "agreed", is_flag=True, help=f"Do not ask before {_ASK_FROM} messages and more.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    spec: Path,
    to: tuple[str, ...],
    user: str | None,
    dlr: str,
    timeout: float,
    dry_run: bool,
    first: int,
    resume: bool,
    anew: bool,
    again_unknown: bool,
    agreed: bool,
    as_json: bool,
    **columns: str | None,
) -> None:
    """Send messages through the gateway that SPEC describes, on any channel of its provider.

    Each is looked at before the first one is sent; what the provider would refuse is refused here, with the reason.
    Nothing is sent twice. Exit code 0 when smsbox took every message and, with --dlr wait, every one was delivered; 1
    when not.
    """
    from kannelkit.cli.sending import Shown
    from kannelkit.gateway.outgoing import Checking
    from kannelkit.gateway.route import Routes

    if to.count("-") + (columns["text"] == "-") > 1:
        raise click.UsageError("stdin can be read once: for --to or for --text")
    if anew and resume:
        raise click.UsageError("--anew sends all of a list, --resume what is new in it: choose one")
    shown = Shown(as_json=as_json)
    loaded = _loaded(spec, user, dry_run=dry_run)
    routes = Routes(loaded, user)
    rows, files, findings = _rows(to, routes)
    checking = Checking(routes)
    messages = checking.messages(rows, _usual(columns))
    shown.notes([*checking.notes, *(_told_of_one_part(routes, messages) if dlr == "wait" else ())])
    shown.refuse([*findings, *checking.findings])
    if dry_run:
        shown.preview(messages, first)
        return
    with _writing(loaded, messages, listed=bool(files)) as writing:
        if writing is not None and files:
            if anew:  # before it is written down that the list begins anew
                shown.refuse(_too_soon(writing, messages))
            writing.take_up(_name(files), anew=anew, resume=resume or again_unknown)
            messages = shown.taken_up(messages, writing, again_unknown=again_unknown)
        if writing is not None:
            shown.refuse(_too_soon(writing, messages))
        if not agreed and len(messages) >= _ASK_FROM and sys.stdin.isatty() and sys.stderr.isatty():
            click.confirm(shown.question(messages), abort=True, err=True)
        asyncio.run(_send(loaded, routes, messages, writing, shown, timeout if dlr == "wait" else None))
        if writing is not None and not shown.left:
            writing.end()
    ctx.exit(shown.end(resumable=bool(files)))


# -- what is asked for -------------------------------------------------------------------------------------------------


def _loaded(path: Path, user: str | None, *, dry_run: bool) -> Spec:
    """Return the spec with the password of the user that messages are sent as; other secrets need not be at hand."""
    from kannelkit.gateway.route import Routes

    if dry_run:
        return secretless(path)
    variables = AnyVariable()
    spec = load(path, variables)
    spec = spec.with_made(keep(spec.state_dir, spec.to_make()))
    stand_in = variables[""]  # no variable has this name
    if variables.missing and Routes(spec, user).user.get("password") == stand_in:
        return prepared(path)  # which says what is missing
    return spec


def _rows(receivers: Iterable[str], routes: Routes) -> tuple[list[Row], list[Path | None], list[Finding]]:
    """Return a row for each receiver, the files that they stand in, None for stdin, and what is wrong in those."""
    characters = routes.route().receiver_characters
    rows: list[Row] = []
    files: list[Path | None] = []
    findings: list[Finding] = []
    for receiver in receivers:
        named = receiver.startswith("@") or (not looks_like_a_number(receiver) and os.path.exists(receiver))
        if receiver != "-" and not named:
            if _meant_as_a_file(receiver) and not characters.issuperset(receiver):
                findings.append(_no_file(receiver))
                continue
            rows.append({"to": Cell(receiver, Place("--to"))})
            continue
        path = None if receiver == "-" else Path(receiver.removeprefix("@"))
        files.append(path)
        found, wrong = read_list(_decoded(path), _shown(path))
        rows += found
        findings += wrong
    return rows, files, findings


def _meant_as_a_file(receiver: str) -> bool:
    """Return whether it is neither a number nor an address of mail, but may be the name of a file."""
    if looks_like_a_number(receiver) or "@" in receiver:
        return False
    return any(character.isalpha() or character in "/." for character in receiver)


def _no_file(receiver: str) -> Finding:
    message = f"{_shown(receiver)[:60]!r} is no number, and there is no file of this name"
    hint = "name a file that is there, or write a number; other receivers than numbers: sendsms-chars in group smsbox"
    return Finding(Place("--to"), "M201", message, hint)


def _usual(columns: Mapping[str, str | None]) -> dict[str, Cell]:
    """Return the options as cells that fill the gaps of each row."""
    found = {}
    for option, value in columns.items():
        name = {"sender": "from"}.get(option, option.replace("_", "-"))
        if value is not None:
            found[name] = Cell(_text(value) if name == "text" else value, Place(f"--{name}"))
    return found


def _text(value: str) -> str:
    if value != "-" and not value.startswith("@"):
        return value
    if value.startswith("@@"):
        return value[1:]
    text = _decoded(None if value == "-" else Path(value[1:]))
    return text.replace("\r\n", "\n").removesuffix("\n")


def _decoded(path: Path | None) -> str:
    """Return the text that stands in a file, which may be a pipe, or on stdin."""
    try:
        if path is None:
            octets = sys.stdin.buffer.read(_MOST_OCTETS + 1)
        else:
            with path.open("rb") as file:
                octets = file.read(_MOST_OCTETS + 1)
    except OSError as error:
        raise HostError(f"cannot read {_shown(path)}: {error.strerror}", "name a file that is there") from error
    if len(octets) > _MOST_OCTETS:
        raise HostError(f"{_shown(path)} has more than {_MOST_OCTETS // 2**20} MiB", "send it in parts")
    return decoded(octets, _shown(path))


def _shown(path: Path | str | None) -> str:
    """Return a file's name, which may be any octets, as text; stdin where there is none."""
    return "stdin" if path is None else os.fsencode(path).decode("utf-8", "backslashreplace")


def _name(files: Iterable[Path | None]) -> str:
    """Return the name by which a list is known again; "" where some of it comes from no regular file."""
    if not all(path and path.is_file() for path in files):
        return ""
    return "\n".join(_shown(os.path.realpath(path)) for path in files if path)


# -- sending -----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _writing(spec: Spec, messages: Sequence[Outgoing], *, listed: bool) -> Iterator[Writing | None]:
    """Return where it is written down what was begun; nothing for messages that need no memory."""
    from kannelkit.gateway.journal import Journal
    from kannelkit.gateway.sending import Writing

    if not listed and not any(message.refuses_repeats for message in messages):
        yield None
        return
    make_folder(spec.state_dir)
    with Journal(spec.state_dir) as journal:
        yield Writing(journal, messages)


def _too_soon(writing: Writing, messages: Sequence[Outgoing]) -> Iterator[Finding]:
    from kannelkit.gateway.outgoing import SAME_WITHIN

    for outgoing, seconds in writing.repeats(messages):
        wait = max(1, math.ceil(SAME_WITHIN - seconds))
        message = f"the same text went to {outgoing.message.to} {max(0, seconds):.0f} s ago"
        hint = f"the provider takes no second one within {SAME_WITHIN} s: wait {wait} s, or change the text"
        yield Finding(outgoing.place, "M206", message, hint)


def _told_of_one_part(routes: Routes, messages: Sequence[Outgoing]) -> Iterator[Finding]:
    """Yield a note where the receipt that is waited for tells of a part of the text alone."""
    for outgoing in messages:
        names = routes.route(outgoing.message.smsc or "").told_of_one_part
        if names and outgoing.count.parts > 1:
            message = f"the receipt of a text of several parts tells of the first one, by SINGLE of {', '.join(names)}"
            yield Finding(outgoing.place, "M211", message, "leave SINGLE out where one receipt for all parts is better")
            return


async def _send(
    spec: Spec,
    routes: Routes,
    messages: Sequence[Outgoing],
    writing: Writing | None,
    shown: Shown,
    timeout: float | None,
) -> None:
    """Send the messages and, where there is a timeout, wait so many seconds for their receipts."""
    import aiohttp

    from kannelkit.gateway.receipts_in import MASK, ReceiptsIn
    from kannelkit.gateway.sending import Sending
    from kannelkit.gateway.sendsms import Message, SendSms

    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        sms = SendSms(
            session,
            spec.sendsms_port,
            routes.user.get("username") or "",
            routes.user.get("password") or "",
            spec.sendsms_host,
            path=spec.smsbox.get("sendsms-url") or "/cgi-bin/sendsms",
            tls=(spec.smsbox.get("sendsms-port-ssl") or "").lower() in TRUE,
        )
        receipts = None if timeout is None else await stack.enter_async_context(ReceiptsIn(shown.receipt))

        def with_receipts(outgoing: Outgoing) -> Message:
            if receipts is None:
                return outgoing.message
            return replace(outgoing.message, dlr_mask=MASK, dlr_url=receipts.url(outgoing.number))

        sending = Sending(sms, writing, shown.answered, slowed=shown.slowed, prepared=with_receipts)
        task = asyncio.current_task()
        all_begun = False

        def interrupted() -> None:
            if task is not None and (shown.interrupted or all_begun):
                task.cancel()
            shown.interrupted = True
            sending.stop()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, interrupted)
        stack.enter_context(shown.progress(messages, receipts=timeout is not None))
        try:
            await sending.run(messages)
            all_begun = True
            if timeout is not None and not shown.interrupted:
                await shown.until_all_came(timeout)
        except asyncio.CancelledError:  # by a second Ctrl-C, or one while receipts are waited for
            return
        finally:
            shown.left, shown.trouble = sending.left, sending.trouble
