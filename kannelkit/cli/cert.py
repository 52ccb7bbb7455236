"""`kannelkit cert show FILE...` and `kannelkit cert import -o FILE`."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kannelkit.cli.make_dummy_cert import taken, yaml_text
from kannelkit.errors import HostError, KannelkitError

if TYPE_CHECKING:
    from kannelkit.certs.bundle import Input
    from kannelkit.certs.inspect import Certificate, Contents

_MODE = 0o600
_MOST_OCTETS = 2**20  # a file of a hundred certificates has 200,000
# SSL_use_certificate_file, for a link, reads one certificate; SSL_CTX_use_certificate_chain_file, for core, all of them
# (gwlib/conn.c).
_CHAIN_NOTE = "; it sends the chain from core's ssl-client-certkey-file only, from a link's own the first certificate"
_FILE = click.Path(path_type=Path)


@click.group("cert")
def command() -> None:
    """Show what is in a certificate file, and put a key and a chain into Kannel's form."""


@command.command("show")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=_FILE)
@click.option("--days", type=click.IntRange(0), default=30, show_default=True, help="Warn this long before it expires.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list on stdout.")
@click.pass_context
def show(ctx: click.Context, files: tuple[Path, ...], days: int, as_json: bool) -> None:
    """Show what is in each FILE, how long it is valid, and whether Kannel can bind with it.

    Of a key only its kind is shown. Exit code 1 where a file cannot be read, a certificate has expired, or the key does
    not fit.
    """
    looked = [look(file, datetime.now(UTC), days) for file in files]
    if as_json:
        click.echo(json.dumps([each.as_object() for each in looked], indent=2, ensure_ascii=False))
    else:
        colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        for number, each in enumerate(looked):
            for line in [*([""] if number else []), *lines(each)]:
                click.echo(_coloured(line) if colours else line)
    ctx.exit(1 if any(each.problems for each in looked) else 0)


@command.command("import")
@click.option("-o", "--output", required=True, type=_FILE, help="The file to write, mode 0600.")
@click.option("--key", type=_FILE, help="The private key, PEM. [default: the one in --cert]")
@click.option("--cert", type=_FILE, help="The certificate, PEM; what stands behind it there is of the chain.")
@click.option("--chain", multiple=True, type=_FILE, help="Certificates of authorities, PEM; may be repeated.")
@click.option("--pkcs12", type=_FILE, help="A file (.p12, .pfx) that has key, certificate and chain.")
@click.option("--passphrase-file", type=_FILE, help="The passphrase of the key, in a file. [default: asks for it]")
@click.option("--force", is_flag=True, help="Replace the file when it is there.")
def import_(
    output: Path,
    key: Path | None,
    cert: Path | None,
    chain: tuple[Path, ...],
    pkcs12: Path | None,
    passphrase_file: Path | None,
    force: bool,
) -> None:
    """Put an existing key, its certificate and the chain above it in one PEM file, as Kannel wants it.

    The key is written without a passphrase, since Kannel has nobody to ask for it; key and certificate have to fit.
    """
    from kannelkit.certs import bundle as bundles  # cryptography takes long to import
    from kannelkit.host.files import write_whole

    if cert is None and pkcs12 is None:
        raise click.UsageError("give the certificate, with --cert or --pkcs12")
    if pkcs12 and (cert or key or chain):
        raise click.UsageError("--pkcs12 has it all; leave --cert, --key and --chain out")
    if output.exists() and not force:  # before a passphrase is asked for; write_whole looks again
        raise taken(output)
    passphrase = None if passphrase_file is None else _octets(passphrase_file).rstrip(b"\r\n")

    if pkcs12:
        bundle = partial(bundles.bundle_pkcs12, _input(pkcs12))
    elif cert:
        bundle = partial(bundles.bundle, _input(key or cert), _input(cert), [_input(each) for each in chain])
    try:
        pem = bundle(passphrase=passphrase)
    except bundles.LockedError:
        if passphrase is not None or not sys.stdin.isatty():
            raise
        pem = bundle(passphrase=click.prompt("Passphrase of the key", hide_input=True, err=True).encode())
    _refuse_what_kannel_would(pem)
    write_whole(output, pem, _MODE, replace=force)
    for line in _written(output, pem):
        click.echo(line)
    for problem in look(output, datetime.now(UTC), 0).problems:
        click.echo(f"warning: {problem}", err=True)


@dataclass(frozen=True, slots=True)
class Looked:
    """A file and what there is to say about it."""

    file: str
    mode: int | None
    contents: Contents | None
    days_left: tuple[int, ...]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]

    def as_object(self) -> dict[str, Any]:
        """Return it as a JSON object; times are in ISO 8601, UTC."""
        contents = self.contents
        certificates = contents.certificates if contents else ()
        return {
            "file": self.file,
            "mode": None if self.mode is None else f"{self.mode:04o}",
            "usable": bool(contents and contents.usable and not self.problems),
            "certificates": [
                {
                    **dataclasses.asdict(each),
                    "valid_from": each.valid_from.isoformat(),
                    "valid_until": each.valid_until.isoformat(),
                    "days_left": left,
                }
                for each, left in zip(certificates, self.days_left, strict=True)
            ],
            "key": dataclasses.asdict(contents.key) if contents and contents.key else None,
            "key_locked": bool(contents and contents.locked),
            "key_fits": contents.fits if contents else None,
            "chain_in_order": bool(contents and contents.in_order),
            "problems": list(self.problems),
            "warnings": list(self.warnings),
        }


