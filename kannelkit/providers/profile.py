"""A provider's profile: what fills in an account that names the provider, fact by fact with its grade."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

# A: the provider's own pages; B: a third party that copied them; C: a client's practice, or inferred
Grade = Literal["A", "B", "C"]

T = TypeVar("T", bound=int)

# More links to one account than this help nobody; it only keeps a slip of the finger from making a thousand groups.
MOST_CONNECTIONS = 99


@dataclass(frozen=True, slots=True)
class Fact(Generic[T]):
    """Something that a provider does or allows, and how well it is known."""

    value: T
    grade: Grade
    about: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What the provider allows an account unless it has agreed to something else; nothing where it is not known.

    `throughput` is in SMS per second, over all connections of the account; `idle` is after how many seconds without a
    PDU a link is closed; `connections` is how many binds of one login there may be at once without a flag in
    system-type; `closes_older` is whether one more closes the oldest (true) or is refused (false).
    """

    throughput: Fact[int] | None = None
    idle: Fact[int] | None = None
    connections: Fact[int] | None = None
    closes_older: Fact[bool] | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """A directive of group smsc that the provider asks for; `tls_value` takes its place when use-ssl is on."""

    directive: str
    value: str
    tls_value: str | None
    grade: Grade
    about: str


@dataclass(frozen=True, slots=True)
class Flag:
    """A word that the provider reads from system-type.

    `instead` is how to have the same without it, where one can; `charset` is what it takes data_coding 0 for then, as
    alt-charset has to say it, "" where that stays GSM 03.38.
    """

    name: str
    instead: str
    grade: Grade
    about: str
    charset: str = ""


@dataclass(frozen=True, slots=True)
class DeclaredTlv:
    """An optional parameter of the provider's own, as Kannel's group smpp-tlv declares it.

    `type` is Kannel's word, `length` the most octets that are taken, the NUL of a text included; of an integer exactly
    so many are sent.
    """

    name: str
    tag: int
    type: str
    length: int
    grade: Grade
    about: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What one provider, or one brand of it, fills in.

    `other_hosts` are further names of the two hosts. `connections_flag` has `{n}` where the number of connections
    stands in system-type, and is empty where no flag is needed; `flags` are the other flags that the provider reads
    there; `tlvs` are what its receipts carry. `file` is the user's own file that the profile comes from, "" for those
    that are shipped.
    """

    name: str
    host: str
    backup_host: str
    other_hosts: tuple[str, ...]
    settings: tuple[Setting, ...]
    connections_flag: str
    most_connections: int
    flags: tuple[Flag, ...]
    limits: Limits
    tlvs: tuple[DeclaredTlv, ...] = ()
    file: str = ""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host by which the provider is known."""
        return tuple(host for host in (self.host, self.backup_host, *self.other_hosts) if host)

    def charset(self, words: Iterable[str]) -> str:
        """Return what the provider takes data_coding 0 for with these words in system-type, "" for GSM 03.38."""
        given = frozenset(words)
        return next((flag.charset for flag in self.flags if flag.charset and flag.name in given), "")
