"""Rules about logins: who shares one, and what the provider allows it."""

from __future__ import annotations

import codecs
import re
from collections import defaultdict
from collections.abc import Iterator

from kannelkit.lint.rule import Found, rule
from kannelkit.lint.subject import Link, Subject
from kannelkit.providers import Profile


def setting(profile: Profile | None, directive: str, *, tls: bool = False) -> str:
    """Return what the provider asks for in this directive, or nothing where it does not say."""
    for each in profile.settings if profile else ():
        if each.directive == directive:
            return each.tls_value if tls and each.tls_value is not None else each.value
    return ""


def logins(subject: Subject) -> Iterator[list[Link]]:
    """Yield the live SMPP links that share a login, receivers apart: the first bind of each account leads its list."""
    found: dict[tuple[str, int, str], list[Link]] = defaultdict(list)
    for link in subject.live("smpp"):
        host, _, user = link.login
        if host and user:
            # the ports of one provider are one account: plain and TLS, old and new
            port = 0 if link.profile else link.login[1]
            name = link.profile.name if link.profile else host
            found[name, port, user].append(link)
    yield from found.values()


def _binds(links: list[Link]) -> int:
    """Return how many binds the links make at once; a transmitter and a receiver are one pair."""
    receivers = sum(link.count for link in links if link.bind == "receiver")
    transmitters = sum(link.count for link in links if link.bind == "transmitter")
    both = sum(link.count for link in links if link.bind == "transceiver")
    return both + max(receivers, transmitters)


def _allowed(link: Link) -> int | None:
    """Return how many binds of its login the provider allows at once, or nothing where that is not known."""
    limit = link.profile.limits.connections if link.profile else None
    if link.profile is None or limit is None:
        return None
    pattern = re.escape(link.profile.connections_flag).replace(r"\{n\}", "([0-9]{1,3})")
    flags = (link.group.text("system-type") or "").split(",") if pattern else []
    return max([limit.value] + [int(found[1]) for each in flags if (found := re.fullmatch(pattern, each.strip()))])


@rule("E101")
def two_on_one_login(subject: Subject) -> Iterator[Found]:
    """The provider is known to close the older bind of a login."""
    for links in logins(subject):
        profile, binds = links[0].profile, _binds(links)
        allowed = min((known for link in links if (known := _allowed(link)) is not None), default=binds)
        if not profile or binds <= allowed or len({link.smsc_id for link in links}) > 1:
            continue
        older = profile.limits.closes_older
        end = "each closes an older one" if older is None or older.value else "the others are refused for ever"
        flag = profile.connections_flag.format(n=binds)
        yield Found(
            links[-1].group.at("smsc-username"),
            f"{binds} links bind to {profile.name} with one login, which may have {allowed}: {end}",
            f"add {flag} to system-type of each, within its 12 octets" if flag else "use fewer links",
        )


@rule("E102")
def two_accounts_on_one_login(subject: Subject) -> Iterator[Found]:
    """Two names for one account at a provider that limits the account."""
    for links in logins(subject):
        first = links[0]
        for link in links[1:]:
            is_pair = {link.bind, first.bind} == {"transmitter", "receiver"}
            if link.smsc_id != first.smsc_id and (link.profile or subject.kind == "spec") and not is_pair:
                yield Found(
                    link.group.at("smsc-username"),
                    f"{link.smsc_id or 'this link'} has the login of {first.smsc_id or 'another link'}: to the "
                    "provider they are one account, with one limit, and each bind may close the other",
                    "make one account of them: connections in a spec, links of one smsc-id in a kannel.conf",
                )


@rule("W213")
def two_links_where_nothing_is_known(subject: Subject) -> Iterator[Found]:
    """Many providers allow it, many close the older bind."""
    if subject.kind == "spec":
        return
    for links in logins(subject):
        if _allowed(links[0]) is None and _binds(links) > 1 and any(link.count == 1 for link in links[1:]):
            yield Found(
                links[-1].group.at("smsc-username"),
                f"{_binds(links)} links bind with one login; a provider that allows one closes the older each time",
            )


