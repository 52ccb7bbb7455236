"""The few values that a spec cannot hold as they are written: written as Kannel takes them, and told."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Iterator, Mapping

from kannelkit.conf import ReadGroup
from kannelkit.importing.accounts import is_smpp
from kannelkit.spec.numbers import whole

_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
# What C's strtod takes for the number at a text's beginning (octstr_parse_double in gwlib/octstr.c).
_BEGINS_WITH_NUMBER = re.compile(r"\+?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


# The ports without which a box or a link goes on; admin-port is none of them (httpadmin_start in gw/bb_http.c).
# Sources: main in gw/bearerbox.c, init_smsbox in gw/smsbox.c, smsc_smpp_create in gw/smsc/smsc_smpp.c.
_PORTS: Mapping[str, tuple[str, ...]] = {
    "core": ("smsbox-port", "wapbox-port"),
    "smsbox": ("sendsms-port",),
    "smsc": ("port", "receive-port"),  # of an SMPP link
}


def as_taken(groups: Iterable[ReadGroup]) -> tuple[tuple[ReadGroup, ...], tuple[str, ...]]:
    """Return the groups with such values rewritten, and what was rewritten, in words and without the values.

    Octets that are no UTF-8 are Latin-1. A throughput that is no number is the number that it begins with, or no limit
    (smscconn_create in gw/smscconn.c); a port that is none is not there.
    """
    taken: list[ReadGroup] = []
    told: list[str] = []
    for group in groups:
        values = dict(group.values)
        for name, value in group.values.items():
            if (text := utf_8(value)) != value:
                values[name] = text
                told.append(
                    f"{group.value_places[name]}: {name} has octets that are no UTF-8: written as Latin-1 has them"
                )
        ports = () if group.name == "smsc" and not is_smpp(group) else _PORTS.get(group.name, ())
        told += (f"{group.value_places[name]}: {words}" for name, words in _numbers(values, ports))
        taken.append(group if values == group.values else dataclasses.replace(group, values=values))
    return tuple(taken), tuple(told)


def utf_8(text: str) -> str:
    """Return a text that was read octet by octet as one of characters: what is no UTF-8 is Latin-1."""
    if text.isascii() or not any("\udc80" <= character <= "\udcff" for character in text):
        return text
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _numbers(values: dict[str, str], ports: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Rewrite what is no number where kannelkit computes with it; yield each directive with what became of it."""
    limit = values.get("throughput")
    if limit is not None and not _NUMBER.fullmatch(limit):
        found = _BEGINS_WITH_NUMBER.match(limit)
        # a number too large for a double is none to Kannel
        number = math.ceil(float(found[0])) if found and math.isfinite(float(found[0])) else 0
        if number:
            values["throughput"] = str(number)
            yield "throughput", f"throughput is no number; Kannel takes it for {number}, and so it is written"
        else:
            del values["throughput"]
            yield "throughput", "throughput is no number; Kannel takes it for no limit, and so it is left out"
    for name in ports:
        if name in values and whole(values[name]) is None:
            del values[name]
            yield name, f"{name} is no number; Kannel takes it for none, and so it is left out"
