"""The whole kannel.conf of a spec, through one template a group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from jinja2 import Environment, PackageLoader, StrictUndefined

from kannelkit.conf import GROUPS, directive_line
from kannelkit.render.links import Account, Link, accounts
from kannelkit.spec import Group, SmppAccount, Spec

_NO_RATES: Mapping[str, int] = MappingProxyType({})
_NOTHING_MADE: Mapping[str, str] = MappingProxyType({})

# What decides which messages a link takes: the parking link has to take exactly the account's (smscconn_usable in
# gw/smscconn.c reads these).
ROUTING = (
    "denied-smsc-id",
    "allowed-smsc-id",
    "preferred-smsc-id",
    "allowed-prefix",
    "denied-prefix",
    "preferred-prefix",
    "unified-prefix",
    "reroute",
    "reroute-smsc-id",
    "reroute-receiver",
    "reroute-dlr",
    "allowed-smsc-id-regex",
    "denied-smsc-id-regex",
    "preferred-smsc-id-regex",
    "allowed-prefix-regex",
    "denied-prefix-regex",
    "preferred-prefix-regex",
)
# A day: long enough that the parking link costs nothing, and it need never connect.
PARKING_DELAY = 86_400


@dataclass(frozen=True, slots=True)
class Section:
    """Some lines of a group under one heading."""

    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as the template shows it: a heading for all its links, then each link."""

    account: Account
    provider: str
    throughput: int | None
    profile_set: tuple[str, ...]
    left_to_default: tuple[str, ...]
    connections_flag: str
    links: tuple[tuple[Link, tuple[Section, ...]], ...]


def kannel_conf(spec: Spec, throughputs: Mapping[str, int] = _NO_RATES, made: Mapping[str, str] = _NOTHING_MADE) -> str:
    """Return the whole file that the spec stands for.

    `throughputs` are SMS per second in force, by account, where they are not the spec's; `made` holds the passwords
    that the spec leaves out, by the names in `spec.to_make()`. Raises ValueError where one of these passwords is
    missing, or a throughput is less than the account's connections.
    """
    spec = spec.with_made(made)
    if missing := spec.to_make():
        raise ValueError(f"no password has been made for {', '.join(missing)}")
    views = [
        _view(of_spec, account, throughputs.get(account.smsc_id, account.ceiling))
        for of_spec, account in zip(spec.smpp_accounts, accounts(spec, throughputs), strict=True)
    ]
    text = (
        _environment()
        .get_template("kannel.conf.j2")
        .render(
            spec_name=spec.path.name,
            core=_sections(spec.core) if spec.core.there else None,
            smsbox=_sections(spec.smsbox) if spec.smsbox.there else None,
            accounts=views,
            other_smscs=[(group.get("smsc-id"), _sections(group)) for group in spec.other_smscs],
            sms_services=[_sections(group) for group in spec.sms_services],
            silent_service=any(
                group.values["keyword"].origin == "default" for group in spec.sms_services if "keyword" in group.values
            ),
            sendsms_users=[(group.get("username"), _sections(group)) for group in spec.sendsms_users],
        )
    )
    return text.rstrip("\n") + "\n"


@cache
def _environment() -> Environment:
    # A kannel.conf is no HTML: values are written by conf, which knows Kannel's own quoting.
    environment = Environment(
        loader=PackageLoader("kannelkit", "templates"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 see above
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["comment"] = comment
    return environment


def comment(text: object) -> str:
    """Make a text fit for a comment: a line feed would end it, a backslash at its end would swallow the next line."""
    return "".join(character if character.isprintable() else "?" for character in str(text)).rstrip("\\ ")


def _sections(group: Group, changed: Mapping[str, str | None] = MappingProxyType({})) -> tuple[Section, ...]:
    """Return the group's lines by heading; `changed` replaces values, and leaves out those that it has nothing for."""
    texts: dict[str, str | None] = {name: value.text for name, value in group.values.items()}
    texts.update(changed)
    return _by_heading(group.name, texts)


def _by_heading(group: str, texts: Mapping[str, str | None]) -> tuple[Section, ...]:
    lines: dict[str, list[str]] = {}
    for name, directive in GROUPS[group].directives.items():
        text = texts.get(name)
        if text is not None:
            lines.setdefault(directive.section, []).append(directive_line(name, text))
    return tuple(Section(heading, tuple(group_lines)) for heading, group_lines in lines.items())


def _view(of_spec: SmppAccount, account: Account, throughput: int | None) -> AccountView:
    values = of_spec.group.values
    flags = values["system-type"]
    return AccountView(
        account=account,
        provider=of_spec.provider,
        throughput=throughput,
        profile_set=_names(name for name, value in values.items() if value.origin == "provider"),
        left_to_default=_names(name for name, value in values.items() if value.origin == "default"),
        connections_flag=next((flag for flag in flags.text.split(",") if flag.startswith("MCON")), ""),
        links=tuple((link, _link_sections(of_spec, account, throughput, link)) for link in account.links),
    )


def _names(names: Iterable[str]) -> tuple[str, ...]:
    order = list(GROUPS["smsc"].directives)
    return tuple(sorted(names, key=order.index))


def _link_sections(of_spec: SmppAccount, account: Account, throughput: int | None, link: Link) -> tuple[Section, ...]:
    if link.role == "park":
        return _by_heading("smsc", _parking(of_spec, link))
    changed: dict[str, str | None] = {"smsc-admin-id": link.admin_id}
    if throughput != account.ceiling or account.connections > 1:  # otherwise as written, which may be a fraction
        changed["throughput"] = None if link.throughput is None else str(link.throughput)
    if link.role == "backup":
        changed |= {"host": link.host, "port": str(link.port), "dead-start": "true"}
    return _sections(of_spec.group, changed)


def _parking(of_spec: SmppAccount, link: Link) -> Mapping[str, str | None]:
    routing = {name: of_spec.group.get(name) for name in ROUTING}
    return routing | {
        "smsc": "smpp",
        "smsc-id": of_spec.smsc_id,
        "smsc-admin-id": link.admin_id,
        "host": link.host,
        "port": str(link.port),
        # Kannel asks for all three, and this link never comes to use them.
        "smsc-username": "parking",
        "smsc-password": "parking",
        "system-type": "",
        "transceiver-mode": "true",
        "reconnect-delay": str(PARKING_DELAY),
    }
