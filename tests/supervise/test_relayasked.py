"""What a relay's silence comes to: told, let go on where a signal stopped it, ended in the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from kannelkit.errors import GatewayError
from kannelkit.supervise.relayasked import Silence, reloads, said


def follow(silence: Silence, begin: int, seconds: int, *, stopped: bool) -> list[tuple[int, str]]:
    """Ask once a second and return what was due when."""
    found: list[tuple[int, str]] = []
    for now in range(begin, begin + seconds):
        silence.unheard(now)
        due = silence.due(now, stopped=stopped)
        if due is not None:
            found.append((now, due))
    return found


def test_one_that_hangs_is_told_and_ended() -> None:
    assert follow(Silence(30), 0, 32, stopped=False) == [(10, "tell"), (30, "end")]


def test_one_that_is_stopped_is_let_go_on_first_and_ended_where_that_was_no_use() -> None:
    assert follow(Silence(30), 0, 45, stopped=True) == [(10, "tell"), (30, "continue"), (40, "end")]


def test_an_answer_ends_it() -> None:
    silence = Silence(30)
    assert follow(silence, 0, 9, stopped=False) == []
    assert not silence.heard()
    assert follow(silence, 9, 29, stopped=False) == [(19, "tell")]
    assert silence.heard()
    assert not silence.heard()
    assert follow(silence, 38, 30, stopped=False) == [(48, "tell")]


def test_a_few_answers_that_are_late_are_no_silence() -> None:
    silence = Silence(30)
    silence.unheard(0)
    silence.unheard(50)  # whoever asks had no turn meanwhile
    assert silence.due(60, stopped=True) is None


async def test_nobody_is_asked_in_vain_for_long(tmp_path: Path) -> None:
    assert not await reloads(tmp_path)
    with pytest.raises(GatewayError, match="does not answer"):
        await said(tmp_path, {})
