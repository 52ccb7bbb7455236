"""The kannel.conf that the boxes run from: written by the supervisor alone, with what is in force, checked first.

Every change of rate makes bearerbox read the whole file again, and some faults in it end a live bearerbox or make
links vanish; so a text that Kannel would not read as it is meant never gets to the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kannelkit.errors import InputError
from kannelkit.host.files import write_whole
from kannelkit.render import Account, InForce, Side, accounts, kannel_conf, misread
from kannelkit.spec import Spec

_MODE = 0o640


@dataclass(frozen=True, slots=True)
class Rate:
    """A unit's SMS per second, and the shares of its links where they are not even."""

    throughput: int
    shares: tuple[int, ...] = ()


class ConfFile:
    """The file, and the rates by unit (an account-group, or an account of its own) that it holds.

    Several units may be on their way to another rate at once: each write holds what is in force and what all of them
    are being brought to.
    """

    def __init__(self, spec: Spec, in_force: InForce, put: Callable[[str], None] | None = None) -> None:
        """Have `put` put a text in the file's place, where somebody else has a say in that."""
        self.path: Path = spec.files.kannel_conf
        self._spec = spec
        self.put_by = put
        self._rates = {
            unit: Rate(throughput, in_force.shares.get(unit, ())) for unit, throughput in in_force.throughputs.items()
        }
        self._under_way: dict[str, Rate] = {}
        self._sides = dict(in_force.sides)

    @property
    def in_force(self) -> InForce:
        """What the boxes run with, where it is not what the spec says."""
        return self._in_force({})

    @property
    def accounts(self) -> tuple[Account, ...]:
        """The accounts as they are in force."""
        return accounts(self._spec, self.in_force)

    def write(self) -> None:
        """Write the file with what is in force. Raises InputError or HostError; the old file stays then."""
        self._put({})

    def begin(self, unit: str, throughput: int, shares: tuple[int, ...] = ()) -> None:
        """Write the file with another rate for one unit, in force once `accept` is called; no shares are even ones."""
        self._put({**self._under_way, unit: Rate(throughput, shares)})

    def accept(self, unit: str) -> None:
        """Take note that the unit runs at the rate that was begun."""
        self._rates[unit] = self._under_way.pop(unit)

    def give_up(self, unit: str) -> None:
        """Write the file with the rate that the unit had before `begin`."""
        self._put({name: rate for name, rate in self._under_way.items() if name != unit})

    def turn(self, account: str, side: Side) -> None:
        """Write the file with an account's other links up. Raises InputError or HostError; nothing changes then."""
        former = self._sides
        self._sides = {**former, account: side}
        try:
            self._put(self._under_way)
        except BaseException:
            self._sides = former
            raise

    def shares(self, unit: str) -> tuple[int, ...]:
        """Return the shares that a unit's links have, in order; none where there is no limit."""
        return tuple(
            link.throughput
            for account in self.accounts
            if account.unit == unit
            for link in account.sending
            if link.throughput is not None
        )

    def is_current(self) -> bool:
        """Return whether the file on the disk is what `write` would write."""
        try:
            return self.path.read_text() == self._text(self._under_way)
        except (OSError, UnicodeDecodeError):
            return False

    @property
    def text(self) -> str:
        """The file with what is in force."""
        return self._text({})

    def put(self, text: str) -> None:
        """Put a text that was checked in the file's place, whole or not at all. Raises HostError."""
        if self.put_by is not None:
            self.put_by(text)
        else:
            write_whole(self.path, text, _MODE)

    def _in_force(self, under_way: Mapping[str, Rate]) -> InForce:
        rates = {**self._rates, **under_way}
        return InForce(
            {unit: rate.throughput for unit, rate in rates.items()},
            {unit: rate.shares for unit, rate in rates.items() if rate.shares},
            self._sides,
        )

    def _text(self, under_way: Mapping[str, Rate]) -> str:
        return kannel_conf(self._spec, self._in_force(under_way))

    def _put(self, under_way: Mapping[str, Rate]) -> None:
        text = self._text(under_way)
        findings = misread(self._spec, text, str(self.path))
        if findings:
            raise InputError(findings)
        self.put(text)
        self._under_way = dict(under_way)
