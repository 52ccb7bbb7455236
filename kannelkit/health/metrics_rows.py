"""What metrics are made of: what was last seen of a gateway, its links as rows with their labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kannelkit.gateway.status import GatewayStatus, LinkStatus
from kannelkit.health.values import Report
from kannelkit.render.links import Account
from kannelkit.supervise.views import Overview


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A link as bearerbox has it; several of `links` where it has several with the same names, none where it has none.

    `counted` is whether it is a link in the metrics: one of the side in force. What any other link of an account sends
    is still the account's.
    """

    account: str
    link: str
    host: str
    links: tuple[LinkStatus, ...]
    counted: bool = True

    @property
    def key(self) -> tuple[str, str, str]:
        """The values of its labels."""
        return self.account, self.link, self.host


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a gateway at `at` (seconds since the epoch); looking took `seconds`.

    `status` is None where bearerbox did not answer. `certificates` are files with the time at which what is in them is
    no longer valid.
    """

    at: float
    seconds: float = 0.0
    status: GatewayStatus | None = None
    state: Overview | None = None
    report: Report | None = None
    rows: tuple[LinkRow, ...] = ()
    certificates: Mapping[str, float] = field(default_factory=dict)


def link_rows(accounts: Sequence[Account], state: Overview | None, status: GatewayStatus | None) -> tuple[LinkRow, ...]:
    """Return the links of a status as rows: those of the accounts first, and then what nobody knows, by its own names.

    Parking links are in no row; links of the side that is not in force are in rows that are not counted.
    """
    if status is None:
        return ()
    found: dict[str, list[LinkStatus]] = {}
    for link in status.links:
        found.setdefault(link.admin_id, []).append(link)
    sides = {each.smsc_id: each.side for each in state.accounts} if state else {}
    rows = []
    for account in accounts:
        side = sides.get(account.smsc_id, account.side)
        for each in account.links:
            links = tuple(found.pop(each.admin_id, ()))
            if each.role != "park" and (each.role == side or links):
                rows.append(LinkRow(account.smsc_id, each.admin_id, each.host, links, counted=each.role == side))
    strangers: dict[tuple[str, str], list[LinkStatus]] = {}
    for links_of in found.values():
        for link in links_of:
            strangers.setdefault((link.smsc_id, link.admin_id), []).append(link)
    rows += [LinkRow(smsc_id, admin_id, "", tuple(links)) for (smsc_id, admin_id), links in strangers.items()]
    return tuple(rows)
