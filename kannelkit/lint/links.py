"""Rules about one link: its timing, its window, its name and how it binds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from kannelkit.conf import GROUPS
from kannelkit.findings import Place
from kannelkit.lint.rule import Found, rule
from kannelkit.lint.subject import Link, Subject

# Between submit and response over the internet, in seconds: what the usual 10 submits of a window are judged by.
_USUAL_DELAY = 0.3
_KANNELS_WINDOW = 10  # SMPP_MAX_PENDING_SUBMITS, gw/smsc/smsc_smpp.c


def sending(subject: Subject) -> Iterator[Link]:
    """Yield the live SMPP links that send."""
    return (link for link in subject.live("smpp") if link.bind != "receiver")


@rule("E106")
def sends_again(subject: Subject) -> Iterator[Found]:
    """wait-ack-expire 1, written or Kannel's default."""
    for link in sending(subject):
        if link.group.number("wait-ack-expire", 1) == 1:
            written = "wait-ack-expire" in link.group
            wait = link.group.number("wait-ack", 60)
            yield Found(
                link.group.at("wait-ack-expire"),
                f"wait-ack-expire {'is 1' if written else 'is not written, so that it is 1'}: a message whose response "
                f"takes more than {wait} s is sent again while the first may still be delivered",
            )


@rule("W210")
def waits_for_ever(subject: Subject) -> Iterator[Found]:
    """wait-ack-expire 2, and 3, for which Kannel has no meaning."""
    for link in sending(subject):
        action = link.group.number("wait-ack-expire", 1)
        window = link.group.number("max-pending-submits", _KANNELS_WINDOW)
        if action in (2, 3):
            yield Found(
                link.group.at("wait-ack-expire"),
                f"wait-ack-expire {action}: each response that is lost takes one of the {window} places in the window "
                "for as long as the link lives",
            )


@rule("E104")
def both_ports(subject: Subject) -> Iterator[Found]:
    """Kannel makes no link of such a group, and panics at its start."""
    if subject.kind == "spec":
        return  # S312
    for link in subject.links:
        if link.kind == "smpp" and link.group.number("port", 0) and link.group.number("receive-port", 0):
            yield Found(link.group.at("receive-port"), "port and receive-port in one group: bearerbox panics over it")


# What a kind of link cannot do without beside what it always needs, by the value of another directive, and whether the
# case of its letters counts (gw/smsc/smsc_at.c, smsc_http.c, http/*.c).
_NEEDED = (
    ("at", "device", ("rawtcp", "telnet"), True, ("host", "port")),
    ("http", "system-type", ("generic",), False, ("status-success-regex",)),
    ("http", "system-type", ("kannel", "xidris"), False, ("smsc-username", "smsc-password")),
    ("http", "system-type", ("brunet",), False, ("smsc-username",)),
)
_EMIS_SHORTEST_WAIT = 30  # seconds, smsc_emi2_create in gw/smsc/smsc_emi.c


@rule("E107")
def cannot_be_made(subject: Subject) -> Iterator[Found]:
    """One link that Kannel cannot make, and bearerbox does not start."""
    for link in subject.links:
        group = link.group
        for kind, directive, values, exactly, needed in _NEEDED:
            value = group.text(directive) or ""
            if kind != link.kind or (value if exactly else value.lower()) not in values:
                continue
            if missing := [each for each in needed if each not in group]:
                names = " and ".join(missing)
                yield Found(
                    group.at(directive), f"{directive} {value} without {names}: bearerbox panics", f"write {names}"
                )
        wait = group.number("wait-ack", 60)
        if link.kind == "emi" and wait < _EMIS_SHORTEST_WAIT:
            yield Found(
                group.at("wait-ack"),
                f"wait-ack {wait}: bearerbox panics over less than {_EMIS_SHORTEST_WAIT} in a link of the kind emi",
                f"write at least {_EMIS_SHORTEST_WAIT}, or leave it out: 60",
            )


