"""`kannelkit lint`: what would lose messages, links or passwords, in a spec or a kannel.conf."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from kannelkit import __version__
from kannelkit.conf import Opened, Opener, opener
from kannelkit.errors import InputError
from kannelkit.findings import Finding, Place
from kannelkit.lint import look, report
from kannelkit.lint.certificates import named
from kannelkit.lint.facts import Certificate, Facts
from kannelkit.lint.rules import RULES
from kannelkit.lint.subject import Kind, Subject
from kannelkit.spec.source import decoded

_STDIN = "-"
_MOST_OCTETS = 2**27  # what is longer is refused by those who make sense of it
_BEGINNING = 8192  # octets in which whatever is binary shows it
_COLOURS = {"error": "red", "warning": "yellow", "hint": "cyan"}


def _chosen(ctx: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ids and prefixes; one that no rule's id begins with is wrong use."""
    chosen = tuple(each.strip().upper() for value in values for each in value.split(",") if each.strip())
    for each in chosen:
        if not any(name.startswith(each) for name in RULES):
            raise click.BadParameter(f"no rule's id begins with {each}", ctx, option)
    return chosen


@click.command(short_help="Find what would lose messages, links or passwords, in a spec or a kannel.conf.")
@click.argument("files", metavar="SPEC-or-CONF...", nargs=-1, required=True, type=click.Path(path_type=str))
@click.option("--kind", type=click.Choice(["spec", "conf"]), help="Take every file for this, whatever it looks like.")
@click.option("--format", "form", type=click.Choice(["text", "json", "sarif"]), default="text", show_default=True)
@click.option("--select", multiple=True, callback=_chosen, help="Only these rules: ids or their beginnings, by commas.")
@click.option("--ignore", multiple=True, callback=_chosen, help="All but these rules.")
@click.option("--strict", is_flag=True, help="Exit 1 over a warning as well.")
@click.option("--no-secrets", is_flag=True, help="Secrets that are not at hand are no finding.")
@click.option("--offline", is_flag=True, help="Look at the text alone, not at the files, folders and logs it names.")
@click.pass_context
def command(
    ctx: click.Context,
    files: tuple[str, ...],
    kind: Kind | None,
    form: str,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    strict: bool,
    no_secrets: bool,
    offline: bool,
) -> None:
    """Find what would lose messages, links or passwords in each SPEC-or-CONF; - is the standard input.

    Exits 1 where an error is found. A comment `# kannelkit: ignore RULE - reason` silences a rule for a line, and
    `kannelkit explain RULE` says what a rule is about.
    """
    if files.count(_STDIN) > 1:
        raise click.UsageError("the standard input can be read once")
    if os.environ.get("NO_COLOR"):
        ctx.color = False
    now = datetime.now(UTC)
    findings: list[Finding] = []
    texts: dict[str, str] = {}
    for file in files:
        looked = _looked(file, kind, secrets=not no_secrets)
        facts = None if offline or looked.subject is None else observed(looked.subject, now)
        texts.update(looked.texts)
        findings += look.findings(looked, facts)
    shown = [
        finding
        for finding in findings
        if (not select or finding.rule.startswith(select)) and not (ignore and finding.rule.startswith(ignore))
    ]
    if form == "json":
        click.echo(_encodable(report.as_json(shown)))
    elif form == "sarif":
        click.echo(_encodable(report.as_sarif(shown, __version__)))
    else:
        for line in _lines(shown, texts if sys.stdout.isatty() else {}):
            click.echo(line)
    click.echo(_printable(report.summary(shown, files)), err=True)
    counts = report.counted(shown)
    ctx.exit(1 if counts["error"] or (strict and counts["warning"]) else 0)


