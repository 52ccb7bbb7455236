"""An SMPP account as the file shows it: a title for all its links, then the lines of each."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from kannelkit.conf import GROUPS
from kannelkit.render.lines import Lines, comment
from kannelkit.render.links import Account, Link
from kannelkit.spec import SmppAccount
from kannelkit.spec.model import Relayed
from kannelkit.spec.numbers import whole

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

# Kannel asks for a name and a password, and this link never comes to use them.
_PARKING = {
    "smsc": "smpp",
    "smsc-username": "parking",
    "smsc-password": "parking",
    "system-type": "",
    "transceiver-mode": "true",
    "reconnect-delay": str(PARKING_DELAY),
}
_WIDTH = 78
_LOGIN_OCTETS = 15  # without its NUL (SMPP 3.4, 5.2.1)

# What a link to the relay does without: the relay holds the rate, speaks TLS and binds from the address and with the
# login of the account's.
_RELAYS_OWN = frozenset(
    {
        "throughput",
        "use-ssl",
        "ssl-client-certkey-file",
        "our-host",
        "our-port",
        "receive-port",
        "system-id",
        "smsc-username",
    }
)
# What of a link to the relay is not the account's: no comment says who set it.
_NOT_TO_RELAY = _RELAYS_OWN | {"host", "port", "reconnect-delay", "max-pending-submits"}
# Seconds: a relay that was killed is back within one; how often the provider is tried is the relay's affair.
_RELAY_RECONNECTS = "1"
# Of the submits that bearerbox may have unanswered: what leaves at the ceiling within two seconds, which is enough for
# answers that take as long, and some more; without a ceiling what carries 300 a second where they take one. What waits
# in the relay waits for an answer as well (wait-ack, a part of which it may take); what waits in bearerbox does not.
_SECONDS_HELD, _MORE_HELD, _FEWEST_HELD, _MOST_HELD = 2, 10, 2, 10_000
_WITHOUT_CEILING = 300
_SHARE_OF_WAIT_ACK, _KANNELS_WAIT_ACK = 0.4, 60


@dataclass(frozen=True, slots=True)
class AccountView:
    """What the template shows of an account; `told` are lines of comment, `group` its account-group or "".

    `connections_flag` is the flag for several binds as SMSC.ru means it, "" where there is none.
    """

    account: Account
    provider: str
    group: str
    told: tuple[str, ...]
    connections_flag: str
    links: tuple[tuple[Link, str], ...]
    connections: int
    """How many binds the provider sees."""


def view(of_spec: SmppAccount, account: Account, lines: Lines, sharing: int = 1) -> AccountView:
    """Return the account of the spec as the template shows it; `sharing` accounts live by its rate."""
    values = of_spec.group.values
    texts = {name: value.text for name, value in values.items()}
    told = values.keys() - _NOT_TO_RELAY if of_spec.relayed else values.keys()
    by_provider = tuple(name for name, value in values.items() if value.origin == "provider" and name in told)
    by_default = tuple(name for name, value in values.items() if value.origin == "default" and name in told)
    profile = of_spec.provider
    whose = f" in {Path(of_spec.profile.file).name}" if of_spec.profile and of_spec.profile.file else ""
    flags = texts["system-type"].split(",")
    return AccountView(
        account=account,
        provider=profile if by_provider else "",
        group=of_spec.account_group,
        told=_told(f"set by the profile {profile}{whose}", by_provider) + _told("set by kannelkit", by_default),
        connections_flag="" if whose else next((flag for flag in flags if flag.startswith("MCON")), ""),
        links=tuple(
            (link, lines.body("smsc", _texts(of_spec, texts, account, link, sharing))) for link in account.links
        ),
        connections=of_spec.connections,
    )


@cache  # a handful of profiles for thousands of accounts
def _told(who: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the lines of a comment that names what an operator did not write, in the order of the table."""
    if not names:
        return ()
    order = list(GROUPS["smsc"].directives)
    text = f"{who}: {', '.join(sorted(names, key=order.index))}"
    return tuple(
        comment(line) for line in textwrap.wrap(text, _WIDTH - 2, subsequent_indent="  ", break_on_hyphens=False)
    )


def _texts(
    of_spec: SmppAccount, texts: Mapping[str, str], account: Account, link: Link, sharing: int
) -> Mapping[str, str]:
    """Return the values of one link: the account's, but for what tells the link from its neighbours."""
    if link.role == "park":
        routing = {name: texts[name] for name in ROUTING if name in texts}
        return routing | _PARKING | _names(link) | {"host": link.host, "port": str(link.port)}
    if of_spec.relayed is not None:
        to_relay = _to_relay(of_spec, of_spec.relayed, texts, sharing)
        return to_relay | _names(link) | {"host": link.host, "port": str(link.port)}
    changed = {**texts, **_names(link)}
    if link.throughput != account.ceiling:  # otherwise as written, which may be a fraction
        changed.pop("throughput", None)
        if link.throughput is not None:
            changed["throughput"] = str(link.throughput)
    if link.role == "backup":
        changed |= {"host": link.host, "port": str(link.port)}
    if link.role != account.side:
        changed["dead-start"] = "true"
    return changed


def _to_relay(of_spec: SmppAccount, relayed: Relayed, texts: Mapping[str, str], sharing: int) -> dict[str, str]:
    changed = {name: text for name, text in texts.items() if name not in _RELAYS_OWN}
    return changed | {
        "smsc-username": relay_login(of_spec.smsc_id),
        "smsc-password": relayed.password.text,
        "max-pending-submits": str(relay_windows(of_spec, sharing).bearerbox),
        "reconnect-delay": _RELAY_RECONNECTS,
    }


class Windows(NamedTuple):
    """How many submits may be unanswered: bearerbox's at the relay, and the relay's on one connection to a provider."""

    bearerbox: int
    provider: int


def relay_windows(account: SmppAccount, sharing: int = 1) -> Windows:
    """Return the windows of an account that the relay paces; `sharing` accounts live by its rate.

    They are no limit of their own where answers come within two seconds. Who writes max-pending-submits, in the spec or
    in a profile of theirs, means the provider's: more is not sent then. kannelkit's own values are for links of Kannel.
    """
    value = account.group.values.get("max-pending-submits")
    usual = max(1, whole(value.text) or 1) if value is not None else 1
    of_user = value is not None and (
        value.origin == "written"
        or (account.profile is not None and account.profile.file and value.origin == "provider")
    )
    ceiling = account.ceiling
    if ceiling is None:
        fits = max(usual, _WITHOUT_CEILING)
    else:
        wait_ack = whole(account.group.get("wait-ack") or "") or _KANNELS_WAIT_ACK
        held = min(_SECONDS_HELD * ceiling + _MORE_HELD, wait_ack * _SHARE_OF_WAIT_ACK * ceiling / sharing)
        fits = min(_MOST_HELD, max(_FEWEST_HELD, math.ceil(held)))
    provider = usual if of_user else max(usual, fits)
    return Windows(min(fits, provider * account.connections), provider)


def relay_login(smsc_id: str) -> str:
    """Return the name that bearerbox binds to the relay with: as much of the account's as a system_id holds."""
    return smsc_id[:_LOGIN_OCTETS]


def _names(link: Link) -> dict[str, str]:
    return {"smsc-id": link.account, "smsc-admin-id": link.admin_id}