@rule("E108")
def parameter_twice(subject: Subject) -> Iterator[Found]:
    """One name, or one tag, for two optional parameters of a link."""
    seen: dict[tuple[str, str, str | int], Place] = {}
    for group in subject.all("smpp-tlv"):
        told = False
        for smsc_id in group.entries("smsc-id") or ("",):
            for directive, value in (("name", group.text("name")), ("tag", group.number("tag", -1))):
                first = seen.setdefault((smsc_id, directive, value or ""), group.place)
                if first is not group.place and not told:
                    where = f" for smsc-id {smsc_id}" if smsc_id else ""
                    yield Found(
                        group.at(directive),
                        f"the group smpp-tlv in line {first.line} has this {directive} as well{where}: bearerbox "
                        "panics",
                    )
                    told = True


@rule("W201")
def fraction(subject: Subject) -> Iterator[Found]:
    """A throughput with a fraction rounds up on every link."""
    if subject.kind == "spec":
        return  # S204
    for link in subject.links:
        text = link.group.text("throughput") or ""
        whole, dot, rest = text.partition(".")
        if dot and whole.isascii() and whole.isdigit() and len(whole) < 10 and rest.strip("0"):
            yield Found(
                link.group.at("throughput"),
                f"throughput {text} sends {int(whole) + 1} a second"
                + (f" on each of {link.count} instances" if link.count > 1 else ""),
            )


@rule("W204")
def small_window(subject: Subject) -> Iterator[Found]:
    """A window below throughput x delay is the real limit."""
    for link in sending(subject):
        if link.per_second is None or not link.count:
            continue
        written = link.group.values.get("max-pending-submits")
        if link.relayed and (written is None or written.origin != "written"):
            continue  # it is made to fit
        share = link.per_second / link.count
        window = link.group.number("max-pending-submits", _KANNELS_WINDOW)
        if window < share * _USUAL_DELAY:
            yield Found(
                link.group.at("max-pending-submits"),
                f"a window of {window} submits sends at most {window / _USUAL_DELAY:.0f} a second when a response "
                f"takes {_USUAL_DELAY} s, and throughput is {share:.0f}",
                f"write max-pending-submits of at least {share:.0f}",
            )


@rule("W205")
def cannot_be_addressed(subject: Subject) -> Iterator[Found]:
    """Links that only answer together to stop-smsc and start-smsc."""
    if subject.kind == "spec":
        return  # kannelkit names each link
    unnamed = Counter(link.smsc_id for link in subject.links if link.smsc_id and not link.group.text("smsc-admin-id"))
    seen: set[str] = set()
    for link in subject.links:
        if link.count > 1:
            yield Found(
                link.group.at("instances"),
                f"instances = {link.count} makes links of one name: none of them can be stopped or started alone",
                "write a group for each, with a smsc-admin-id of its own",
            )
        elif link.smsc_id in seen and unnamed[link.smsc_id] > 1 and not link.group.text("smsc-admin-id"):
            yield Found(
                link.group.at("smsc-id"),
                f"{unnamed[link.smsc_id]} links are called {link.smsc_id} and have no smsc-admin-id: none of them can "
                "be stopped or started alone",
            )
        seen.add(link.smsc_id)


@rule("W207")
def no_receipts(subject: Subject) -> Iterator[Found]:
    """A transmitter, and no receiver beside it."""
    receivers = {link.login[::2] for link in subject.links if link.kind == "smpp" and link.bind == "receiver"}
    for link in subject.live("smpp"):
        if link.bind == "transmitter" and link.login[::2] not in receivers:
            yield Found(
                link.group.at("transceiver-mode"),
                "the link binds as a transmitter and nothing receives for its login: no receipts, no incoming messages",
            )


@rule("W208")
def reconnects_at_once(subject: Subject) -> Iterator[Found]:
    """A lost link that hammers at the provider's door."""
    for link in subject.live():
        if link.group.text("reconnect-delay") is not None and link.group.number("reconnect-delay", 10) == 0:
            yield Found(
                link.group.at("reconnect-delay"),
                "reconnect-delay 0: while the provider is away the link tries without a pause",
            )


@rule("W209")
def never_given_up(subject: Subject) -> Iterator[Found]:
    """A provider that has gone silent is never noticed."""
    for link in subject.live("smpp"):
        expires = link.bind != "receiver" and link.group.number("wait-ack-expire", 1) == 0
        if link.group.number("connection-timeout", 300) == 0 and not expires:
            yield Found(
                link.group.at("connection-timeout"),
                "connection-timeout 0: a connection that has gone silent stays online for ever",
            )


