"""Moves between two hosts, in simulated time: when one is left, when it is used again, and how often at the most."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.failover.side import AccountSide
from kannelkit.failover.values import LONGEST, Move, Probe, Seen, Settings, Side

USUAL = Settings(after=30.0, back_after=300.0)
EVERY = 0.5

# at a time: is a link to this side online, does its host answer a probe, are submits answered
At = Callable[[float], bool]


def always(_: float) -> bool:
    return True


def never(_: float) -> bool:
    return False


def but(begin: float, end: float = float("inf")) -> At:
    return lambda at: not begin <= at < end


@dataclass
class World:
    """Two hosts; a link is online two seconds after its start at the earliest."""

    online: dict[Side, At]
    reached: dict[Side, At]
    answers: At = always
    waits: bool = False
    settings: Settings = USUAL
    moves: list[tuple[float, Side, str]] = field(default_factory=list)
    probes: list[tuple[float, Side]] = field(default_factory=list)

    def run(self, seconds: float, account: AccountSide | None = None, begin: float = 0.0) -> AccountSide:
        account = account or AccountSide(self.settings, begin)
        started, signs = float("-inf"), 0
        for look in range(int(seconds / EVERY) + 1):
            at = begin + look * EVERY
            online = at - started >= 2.0 and self.online[account.side](at)
            signs += online and self.answers(at) and self.waits
            account.seen(Seen(at, {"link": online}, signs, online and self.waits))
            decision = account.decide(at)
            if isinstance(decision, Probe):
                self.probes.append((at, decision.side))
                account.probed(decision.side, at, self.reached[decision.side](at))
            elif isinstance(decision, Move):
                self.moves.append((at, decision.to, decision.why))
                account.moved(decision.to, at)
                started = at
        return account

    @property
    def went(self) -> list[Side]:
        return [to for _, to, _ in self.moves]

    def gaps(self) -> list[float]:
        times = [at for at, _, _ in self.moves]
        return [later - earlier for earlier, later in itertools.pairwise(times)]


def world(primary: At, backup: At = always, **more: object) -> World:
    online: dict[Side, At] = {"primary": primary, "backup": backup}
    return World(online, dict(online), **more)  # type: ignore[arg-type]  # the fields' types, in one place


def test_a_primary_that_is_gone_is_left_and_used_again_when_it_has_answered_long_enough() -> None:
    of = world(but(100, 1000))
    account = of.run(3000)
    assert of.went == ["backup", "primary"]
    (left, _, why), (back, _, returned) = of.moves
    assert 130 <= left <= 131
    assert why == "no link online for 30 s"
    assert 1300 <= back <= 1300 + 31
    assert returned.startswith("the primary has answered for 3")
    assert account.failed_returns == 0


def test_a_primary_that_is_well_is_left_alone_and_never_probed() -> None:
    of = world(always, never)
    of.run(3600)
    assert (of.moves, of.probes) == ([], [])


def test_nobody_goes_to_a_host_that_does_not_answer() -> None:
    of = world(but(100), never)
    of.run(3600)
    assert of.moves == []
    assert of.probes


def test_a_backup_that_comes_to_answer_is_used_then() -> None:
    of = world(but(100), but(0, 600))
    of.run(1200)
    assert of.went == ["backup"]
    assert 600 <= of.moves[0][0] <= 604


def test_each_failed_return_doubles_the_time_until_the_next_up_to_a_bound() -> None:
    """The primary answers a connect, and binds nobody."""
    of = world(but(100))
    of.reached["primary"] = always
    account = of.run(24 * 3600)
    stays = [
        later - earlier
        for (earlier, side, _), (later, _, _) in zip(of.moves, of.moves[1:], strict=False)
        if side == "backup"
    ]
    assert account.failed_returns > 7
    for number, stay in enumerate(stays):
        assert stay == pytest.approx(min(300 * 2**number, LONGEST), abs=31)


def test_a_return_that_holds_makes_the_next_one_as_quick_as_the_first() -> None:
    def there(at: float) -> bool:
        return not (100 <= at < 1000 or 20000 <= at < 21000)

    of = world(there)
    of.run(30000)
    assert of.went == ["backup", "primary", "backup", "primary"]
    assert of.moves[3][0] == pytest.approx(21300, abs=31)


def test_with_both_of_no_use_they_are_tried_ever_more_rarely() -> None:
    of = world(but(100), never)
    of.reached = {"primary": always, "backup": always}
    of.run(24 * 3600)
    gaps = of.gaps()
    assert len(gaps) <= 24
    assert all(later >= earlier - 2 * EVERY for earlier, later in itertools.pairwise(gaps))
    assert gaps[-1] > 3000


def test_a_silent_primary_is_left() -> None:
    of = world(always, answers=but(100, 140), waits=True)
    of.run(250)
    assert of.went == ["backup"]
    assert of.moves[0][0] == pytest.approx(130, abs=1)


def test_by_hand_an_account_stays_on_the_backup() -> None:
    of = world(always)
    account = of.run(10)
    account.moved("backup", 10.0, by_hand=True)
    of.run(24 * 3600, account, begin=10.0)
    assert of.moves == []
    assert account.side == "backup"


def test_by_hand_or_not_a_backup_of_no_use_is_left_and_the_rest_is_as_ever() -> None:
    of = world(but(2000, 2100), but(1000, 1100))
    account = of.run(10)
    account.moved("backup", 10.0, by_hand=True)
    of.run(3600, account, begin=10.0)
    assert of.went == ["primary", "backup", "primary"]
    assert not account.by_hand


def test_a_restart_goes_on_with_the_side_and_what_it_cost() -> None:
    of = world(but(100))
    of.reached["primary"] = always
    before = of.run(3000)
    assert (before.side, before.failed_returns) == ("backup", 3)
    after = AccountSide(USUAL, 0.0, "backup", lasted=10.0, failed_returns=before.failed_returns)
    assert after.back_wait == before.back_wait == 2400.0
    home = AccountSide(USUAL, 0.0, "primary", lasted=5.0, failed_returns=3)
    assert home.failed_returns == 3
    assert AccountSide(USUAL, 0.0, "primary", lasted=5000.0, failed_returns=3).failed_returns == 0


def test_a_lost_probe_is_asked_for_again() -> None:
    account = AccountSide(USUAL, 0.0)
    asked = []
    for look in range(200):
        account.seen(Seen(look / 2, {"link": False}, 0, queued=False))
        if isinstance(account.decide(look / 2), Probe):
            asked.append(look / 2)
    assert asked[:3] == [15.0, 35.0, 55.0]


# -- laws: whatever the hosts do

seconds = st.integers(1, 400).map(float)


@st.composite
def flapping(draw: st.DrawFn) -> At:
    """Return something that holds and does not hold by turns, of any lengths."""
    turns = draw(st.lists(seconds, min_size=1, max_size=12))
    whole, first = sum(turns), draw(st.booleans())

    def holds(at: float) -> bool:
        rest, state = at % whole, first
        for turn in turns:
            if rest < turn:
                return state
            rest, state = rest - turn, not state
        return state

    return holds


settings = st.builds(Settings, st.integers(1, 60).map(float), st.integers(1, 600).map(float))


@given(flapping(), flapping(), flapping(), flapping(), flapping(), st.booleans(), settings)
def test_moves_are_never_closer_than_the_times_allow(
    one: At, two: At, reach_one: At, reach_two: At, answers: At, waits: bool, times: Settings
) -> None:
    of = World(
        {"primary": one, "backup": two}, {"primary": reach_one, "backup": reach_two}, answers, waits, settings=times
    )
    of.run(1800)
    assert all(gap >= min(times.after, times.back_after) - EVERY for gap in of.gaps())
    assert of.went[::2] == ["backup"] * len(of.went[::2])
    assert of.went[1::2] == ["primary"] * len(of.went[1::2])
    assert len(of.moves) <= 2 * 1800 / (times.after + min(times.after, times.back_after)) + 2


@given(flapping(), settings)
def test_hosts_that_are_never_of_use_are_changed_a_few_times_only(reached: At, times: Settings) -> None:
    of = World({"primary": never, "backup": never}, {"primary": reached, "backup": reached}, settings=times)
    of.run(3600)
    # each side's n-th stay begins no earlier than after * 2 ** (n - 1) from its last end
    allowed, at = 2, times.after
    while at < 3600:
        allowed, at = allowed + 2, at * 2
    assert len(of.moves) <= allowed


@given(flapping(), flapping(), settings, st.booleans())
def test_a_primary_that_is_well_is_never_left(backup: At, reached: At, times: Settings, waits: bool) -> None:
    of = World({"primary": always, "backup": backup}, {"primary": always, "backup": reached}, always, waits, times)
    of.run(1800)
    assert of.moves == []


@given(flapping(), flapping(), settings)
def test_a_host_that_no_probe_reached_is_never_moved_to(one: At, reached: At, times: Settings) -> None:
    of = World({"primary": one, "backup": always}, {"primary": reached, "backup": never}, settings=times)
    of.run(900)
    assert of.moves == []


def test_doubts_come_long_before_a_side_is_left_and_go_with_an_answer() -> None:
    account = AccountSide(USUAL, 0.0)
    doubtful = []
    for look in range(60):
        at = look / 2
        account.seen(Seen(at, {"link": True}, int(at >= 20), queued=True))
        doubtful += [at] if account.doubtful else []
    assert (doubtful[0], doubtful[-1]) == (4.0, 29.5)
    assert 19.5 in doubtful
    assert 20.0 not in doubtful
    assert account.unusable is None