@rule("W202")
def more_than_the_provider_gives(subject: Subject) -> Iterator[Found]:
    """What the links of a login send together, against what the provider gives unasked."""
    for links in logins(subject):
        usual = links[0].profile.limits.throughput if links[0].profile else None
        limited = [link for link in links if link.bind != "receiver" and link.per_second is not None]
        total, count = sum(link.per_second or 0 for link in limited), sum(link.count for link in limited)
        if not (usual and total > usual.value and links[0].profile):
            continue
        several = f" over {count} {'connections' if subject.kind == 'spec' else 'links'}" if count > 1 else ""
        yield Found(
            limited[-1].group.at("throughput"),
            f"{total} SMS per second{several}, where {links[0].profile.name} accepts {usual.value} for an account "
            "unless told otherwise",
            "if that was agreed on, silence this rule; if not, `kannelkit up` finds the limit at the cost of some "
            "refused submits"
            if subject.kind == "spec"
            else "",
        )


@rule("W203")
def no_limit_where_the_provider_has_one(subject: Subject) -> Iterator[Found]:
    """Without throughput Kannel sends as fast as the link takes it."""
    for link in subject.live("smpp"):
        usual = link.profile.limits.throughput if link.profile else None
        if usual and link.per_second is None and link.bind != "receiver" and link.profile:
            yield Found(
                link.group.at("throughput"),
                f"no throughput, where {link.profile.name} refuses what is above {usual.value} SMS per second",
                f"write throughput = {usual.value} over all links of the account, or what was agreed on",
            )


@rule("E103")
def idle_too_long(subject: Subject) -> Iterator[Found]:
    """An enquire_link that comes too late finds the link closed."""
    for link in subject.live("smpp"):
        interval = link.group.number("enquire-link-interval", 30)
        idle = link.profile.limits.idle if link.profile else None
        timeout = link.group.number("connection-timeout", 300)
        if idle and interval >= idle.value and link.profile:
            yield Found(
                link.group.at("enquire-link-interval"),
                f"enquire-link-interval {interval}, and {link.profile.name} closes a link idle for {idle.value} s",
            )
        elif timeout > 0 and interval > timeout:
            yield Found(
                link.group.at("enquire-link-interval"),
                f"enquire-link-interval {interval} is more than connection-timeout {timeout}: an idle link is given up "
                f"every {timeout} s although nothing is wrong",
            )


@rule("E105")
def the_other_port(subject: Subject) -> Iterator[Found]:
    """TLS at the port for plain connections, or the other way round."""
    for link in subject.live("smpp"):
        tls = link.group.on("use-ssl")
        port = link.group.text("port")
        wrong, right = setting(link.profile, "port", tls=not tls), setting(link.profile, "port", tls=tls)
        if link.profile and port and port == wrong != right:
            yield Found(
                link.group.at("port"),
                f"port {port} of {link.profile.name} is for links {'without' if tls else 'with'} TLS: this one never "
                "binds",
                f"write port {right}, or {'leave use-ssl out' if tls else 'use-ssl = true'}",
            )


@rule("E109")
def written_otherwise_than_read(subject: Subject) -> Iterator[Found]:
    """What data_coding 0 is to Kannel, against what the words in system-type make of it at the provider."""
    for link in subject.live("smpp"):
        words = [word.strip() for word in (link.group.text("system-type") or "").split(",")]
        read, written = link.profile.charset(words) if link.profile else "", link.group.text("alt-charset")
        if link.profile is None or link.bind == "receiver" or _charset(written) == _charset(read):
            continue
        if read:
            yield Found(
                link.group.at("alt-charset" if written else "system-type"),
                f"by its system-type {link.profile.name} reads data_coding 0 as {read}, and Kannel writes "
                f"{written or 'GSM 03.38'}: texts arrive with other characters",
                f"write alt-charset {read}",
            )
        elif any(flag.charset for flag in link.profile.flags):
            yield Found(
                link.group.at("alt-charset"),
                f"{link.profile.name} reads data_coding 0 as GSM 03.38, and Kannel writes {written}: texts arrive with "
                "other characters",
                "leave alt-charset out, or write the word into system-type that asks the provider to read it so",
            )


def _charset(name: str | None) -> str:
    """Return one name for a character set that has many; "" where there is none."""
    try:
        return codecs.lookup(name).name if name else ""
    except (LookupError, ValueError):  # a NUL in it is a ValueError
        return name or ""


@rule("I302")
def password_in_the_clear(subject: Subject) -> Iterator[Found]:
    """The provider has a TLS port, and the link does not use it."""
    for link in subject.live("smpp"):
        plain, tls = setting(link.profile, "port"), setting(link.profile, "port", tls=True)
        if link.profile and plain != tls and not link.group.on("use-ssl") and link.group.text("port") != tls:
            yield Found(
                link.group.at("use-ssl"),
                f"login, password and messages go to {link.profile.name} unencrypted; it takes TLS at port {tls}",
            )