@rule("W211")
def nobody_starts_it(subject: Subject) -> Iterator[Found]:
    """dead-start for a link that stands by for no other."""
    names = {link.smsc_id for link in subject.links if link.role == "primary"}
    for link in subject.links:
        if link.role == "backup" and link.smsc_id not in names:
            yield Found(
                link.group.at("dead-start"),
                f"{link.smsc_id or 'the link'} stays down until somebody starts it, and no other link has its name: "
                "messages that only it may send are discarded",
            )


@rule("W214")
def no_parking(subject: Subject) -> Iterator[Found]:
    """The only route of a message, which stop-smsc takes away."""
    parked = {link.smsc_id for link in subject.links if link.role == "park" or link.parked}
    live = list(subject.live())
    if len(live) != 1 or live[0].count != 1 or live[0].kind != "smpp" or live[0].smsc_id in parked:
        return
    yield Found(
        live[0].group.at("smsc-id"),
        "this link is every message's only route: stop-smsc, which a change of it takes, discards all that wait",
        "add a link of the same smsc-id that never connects: smpp to 127.0.0.1, port 1, reconnect-delay 86400",
    )


@rule("W212")
def certificate_without_tls(subject: Subject) -> Iterator[Found]:
    """A certificate that is never shown."""
    for link in subject.live("smpp"):
        if link.group.text("ssl-client-certkey-file") and not link.group.on("use-ssl"):
            yield Found(
                link.group.at("ssl-client-certkey-file"),
                "a certificate, but use-ssl is off: the link is not encrypted",
                "write use-ssl = true and the provider's port for TLS",
            )


@rule("I301")
def nameless(subject: Subject) -> Iterator[Found]:
    """A link without smsc-id."""
    for link in subject.links:
        if "smsc-id" not in link.group:
            yield Found(
                link.group.place,
                "the link has no smsc-id: its host, user name and system-type are its name in logs and for routing",
            )


@rule("I303")
def unchecked(subject: Subject) -> Iterator[Found]:
    """Kannel checks no server's certificate unless it is told whom to trust."""
    if subject.core.text("ssl-trusted-ca-file"):
        return
    for link in subject.live("smpp"):
        if link.group.on("use-ssl"):
            yield Found(
                link.group.at("use-ssl"),
                "the provider's certificate is not checked: whoever can redirect the connection gets the password",
            )


# What Kannel writes into status.xml, log lines and addresses as it is (smsc2_status in gw/bb_smscconn.c), and what
# parts the entries of a list of ids.
_UNESCAPED = re.compile(r"[&<>\"';\s]")


@rule("W225")
def unescaped(subject: Subject) -> Iterator[Found]:
    """A name that breaks what reads it."""
    if subject.kind == "spec":
        return  # S310
    for link in subject.links:
        for directive in ("smsc-id", "smsc-admin-id"):
            name = link.group.text(directive) or ""
            if _UNESCAPED.search(name):
                yield Found(
                    link.group.at(directive),
                    f"{directive} {name!r} has characters that Kannel escapes nowhere: status.xml, log lines and lists "
                    "of ids break over it",
                )


@rule("I314")
def unread(subject: Subject) -> Iterator[Found]:
    """What stands there for another kind of link."""
    known = GROUPS["smsc"].directives
    for link in subject.links:
        if link.kind not in known["smsc"].one_of:
            continue  # C108
        for name, value in link.group.values.items():
            directive = known.get(name)
            if directive and directive.kinds and link.kind not in directive.kinds and value.origin == "written":
                yield Found(value.place, f"{name} counts for nothing: a link of the kind {link.kind} does not read it")


@rule("I315")
def level_of_no_log(subject: Subject) -> Iterator[Found]:
    """A link's log-level is that of its own log."""
    for link in subject.links:
        value = link.group.values.get("log-level")
        if value and value.origin == "written" and not link.group.text("log-file"):
            yield Found(value.place, "log-level counts for nothing without a log-file of the link's own")
