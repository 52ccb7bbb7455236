"""What a person or a program sees while messages are sent and their receipts come."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from kannelkit.cli import preview
from kannelkit.cli.figures import local_time, shown
from kannelkit.cli.receipt_words import told
from kannelkit.errors import InputError
from kannelkit.findings import Finding
from kannelkit.gateway.journal import State
from kannelkit.gateway.outgoing import Outgoing
from kannelkit.gateway.sendsms import Answer, Fate

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from kannelkit.gateway.receipts_in import Receipt
    from kannelkit.gateway.sending import Writing

_FEW = 20  # messages that have a line each in a terminal; of more only what went wrong
_NAMED = 20
_SENT = "sent"


class Shown:
    """Counts and tells. `left` messages were not begun; `trouble` is why, `interrupted` that a person wanted it so."""

    def __init__(self, *, as_json: bool) -> None:
        self.left = 0
        self.trouble: Answer | None = None
        self.interrupted = False
        self._as_json = as_json
        self._total = 0
        self._before = 0
        self._unknown: list[Outgoing] = []
        self._fates: dict[int, Answer] = {}
        self._receivers: dict[int, Outgoing] = {}
        self._final: dict[int, Receipt] = {}
        self._awaited: set[int] = set()  # taken, and without a last receipt
        self._waits = False
        self._all_came = asyncio.Event()
        self._progress: tuple[Progress, TaskID, TaskID | None] | None = None
        self._noted: set[str] = set()
        self._quiet = False  # only what went wrong has a line

    @property
    def whole(self) -> bool:
        """Whether smsbox took every message, now or before."""
        return self._total == self._before + self._count(Fate.TAKEN)

    def _count(self, fate: Fate) -> int:
        return sum(answer.fate is fate for answer in self._fates.values())

    # -- before --------------------------------------------------------------------------------------------------------

    def notes(self, findings: Iterable[Finding]) -> None:
        """Tell what is not sure to be right."""
        for finding in findings:
            self._note([f"{finding.place}: {finding.message} ({finding.hint})"])

    def refuse(self, findings: Iterable[Finding]) -> None:
        """Raise InputError where there is something wrong."""
        found = list(findings)
        if found:
            if self._as_json:
                self._event("refused", findings=[_finding(each) for each in found])
            raise InputError(found)

    def preview(self, messages: Sequence[Outgoing], first: int) -> None:
        """Tell what would be sent; of a list the first messages."""
        if self._as_json:
            for outgoing in messages:
                self._event("message", **preview.as_object(outgoing))
        else:
            preview.show(messages, first)

    def taken_up(self, messages: Sequence[Outgoing], writing: Writing, *, again_unknown: bool) -> list[Outgoing]:
        """Return what is left to send of a list, and tell what is not."""
        left: list[Outgoing] = []
        for outgoing in messages:
            state = writing.state(outgoing)
            if state is State.TAKEN:
                self._before += 1
            elif state is State.BEGUN and not again_unknown:
                self._unknown.append(outgoing)
            else:
                left.append(outgoing)
        self._total = self._before + len(self._unknown)
        if writing.list is not None and not writing.list.new:
            since = local_time(writing.list.since)
            click.echo(f"{self._before} of {len(messages)} messages were sent before ({since})", err=True)
        for outgoing in self._unknown:
            self._event("unknown-before", **_whose(outgoing))
        return left

    def question(self, messages: Sequence[Outgoing]) -> str:
        """Return what a person is asked before many messages."""
        return f"send {preview.summary(messages)}?"

    # -- meanwhile -----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def progress(self, messages: Sequence[Outgoing], *, receipts: bool) -> Iterator[None]:
        """Show how far it is while it is entered: in a terminal with bars, where there are more than a few messages."""
        self._total += len(messages)
        self._waits = receipts
        self._receivers = {outgoing.number: outgoing for outgoing in messages}
        many = len(messages) > _FEW
        self._quiet = many and sys.stdout.isatty() and not self._as_json
        if not (many and sys.stderr.isatty()):
            yield
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), redirect_stdout=sys.stdout.isatty()) as progress:
            sent = progress.add_task(_SENT, total=len(messages))
            came = progress.add_task("receipts", total=len(messages)) if receipts else None
            self._progress = (progress, sent, came)
            try:
                yield
            finally:
                self._progress = None

    def answered(self, outgoing: Outgoing, answer: Answer) -> None:
        """Tell what became of a message."""
        self._fates[outgoing.number] = answer
        if self._progress:
            progress, task, _ = self._progress
            progress.update(task, advance=1, description=_SENT)
        if answer.fate is Fate.TAKEN and outgoing.number not in self._final:
            self._awaited.add(outgoing.number)
        if answer.fate is Fate.TAKEN:
            words, colour = ("accepted" if not answer.queued else "queued: no link could take it on yet"), "green"
        else:
            words, colour = f"{answer.fate}: {answer.words}" + (f" ({answer.hint})" if answer.hint else ""), "red"
        if self._as_json:
            result = "queued" if answer.queued else str(answer.fate)
            told = {} if answer.fate is Fate.TAKEN else {"words": answer.words, "hint": answer.hint}
            self._event("message", **_whose(outgoing), result=result, parts=outgoing.count.parts, **told)
        elif not self._quiet or answer.fate is not Fate.TAKEN:
            self._line(outgoing, words, colour)

    def slowed(self, answer: Answer, seconds: float) -> None:
        """Tell that it waits before it tries again."""
        if self._progress:
            progress, task, _ = self._progress
            progress.update(task, description="smsbox is away" if answer.fate is Fate.UNREACHED else "queue full")
            return
        click.echo(shown(f"{answer.words.rstrip('.')}; the next try is in {seconds:g} s"), err=True)

    def receipt(self, receipt: Receipt) -> None:
        """Tell what a receipt says."""
        outgoing = self._receivers[receipt.number]
        if receipt.final and receipt.number not in self._final:
            self._final[receipt.number] = receipt
            self._awaited.discard(receipt.number)
            if self._progress and self._progress[2] is not None:
                self._progress[0].advance(self._progress[2])
        found = told(receipt)
        if self._as_json:
            self._event("receipt", **_whose(outgoing), **found.as_dict())
        elif not self._quiet or (receipt.final and not receipt.delivered):
            colour = "green" if receipt.delivered else "red" if receipt.final else ""
            self._line(outgoing, found.words, colour)
            self._note(found.notes)
        if not self._awaited:
            self._all_came.set()

    async def until_all_came(self, timeout: float) -> None:
        """Wait until every message that was taken has its last receipt, `timeout` seconds at the most."""
        self._all_came.clear()  # it was set whenever receipts were quicker than messages
        if self._awaited:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_came.wait(), timeout)

    # -- at the end ----------------------------------------------------------------------------------------------------

    def end(self, *, resumable: bool) -> int:
        """Tell the sums and return the exit code."""
        taken, refused, unknown = (self._count(fate) for fate in (Fate.TAKEN, Fate.REFUSED, Fate.UNKNOWN))
        delivered = sum(receipt.delivered for receipt in self._final.values())
        sums = {
            "taken": taken,
            "refused": refused,
            "unknown": unknown,
            "unknown-before": len(self._unknown),
            "sent-before": self._before,
            "not-begun": self.left,
        }
        if self._waits:
            sums |= {
                "delivered": delivered,
                "undelivered": len(self._final) - delivered,
                "without-receipt": len(self._awaited),
            }
        if self._as_json:
            self._event("end", **sums)
        else:
            self._told_sums(sums, resumable=resumable)
        done = self.whole and (not self._waits or delivered == taken)
        return 0 if done else 1

    def _told_sums(self, sums: Mapping[str, int], *, resumable: bool) -> None:
        words = {"taken": "accepted", "unknown": "of unknown fate", "not-begun": "not begun"}
        words |= {"unknown-before": "of unknown fate from before", "sent-before": "sent before"}
        words |= {"without-receipt": "without a last receipt"}
        parts = [f"{count} {words.get(name, name)}" for name, count in sums.items() if count or name == "taken"]
        click.echo(", ".join(parts), err=True)
        if self.trouble is not None:
            click.echo(shown(f"stopped: {self.trouble.words} ({self.trouble.hint})"), err=True)
        lost = [self._receivers[number] for number, answer in self._fates.items() if answer.fate is Fate.UNKNOWN]
        if lost := [*self._unknown, *lost]:
            named = ", ".join(f"{each.message.to} ({each.place})" for each in lost[:_NAMED])
            more = f" and {len(lost) - _NAMED} more" * (len(lost) > _NAMED)
            again = ", then --again-unknown" * resumable
            click.echo(shown(f"of unknown fate: {named}{more}; look for them in Kannel's access log{again}"), err=True)
        if resumable and self.left:
            click.echo("the same command goes on with what was not begun", err=True)
        elif resumable and sums["refused"]:
            click.echo("--resume sends what was refused", err=True)

    # -- forms ---------------------------------------------------------------------------------------------------------

    def _line(self, outgoing: Outgoing, words: str, colour: str) -> None:
        text = f"{shown(outgoing.message.to)}: {click.style(shown(words), fg=colour or None)}"
        if self._progress and sys.stdout.isatty():
            from rich.text import Text

            self._progress[0].console.print(Text.from_ansi(text), soft_wrap=True)
        else:
            click.echo(text)

    def _note(self, notes: Iterable[str]) -> None:
        for note in notes:
            if note not in self._noted:  # the same of many receipts is told once
                self._noted.add(note)
                click.echo(shown(f"note: {note}"), err=True)

    def _event(self, event: str, **values: Any) -> None:
        if self._as_json:
            click.echo(json.dumps({"event": event, **values}, ensure_ascii=False))


def _whose(outgoing: Outgoing) -> dict[str, object]:
    return {"number": outgoing.number, "place": str(outgoing.place), "to": outgoing.message.to}


def _finding(finding: Finding) -> dict[str, object]:
    place = asdict(finding.place)
    return {**place, "rule": finding.rule, "message": finding.message, "hint": finding.hint}
