"""What the simulator is told to do: the rules of an account and the behaviour of the whole, as plain values."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from kannelkit.simulator.limits import Law, window
from kannelkit.smpp.constants import CommandStatus

LOGIN_OCTETS = 15  # SMPP 3.4, 5.2.1 and 5.2.2: system_id holds 16 octets, password 9, each with its closing NUL
PASSWORD_OCTETS = 8

_ACCOUNT = re.compile(
    r"(?P<login>[^:]*):(?P<password>.*?)(?:@(?P<limit>\d+(?:\.\d+)?|none))?(?P<rules>(?:,[a-z-]+=[^,]*)*)"
)


class SecondBind(StrEnum):
    """What happens when a login binds once more than it may."""

    CLOSE_OLDER = "close-older"  # SMSC.ru: the connection that was there first is closed
    BIND_FAILED = "bind-failed"  # the new bind is refused with ESME_RBINDFAIL, 0x0d
    ALREADY_BOUND = "already-bound"  # the new bind is refused with ESME_RALYBND, 0x05


class LimitPer(StrEnum):
    """What the limit counts."""

    ACCOUNT = "account"  # the submits over all connections of a login
    CONNECTION = "connection"  # those of each connection by itself


class Order(StrEnum):
    """How the answers to submits leave."""

    IN_ORDER = "in-order"
    OUT_OF_ORDER = "out-of-order"
    NONE = "none"


class AtUnbind(StrEnum):
    """What the simulator does when a client unbinds."""

    ANSWER = "answer"  # every answer still due, then unbind_resp
    CLOSE = "close"  # the connection is closed without an answer


def one_of(words: type[StrEnum]) -> str:
    """Return what may be written for one of these words."""
    return f"one of {', '.join(words)}"


def limit_of(text: str) -> float | None:
    """Return the limit that a text says, None where it is `none`; raises ValueError for what is no limit."""
    if text in ("none", "None"):
        return None
    limit = float(text)
    window(limit)
    return int(limit) if limit.is_integer() else limit


def _rate(text: str) -> int | None:
    return None if text in ("none", "None") else int(text)


def _seconds(text: str) -> float | None:
    return None if text in ("default", "None") else float(text)


def _networks(text: str) -> str:
    for each in text.split("+") if text else ():
        ipaddress.ip_network(each, strict=False)
    return text


def _url(text: str) -> str:
    if text in ("", "none", "None"):
        return ""
    if not text.startswith(("http://", "https://")) or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("handler is an address that begins with http:// or https://, or none")
    return text


def _yes(value: object) -> bool:
    word = str(value).lower()
    if word not in ("true", "false", "yes", "no", "1", "0"):
        raise ValueError
    return word in ("true", "yes", "1")


# the rules of an account -> what makes a value of the text, and what may be written
_RULES: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "law": (Law, one_of(Law)),
    "burst": (int, "a whole number of SMS"),
    "limit-per": (LimitPer, one_of(LimitPer)),
    "binds": (int, "a number from 1 to 9"),
    "second-bind": (SecondBind, one_of(SecondBind)),
    "bind-status": (lambda text: int(text, 0), "a command_status, such as 0x0d"),
    "addresses": (_networks, "IP addresses or networks joined by +, such as 127.0.0.1+10.0.0.0/8"),
    "same-within": (_seconds, "a number of seconds, or default"),
    "single": (_yes, "true or false"),
    "delivery-rate": (_rate, "a whole number of SMS per second, or none"),
    "cost": (float, "the price of an SMS"),
    "incoming": (_yes, "true or false"),
    "handler": (_url, "an address that begins with http:// or https://, or none"),
}
# what may change while the simulator runs: the limit too, which is written behind the @ at first
_CHANGES = {"limit": (limit_of, "a number of SMS per second with one decimal at the most, or none"), **_RULES}


@dataclass(frozen=True, slots=True)
class AccountRules:
    """One login and how it is treated. `limit` is in SMS per second, with one decimal at the most; None lets all
    through.
    """

    login: str
    password: str = field(repr=False)
    limit: float | None = 30
    law: Law = Law.SLIDING_WINDOW
    burst: int | None = None
    binds: int = 1
    second_bind: SecondBind = SecondBind.CLOSE_OLDER
    bind_status: int = 0
    limit_per: LimitPer = LimitPer.ACCOUNT
    addresses: str = ""  # from which a bind is allowed, joined by +; "": from any
    same_within: float | None = None  # in place of the behaviour's, for this account
    single: bool = False  # a long message's parts are messages of their own, as with the flag SINGLE
    delivery_rate: int | None = None  # SMS per second that go on to subscribers; None: all at once
    cost: float = 1.0  # of an SMS, in the currency of the account
    incoming: bool = True  # incoming messages go by SMPP
    handler: str = field(default="", repr=False)  # an address for statuses; what follows its # is a secret

    def __post_init__(self) -> None:
        for name, text, octets in (
            ("login", self.login, LOGIN_OCTETS),
            ("password", self.password, PASSWORD_OCTETS),
        ):
            if not text.isascii() or "\0" in text or len(text) > octets:
                raise ValueError(f"a {name} is at most {octets} ASCII characters")
        if not self.login:
            raise ValueError("a login is missing")
        if self.limit is not None:
            window(self.limit)
        if self.burst is not None and self.burst < 1:
            raise ValueError("a burst is a whole number of SMS, 1 or more")
        if not 1 <= self.binds <= 9:
            raise ValueError("binds is a number from 1 to 9")
        if not 0 <= self.bind_status <= 0xFFFFFFFF:
            raise ValueError("bind-status is an SMPP command_status of 32 bits")
        _networks(self.addresses)
        _url(self.handler)
        if self.same_within is not None and not 0 <= self.same_within <= 3600:
            raise ValueError("same-within is a number of seconds from 0 to 3600")
        if self.delivery_rate is not None and not 1 <= self.delivery_rate <= 1_000_000:
            raise ValueError("delivery-rate is a whole number of SMS per second, 1 or more, or none")
        if not 0 <= self.cost < 1000:
            raise ValueError("cost is a price from 0 to below 1000")

    def allows(self, address: str) -> bool:
        """Return whether a client may bind from this IP address."""
        if not self.addresses:
            return True
        try:
            client = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        client = getattr(client, "ipv4_mapped", None) or client
        return any(client in ipaddress.ip_network(each, strict=False) for each in self.addresses.split("+"))

    @classmethod
    def parse(cls, text: str) -> AccountRules:
        """Return the rules that `login:password[@limit][,law=...][,burst=...][,binds=...][,...]` stands for.

        `limit` is a number or `none`. Raises ValueError; its text never holds the password.
        """
        found = _ACCOUNT.fullmatch(text)
        if found is None:
            raise ValueError("an account is written login:password[@limit][,rule=value...]")
        limit = found["limit"]
        rules = cls(found["login"], found["password"], 30 if limit is None else limit_of(limit))
        for rule in filter(None, found["rules"].split(",")):
            name, _, value = rule.partition("=")
            rules = rules._with(name, value, _RULES)
        return rules

    def changed(self, changes: Mapping[str, object]) -> AccountRules:
        """Return the rules with some changed by the names they are written with; raises ValueError for a wrong one."""
        rules = self
        for name, value in changes.items():
            rules = rules._with(name, str(value), _CHANGES)
        return rules

    def as_dict(self) -> dict[str, object]:
        """Return the rules as plain values by the names they are written with; no password or secret is among them."""
        values = {name: getattr(self, name.replace("-", "_")) for name in _CHANGES}
        return values | {"handler": self.handler.partition("#")[0]}

    def _with(self, name: str, text: str, rules: Mapping[str, tuple[Callable[[str], Any], str]]) -> AccountRules:
        if name not in rules:
            raise ValueError(f"no such rule: {name} ({', '.join(rules)})")
        made_by, allowed = rules[name]
        try:
            value = made_by(text)
        except ValueError:
            raise ValueError(f"{name} is {allowed}") from None
        return replace(self, **{name.replace("-", "_"): value})


def _status(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError
    return int(value, 0) if isinstance(value, str) else int(value)


# the fields of a behaviour that are no fractions -> what makes a value, and what may be written
_BEHAVIOURS: Mapping[str, tuple[Callable[[Any], object], str]] = {
    "order": (Order, one_of(Order)),
    "unbind": (AtUnbind, one_of(AtUnbind)),
    "receipt_window": (int, "a number"),
    "reject_status": (_status, "a command_status, such as 0x14"),
    "silent": (_yes, "true or false"),
}


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the whole simulator answers; all times in seconds."""

    delay: float = 0.0  # from a submit's arrival to its answer
    order: Order = Order.IN_ORDER
    coalesce: float = 0.0  # answers leave together, one write at each multiple of this span; 0: as they are due
    unbind: AtUnbind = AtUnbind.ANSWER
    idle: float = 120.0  # SMSC.ru: 120 s without a PDU from the client, then the connection is closed
    bind_within: float = 30.0  # a connection that has not bound by then is closed
    same_within: float = 0.0  # an identical message is rejected for so long; SMSC.ru: 60. 0: it is accepted again
    receipt_delay: float = 0.5  # from the acceptance of a message to its delivery receipt
    receipt_window: int = 5  # SMSC.ru: receipts an account may leave unacknowledged
    reject_share: float = 0.0  # of the submits that are rejected, whatever the limit; chosen by chance
    reject_status: int = CommandStatus.ESME_RMSGQFUL  # what they are answered with
    silent: bool = False  # whatever arrives is read, and that is all: no answer, no receipt, nothing is closed
    parts_within: float = (
        300.0  # of the first part of a long message: by then the others are there, or it ends undelivered
    )
    close_after: float = 0.0  # from a bind to the end of its connection, with what is unanswered; 0: never

    def __post_init__(self) -> None:
        for name in ("delay", "coalesce", "same_within", "receipt_delay", "close_after"):
            if not 0 <= getattr(self, name) <= 3600:
                raise ValueError(f"{name} is a number of seconds from 0 to 3600")
        for name in ("idle", "bind_within", "parts_within"):
            if not 0 < getattr(self, name) <= 86400:
                raise ValueError(f"{name} is a number of seconds above 0, at most 86400")
        if not 1 <= self.receipt_window <= 1000:
            raise ValueError("receipt_window is a number from 1 to 1000")
        if not 0 <= self.reject_share <= 1:
            raise ValueError("reject_share is a number from 0 to 1")
        if not 0 < self.reject_status <= 0xFFFFFFFF or self.reject_status == CommandStatus.ESME_RTHROTTLED:
            raise ValueError("reject_status is a command_status, neither 0 nor 0x58, which is for the limit")

    def changed(self, changes: Mapping[str, object]) -> Behaviour:
        """Return the behaviour with fields changed by name; raises ValueError for a wrong name or value."""
        known = {each.name for each in fields(self)}
        wanted: dict[str, object] = {}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"no such behaviour: {name} ({', '.join(sorted(known))})")
            made_by, allowed = _BEHAVIOURS.get(name, (float, "a number"))
            try:
                wanted[name] = made_by(value)
            except (TypeError, ValueError):
                raise ValueError(f"{name} is {allowed}") from None
        return replace(self, **wanted)  # type: ignore[arg-type]  # each value was made by its field's own type


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much the simulator holds at the most, so that no client makes it grow without end."""

    connections: int = 500  # bound or not; below the 1,024 descriptors that a process may usually have
    waiting: int = 100_000  # answers that a connection may have waiting before it is read no further
    receipts: int = 1_000_000  # an account; SMSC.ru keeps as many statuses for one that is not connected
    digests: int = 4_000_000  # an account; about 100 octets each
    messages: int = 200_000  # an account; what query_sm can ask for
    receipt_age: float = 86_400.0  # seconds; SMSC.ru keeps statuses for a day
    long_octets: int = 64_000_000  # what texts longer than an SMS may take, an account; the oldest are forgotten
    unfinished: int = 10_000  # long messages of an account that wait for parts
    unfinished_octets: int = 32_000_000  # what those parts may take, an account
    numbers: int = 1_000_000  # whose messages are counted where an outcome depends on that


def flags(system_type: str) -> frozenset[str]:
    """Return the flags of a bind's system_type, which SMSC.ru reads as words joined by commas."""
    return frozenset(flag.strip() for flag in system_type.split(","))


def allowed_connections(system_type: str, rules: AccountRules) -> int:
    """Return how many connections a bind with this system_type may leave open: MCONn allows n, else the rules say."""
    for flag in sorted(flags(system_type)):
        if re.fullmatch(r"MCON[1-9]", flag):
            return int(flag[4])
    return rules.binds
