"""Where an account's links, or the relay for them, connect to, for somebody who wants to try that host himself."""

from __future__ import annotations

from kannelkit.conf.values import TRUE
from kannelkit.host.bind import Login
from kannelkit.host.reach import Address
from kannelkit.render import Account, Side
from kannelkit.spec import SmppAccount, Spec


def place(spec: Spec, account: Account, side: Side) -> Address:
    """Return the provider's host that the links of a side, or the relay for them, connect to, in the way they do."""
    of_spec = _of_spec(spec, account)
    group = of_spec.group
    tls = (group.get("use-ssl") or "").lower() in TRUE
    certificate = group.get("ssl-client-certkey-file")
    host, port = (of_spec.host, of_spec.port) if side == "primary" else (of_spec.backup_host, of_spec.backup_port)
    return Address(
        host,
        port,
        tls=tls,
        source=group.get("our-host") or "",
        certificate=spec.path.parent / certificate if tls and certificate else None,
    )


def login(spec: Spec, account: Account) -> Login:
    """Return what the account's links bind with, cut as Kannel cuts it (gw/smsc/smpp_pdu.def)."""
    group = _of_spec(spec, account).group
    version = int(group.get("interface-version") or 34)
    return Login(
        system_id=_octets(group.get("smsc-username") or group.get("system-id"), 15),
        password=_octets(group.get("smsc-password"), 8),
        system_type=_octets(group.get("system-type"), 12),
        interface_version=(version // 10 << 4) + version % 10,
        transceiver=(group.get("transceiver-mode") or "").lower() in TRUE,
    )


def _octets(text: str | None, most: int) -> bytes:
    return (text or "").encode("utf-8", "surrogateescape")[:most]


def _of_spec(spec: Spec, account: Account) -> SmppAccount:
    return next(each for each in spec.smpp_accounts if each.smsc_id == account.smsc_id)
