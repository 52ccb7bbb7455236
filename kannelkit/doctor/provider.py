"""A provider's hosts as they were found: addresses, connections, binds; judged, pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kannelkit.doctor.hints import Trouble, hints
from kannelkit.doctor.values import Result, counted
from kannelkit.failover.refusals import bind_refusal
from kannelkit.host.bind import Answer
from kannelkit.host.reach import Address, Visit
from kannelkit.render import Side
from kannelkit.smpp.constants import CommandStatus, status_name

_MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class Names:
    """The addresses of a host; `why` says why there are none, in words."""

    ipv4: tuple[str, ...] = ()
    ipv6: tuple[str, ...] = ()
    why: str = ""


def dns(host: str, names: Names, provider: str = "") -> Result:
    """Return what is to be said of a host's addresses."""
    if names.ipv4:
        more = f" (and {counted(len(names.ipv6), 'IPv6 address')}, which Kannel never uses)" if names.ipv6 else ""
        if names.ipv4 == (host,):
            return Result("dns", "ok", f"{host} is an address", host=host)
        return Result("dns", "ok", f"{host}: {_few(names.ipv4)}{more}", host=host)
    if names.ipv6:
        return Result(
            "dns",
            "failed",
            f"{host} has IPv6 addresses alone ({_few(names.ipv6)}), and Kannel connects over IPv4 alone",
            "name a host with an IPv4 address",
            host=host,
            details=hints(provider, "no-address"),
        )
    return Result(
        "dns",
        "failed",
        f"{host}: {names.why or 'the name is not known'}",
        "compare the name with the provider's, and see what this machine's name server says: "
        f"getent ahosts {shlex.quote(host)}",
        host=host,
        details=hints(provider, "no-address"),
    )


def connect(address: Address, visits: Mapping[str, Visit], provider: str = "") -> Result:
    """Return what is to be said of the TCP connections to a host, by its addresses."""
    host = address.host
    failed = {ip: visit for ip, visit in visits.items() if visit.trouble}
    reached = [ip for ip in visits if ip not in failed]
    if not failed:
        source = next(iter(visits.values())).source
        at = "" if reached == [host] else f" at {_few(reached)}"
        return Result("connect", "ok", f"{address} takes connections{at}, from {source}", host=host)
    told = list(failed.items())[:_MOST_NAMED]
    why = "; ".join(visit.why if ip == host else f"{ip}: {visit.why}" for ip, visit in told)
    why += f" (from {address.source}, the our-host of the spec)" if address.source else ""
    if reached:
        advice = "Kannel tries one address after the other, and one that does not answer may cost it minutes"
        return Result("connect", "warning", f"{address}: not every address takes connections: {why}", advice, host=host)
    first = next(iter(failed.values())).trouble or "other"
    advice = _ADVICE.get(first, _ADVICE["other"]).format(address=address)
    return Result("connect", "failed", f"{address}: {why}", advice, host=host, details=hints(provider, "no-connection"))


_ADVICE = {
    "refused": "nothing listens there: compare the port with the provider's",
    "silent": "something on the way drops it: let this machine out to {address} over TCP, and ask the provider whether "
    "its firewall takes this machine's address",
    "closed": "the provider may know this machine's address not, or the port may be another service's: ask it",
    "source": "our-host in the spec is no address of this machine",
    "other": "look at this machine's routes and firewall: TCP to {address} has to get out",
}


def no_tls(address: Address, visit: Visit, provider: str = "") -> Result:
    """Return that there was no TLS with a host."""
    advice = "does the provider speak TLS on this port? Otherwise write the port on which it does, or use-ssl: false"
    known = hints(provider, "no-tls")
    if visit.tls:  # the handshake was done, and then it ended
        advice = "the provider may ask for a certificate that it knows: compare ssl-client-certkey-file with it"
        known = ()
    return Result("tls", "failed", f"{address}: {visit.why}", advice, host=address.host, details=known)


# why no bind is tried without being asked for, and what of it is live
UNSAFE_ADVICE = "--bind tries it all the same; the provider may close the live one for it, which Kannel binds again"


@dataclass(frozen=True, slots=True)
class Bind:
    """A bind that was tried: whose, where, as what (transmitter or receiver), with which SMPP version (0x34)."""

    account: str
    side: Side
    address: Address
    kind: str
    version: int
    provider: str = ""


def bound(bind: Bind, answer: Answer) -> Result:
    """Return what a provider's answer to a bind means."""
    where = f"{bind.account} at the {bind.side}, {bind.address}"
    host = bind.address.host
    if answer.status == CommandStatus.ESME_ROK:
        said = f", SMSC {answer.system_id!r}" if answer.system_id else ""
        version = "SMPP version not told" if answer.interface_version is None else f"SMPP {_version(answer)}"
        summary = f"{where}: bound as {bind.kind}{said}, {version}"
        if answer.interface_version is not None and answer.interface_version < min(bind.version, 0x34):
            advice = f"it speaks an older SMPP than the bind asks for: interface-version: {answer.interface_version:x}"
            return Result("bind", "warning", summary, advice, bind.account, host)
        return Result("bind", "ok", summary, "", bind.account, host)
    if answer.status is None:
        advice, known = "is it a port for SMPP? Compare it with the provider's", hints(bind.provider, "no-connection")
        if answer.tls:
            advice = "this port speaks TLS: write use-ssl: true, or the port without TLS"
            known = hints(bind.provider, "no-tls")
        return Result("bind", "failed", f"{where}: {answer.why}", advice, bind.account, host, known)
    refusal = bind_refusal(answer.status)
    summary = f"{where}: refused, 0x{answer.status:02x} {status_name(answer.status)}: {refusal.why}"
    known = hints(bind.provider, *_HELPS.get(answer.status, ()))
    return Result("bind", "failed", summary, refusal.advice, bind.account, host, known)


_HELPS: Mapping[int, tuple[Trouble, ...]] = {
    int(CommandStatus.ESME_RINVPASWD): ("password", "refused"),
    int(CommandStatus.ESME_RINVSYSID): ("password", "refused"),
    int(CommandStatus.ESME_RBINDFAIL): ("refused", "password"),
}


def _version(answer: Answer) -> str:
    number = answer.interface_version or 0
    return f"{number >> 4}.{number & 0x0F}"


def _few(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
