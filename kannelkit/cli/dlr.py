"""`kannelkit dlr`: what a delivery receipt says, from a text, from Kannel's access log, or asked of the provider."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote_to_bytes

import click

from kannelkit.cli.dlr_terms import TERMS
from kannelkit.cli.dlr_told import Told, of_entry, of_text
from kannelkit.cli.figures import shown
from kannelkit.gateway.accesslog import Refusals, read_line
from kannelkit.providers.facts import Language
from kannelkit.smpp.receipts import STATES

_COLOURS = {"good": "green", "bad": "red", "waiting": "yellow"}
_STDIN = "-"
_LONGEST_LINE = 64 * 1024
_MOST_NAMED = 10  # lines that hold no receipt
_MOST_SAID = 100
_WIDEST = 100

# a log's line begins so (gwlib/log.c, gwlib/accesslog.c)
_STAMP = re.compile(rb"\d{4}-\d\d-\d\d(?: |\Z)")
_RECEIPT = re.compile(rb"\bid:\S*\s.*\bstat:", re.DOTALL)
# as %A in a dlr-url has it
_ENCODED = re.compile(rb"(?:id%3A[^&\s\"]*|N?ACK%2F[^&\s\"]*)", re.IGNORECASE)
# what a text can begin with where its words came as arguments of their own
_FIRST_WORD = re.compile(rb"id:|N?ACK/|\d{4}-\d\d-\d\d\Z", re.IGNORECASE)

_EPILOG = """\b
Examples:
  kannelkit dlr "id:854019 sub:001 dlvrd:001 submit date:1108202241 done date:1108202241 stat:UNDELIV err:006"
  kannelkit dlr 220 UNDELIV "NACK/0x00000045/Submit failed"
  kannelkit dlr - < /var/log/kannel/access.log
  kannelkit dlr --follow gateway.yaml
  kannelkit dlr --query 854019 gateway.yaml