def look(file: Path, now: datetime, days: int) -> Looked:
    """Return what there is to say about the file at this time; warns `days` before a certificate expires."""
    from kannelkit.certs.inspect import inspect  # cryptography takes long to import

    try:
        octets = _octets(file)
        mode = stat.S_IMODE(file.stat().st_mode)
    except (HostError, OSError) as error:
        message = error.message if isinstance(error, HostError) else str(error.strerror)
        return Looked(click.format_filename(file), None, None, (), (message,), ())
    contents = inspect(octets)
    problems, warnings = list(contents.problems), []
    for each in contents.certificates:
        left = each.days_left(now)
        if each.valid_until < now:
            problems.append(f"{each.subject} expired {_day(each.valid_until)}, {_count(-left)} ago")
        elif each.valid_from > now:
            problems.append(f"{each.subject} is valid from {_day(each.valid_from)} only")
        elif left < days:
            warnings.append(f"{each.subject} expires in {_count(left)}")
    if contents.key is None and not contents.locked and contents.certificates:
        warnings.append("no key: good as ssl-trusted-ca-file, not as ssl-client-certkey-file")
    if not contents.in_order:
        warnings.append("the chain is not in order: behind each certificate its issuer should stand")
    if mode & 0o007 and (contents.key or contents.locked):
        warnings.append(f"mode {mode:04o}: everybody on this machine may read the key; chmod 600 it")
    left_days = tuple(each.days_left(now) for each in contents.certificates)
    return Looked(click.format_filename(file), mode, contents, left_days, tuple(problems), tuple(warnings))


def lines(looked: Looked) -> Iterator[str]:
    """Yield what is shown about a file."""
    contents = looked.contents
    yield looked.file
    if contents:
        if looked.mode is not None:
            yield _row("mode", f"{looked.mode:04o}")
        if contents.certificates:
            yield from _certificate_rows(contents.certificates[0], looked.days_left[0])
        yield _row("key", _key_words(contents))
        for each, left in list(zip(contents.certificates, looked.days_left, strict=True))[1:]:
            yield _row("chain", f"{each.subject}, until {_day(each.valid_until)}, {_left(left)}")
    yield from (f"  error: {problem}" for problem in looked.problems)
    yield from (f"  warning: {warning}" for warning in looked.warnings)
    if contents and contents.usable and not looked.problems:
        yield f"  Kannel can bind with it{_CHAIN_NOTE if len(contents.certificates) > 1 else ''}"


def _certificate_rows(certificate: Certificate, left: int) -> Iterator[str]:
    yield _row("subject", certificate.subject or "(none)")
    if certificate.names:
        yield _row("names", ", ".join(certificate.names))
    yield _row("issuer", f"{certificate.issuer or '(none)'}{' (self-signed)' if certificate.self_signed else ''}")
    yield _row("valid", f"{_day(certificate.valid_from)} to {_day(certificate.valid_until)}, {_left(left)}")
    yield _row("SHA-256", certificate.fingerprint)


def _key_words(contents: Contents) -> str:
    if contents.locked:
        return "locked with a passphrase"
    if contents.key is None:
        return "none"
    fits = {True: ", fits the certificate", False: ", does not fit the certificate", None: ""}
    return f"{contents.key}{fits[contents.fits]}"


def _refuse_what_kannel_would(pem: bytes) -> None:
    from kannelkit.certs.inspect import inspect

    if problems := inspect(pem).problems:
        raise KannelkitError(f"Kannel could not bind with it: {'; '.join(problems)}", "ask for a new certificate")


def _written(output: Path, pem: bytes) -> Iterator[str]:
    from kannelkit.certs.inspect import inspect

    contents = inspect(pem)
    first, *chain = contents.certificates
    left = first.days_left(datetime.now(UTC))
    yield f"{output}: {contents.key} key and certificate of {first.subject}, mode {_MODE:04o},"
    yield f"valid until {_day(first.valid_until)}, {_left(left)}. bearerbox must run as the owner of this file."
    if chain:
        yield f"Kannel sends the chain ({len(chain)}) from core's file only; from a link's own, the certificate alone."
        yield "In the spec, where the provider wants to see the chain:"
        yield "    core:"
        yield f"      ssl-client-certkey-file: {yaml_text(str(output.absolute()))}"
    yield "In the smsc entry of the spec:"
    yield "    use-ssl: true"
    if not chain:
        yield f"    ssl-client-certkey-file: {yaml_text(str(output.absolute()))}"


def _input(file: Path) -> Input:
    from kannelkit.certs.bundle import Input

    return Input(str(file), _octets(file))


def _octets(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            octets = opened.read(_MOST_OCTETS + 1)
    except OSError as error:
        raise HostError(f"cannot read {file}: {error.strerror}", "look at its name, owner and mode") from error
    if len(octets) > _MOST_OCTETS:
        raise HostError(f"{file} has more than {_MOST_OCTETS:,} octets", "name a file with a key or certificates")
    return octets


def _row(name: str, text: str) -> str:
    return f"  {name:<9}{text}"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _count(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"


def _left(days: int) -> str:
    return f"{_count(days)} left" if days >= 0 else f"expired {_count(-days)} ago"


def _coloured(line: str) -> str:
    for word, colour in (("  error:", "red"), ("  warning:", "yellow")):
        if line.startswith(word):
            return click.style(word, fg=colour, bold=True) + line[len(word) :]
    return line if line.startswith(" ") or not line else click.style(line, bold=True)
