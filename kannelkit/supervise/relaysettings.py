"""What the relay is told of a spec's accounts: the settings that `kannelkit.relay` reads, as plain values; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kannelkit.conf.values import TRUE
from kannelkit.render.account import relay_login, relay_windows
from kannelkit.spec import SmppAccount, Spec
from kannelkit.spec.numbers import whole

FILE = "settings.json"
# Kannel's own where the spec says nothing (gw/smsc/smsc_smpp.c)
_WAIT_ACK, _ENQUIRE = 60, 30
_NAME_OCTETS, _PASSWORD_OCTETS = 15, 8

Settings = Mapping[str, Any]


def folder(spec: Spec) -> Path:
    """Return the relay's own folder: its settings, its socket, and what it keeps."""
    return spec.state_dir / "relay"


def relay_accounts(spec: Spec) -> dict[str, Settings]:
    """Return the settings of each account that the relay paces, by its name; its port and password are made by now."""
    return {account.smsc_id: _account(account, spec) for account in spec.smpp_accounts if account.relayed is not None}


def relay_file(folder: Path, accounts: Mapping[str, Settings], descriptors: Mapping[int, int]) -> str:
    """Return the settings file's text; `descriptors` are those of sockets that listen already, by port."""
    told = [
        {**account, **({"listen_descriptor": descriptors[port]} if port in descriptors else {})}
        for account in accounts.values()
        for port in [port_of(account)]
    ]
    return json.dumps({"state_dir": str(folder), "accounts": told}, indent=1) + "\n"


def accounts_in(text: str) -> dict[str, Settings]:
    """Return the accounts in a settings file's text, without descriptors; raises ValueError, KeyError or TypeError."""
    accounts = json.loads(text)["accounts"]
    return {
        str(account["name"]): {name: value for name, value in account.items() if name != "listen_descriptor"}
        for account in accounts
    }


def kept_accounts(folder: Path) -> dict[str, Settings]:
    """Return what the relay in a folder was last told of its accounts, nothing where that cannot be read."""
    try:
        return accounts_in((folder / FILE).read_text())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def port_of(account: Settings) -> int:
    """Return where the relay waits for bearerbox."""
    port = account["listen_port"]
    return port if isinstance(port, int) else 0


def _account(account: SmppAccount, spec: Spec) -> Settings:
    of = account.group
    tls = (of.get("use-ssl") or "").lower() in TRUE
    hosts = [(account.host, account.port)]
    if account.backup_host:
        hosts.append((account.backup_host, account.backup_port))
    authorities = spec.core.get("ssl-trusted-ca-file")
    certificate = of.get("ssl-client-certkey-file") or spec.core.get("ssl-client-certkey-file")
    shared: dict[str, object] = {"tls": tls, "source": of.get("our-host") or ""}
    if tls and certificate:
        shared["certificate"] = str(spec.path.parent / certificate)
    return {
        "name": account.smsc_id,
        "listen_port": account.relay_port,
        "listen_system_id": relay_login(account.smsc_id),
        "listen_password": "" if account.relayed is None else account.relayed.password.text,
        "hosts": [{"host": host, "port": port, **shared} for host, port in hosts],
        "login": {
            "system_id": _cut(of.get("smsc-username") or of.get("system-id") or "", _NAME_OCTETS),
            "password": _cut(of.get("smsc-password") or "", _PASSWORD_OCTETS),
        },
        "unit": account.unit,
        "connections": account.connections,
        "ceiling": account.ceiling,
        "window": relay_windows(account).provider,
        "wait_ack": whole(of.get("wait-ack") or "") or _WAIT_ACK,
        "enquire_every": whole(of.get("enquire-link-interval") or "") or _ENQUIRE,
        # Kannel, too, looks at certificates where it knows authorities, but never at the name in them
        "verify": {"authorities": str(spec.path.parent / authorities)} if tls and authorities else None,
        "after": spec.supervisor.failover_after,
        "back_after": spec.supervisor.failover_back_after,
    }


def _cut(text: str, octets: int) -> str:
    """Return as much as Kannel would send (gw/smsc/smpp_pdu.def)."""
    return text.encode("utf-8", "surrogateescape")[:octets].decode("utf-8", "ignore")
