"""The kannel.conf that the boxes run from: written by the supervisor alone, with the rates in force, checked first.

Every change of rate makes bearerbox read the whole file again, and some faults in it end a live bearerbox or make
links vanish; so a text that Kannel would not read as it is meant never gets to the disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kannelkit.errors import InputError
from kannelkit.host.files import write_whole
from kannelkit.render import kannel_conf, misread
from kannelkit.spec import Spec

_MODE = 0o640


class ConfFile:
    """The file and the throughputs (SMS per second by account) that it holds.

    Several accounts may be on their way to another throughput at once: each write holds what is in force and what
    all of them are being brought to.
    """

    def __init__(self, spec: Spec, throughputs: Mapping[str, int]) -> None:
        self.path: Path = spec.files.kannel_conf
        self._spec = spec
        self._throughputs = dict(throughputs)
        self._under_way: dict[str, int] = {}

    def write(self) -> None:
        """Write the file with the throughputs in force. Raises InputError or HostError; the old file stays then."""
        self._put({})

    def begin(self, account: str, throughput: int) -> None:
        """Write the file with another throughput for one account, in force once `accept` is called."""
        self._put({**self._under_way, account: throughput})

    def accept(self, account: str) -> None:
        """Take note that the account runs at the throughput that was begun."""
        self._throughputs[account] = self._under_way.pop(account)

    def give_up(self, account: str) -> None:
        """Write the file with the throughput that the account had before `begin`."""
        self._put({name: throughput for name, throughput in self._under_way.items() if name != account})

    def is_current(self) -> bool:
        """Return whether the file on the disk is what `write` would write."""
        try:
            return self.path.read_text() == self._text(self._under_way)
        except (OSError, UnicodeDecodeError):
            return False

    @property
    def text(self) -> str:
        """The file with the throughputs in force."""
        return self._text({})

    def _text(self, under_way: Mapping[str, int]) -> str:
        return kannel_conf(self._spec, {**self._throughputs, **under_way})

    def _put(self, under_way: Mapping[str, int]) -> None:
        self._write(self._text(under_way))
        self._under_way = dict(under_way)

    def _write(self, text: str) -> None:
        findings = misread(self._spec, text, str(self.path))
        if findings:
            raise InputError(findings)
        write_whole(self.path, text, _MODE)
