"""Which host each account uses, kept in the state folder for the next start."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from kannelkit.host.files import write_whole

FILE = "relay-hosts.json"


@dataclass(frozen=True, slots=True)
class Place:
    """The host in force since a time (seconds since the epoch), why, whether somebody chose it, and how many returns to
    the primary did not last.
    """

    host: str
    since: float
    why: str
    by_hand: bool = False
    failed_returns: int = 0


def read(folder: Path) -> dict[str, Place]:
    """Return where each account was, by its name; nothing where the file is missing or not what `write` wrote."""
    try:
        table = json.loads((folder / FILE).read_bytes())
        return {str(name): _place(**place) for name, place in table.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}  # it begins at the primary


def write(folder: Path, places: Mapping[str, Place]) -> None:
    """Keep where the accounts are; raises HostError."""
    table = {name: asdict(place) for name, place in places.items()}
    write_whole(folder / FILE, json.dumps(table, indent=1, sort_keys=True) + "\n", 0o640)


def _place(host: str, since: float, why: str, by_hand: bool, failed_returns: int) -> Place:
    return Place(str(host), float(since), str(why), bool(by_hand), max(0, int(failed_returns)))
