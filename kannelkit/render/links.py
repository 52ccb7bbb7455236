"""An account to its links: shares of its throughput, links standing by, and the parking link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from kannelkit.spec import SmppAccount, Spec
from kannelkit.spec.across import link_ids

Role = Literal["primary", "backup", "park"]

# Where nothing listens: the parking link is refused at once, and then waits for its reconnect-delay.
PARKING_HOST, PARKING_PORT = "127.0.0.1", 1

_NONE: Mapping[str, int] = MappingProxyType({})


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
    """One login and all its links. `ceiling` and `floor` in SMS per second; a ceiling of nothing is no limit."""

    smsc_id: str
    ceiling: int | None
    floor: int
    connections: int
    links: tuple[Link, ...]

    @property
    def primary_ids(self) -> tuple[str, ...]:
        """The links that carry the account's messages while its first host is there."""
        return tuple(link.admin_id for link in self.links if link.role == "primary")


def shares(total: int, links: int) -> tuple[int, ...]:
    """Return `links` whole numbers of at least 1 that add up to `total`, as even as can be, the larger ones first.

    Kannel rounds a fraction up on every link and takes 0 for no limit (gw/smsc/smsc_smpp.c, send_messages). Raises
    ValueError when there is less than one for each link.
    """
    if links < 1 or total < links:
        raise ValueError(f"{total} cannot be split into {links} whole shares of at least 1")
    share, left = divmod(total, links)
    return tuple(share + (number < left) for number in range(links))


def accounts(spec: Spec, throughputs: Mapping[str, int] = _NONE) -> tuple[Account, ...]:
    """Return the spec's SMPP accounts; `throughputs` are those in force, by account, where they are not the spec's.

    Raises ValueError where a throughput is less than the account's connections.
    """
    return tuple(_account(account, spec, throughputs.get(account.smsc_id)) for account in spec.smpp_accounts)


def _account(account: SmppAccount, spec: Spec, in_force: int | None) -> Account:
    ceiling = account.throughput
    throughput = ceiling if in_force is None else in_force
    split: tuple[int | None, ...] = (None,) * account.connections
    if throughput is not None:
        split = shares(throughput, account.connections)
    log = account.group.get("log-file")
    log_file = spec.path.parent / log if log else None
    host, port = account.host, account.port
    primaries, backups, park = link_ids(account.stem, account.connections, bool(account.backup_host))
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
        ceiling=ceiling,
        floor=max(spec.supervisor.floor, account.connections),
        connections=account.connections,
        links=tuple(links),
    )
