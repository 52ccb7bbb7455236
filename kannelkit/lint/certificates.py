"""Rules about certificates: the files that are named, and what is in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kannelkit.lint.facts import Certificate
from kannelkit.lint.rule import Found, rule
from kannelkit.lint.subject import Group, Subject

_PANIC = "the boxes panic over it"
_NEVER = "the link tries for ever and never binds"
_CORES = "Kannel shows the certificate of group core instead, without a word"
_SOON = 30  # days: what a provider or an authority may take to put a new one into force


class Named(NamedTuple):
    """A certificate that the configuration names: the directives, its file and its key's, and what a bad one does.

    `unread` is what happens where no certificate can be read in the file at all.
    """

    group: Group
    directive: str
    certificate: str
    key: str
    ends_in: str
    unread: str


def named(subject: Subject) -> Iterator[Named]:
    """Yield each certificate with a key that something uses."""
    core = subject.core
    if path := core.text("ssl-client-certkey-file"):
        yield Named(core, "ssl-client-certkey-file", path, path, _PANIC, _PANIC)
    certificate, key = core.text("ssl-server-cert-file"), core.text("ssl-server-key-file")
    if certificate and key:
        yield Named(core, "ssl-server-cert-file", certificate, key, _PANIC, _PANIC)
    for link in subject.links:
        own = link.group.text("ssl-client-certkey-file")
        if own and link.group.on("use-ssl"):
            unread = _CORES if core.text("ssl-client-certkey-file") else _NEVER
            yield Named(link.group, "ssl-client-certkey-file", own, own, _NEVER, unread)


def _inspected(subject: Subject) -> Iterator[tuple[Named, Certificate]]:
    for each in named(subject):
        found = subject.facts.certificates.get((each.certificate, each.key)) if subject.facts else None
        if found is not None:
            yield each, found


@rule("E170")
def cannot_be_read(subject: Subject) -> Iterator[Found]:
    """A file that is missing, or that Kannel may not read."""
    for each in named(subject):
        files = [(each.directive, each.certificate)]
        if each.key != each.certificate:
            files.append(("ssl-server-key-file", each.key))
        for directive, path in files:
            yield from _unreadable(subject, each.group, directive, path, each.unread)
    if authorities := subject.core.text("ssl-trusted-ca-file"):
        yield from _unreadable(subject, subject.core, "ssl-trusted-ca-file", authorities, _PANIC)


def _unreadable(subject: Subject, group: Group, directive: str, path: str, end: str) -> Iterator[Found]:
    seen = subject.seen(path)
    if seen is None:
        return
    if not seen.is_file:
        hint = "make one with kannelkit make-dummy-cert" if directive == "ssl-client-certkey-file" else ""
        yield Found(group.at(directive), f"{directive} {path} is not there: {end}", hint)
    elif not seen.readable:
        yield Found(group.at(directive), f"{directive} {path} cannot be read: {end}", "look at its owner and mode")


@rule("E171")
def cannot_be_used(subject: Subject) -> Iterator[Found]:
    """No certificate, no key, or two that do not belong together."""
    for each, found in _inspected(subject):
        if found.fault:
            yield Found(
                each.group.at(each.directive),
                f"{each.certificate}: {found.fault}: {each.ends_in if found.shown else each.unread}",
                "kannelkit cert show says what is in it",
            )


@rule("W271")
def chain_left_out(subject: Subject) -> Iterator[Found]:
    """Of a link's own file Kannel sends the first certificate, of core's the whole chain."""
    if subject.core.text("ssl-client-certkey-file"):
        return  # whose chain goes with the link's own certificate
    for each, found in _inspected(subject):
        if each.group.name == "smsc" and found.chain and not found.fault:
            yield Found(
                each.group.at(each.directive),
                f"{each.certificate} holds a chain, and Kannel sends the first certificate alone: a provider that "
                "does not know its issuer refuses it",
                f"write ssl-client-certkey-file = {each.certificate} in group core as well",
            )


@rule("W270")
def expired(subject: Subject) -> Iterator[Found]:
    """The other side may refuse it."""
    for each, found in _inspected(subject):
        if subject.facts and found.not_after and found.not_after <= subject.facts.now:
            yield Found(
                each.group.at(each.directive),
                f"{each.certificate} expired on {found.not_after:%Y-%m-%d}: whoever checks it refuses the connection",
            )


@rule("I330")
def expires_soon(subject: Subject) -> Iterator[Found]:
    """Time to make a new one."""
    for each, found in _inspected(subject):
        if not subject.facts or not found.not_after:
            continue
        left = (found.not_after - subject.facts.now).days
        if found.not_after > subject.facts.now and left < _SOON:
            yield Found(
                each.group.at(each.directive),
                f"{each.certificate} expires on {found.not_after:%Y-%m-%d}, in {left} days",
            )
