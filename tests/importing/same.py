"""Whether Kannel reads the same groups before and after an import, judged by what its own reader printed of both."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Iterable, Mapping

from kannelkit.conf import GROUPS
from tests.conf.judge import Groups

# What an account's links may differ in: the promise of `import`, not its code.
FREE = {"throughput", "instances", "smsc-admin-id", "dead-start"}

PORTS = {"core": ("smsbox-port", "wapbox-port"), "smsbox": ("sendsms-port",), "smsc": ("port", "receive-port")}


def unlike(before: Groups, after: Groups) -> list[str]:
    """Return what differs and must not, in words."""
    found = []
    for name in GROUPS:
        if name != "smsc":
            old, new = of(before, name), of(after, name)
            if old != new:
                found.append(f"{name}: {old} became {new}")
    other = [values for values in of(before, "smsc") if values["smsc"] != "smpp"]
    other_after = [values for values in of(after, "smsc") if values["smsc"] != "smpp"]
    if [with_name(values, new) for values, new in zip(other, other_after, strict=False)] != other_after:
        found.append(f"smsc: {other} became {other_after}")
    return found + unlike_links(
        [values for values in of(before, "smsc") if values["smsc"] == "smpp"],
        [values for values in of(after, "smsc") if values["smsc"] == "smpp"],
    )


def unlike_links(before: list[Mapping[str, str]], after: list[Mapping[str, str]]) -> list[str]:
    """Return the SMPP links of `before` that are not in `after`, and those of `after` that only kannelkit adds."""
    parked = [values for values in after if values.get("reconnect-delay") == "86400" and values["port"] == "1"]
    left = [values for values in after if values not in parked]
    names = {values["smsc-id"] for values in left}
    found = [f"the parking link {values} belongs to nobody" for values in parked if values["smsc-id"] not in names]
    for values in sorted(
        before, key=lambda values: "smsc-id" not in values
    ):  # whose name is new may be any of the rest
        for _ in range(number_of_links(values)):
            wanted = fixed(values)
            match = next((new for new in left if fixed(with_name(wanted, new)) == fixed(new)), None)
            if match is None:
                found.append(f"no link {wanted}, only {left}")
            else:
                left.remove(match)
    return found + [
        f"a link that was not there: {values}"
        for values in left
        if values.get("dead-start") != "true" or all(fixed(with_name(old, values)) != fixed(values) for old in before)
    ]


def number_of_links(values: Mapping[str, str]) -> int:
    """Return how many links Kannel makes of the group: as C's strtol has it, and one where that finds no number."""
    found = re.match(r"\s*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)", values.get("instances", ""))
    if found is None:
        return 1
    digits = found[2].lower()
    number = int(digits, 16 if digits.startswith("0x") else 8 if digits.startswith("0") else 10)
    return 0 if found[1] == "-" else number


def of(groups: Groups, name: str) -> list[Mapping[str, str]]:
    return [taken(values, PORTS.get(name, ())) for called, values in groups if called == name]


def taken(values: Mapping[str, str], ports: Iterable[str]) -> dict[str, str]:
    """Return the values without the words that Kannel does not take for the numbers they should be."""
    plain = dict(values)
    if "throughput" in plain and not re.fullmatch(r"[0-9]+(\.[0-9]+)?", plain["throughput"]):
        plain["throughput"] = str(math.ceil(strtod(plain["throughput"])))
        if plain["throughput"] == "0":
            del plain["throughput"]
    for name in ports:
        if plain.get("smsc", "smpp") == "smpp" and not re.match(r"\s*[+-]?[0-9]", plain.get(name, "0")):
            del plain[name]
    return plain


def strtod(text: str) -> float:
    """Return the number that the text begins with, and 0 where it begins with none, or with one that is too large."""
    for end in range(len(text), 0, -1):
        if re.fullmatch(r"[0-9+.eE-]+", text[:end]):
            with contextlib.suppress(ValueError):
                return max(float(text[:end]) if math.isfinite(float(text[:end])) else 0.0, 0.0)
    return 0.0


def with_name(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Return the old values, with the new name where they had none."""
    return {"smsc-id": new.get("smsc-id", ""), **old}


def fixed(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if name not in FREE}
