"""What the relay answers when it is asked how it stands, and what its silence means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from kannelkit import __version__
from kannelkit.errors import GatewayError
from kannelkit.relay.control import ask
from kannelkit.supervise.relaysettings import Settings

ANSWERS_WITHIN = 5.0  # seconds
# bearerbox gives a link up whose messages have no answer for a wait-ack, 60 s where nobody says less, and sends them
# again: a relay that is of no use is given up before that
PATIENCE = 30.0
_TOLD_AFTER = 1 / 3  # part of the patience, as bearerbox's silence is told
_LEAST_ASKED = 3  # this process, too, may have had no turn of the processor


@dataclass(frozen=True, slots=True)
class Said:
    """How the accounts stand, by their names, and the version of the relay that says so, "" where it tells none."""

    states: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    version: str = ""


async def said(folder: Path, accounts: Mapping[str, Settings], seconds: float = ANSWERS_WITHIN) -> Said:
    """Return what the relay in a folder says of these accounts. Raises GatewayError.

    `window` is how many submits may be unanswered over the connections that there are.
    """
    found: dict[str, Mapping[str, Any]] = {}
    answer = await ask(folder, {"do": "state"}, seconds)
    try:
        for state in answer["accounts"]:
            name = str(state["account"])
            if name in accounts:
                found[name] = {**state, "window": accounts[name]["window"] * state["connections"]}
    except (KeyError, TypeError) as error:
        raise GatewayError("the relay's answer cannot be read", "are both of the same version?") from error
    return Said(found, str(answer.get("version", "")))


async def reloads(folder: Path) -> bool:
    """Return whether a relay runs in a folder that takes other settings while it runs: one of this version."""
    try:
        return (await said(folder, {})).version == __version__
    except GatewayError:
        return False


class Silence:
    """Follows whether one relay answers, and says what is to be done when it does not; times are seconds."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._since: float | None = None
        self._asked = 0
        self._told = False
        self._continued = False

    def heard(self) -> bool:
        """Take note of an answer; return whether its absence was told."""
        told = self._told
        self._since, self._asked, self._told, self._continued = None, 0, False, False
        return told

    def unheard(self, asked: float) -> None:
        """Take note that what it was asked at a moment has no answer."""
        self._since = asked if self._since is None else self._since
        self._asked += 1

    def due(self, now: float, *, stopped: bool) -> Literal["tell", "continue", "end"] | None:
        """Return what to do now, None: to wait on; `stopped` is whether a signal such as SIGSTOP has stopped it.

        One that is stopped is let go on first: that doubles nothing, as an end by force may.
        """
        if self._since is None or self._asked < _LEAST_ASKED:
            return None
        silent = now - self._since
        if silent >= self._patience:
            if stopped and not self._continued:
                self._continued = True
                self._since, self._asked = now - self._patience * (1 - _TOLD_AFTER), 0
                return "continue"
            self.heard()
            return "end"
        if silent >= self._patience * _TOLD_AFTER and not self._told:
            self._told = True
            return "tell"
        return None
