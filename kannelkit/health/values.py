"""The answer to "how does it stand?": checks, their figures, and the worst of them on top."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warning", "critical", "unknown"]

# Unknown stands between ok and warning, as in max_state_alt of the Monitoring Plugins: what cannot be seen must not
# hide what is known to be wrong, and many who are on call are not woken for unknown. That it cannot be told whether
# messages are sent is not left to this order: a silent bearerbox is critical by itself.
_SEVERITY: Mapping[Status, int] = {"ok": 0, "unknown": 1, "warning": 2, "critical": 3}

# The check, one for each account, that says whether its messages reach its provider.
SENDING = "sending"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number behind a check; `unit` is "", "s", "B", "%" or "c" (a counter), as in performance data of Nagios.

    `warning` and `critical` are the bounds it was held against, `least` and `most` what it can be; None where none is.
    """

    name: str
    value: float
    unit: str = ""
    warning: float | None = None
    critical: float | None = None
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """What one check says: a sentence, and what to do about it ("" where nothing is to be done).

    `account` and `link` name what it is about, None for the whole gateway; where a check is about a box, a folder or a
    host, `link` names that. `since` is when it came to this status, in seconds since the epoch, None where not known.
    """

    id: str
    status: Status
    summary: str
    advice: str = ""
    account: str | None = None
    link: str | None = None
    since: float | None = None
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """All checks at one moment (`at`, seconds since the epoch), in the order of the table of checks."""

    at: float
    checks: tuple[Check, ...]

    @property
    def status(self) -> Status:
        """The worst status of all; unknown where nothing was checked."""
        return worst(check.status for check in self.checks)

    def of(self, id: str, account: str | None = None) -> tuple[Check, ...]:
        """Return the checks with this id, all of them or one account's."""
        return tuple(check for check in self.checks if check.id == id and (account is None or check.account == account))

    def as_dict(self) -> dict[str, object]:
        """Return the report as plain values, for JSON."""
        return {
            "at": self.at,
            "status": self.status,
            "sending": {check.account: check.status in _SENDS for check in self.of(SENDING)},
            "checks": [dataclasses.asdict(check) for check in self.checks],
        }


def worst(statuses: Iterable[Status]) -> Status:
    """Return the worst of these; unknown where there are none."""
    return max(statuses, key=_SEVERITY.__getitem__, default="unknown")


_SENDS: tuple[Status, ...] = ("ok", "warning")


def sending(report: Report, account: str) -> bool:
    """Return whether messages for this account reach its provider now; no where it is not known."""
    return any(check.status in _SENDS for check in report.of(SENDING, account))


def sending_accounts(report: Report) -> tuple[str, ...]:
    """Return the accounts whose messages reach their provider now."""
    return tuple(check.account for check in report.of(SENDING) if check.account and check.status in _SENDS)
