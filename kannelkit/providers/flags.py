"""The flags of a status (TLV 0x2001): the kind of message, and how it was paid and routed (`smsc_ru_statuses.toml`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from kannelkit.providers.facts import Language, facts

_TABLE = "smsc_ru_statuses"
_KIND = 0x000F
_TRAFFIC, _TRAFFIC_FROM = 0x0600, 9


class Kind(StrEnum):
    """What a message was sent as."""

    SMS = "sms"
    FLASH = "flash"
    BINARY = "binary"
    WAP_PUSH = "wap-push"
    HLR = "hlr"
    PING = "ping"
    MMS = "mms"
    CALL = "call"
    MAIL = "mail"
    VIBER = "viber"
    SOC = "soc"


class Traffic(StrEnum):
    """What a message was sent for."""

    SERVICE = "service"
    TRANSACTIONAL = "transactional"
    AUTHORISATION = "authorisation"
    ADVERTISING = "advertising"


@dataclass(frozen=True, slots=True)
class Flags:
    """The 16 bits of TLV 0x2001; `kind` is None for a number that is not known, and then `unknown` has its bits."""

    kind: Kind | None = Kind.SMS
    second_balance: bool = False
    template: bool = False
    traffic: Traffic = Traffic.SERVICE
    unknown: int = 0


def read_flags(number: int) -> Flags:
    """Return what the flags say; `build_flags` gives the number back, of which 16 bits count."""
    kind = _kinds().get(number & _KIND)
    rest = number & 0xFFFF & ~_TRAFFIC & ~(_KIND if kind is not None else 0)
    said: dict[str, bool] = {}
    for field, bit in _bits().items():
        said[field] = bool(number & bit)
        rest &= ~bit
    return Flags(kind=kind, traffic=_traffic()[(number & _TRAFFIC) >> _TRAFFIC_FROM], unknown=rest, **said)


def build_flags(flags: Flags) -> int:
    """Return the number that says all this."""
    number = flags.unknown
    number |= next((bits for bits, kind in _kinds().items() if kind is flags.kind), 0)
    number |= next(bits for bits, traffic in _traffic().items() if traffic is flags.traffic) << _TRAFFIC_FROM
    return number | sum(bit for field, bit in _bits().items() if getattr(flags, field))


def flag_words(flags: Flags, lang: Language = "en") -> tuple[str, ...]:
    """Return what the flags say in words: the kind, each flag that is set, the traffic, and the unknown bits."""
    rows = facts(_TABLE)
    words = [row[lang] for row in rows["kind"] if row["name"] == flags.kind]
    words += [row[lang] for row in rows["flag"] if getattr(flags, row["field"])]
    words += [row[lang] for row in rows["traffic"] if row["name"] == flags.traffic]
    return (*words, *([f"0x{flags.unknown:04x}"] if flags.unknown else []))


@cache
def _kinds() -> Mapping[int, Kind]:
    return {row["bits"]: Kind(row["name"]) for row in facts(_TABLE)["kind"]}


@cache
def _traffic() -> Mapping[int, Traffic]:
    return {row["bits"]: Traffic(row["name"]) for row in facts(_TABLE)["traffic"]}


@cache
def _bits() -> Mapping[str, int]:
    return {row["field"]: 1 << row["bit"] for row in facts(_TABLE)["flag"]}
