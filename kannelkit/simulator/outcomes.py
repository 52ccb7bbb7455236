"""What becomes of a message: rules that choose its end by number, by share, by channel, by which try it is."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Any, Final
from urllib.parse import quote_plus, unquote_plus

from kannelkit.providers.channels import Channel
from kannelkit.providers.statuses import Hlr, hlr_text
from kannelkit.simulator.seen import Latest
from kannelkit.smpp.receipts import STATES

LONGEST = 86_400.0  # seconds until an end that a rule asks for
_NOT_AN_END: Final = frozenset({"ENROUTE", "SCHEDLD"})
ENDS: Final = tuple(state for state in STATES if state not in _NOT_AN_END)
"""What a message's state may be at its end, as a receipt's `stat` spells it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A message's end: state, error, how many seconds after it was sent (None: as usual), and what an HLR said."""

    state: str = "DELIVRD"
    err: int = 0
    after: float | None = None
    hlr: Hlr | None = None

    @property
    def delivered(self) -> bool:
        """Whether this is a success."""
        return self.state == "DELIVRD"


DELIVERED: Final = Outcome()
PARTS_MISSING: Final = Outcome("UNDELIV", 241)  # the provider's error for that, and for a conversion that failed
REFUSED: Final = Outcome("REJECTD", 241)

# as in the example of the provider's own page
_COUNTRY, _NETWORK = "Russian Federation", "MegaFON open Joint Stock Company"


def subscriber(number: str) -> Hlr:
    """Return what an HLR says of a number where no rule says something else."""
    digits = re.sub("[^0-9]", "", number)[-10:].rjust(10, "0")
    return Hlr(f"25002{digits}", "79232510066", "250", "02", _COUNTRY, _NETWORK)


_LONGEST_ANSWER: Final = 200  # octets of an HLR's answer, so that it fits a short_message whatever the message's id


def _pattern(text: str) -> str:
    if not text:
        raise ValueError
    return text


def _state(text: str) -> str:
    if text.upper() not in ENDS:
        raise ValueError
    return text.upper()


# what a rule may say -> the field, what makes a value of the text, and what may be written
_WORDS: Final[Mapping[str, tuple[str, Callable[[str], Any], str]]] = {
    "to": ("to", _pattern, "a pattern for the subscriber's number, such as 7916*"),
    "from": ("source", _pattern, "a pattern for the sender, such as SHOP*"),
    "login": ("login", _pattern, "a pattern for the account's login"),
    "channel": ("channel", Channel, f"one of {', '.join(Channel)}"),
    "share": ("share", float, "a number from 0 to 1: the share of the subscribers' numbers"),
    "nth": ("nth", int, "a whole number: 1 stands for the first message to a number, 2 for the second"),
    "state": ("state", _state, f"one of {', '.join(ENDS)}"),
    "err": ("err", int, "a number from 0 to 255"),
    "after": ("after", float, f"seconds from 0 to {LONGEST:.0f}"),
}
# the fields of an HLR result, spelt as a receipt spells them
HLR_PARTS: Final = {
    "imsi": "imsi",
    "msc": "msc",
    "mcc": "mcc",
    "mnc": "mnc",
    "cn": "country",
    "net": "network",
    "rcn": "roaming_country",
    "rnet": "roaming_network",
}


