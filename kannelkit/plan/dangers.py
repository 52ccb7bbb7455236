"""Why a person has to agree to a change, each reason as one sentence that says what would happen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from kannelkit.plan.links import Link, route, sends

_STORE = "messages that wait in the old store are not seen any more, until it is the store again"
_RECEIPTS = (
    "delivery receipts that are awaited in the old place are not found any more: nobody is told of those messages"
)
_ADMIN = "every program that commands bearerbox by the old address or password is locked out, kannelkit's own included"
_BOXES = "boxes on other machines, and those that kannelkit did not start, lose bearerbox until they know the new port"

# group and directive -> what a change of it does
_DIRECTIVES: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("core", "store-type"): _STORE,
        ("core", "store-file"): _STORE,
        ("core", "store-location"): _STORE,
        ("core", "dlr-storage"): _RECEIPTS,
        ("core", "dlr-spool"): _RECEIPTS,
        ("core", "admin-port"): _ADMIN,
        ("core", "admin-port-ssl"): _ADMIN,
        ("core", "admin-password"): _ADMIN,
        ("core", "admin-interface"): _ADMIN,
        ("core", "admin-deny-ip"): _ADMIN,
        ("core", "admin-allow-ip"): _ADMIN,
        ("core", "smsbox-port"): _BOXES,
        ("core", "smsbox-port-ssl"): _BOXES,
    }
)
# group -> what a change of it does, be it changed, created or deleted
_GROUPS: Mapping[str, str] = MappingProxyType({"dlr-db": _RECEIPTS, "store-db": _STORE})

ALL_LINKS = (
    "bearerbox is restarted while links run: every link of every account is down at once, and no request is taken"
)
TOGETHER = "links of one name are stopped and started together: all of them are down at once"
EVERY_ACCOUNT = "every account has all its links re-created, one after the other"


def of_directives(group: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return what a change of these directives does to what waits and to who commands."""
    found = [_DIRECTIVES.get((group, name), "") for name in names]
    return tuple(dict.fromkeys(sentence for sentence in (*found, _GROUPS.get(group, "")) if sentence))


def of_removals(links: Sequence[Link]) -> Mapping[str, str]:
    """Return what happens to waiting messages, by the name of each link that goes and takes its account with it."""
    staying = {link.account for link in links if link.after}
    remaining = {route(group) for link in links for group in link.after if sends(group)}
    taken: dict[str, bool] = {}
    for link in links:
        routes = {route(group) for group in link.before if sends(group)}
        taken[link.account] = taken.get(link.account, True) and routes <= remaining
    found = {}
    for link in links:
        if not link.after and not link.before:
            found[link.name] = f"link {link.name} goes: bearerbox discards waiting messages that only it takes"
        elif not link.after and link.account not in staying:
            end = (
                "its waiting messages leave by the links that take the same messages"
                if taken[link.account]
                else "bearerbox discards its waiting messages that no other link takes"
            )
            found[link.name] = f"account {link.account} goes: {end}"
    return found
