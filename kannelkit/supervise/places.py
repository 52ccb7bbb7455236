"""Where an account's links connect to, for somebody who wants to try that host without them."""

from __future__ import annotations

from kannelkit.conf.values import TRUE
from kannelkit.host.bind import Login
from kannelkit.host.reach import Address
from kannelkit.render import Account, Side
from kannelkit.spec import Spec
from kannelkit.spec.model import Group


def place(spec: Spec, account: Account, side: Side) -> Address:
    """Return the address that the links of a side connect to, in the way they do. Raises KeyError."""
    link = next(link for link in account.links if link.role == side)
    group = _group(spec, account)
    tls = (group.get("use-ssl") or "").lower() in TRUE
    certificate = group.get("ssl-client-certkey-file")
    return Address(
        link.host,
        link.port,
        tls=tls,
        source=group.get("our-host") or "",
        certificate=spec.path.parent / certificate if tls and certificate else None,
    )


def login(spec: Spec, account: Account) -> Login:
    """Return what the account's links bind with, cut as Kannel cuts it (gw/smsc/smpp_pdu.def). Raises KeyError."""
    group = _group(spec, account)
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


def _group(spec: Spec, account: Account) -> Group:
    return next(each.group for each in spec.smpp_accounts if each.smsc_id == account.smsc_id)
