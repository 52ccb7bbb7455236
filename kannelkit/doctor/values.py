"""What a step of the doctor says."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

# skipped: not tried, with the reason; warning: it works, and will not for ever or not for all
Status = Literal["ok", "warning", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Result:
    """One finding of a step: a sentence, and what to do about it ("" where nothing is to be done).

    `details` are sentences that belong to it: what the provider says about such a trouble, what is wrong with the
    gateway. `account` and `host` name what it is about, "" for the whole machine; `seconds` is how long the step took.
    """

    step: str
    status: Status
    summary: str
    advice: str = ""
    account: str = ""
    host: str = ""
    details: tuple[str, ...] = ()
    seconds: float = 0.0

    def as_dict(self) -> dict[str, object]:
        """Return the result as plain values, for JSON."""
        return dataclasses.asdict(self)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: 1 port, 2 ports."""
    return f"{number} {noun}{'s' * (number != 1)}"
