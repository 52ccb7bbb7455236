"""Rules about passwords and about who may connect."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from kannelkit.findings import Place
from kannelkit.lint.certificates import named
from kannelkit.lint.rule import Found, rule
from kannelkit.lint.subject import Group, Subject, Value, secret

# Passwords of Kannel's example files and user guide, and those that everybody tries first.
# fmt: off
_KNOWN = frozenset({
    "bar", "foo", "foobar", "rL4y", "tester", "test", "secret", "password", "passwd", "changeme", "change_me", "admin",
    "kannel", "12345", "123456", "qwerty",
})
# fmt: on
_OPEN = ("", "*", "0.0.0.0", "::")  # noqa: S104 compared, not bound
_HERE = re.compile(r"127\.[0-9.]+|localhost|::1")
_NUMBER = re.compile(r"[0-9]{1,3}|[0-9]*\*[0-9]*")


def is_here(address: str | None) -> bool:
    """Return whether the address is this machine's own, so that nobody else reaches it."""
    return address is not None and _HERE.fullmatch(address.lower()) is not None


def matches_something(pattern: str) -> bool:
    """Return whether an IPv4 address can match: * stands for one number alone (pattern_matches_ip, gwlib/utils.c)."""
    parts = pattern.split(".")
    return ":" in pattern or (len(parts) == 4 and all(_NUMBER.fullmatch(part) for part in parts))


def guarded(group: Group, prefix: str) -> bool:
    """Return whether the deny list of this name keeps anybody out."""
    return any(matches_something(each) for each in group.entries(f"{prefix}-deny-ip"))


@rule("E120")
def known_password(subject: Subject) -> Iterator[Found]:
    """A password that stands in every example, where somebody could use it."""
    core, box = subject.core, subject.single("smsbox")
    doors = [] if _shut(core, "admin") else [(core, "admin-password"), (core, "status-password")]
    if not is_here(box.text("sendsms-interface") if box else None):
        doors += [(user, "password") for user in subject.all("sendsms-user") if not _only_here(user, "user")]
    for group, directive in doors:
        value = group.values.get(directive)
        if value is not None and value.origin not in ("unknown", "made") and value.text in _KNOWN:
            yield Found(
                value.place,
                f"the {directive} is one that stands in examples, and that everybody tries first",
                "leave it out, and kannelkit makes one" if subject.kind == "spec" and group is core else "",
            )


def _only_here(group: Group, prefix: str) -> bool:
    """Return whether the lists of this name let this machine alone in."""
    return guarded(group, prefix) and all(is_here(each) for each in group.entries(f"{prefix}-allow-ip") if each)


def _shut(group: Group, prefix: str) -> bool:
    """Return whether the lists of this name let nobody in at all."""
    return "*.*.*.*" in group.entries(f"{prefix}-deny-ip") and not group.text(f"{prefix}-allow-ip")


@rule("E121")
def shared_admin_password(subject: Subject) -> Iterator[Found]:
    """Whoever has one password has the administration."""
    core = subject.core
    admin = core.values.get("admin-password")
    if admin is None or not admin.text or admin.origin == "unknown":
        return
    for group in subject.groups:
        for name, value in group.values.items():
            if not secret(group.name, name) or (group is core and name == "admin-password"):
                continue
            if value.origin != "unknown" and value.text == admin.text:
                what = f"{name} of group {group.name}" if group is not core else name
                yield Found(
                    value.place,
                    f"{what} is the admin-password as well: whoever knows it can stop the gateway",
                    "give each a password of its own",
                )


@rule("E122")
def password_in_the_log(subject: Subject) -> Iterator[Found]:
    """log-level 0 writes every PDU of a bind, and every sendsms-user."""
    for group, what in (
        (subject.core, "the password of every SMPP bind" if any(subject.live("smpp")) else ""),
        (subject.single("smsbox"), "the password of every sendsms-user" if any(subject.all("sendsms-user")) else ""),
        *((link.group, "the password of the bind") for link in subject.links if link.kind == "smpp"),
    ):
        if group is None or not what or not group.text("log-file") or group.number("log-level", 0) > 0:
            continue
        if group is subject.core and all(link.group.text("log-file") for link in subject.live("smpp")):
            continue  # each link's lines go to its own log
        level = "log-level 0" if "log-level" in group else "no log-level, so that it is 0,"
        yield Found(group.at("log-level"), f"{level} writes {what} into {group.text('log-file')}")


