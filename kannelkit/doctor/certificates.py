"""Certificates: the one that an account shows, and the one that a provider's host shows; judged, pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kannelkit.doctor.values import Result, Status, counted
from kannelkit.spec.model import Threshold

if TYPE_CHECKING:
    from kannelkit.certs.inspect import Certificate, Contents


@dataclass(frozen=True, slots=True)
class Shown:
    """A file that accounts show: its contents, None where it cannot be read."""

    path: Path
    accounts: tuple[str, ...]
    contents: Contents | None


def own(seen: Iterable[Shown], now: datetime, bounds: Threshold) -> Iterator[Result]:
    """Yield what is to be said of each file; `bounds` are days."""
    for each in seen:
        yield _own(each, now, bounds)


def _own(each: Shown, now: datetime, bounds: Threshold) -> Result:
    of = _few(each.accounts)
    where = f"{each.path} ({of})"
    account = each.accounts[0] if len(each.accounts) == 1 else ""
    show = f"kannelkit cert show {each.path} says what is in it"
    if each.contents is None:
        return Result(
            "certificate",
            "failed",
            f"{where} cannot be read: the link never comes up",
            f"kannelkit make-dummy-cert {each.path} makes one",
            account,
        )
    contents = each.contents
    problems = list(contents.problems)
    if contents.certificates and contents.key is None and not contents.locked:
        problems.append("no private key")
    if problems:
        return Result("certificate", "failed", f"{where} cannot be used: {'; '.join(problems)}", show, account)
    first = contents.certificates[0]
    status, ends = _ends(first, now, bounds)
    words = f"{where}: {first.subject or 'without a name'}, {contents.key}, {ends}"
    if first.valid_from > now:
        status, words = "warning", f"{words}, and valid only from {first.valid_from:%Y-%m-%d} on"
    advice = ""
    if status != "ok":
        advice = "a provider that checks it refuses the connection: make a new one and give it to the provider"
    elif not contents.in_order:
        status, advice = "warning", f"the chain is not in order: behind each its issuer should stand; {show}"
    return Result("certificate", status, words, advice, account)


def _ends(certificate: Certificate, now: datetime, bounds: Threshold) -> tuple[Status, str]:
    left = certificate.days_left(now)
    if certificate.valid_until <= now:
        return "failed", f"expired {certificate.valid_until:%Y-%m-%d}"
    words = f"until {certificate.valid_until:%Y-%m-%d}, {counted(left, 'day')}"
    near = any(bound is not None and left <= bound for bound in bounds)
    return ("warning" if near else "ok"), words


@dataclass(frozen=True, slots=True)
class Handshake:
    """TLS with a host: its version, the certificate shown (None where there is none or it cannot be read), and why it
    would not be taken by somebody who checks it, None where it would be. `checked` is whether Kannel checks it
    (ssl-trusted-ca-file in group core).
    """

    version: str
    certificate: Certificate | None
    unverified: str | None
    checked: bool


def hosts(host: str, port: int, seen: Handshake, now: datetime, *, relayed: bool = False) -> Result:
    """Return what is to be said of a host's TLS; the relay looks at the name in the certificate, Kannel does not."""
    where = f"{host}:{port}"
    certificate = seen.certificate
    if certificate is None:
        return Result("tls", "ok", f"{where}: {seen.version}, with a certificate that cannot be read", host=host)
    words = (
        f"{where}: {seen.version}, certificate {certificate.subject or 'of nobody'} "
        f"{'signed by itself' if certificate.self_signed else 'by ' + (certificate.issuer or 'nobody')}, "
        f"{'expired' if certificate.valid_until <= now else 'until'} {certificate.valid_until:%Y-%m-%d}"
    )
    if seen.checked:
        if relayed and seen.unverified is None and not covers(certificate.names, host):
            return Result(
                "tls",
                "failed",
                f"{words}; it is for {_few(certificate.names) or 'no name'}, not for {host}, and the relay refuses it",
                "write host as the certificate names it, if that is the provider's",
                host=host,
            )
        if seen.unverified is None:
            return Result("tls", "ok", f"{words}; signed by ssl-trusted-ca-file", host=host)
        return Result(
            "tls",
            "failed",
            f"{words}; {'the relay' if relayed else 'Kannel'} refuses it: {seen.unverified}",
            "put the provider's authority into core's ssl-trusted-ca-file, or leave that out",
            host=host,
        )
    doubts = [seen.unverified] if seen.unverified else []
    if certificate.valid_until > now and not covers(certificate.names, host):
        doubts.append(f"it is not for {host}")
    if doubts:
        words += f"; one who checks would refuse it ({', '.join(doubts)}), and Kannel does not check"
    return Result("tls", "ok", words, host=host)


def covers(names: tuple[str, ...], host: str) -> bool:
    """Return whether a certificate with these names is for a host; `*.` stands for one label (RFC 6125, 6.4.3)."""
    wanted = host.lower().rstrip(".")
    for name in names:
        known = name.lower().rstrip(".")
        if known == wanted or (known.startswith("*.") and "." in wanted and known[2:] == wanted.partition(".")[2]):
            return True
    return False


def _few(names: tuple[str, ...]) -> str:
    more = len(names) - 3
    return ", ".join(names[:3]) + (f" and {more} more" if more > 0 else "")
