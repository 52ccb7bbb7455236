"""The optional parameters (TLVs) of providers' receipts, as groups smpp-tlv: bearerbox warns of each that it lacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kannelkit.spec.model import Group, SmppAccount, Value
from kannelkit.spec.numbers import whole

GROUP = "smpp-tlv"


def parameters(accounts: Iterable[SmppAccount], written: Iterable[Group]) -> Iterator[Group]:
    """Yield a group for each parameter in the profiles of the accounts, but for those `written` in the spec.

    They are for every link, once: one more account of a provider changes none of them, which would take a restart of
    bearerbox. A group with a smsc-id goes before them for that link (smpp_tlv_get_by_tag in gw/smsc/smpp_pdu.c). What
    has the tag or the name of another is left out, since bearerbox panics over two.
    """
    taken: set[str | int | None] = set()
    for group in written:
        if group.name == GROUP:
            taken |= {group.get("name"), whole(group.get("tag") or "")}
    seen = set()
    for account in accounts:
        if account.provider in seen or account.profile is None:
            continue
        seen.add(account.provider)
        for tlv in account.profile.tlvs:
            if taken.isdisjoint((tlv.name, tlv.tag)):
                taken |= {tlv.name, tlv.tag}
                texts = {"name": tlv.name, "tag": f"0x{tlv.tag:04x}", "type": tlv.type, "length": str(tlv.length)}
                place = account.group.place
                yield Group(GROUP, {key: Value(text, "provider", place) for key, text in texts.items()}, place)