@rule("E123")
def boxes_from_anywhere(subject: Subject) -> Iterator[Found]:
    """A box needs no password."""
    core = subject.core
    for port, interface in (("smsbox-port", "smsbox-interface"), ("wapbox-port", "")):
        if core.number(port, 0) <= 0 or guarded(core, "box"):
            continue
        if (core.text(interface) or "").lower() in _OPEN:
            yield Found(
                core.at(port),
                f"whoever reaches {port} {core.number(port, 0)} can be a box, without a password: send, and receive",
                'write box-deny-ip = "*.*.*.*" and box-allow-ip = 127.0.0.1'
                + (", or smsbox-interface = 127.0.0.1" if interface else ""),
            )


@rule("W230")
def administration_from_anywhere(subject: Subject) -> Iterator[Found]:
    """A password over plain HTTP is all that keeps people out."""
    core = subject.core
    if core.number("admin-port", 0) <= 0 or guarded(core, "admin"):
        return
    if (core.text("admin-interface") or "").lower() in _OPEN:
        yield Found(
            core.at("admin-port"),
            f"admin-port {core.number('admin-port', 0)} is open to every address"
            + ("" if core.text("status-password") else ", and without status-password the status pages to everybody"),
            'write admin-interface = 127.0.0.1, or admin-deny-ip = "*.*.*.*" and admin-allow-ip',
        )


@rule("W231")
def list_that_keeps_nobody_out(subject: Subject) -> Iterator[Found]:
    """Patterns that match no address, and exceptions to nothing."""
    for group in subject.groups:
        for name, value in group.values.items():
            if not name.endswith(("-deny-ip", "-allow-ip")) or name == "connect-allow-ip" or value.origin == "unknown":
                continue
            yield from _useless(group, name, value)


def _useless(group: Group, name: str, value: Value) -> Iterator[Found]:
    for entry in value.text.split(";"):
        if entry and entry == entry.strip() and not matches_something(entry):
            yield Found(
                value.place,
                f"{name}: {entry!r} matches no address: * stands for one of four numbers, nothing else is known",
                'write all four numbers, as in "192.168.*.*"',
            )
    denied = name.replace("-allow-ip", "-deny-ip")
    if name.endswith("-allow-ip") and value.text and not group.text(denied):
        yield Found(
            value.place,
            f"{name} without {denied} allows what nobody denied: every address may come",
            f'write {denied} = "*.*.*.*" as well',
        )


@rule("W233")
def sending_from_anywhere(subject: Subject) -> Iterator[Found]:
    """A user whose password works from every address."""
    box = subject.single("smsbox")
    if box is None or box.number("sendsms-port", 0) <= 0:
        return
    if (box.text("sendsms-interface") or "").lower() not in _OPEN:
        return
    for user in subject.all("sendsms-user"):
        if not guarded(user, "user"):
            yield Found(
                user.at("username"),
                f"sendsms-user {user.text('username') or ''} may send from every address that reaches sendsms-port "
                f"{box.number('sendsms-port', 0)}",
                'write user-deny-ip = "*.*.*.*" and user-allow-ip, or bind the port with sendsms-interface',
            )


@rule("E124")
def everybody_reads_it(subject: Subject) -> Iterator[Found]:
    """A file with passwords that every user of the machine may read."""
    holds: dict[str, tuple[Place, str]] = {}
    for group in subject.groups:
        for name, value in group.values.items():
            if not value.text or not (secret(group.name, name) or value.place in subject.elsewhere):
                continue
            if value.place in subject.elsewhere:
                holds.setdefault(subject.elsewhere[value.place], (value.place, name))
            elif value.origin == "written":
                holds.setdefault(value.place.file, (value.place, name))
    for each in named(subject):
        holds.setdefault(each.key, (each.group.at(each.directive), "a private key"))
    for path, (place, name) in holds.items():
        seen = subject.seen(os.path.abspath(path)) if path else None
        if seen and seen.is_file and seen.open_to_all:
            yield Found(
                place,
                f"{path} holds {name}, and every user of this machine may read it (mode {seen.mode:04o})",
                f"chmod o-r {path}",
            )
