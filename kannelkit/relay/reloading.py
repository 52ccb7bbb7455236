"""What other settings mean for the accounts that run: which of them end and which start; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kannelkit.relay.settings import RelayAccount, RelaySettings


@dataclass(frozen=True, slots=True)
class Turn:
    """Accounts of one unit: those that `end` by their names, and those that `start` when all of these have ended."""

    end: tuple[str, ...]
    start: tuple[RelayAccount, ...]


def turns(before: RelaySettings, after: RelaySettings) -> list[Turn]:
    """Return what has to be done, each unit by itself; an account with the same settings is in none of them."""
    former, wanted = ({each.name: each for each in settings.accounts} for settings in (before, after))
    units: dict[str, tuple[list[str], list[RelayAccount]]] = {}
    for name in dict.fromkeys((*former, *wanted)):
        old, new = former.get(name), wanted.get(name)
        if _same(old, new) and _ceiling(before, old) == _ceiling(after, new):
            continue
        unit = new.unit if new is not None else former[name].unit
        end, start = units.setdefault(unit, ([], []))
        if old is not None:
            end.append(name)
        if new is not None:
            start.append(new)
    return [Turn(tuple(end), tuple(start)) for end, start in units.values()]


def told(found: list[Turn], former: Mapping[str, object]) -> dict[str, list[str]]:
    """Return which accounts are changed, added and removed, by their names; `former` are those that ran."""
    start = [account.name for turn in found for account in turn.start]
    return {
        "changed": [name for name in start if name in former],
        "added": [name for name in start if name not in former],
        "removed": [name for turn in found for name in turn.end if name not in start],
    }


def _same(old: RelayAccount | None, new: RelayAccount | None) -> bool:
    """Return whether two are the same but for a socket that one of them inherited."""
    if old is None or new is None:
        return False
    return replace(old, listen_descriptor=None) == replace(new, listen_descriptor=None)


def _ceiling(settings: RelaySettings, account: RelayAccount | None) -> float | None:
    """Return the ceiling of its unit, which another account of it may have lowered."""
    return None if account is None else settings.ceiling(account.unit)
