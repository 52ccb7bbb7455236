"""Where an account's links connect to, for somebody who wants to try that host without them."""

from __future__ import annotations

from kannelkit.conf.values import TRUE
from kannelkit.host.reach import Address
from kannelkit.render import Account, Side
from kannelkit.spec import Spec


def place(spec: Spec, account: Account, side: Side) -> Address:
    """Return the address that the links of a side connect to, in the way they do. Raises KeyError."""
    link = next(link for link in account.links if link.role == side)
    group = next(each.group for each in spec.smpp_accounts if each.smsc_id == account.smsc_id)
    tls = (group.get("use-ssl") or "").lower() in TRUE
    certificate = group.get("ssl-client-certkey-file")
    return Address(
        link.host,
        link.port,
        tls=tls,
        source=group.get("our-host") or "",
        certificate=spec.path.parent / certificate if tls and certificate else None,
    )
