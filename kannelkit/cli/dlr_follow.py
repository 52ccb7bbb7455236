"""`kannelkit dlr --follow`: receipts as bearerbox writes them to its access log."""

from __future__ import annotations

import os
import shlex
import sys
import time
from dataclasses import replace
from pathlib import Path

import click

from kannelkit.cli.dlr import Shown, receipt_in
from kannelkit.cli.dlr_told import TlvForms, Told, of_entry, of_text
from kannelkit.cli.figures import local_time, shown
from kannelkit.cli.named import known, secretless
from kannelkit.errors import GatewayError
from kannelkit.gateway.accesslog import Refusals, read_line
from kannelkit.host.tail import Tail
from kannelkit.providers.facts import Language
from kannelkit.spec import Spec
from kannelkit.spec.numbers import whole

_POLL_SECONDS = 0.3


def follow(path: Path, account: str | None, show: Shown) -> None:
    """Show what comes until Ctrl-C, of one account or of all. Raises InputError, GatewayError, HostError."""
    spec = secretless(path)
    if account is not None:
        known(account, [each.smsc_id for each in spec.smpp_accounts])
    log = spec.files.access_log
    if log is None:
        raise GatewayError(
            "the gateway writes no access log, and receipts stand nowhere else",
            f"write access-log: FILE in core of {path}, then kannelkit apply {shlex.quote(str(path))}",
        )
    form = spec.core.values.get("access-log-format")
    if form is not None:
        if account is not None:
            what = f"{form.place}: lines in the form of access-log-format do not tell their account"
            raise GatewayError(what, "leave out --account, or access-log-format")
        click.echo(f"{form.place}: with access-log-format only the texts of receipts can be read", err=True)
    reading = _Reading(show.lang, tlv_forms(spec))
    problem = ""
    try:
        with Tail(log, from_end=True) as tail:
            click.echo(f"receipts from {log}, until Ctrl-C", err=True)
            while True:
                for line in tail.read():
                    told = reading.told(line, account)
                    if told is not None:
                        show.line(told)
                sys.stdout.flush()
                found = tail.problem
                if not found and not os.path.exists(log):
                    found = f"{log} is not there; bearerbox makes it when it starts"
                if found != problem:
                    click.echo(shown(found or f"{log} can be read now"), err=True)
                problem = found
                time.sleep(_POLL_SECONDS)
    except KeyboardInterrupt:
        return  # the only end


class _Reading:
    def __init__(self, lang: Language, forms: TlvForms) -> None:
        self._lang = lang
        self._forms = forms
        self._refusals = Refusals()

    def told(self, line: bytes, account: str | None) -> Told | None:
        """Return what a line tells of a receipt, None where it tells of none, or of another account's."""
        entry = read_line(line)
        if entry is None:
            return of_text(receipt_in(line), self._lang)
        now = time.time()
        twin = self._refusals.take(entry, now)
        if account is not None and entry.smsc_id != account:
            return None
        if not entry.stamp:  # access-log-clean
            entry = replace(entry, stamp=local_time(now))
        return of_entry(entry, twin, self._lang, self._forms)


def tlv_forms(spec: Spec) -> TlvForms:
    """Return the form of each TLV that the spec's groups smpp-tlv name."""
    forms: dict[str, tuple[int, str, int]] = {}
    for group in spec.others:
        name, kind = group.get("name"), group.get("type")
        tag, length = whole(group.get("tag") or ""), whole(group.get("length") or "")
        if group.name == "smpp-tlv" and name and kind and tag is not None and length is not None:
            forms[name] = (tag, kind, length)
    return forms