\b
Exit codes: 0 explained, 1 a text is no receipt or a query has no answer, 2 wrong use.
"""


@click.command("dlr", epilog=_EPILOG)
@click.argument("texts", metavar="TEXT...|-|SPEC", nargs=-1)
@click.option("--follow", "-f", is_flag=True, help="Show receipts of SPEC's gateway as they arrive, until Ctrl-C.")
@click.option("--query", metavar="ID", help="Ask the provider of SPEC's account what became of this message.")
@click.option("--account", metavar="ACCOUNT", help="With --follow and --query: of this account.")
@click.option("--from", "sender", metavar="SENDER", help="With --query: the message's sender, where the provider asks.")
@click.option("--force", is_flag=True, help="With --query: also where the bind may close one of Kannel's links.")
@click.option("--lang", type=click.Choice(["en", "ru"]), help="The language; from the environment (LANG) otherwise.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a receipt, each on a line.")
@click.pass_context
def command(
    ctx: click.Context,
    texts: tuple[str, ...],
    follow: bool,
    query: str | None,
    account: str | None,
    sender: str | None,
    force: bool,
    lang: Language | None,
    as_json: bool,
) -> None:
    """Explain delivery receipts: state, error, kind, cost, parts, an HLR's answer; whatever is not known is shown.

    TEXT is a receipt, a line of Kannel's access log, what Kannel says itself (NACK/...), a state, or an error's
    number. - reads texts from the standard input, one a line, or a whole access log. A message that was refused as a
    repeat although it was delivered is told apart where the log shows it.

    --follow shows what bearerbox writes to its access log from now on. --query asks with QUERY_SM on a bind of its own,
    as a transmitter, so that no receipt of Kannel's goes astray; where the account has no bind to spare it does not,
    because a provider like SMSC.ru closes the older one.
    """
    if os.environ.get("NO_COLOR"):
        ctx.color = False
    show = Shown(lang or language(), as_json=as_json)
    if follow or query is not None:
        if follow and query is not None:
            raise click.UsageError("--follow and --query are two questions: ask one")
        if len(texts) != 1:
            raise click.UsageError(f"{'--follow' if follow else '--query'} goes with one SPEC")
        spec = Path(texts[0])
        if follow:
            _alone("--follow", **{"--from": sender, "--force": force or None})
            from kannelkit.cli.dlr_follow import follow as follow_log

            follow_log(spec, account, show)
        else:
            from kannelkit.cli.dlr_query import query as query_smsc

            show.whole(query_smsc(spec, query or "", account, sender or "", show.lang, force=force))
        return
    _alone("TEXT", **{"--account": account, "--from": sender, "--force": force or None})
    if not texts:
        raise click.UsageError("name a TEXT, or - for the standard input")
    if _STDIN in texts and len(texts) > 1:
        raise click.UsageError("- goes alone")
    ctx.exit(0 if (_stdin(show) if texts == (_STDIN,) else _arguments(texts, show)) else 1)


def _alone(what: str, **options: object) -> None:
    for name, value in options.items():
        if value is not None:
            raise click.UsageError(f"{name} does not go with {what}")


def language() -> Language:
    """Return the language that the environment asks for."""
    asked = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))), "")
    return "ru" if asked.lower().startswith("ru") else "en"


# -- texts -------------------------------------------------------------------------------------------------------------


def _arguments(texts: Sequence[str], show: Shown) -> bool:
    every = True
    for number, text in enumerate(joined([os.fsencode(text) for text in texts])):
        if number and not show.as_json:
            click.echo()
        entry = read_line(text)
        told = of_entry(entry, None, show.lang) if entry is not None else of_text(receipt_in(text), show.lang)
        if told is None:
            why = f"no receipt but {entry.verb!r}" if entry is not None else "no receipt"
            click.echo(f"{why}: {shown(text.decode('utf-8', 'replace'))[:_WIDEST]}", err=True)
            if os.path.isfile(text):
                click.echo(
                    "  hint: this is a file: kannelkit dlr - < FILE reads a log, --follow a SPEC's log", err=True
                )
            every = False
        else:
            show.whole(told)
    return every


def joined(texts: Sequence[bytes]) -> list[bytes]:
    """Return the texts, those put together again whose words came one by one, because nobody quoted them."""
    found: list[bytes] = []
    growing = False
    for text in texts:
        alone = len(text.split()) != 1 or _bare(text)
        if growing and not alone and not (_FIRST_WORD.match(text) and _FIRST_WORD.match(found[-1])):
            found[-1] += b" " + text
        else:
            found.append(text)
            growing = not alone
    return found


def _bare(text: bytes) -> bool:
    return text.isdigit() or text.upper().decode("latin-1") in STATES


def receipt_in(text: bytes) -> bytes:
    """Return the part of a text that is the receipt: behind a stamp and fields of a log, or encoded in a URL."""
    encoded = _ENCODED.search(text)
    if encoded is not None:
        return unquote_to_bytes(encoded[0].replace(b"+", b" "))
    found = _RECEIPT.search(text) if _STAMP.match(text) else None
    return text if found is None else text[found.start() :]


def _stdin(show: Shown) -> bool:
    """Explain what stands on the standard input; a log has other lines as well, and is told as a log."""
    refusals = Refusals()
    receipts = number = 0
    strange: list[int] = []
    for number, line in enumerate(lines(), start=1):
        entry = read_line(line)
        if entry is not None:
            told = of_entry(entry, refusals.take(entry, time.time()), show.lang)
        else:
            told = of_text(receipt_in(line), show.lang)
            if told is None and line.strip() and not _STAMP.match(line):
                strange.append(number)
        if told is not None:
            receipts += 1
            show.line(told)
    if strange:
        named = ", ".join(map(str, strange[:_MOST_NAMED])) + " ..." * (len(strange) > _MOST_NAMED)
        click.echo(f"no receipt in {'line' if len(strange) == 1 else 'lines'} {named}", err=True)
    elif not receipts:
        click.echo(f"no receipt in {number} lines", err=True)
    return bool(receipts) and not strange


def lines() -> Iterator[bytes]:
    """Yield the lines of the standard input, without their ends; one that is too long is cut."""
    within = False
    while line := sys.stdin.buffer.readline(_LONGEST_LINE):
        if not within:
            yield line.rstrip(b"\r\n")
        within = not line.endswith(b"\n")


# -- what is shown -----------------------------------------------------------------------------------------------------

# what a line does not repeat: it stands in the headline, or in the log's own fields
_NOT_IN_A_LINE = frozenset({"id", "state", "error", "submitted", "done", "sub", "dlvrd"})


class Shown:
    """Shows receipts in one language: for people, or as JSON, one object a line."""

    def __init__(self, lang: Language, *, as_json: bool) -> None:
        self.lang = lang
        self.as_json = as_json
        self._said: set[str] = set()

    def whole(self, told: Told) -> None:
        """Show a receipt as a table."""
        if self.as_json:
            self._json(told)
            return
        self._say(click.style(shown(told.headline), fg=_COLOURS.get(told.tone), bold=True))
        wide = max((len(row.label) for row in told.rows), default=0)
        for row in told.rows:
            self._say(f"  {click.style(shown(row.label).ljust(wide), dim=True)}  {shown(row.value)}")
        self._notes(told, "  ")

    def line(self, told: Told) -> None:
        """Show a receipt as one of many: a line, and below it what else there is to say."""
        if self.as_json:
            self._json(told)
            return
        log = told.plain.get("log")
        fields = log if isinstance(log, dict) else {}
        message_id = fields.get("id") or told.plain.get("id")
        stands = [fields.get("time"), fields.get("smsc-id"), fields.get("subscriber"), message_id]
        before = "  ".join(shown(str(each)) for each in stands if each)
        headline = click.style(shown(told.headline), fg=_COLOURS.get(told.tone))
        self._say(f"{before}  {headline}" if before else headline)
        more = [
            f"{shown(row.label)}: {shown(row.value)}"
            for row in told.rows
            if row.name not in _NOT_IN_A_LINE and row.value != TERMS[self.lang]["empty"]
        ]
        if more:
            self._say(click.style(f"    {'; '.join(more)}", dim=True))
        self._notes(told, "    ")

    def _notes(self, told: Told, margin: str) -> None:
        for whole in told.notes:
            # one that came before is recognised by its beginning
            note = whole.partition(". ")[0].removesuffix(".") + "." if whole in self._said else whole
            if len(self._said) < _MOST_SAID:
                self._said.add(whole)
            if sys.stdout.isatty():
                width = min(_WIDEST, shutil.get_terminal_size((100, 24)).columns)
                note = textwrap.fill(shown(note), width, initial_indent=margin, subsequent_indent=margin)
                self._say(click.style(note, fg="yellow"))
            else:
                self._say(f"{margin}{shown(note)}")

    def _json(self, told: Told) -> None:
        self._say(json.dumps({"headline": told.headline, **told.plain}, ensure_ascii=False))

    def _say(self, text: str) -> None:
        encoding = sys.stdout.encoding or "utf-8"
        click.echo(text.encode(encoding, "replace").decode(encoding))
