"""A provider's profile: what fills in an account that names the provider, fact by fact with its grade."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Any, Literal

from kannelkit.conf import GROUPS

Grade = Literal["A", "B", "C"]


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
    """A word that the provider reads from system-type; `instead` is how to have the same without it, where one can."""

    name: str
    instead: str
    grade: Grade
    about: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What one provider, or one brand of it, fills in.

    `connections_flag` has `{n}` where the number of connections stands in system-type, and is empty where no flag is
    needed; `flags` are the other flags that the provider reads there.
    """

    name: str
    host: str
    backup_host: str
    settings: tuple[Setting, ...]
    connections_flag: str
    most_connections: int
    flags: tuple[Flag, ...]


# More links to one account than this help nobody; it only keeps a slip of the finger from making a thousand groups.
MOST_CONNECTIONS = 99


def _grade(row: Mapping[str, Any]) -> Grade:
    grade: Grade = row["grade"]
    if grade not in ("A", "B", "C"):
        raise ValueError(f"no such grade: {grade}")
    return grade


def _setting(row: Mapping[str, Any]) -> Setting:
    if row["directive"] not in GROUPS["smsc"].directives:
        raise ValueError(f"no such directive: {row['directive']}")
    return Setting(row["directive"], row["value"], row.get("tls-value"), _grade(row), row["about"])


def profiles(text: str) -> Iterator[Profile]:
    """Yield the profile of every brand in a TOML text; raises KeyError or ValueError where a fact has no grade."""
    table = tomllib.loads(text)
    connections = table.get("connections", {})
    for fact in (connections, *table["brand"]):
        if fact:
            _grade(fact)
    settings = tuple(_setting(row) for row in table.get("setting", ()))
    for brand in table["brand"]:
        yield Profile(
            name=brand["name"],
            host=brand.get("host", ""),
            backup_host=brand.get("backup-host", ""),
            settings=settings,
            connections_flag=connections.get("flag", ""),
            most_connections=connections.get("most", MOST_CONNECTIONS),
            flags=tuple(
                Flag(row["name"], row.get("instead", ""), _grade(row), row["about"]) for row in table.get("flag", ())
            ),
        )


def _shipped() -> Mapping[str, Profile]:
    folder = resources.files(__package__)
    texts = [folder.joinpath(name).read_text("utf-8") for name in ("smsc_ru.toml", "generic.toml")]
    return MappingProxyType({profile.name: profile for text in texts for profile in profiles(text)})


PROFILES: Mapping[str, Profile] = _shipped()
