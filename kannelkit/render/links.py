"""An account to its links: shares of its throughput, links standing by, and the parking link."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from kannelkit.spec import SmppAccount, Spec
from kannelkit.spec.across import link_ids

Role = Literal["primary", "backup", "park"]
# Which host's links carry an account's messages.
Side = Literal["primary", "backup"]

# Where nothing listens: the parking link is refused at once, and then waits for its reconnect-delay.
PARKING_HOST, PARKING_PORT = "127.0.0.1", 1
RELAY_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class InForce:
    """What a gateway runs with where that is not what its spec says.

    `throughputs` are SMS per second by unit (see Account.unit), `shares` by unit those of all its links, in order,
    where they are not even; `sides` by account the side that is up.
    """

    throughputs: Mapping[str, int] = field(default_factory=dict)
    shares: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    sides: Mapping[str, Side] = field(default_factory=dict)


AS_WRITTEN = InForce()


@dataclass(frozen=True)
class Link:
    """One group smsc of an account; `throughput` is its share in SMS per second, or nothing where there is no limit."""

    admin_id: str
    account: str
    role: Role
    number: int
    host: str
    port: int
    throughput: int | None
    log_file: Path | None


@dataclass(frozen=True)
class Account:
    """One login and all its links.

    `unit` names the rate it lives by: that of its account-group, or its own. `ceiling` and `floor` are the unit's, in
    SMS per second; a ceiling of nothing is no limit. `side` is the one that is up. One that is `relayed` has one link,
    to the relay, which holds the rate, to a ceiling with a fraction as well, and makes the connections to the
    provider's hosts.
    """

    smsc_id: str
    unit: str
    ceiling: float | None
    floor: int
    connections: int
    side: Side
    links: tuple[Link, ...]
    relayed: bool = False

    @property
    def sending(self) -> tuple[Link, ...]:
        """The links that carry the account's messages: those of the side that is up."""
        return tuple(link for link in self.links if link.role == self.side)

    @property
    def sending_ids(self) -> tuple[str, ...]:
        """The names of these links."""
        return tuple(link.admin_id for link in self.sending)

    @property
    def standby_ids(self) -> tuple[str, ...]:
        """The names of the links of the other side, which are down and stay so."""
        return tuple(link.admin_id for link in self.links if link.role not in (self.side, "park"))

    @property
    def throughput(self) -> int | None:
        """SMS per second over the account's links as they run, None where there is no limit."""
        shares = [link.throughput for link in self.sending]
        return None if None in shares else sum(share for share in shares if share is not None)

    def on(self, side: Side) -> Account:
        """Return the account with the other side's links up instead, or the same."""
        return replace(self, side=side)


def shares(total: int, links: int) -> tuple[int, ...]:
    """Return `links` whole numbers of at least 1 that add up to `total`, as even as can be, the larger ones first.

    Kannel rounds a fraction up on every link and takes 0 for no limit (gw/smsc/smsc_smpp.c, send_messages). Raises
    ValueError when there is less than one for each link.
    """
    if links < 1 or total < links:
        raise ValueError(f"{total} cannot be split into {links} whole shares of at least 1")
    share, left = divmod(total, links)
    return tuple(share + (number < left) for number in range(links))


def accounts(spec: Spec, in_force: InForce = AS_WRITTEN) -> tuple[Account, ...]:
    """Return the spec's SMPP accounts as they are in force.

    Raises ValueError where a throughput is less than the connections it is for, or shares do not add up to it.
    """
    links: Counter[str] = Counter()
    for account in spec.smpp_accounts:
        links[account.unit] += _links(account)
    split: dict[str, list[int | None]] = {}
    made = []
    for account in spec.smpp_accounts:
        unit = account.unit
        if unit not in split:
            split[unit] = _split(account, links[unit], in_force)
        own, split[unit] = split[unit][: _links(account)], split[unit][_links(account) :]
        made.append(_account(account, spec, own, links[unit], in_force.sides.get(account.smsc_id, "primary")))
    return tuple(made)


def _links(account: SmppAccount) -> int:
    """Return how many links of bearerbox's carry the account's messages at once."""
    return 1 if account.relayed else account.connections


def _split(account: SmppAccount, links: int, in_force: InForce) -> list[int | None]:
    throughput = in_force.throughputs.get(account.unit, account.throughput)
    if throughput is None or account.relayed:
        return [None] * links
    split = in_force.shares.get(account.unit) or shares(throughput, links)
    if len(split) != links or sum(split) != throughput or min(split) < 1:
        raise ValueError(f"{split} are no shares of {throughput} for the {links} links of {account.unit}")
    return list(split)


def _account(account: SmppAccount, spec: Spec, split: list[int | None], links_of_unit: int, side: Side) -> Account:
    ceiling = account.ceiling
    log = account.group.get("log-file")
    log_file = spec.path.parent / log if log else None
    host, port = (RELAY_HOST, account.relay_port) if account.relayed else (account.host, account.port)
    two_hosts = bool(account.backup_host) and not account.relayed
    primaries, backups, park = link_ids(account.stem, _links(account), two_hosts)
    links = [
        Link(name, account.smsc_id, "primary", number, host, port, share, log_file)
        for number, (name, share) in enumerate(zip(primaries, split, strict=True), start=1)
    ]
    for number, (name, share) in enumerate(zip(backups, split, strict=False), start=1):
        backup = (account.backup_host, account.backup_port)
        links.append(Link(name, account.smsc_id, "backup", number, *backup, share, log_file))
    links.append(Link(park, account.smsc_id, "park", 1, PARKING_HOST, PARKING_PORT, None, None))
    return Account(
        smsc_id=account.smsc_id,
        unit=account.unit,
        ceiling=ceiling,
        floor=max(spec.supervisor.floor, links_of_unit),
        connections=_links(account),
        side=side if two_hosts else "primary",
        links=tuple(links),
        relayed=account.relayed is not None,
    )