def _looked(file: str, kind: Kind | None, *, secrets: bool) -> look.Looked:
    """Return what the file is; one that cannot be read is a finding like any other."""
    name = "<stdin>" if file == _STDIN else file
    octets, refused, hint = b"", "", "name a file that is there and may be read"
    try:
        octets = _octets(file)
    except _NoFileError as error:
        refused, hint = str(error), error.hint
    except (OSError, ValueError) as error:
        refused = getattr(error, "strerror", None) or "no file can have this name"
    text = octets.decode("utf-8", "surrogateescape")
    taken = kind or look.kind_of(file, text)
    if refused:
        unread = Finding(Place(name), "C113" if taken == "conf" else "S001", f"cannot be read: {refused}", hint)
        return look.Looked(name, taken, {}, None, (unread,))
    if taken == "conf" and b"\0" in octets[:_BEGINNING] and b"group" not in octets and b"include" not in octets:
        binary = Finding(Place(name), "C112", "this is no text: NUL octets, and no group", "name a kannel.conf")
        return look.Looked(name, taken, {}, None, (binary,))
    if taken == "conf":
        return look.conf(name, _with_stdin(text) if file == _STDIN else opener())
    try:
        text = decoded(octets, name)
    except InputError as error:
        return look.Looked(name, "spec", {}, None, error.findings)
    return look.spec(text, Path(os.path.abspath(file)), os.environ, name, secrets=secrets)


class _NoFileError(Exception):
    """There is something of that name, and it is no file; `hint` is the next step."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def _octets(file: str) -> bytes:
    """Return the file's octets, as many as any configuration may have and one more; raises _NoFileError, OSError."""
    if file == _STDIN:
        return sys.stdin.buffer.read(_MOST_OCTETS + 1)
    mode = os.stat(file).st_mode
    if stat.S_ISDIR(mode):
        raise _NoFileError("it is a folder", "name a spec or a kannel.conf in it")
    if not stat.S_ISREG(mode):  # a pipe would keep its reader waiting, and a device need not end
        raise _NoFileError("it is no regular file", f"hand it over on the standard input: kannelkit lint - < {file}")
    with open(file, "rb") as opened:
        return opened.read(_MOST_OCTETS + 1)


def _with_stdin(text: str) -> Opener:
    files = opener()

    def opened(name: str) -> Opened:
        return Opened("<stdin>", text) if name == "<stdin>" else files(name)

    return opened


def observed(subject: Subject, now: datetime) -> Facts:
    """Look at all that the configuration names."""
    from kannelkit.host import observe

    certificates = {(each.certificate, each.key) for each in named(subject) if os.path.isabs(each.certificate)}
    trusted = subject.core.text("ssl-trusted-ca-file") or ""
    return Facts(
        now=now,
        files={path: observe.seen(path) for path in subject.paths()},
        certificates={pair: found for pair in certificates if (found := _certificate(*pair, trusted)) is not None},
        rotations=observe.rotations(),
    )


def _certificate(certificate: str, key: str, trusted: str) -> Certificate | None:
    """Return what is in the files, nothing where they cannot be read: another rule says that."""
    from kannelkit.certs.inspect import inspect  # brings cryptography with it
    from kannelkit.host import observe

    octets = [observe.content(path) for path in dict.fromkeys((certificate, key))]
    if None in octets:
        return None
    contents = inspect(b"\n".join(each for each in octets if each is not None))
    fault = "" if contents.usable else "; ".join(contents.problems) or "no private key"
    chain = {each.fingerprint for each in contents.certificates[1:] if not each.self_signed}
    if chain:
        chain -= {each.fingerprint for each in inspect(observe.content(trusted) or b"").certificates}
    return Certificate(fault, contents.valid_until, len(chain), shown=bool(contents.certificates))


def _lines(findings: Iterable[Finding], texts: Mapping[str, str]) -> Iterator[str]:
    for finding in findings:
        how = report.severity(finding.rule)
        place = click.style(_printable(str(finding.place)), bold=True)
        label = click.style(f"{finding.rule} {how}:", fg=_COLOURS[how], bold=True)
        yield f"{place}: {label} {_printable(finding.message)}"
        yield from report.source_line(finding, texts)
        if finding.hint:
            yield f"  hint: {_printable(finding.hint)}"


def _printable(text: str) -> str:
    """Return the text as a terminal may get it: what a file holds must not move its cursor."""
    return "".join(each if each.isprintable() else "?" for each in text)


def _encodable(text: str) -> str:
    """Return the text without the octets of a file that are no UTF-8."""
    return text.encode("utf-8", "replace").decode()