@dataclass(frozen=True, slots=True)
class OutcomeRule:
    """Which messages end how; the first rule that is for a message decides.

    `share` is a share of the subscribers' numbers, chosen by the seed: a number meets the same end each time.
    """

    to: str = "*"
    source: str = "*"
    login: str = "*"
    channel: Channel | None = None
    share: float = 1.0
    nth: int | None = None
    state: str = ""  # "": DELIVRD, or UNDELIV where there is an err
    err: int = 0
    after: float | None = None
    hlr: Hlr | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"share is {_WORDS['share'][2]}")
        if self.nth is not None and not 1 <= self.nth <= 1_000_000:
            raise ValueError(f"nth is {_WORDS['nth'][2]}")
        if not 0 <= self.err <= 255:
            raise ValueError(f"err is {_WORDS['err'][2]}")
        if self.after is not None and not 0 <= self.after <= LONGEST:
            raise ValueError(f"after is {_WORDS['after'][2]}")
        if self.state and self.state not in ENDS:
            raise ValueError(f"state is {_WORDS['state'][2]}")
        if self.hlr is not None and len(hlr_text("1", "DELIVRD", 0, self.hlr)) > _LONGEST_ANSWER:
            raise ValueError(f"an HLR's answer has at most {_LONGEST_ANSWER} octets")

    @classmethod
    def parse(cls, text: str) -> OutcomeRule:
        """Return the rule that `name=value,...` stands for, such as `to=7916*,share=0.1,err=220`; raises ValueError.

        The parts of an HLR result are written as in a receipt: `mcc=250,net=Some+network`.
        """
        wanted: dict[str, Any] = {}
        hlr: dict[str, str] = {}
        for word in filter(None, (each.strip() for each in text.split(","))):
            name, equals, value = word.partition("=")
            if name in HLR_PARTS and equals:
                hlr[HLR_PARTS[name]] = unquote_plus(value)
                continue
            if name not in _WORDS or not equals:
                raise ValueError(f"no such part of an outcome: {word} ({', '.join((*_WORDS, *HLR_PARTS))})")
            field, made_by, allowed = _WORDS[name]
            try:
                wanted[field] = made_by(value)
            except ValueError:
                raise ValueError(f"{name} is {allowed}") from None
        if not wanted and not hlr:
            raise ValueError("an outcome is written name=value,..., such as to=7916*,err=220")
        if hlr:
            wanted["hlr"] = Hlr(**hlr)
        return cls(**wanted)

    def __str__(self) -> str:
        words = []
        for name, (field, _, _) in _WORDS.items():
            value = getattr(self, field)
            if value != _UNSAID[field]:
                words.append(f"{name}={value}")
        if self.hlr is not None:
            known = {name: getattr(self.hlr, field) for name, field in HLR_PARTS.items()}
            words += [f"{name}={quote_plus(value)}" for name, value in known.items() if value] or ["imsi="]
        return ",".join(words) or "to=*"

    @property
    def outcome(self) -> Outcome:
        """The end that it asks for."""
        return Outcome(self.state or ("UNDELIV" if self.err else "DELIVRD"), self.err, self.after, self.hlr)


_UNSAID: Final = {each.name: each.default for each in fields(OutcomeRule)}


class Outcomes:
    """Chooses by rules; the same `salt` makes the same choices, in whatever order messages come."""

    def __init__(self, rules: Sequence[OutcomeRule], salt: bytes, kept: int) -> None:
        """`kept`: for how many numbers it is remembered how many messages came."""
        self._rules = [(rule, rule.outcome) for rule in rules]
        self._salt = salt
        self._counted = any(rule.nth is not None for rule in rules)
        self._tries: Latest[int] = Latest(kept)

    def choose(self, login: str, source: str, destination: str, channel: Channel) -> Outcome:
        """Return how a message ends that is sent now."""
        nth = 0
        if self._counted:
            key = hash((login, destination))
            nth = (self._tries.get(key) or 0) + 1
            self._tries[key] = nth
        for position, (rule, outcome) in enumerate(self._rules):
            if (
                (rule.nth is None or rule.nth == nth)
                and (rule.channel is None or rule.channel is channel)
                and fnmatchcase(destination, rule.to)
                and fnmatchcase(source, rule.source)
                and fnmatchcase(login, rule.login)
                and (rule.share == 1 or self._lot(position, destination) < rule.share)
            ):
                return outcome
        return DELIVERED

    def _lot(self, position: int, number: str) -> float:
        """Return a number from 0 to below 1 that the seed gives to a subscriber's number for the rule at `position`."""
        drawn = hashlib.blake2b(b"%d:%b" % (position, number.encode()), key=self._salt, digest_size=8)
        return int.from_bytes(drawn.digest(), "big") / 2**64
