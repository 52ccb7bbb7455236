"""A small gateway as texts: what the tests of plans begin with, and change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kannelkit.plan.groups import groups
from kannelkit.plan.links import ROUTING
from kannelkit.plan.values import LinkSeen

CORE = {"admin-port": "13000", "admin-password": "adminpass", "smsbox-port": "13001", "store-location": "/var/spool/a"}
SMSBOX = {"bearerbox-host": "127.0.0.1", "sendsms-port": "13013"}
USER = {"username": "app", "password": "app-secret"}


def group(name: str, values: Mapping[str, str]) -> str:
    return f"group = {name}\n" + "".join(f"{directive} = {value}\n" for directive, value in values.items())


def link(name: str, account: str, **more: str) -> str:
    """Return a link's group; a keyword is a directive with hyphens for underscores."""
    values = {
        "smsc": "smpp",
        "smsc-id": account,
        "smsc-admin-id": name,
        "host": "smpp.test",
        "port": "2775",
        "smsc-username": account,
        "smsc-password": f"pw-{account}",
        "transceiver-mode": "true",
    }
    return group("smsc", values | {directive.replace("_", "-"): value for directive, value in more.items()})


def parking(account: str, **more: str) -> str:
    return link(f"{account}-park", account, host="127.0.0.1", port="1", **more)


def account(name: str, links: int = 2, **more: str) -> str:
    routing = {directive: value for directive, value in more.items() if directive.replace("_", "-") in ROUTING}
    return "\n".join(
        [*(link(f"{name}-{number + 1}", name, **more) for number in range(links)), parking(name, **routing)]
    )


def conf(*groups_: str) -> str:
    """Return a kannel.conf with core, smsbox and these groups."""
    return "\n".join((group("core", CORE), group("smsbox", SMSBOX), *groups_))


def up(text: str, but: Mapping[str, str | None] | None = None) -> Sequence[LinkSeen]:
    """Return a text's links as bearerbox shows them when all is well; `but` names other states, None for no link."""
    but = but or {}
    seen = []
    for key, values in groups(text).items():
        if key.group == "smsc" and key.name not in but:
            seen.append(LinkSeen(key.name, "dead" if values.get("dead-start") == "true" else "online"))
    return seen + [LinkSeen(name, state) for name, state in but.items() if state is not None]
