"""The thresholds of checks: what the table says, and what a spec writes instead."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

from kannelkit.spec.keys import THRESHOLD_KEYS, did_you_mean
from kannelkit.spec.model import Threshold
from kannelkit.spec.own import OWN
from kannelkit.spec.read import Reader
from kannelkit.spec.source import Node, Scalar

NEVER = "never"
_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,6})?")


@cache
def usual() -> Mapping[str, Threshold]:
    """Return the thresholds of the table, by name."""
    return {name: _of(*(row.default or "").split(", ")) for name, row in OWN["thresholds"].directives.items()}


def less_is_worse(name: str) -> bool:
    """Return whether a threshold is a least, as free space is, and not a most."""
    warning, critical = usual()[name]
    return warning is not None and critical is not None and critical < warning


def number(text: str) -> float | None:
    """Return a threshold's number, None for `never`. Raises ValueError where the text is neither."""
    if text == NEVER:
        return None
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return float(text)


def unknown_hint(name: str, names: Iterable[str]) -> str:
    """Return what a threshold with an unknown name was perhaps meant to be."""
    known = tuple(names)
    hint = did_you_mean(name, known)
    return hint if hint.startswith("did you mean") else f"one of {', '.join(known)}"


def thresholds(reader: Reader, pairs: Mapping[str, tuple[Scalar, Node]]) -> Mapping[str, Threshold]:
    """Return every threshold: those that the spec writes, and the table's where it does not."""
    found = dict(usual())
    for name, (key, node) in pairs.items():
        if name not in found:
            reader.find(key.place, "S101", f"there is no threshold {name!r}", unknown_hint(name, found))
            continue
        both = reader.table(node, f"health.thresholds.{name}")
        reader.unknown(both, THRESHOLD_KEYS, f"health.thresholds.{name}")
        found[name] = Threshold(*(_bound(reader, both, each, getattr(found[name], each)) for each in THRESHOLD_KEYS))
    return found


def _bound(reader: Reader, pairs: Mapping[str, tuple[Scalar, Node]], key: str, otherwise: float | None) -> float | None:
    node = reader.text(pairs, key)
    if node is None:
        return otherwise
    try:
        return number(node.text)
    except ValueError:
        message = f"{key} is no number: {node.text[:20]!r}"
        reader.find(node.place, "S201", message, "write a number of 0 or more, or never", firm="checks compare with it")
        return otherwise


def _of(warning: str, critical: str) -> Threshold:
    return Threshold(number(warning), number(critical))
