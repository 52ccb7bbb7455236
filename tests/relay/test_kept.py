"""What outlives the relay: what may be double, and the limits that were learnt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kannelkit.errors import HostError
from kannelkit.pacing.limit import Learnt
from kannelkit.relay import learnt
from kannelkit.relay.counts import Note
from kannelkit.simulator import AccountRules, Behaviour, Simulator
from tests.harness.waiting import until
from tests.relay.running import NAME, account, bound, running


def test_a_note_tells_what_a_killed_process_left_behind_and_adds_it_up(tmp_path: Path) -> None:
    path = tmp_path / "counts"
    Note(path).say(7, 2)
    after = Note(path)
    assert (after.left_behind, after.before) == (7, 2)
    again = Note(path)
    assert (again.left_behind, again.before) == (0, 9)


def test_a_note_that_somebody_else_wrote_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "counts"
    path.write_bytes(b"not a note at all")
    note = Note(path)
    assert (note.left_behind, note.before) == (0, 0)
    with pytest.raises(HostError, match="cannot write"):
        Note(tmp_path / "no such folder" / "counts")


def test_limits_are_kept_and_what_is_no_limit_is_learnt_again(tmp_path: Path) -> None:
    assert learnt.read(tmp_path) == {}
    learnt.write(tmp_path, {"a": Learnt(7.5), "b": Learnt(3000.0)})
    assert learnt.read(tmp_path) == {"a": Learnt(7.5), "b": Learnt(3000.0)}
    path = tmp_path / learnt.FILE
    path.write_text(json.dumps({"a": 0, "b": "x", "c": True, "d": -1, "e": 5}))
    assert learnt.read(tmp_path) == {"e": Learnt(5.0)}
    for octets in (b"", b"[]", b"\xff", b"[" * 100_000):
        path.write_bytes(octets)
        assert learnt.read(tmp_path) == {}


async def test_a_restart_goes_on_at_the_limit_that_was_learnt(tmp_path: Path) -> None:
    rules = AccountRules("test", "test", limit=20)
    async with Simulator([rules], Behaviour(delay=0.01)) as smsc:
        settings = account(smsc.port, ceiling=100.0)
        async with running(tmp_path, settings) as relay, bound(relay) as esme:
            numbers = [esme.submit(b"m%d" % each) for each in range(60)]
            for _ in numbers:
                await esme.receive()
        assert smsc.account("test").counters.refused > 0
        async with running(tmp_path, settings) as relay, bound(relay) as esme:
            assert relay.accounts[NAME].pacer.rate <= 21
            numbers = [esme.submit(b"n%d" % each) for each in range(30)]
            await until(lambda: relay.accounts[NAME].counts.accepted == len(numbers))
