"""Recreation against a gateway played in memory: every link at its new share, one at a time, whatever goes wrong."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from kannelkit.errors import GatewayError
from kannelkit.render import Account
from kannelkit.render.links import shares
from kannelkit.supervise.links import Brought, Move, Recreation
from tests.supervise.played import FOREVER, Habits, Observed, PlayedGateway, account, passes, played

BEGIN = 1000.0  # what the played clock says at first


class Trial:
    """One change of an account's rate from 60, and all that is to be seen of it."""

    def __init__(
        self, of: Account, habits: Habits | None = None, good: list[tuple[float, float]] | None = None
    ) -> None:
        self.account = of
        self.before: dict[str, int | None] = dict(zip(of.sending_ids, shares(60, of.connections), strict=True))
        self.gateway = PlayedGateway(self.before, habits)
        self.observed = Observed(self.gateway)
        if good is not None:
            self.observed.good = good
        self.told: list[str] = []
        self.recreation = Recreation(self.gateway, self.observed, lambda name, text: self.told.append(text))

    def bring(self, throughput: int) -> Brought:
        return self.share(*shares(throughput, self.account.connections))

    def share(self, *split: int, lenders: tuple[str, ...] = ()) -> Brought:
        return played(self.recreation.bring(self.moves(*split), lenders))

    def moves(self, *split: int) -> list[Move]:
        """Write the file, and return what is to be done for it."""
        had, names = dict(self.gateway.file), self.account.sending_ids
        self.gateway.file = dict(zip(names, split, strict=True))
        return [Move("acc", name, had[name], share) for name, share in zip(names, split, strict=True)]

    def commands(self, name: str) -> list[float]:
        return [at for at, said, _ in self.gateway.said if said == name]


@pytest.mark.parametrize("connections", [1, 2, 3])
def test_every_link_comes_back_at_its_share_one_at_a_time(connections: int) -> None:
    trial = Trial(account(connections=connections))
    brought = trial.bring(30)
    assert trial.gateway.rates() == dict(zip(trial.account.sending_ids, shares(30, connections), strict=True))
    assert [(said, name) for _, said, name in trial.gateway.said] == [
        (said, name) for name in trial.account.sending_ids for said in ("stop", "start")
    ]
    assert trial.gateway.fewest_online == connections - 1
    assert (brought.slow, brought.online, trial.told) == (False, True, [])
    assert brought.away == pytest.approx(0.07, abs=0.07)  # 0.03 s to die and 0.04 s to bind, looked at every 0.02 s


@pytest.mark.parametrize("connections", [1, 2])
def test_a_link_is_stopped_at_a_good_moment_only(connections: int) -> None:
    good = [(BEGIN + 3.0, BEGIN + 3.1), (BEGIN + 7.0, BEGIN + 7.1)]
    trial = Trial(account(connections=connections), good=good)
    trial.bring(30)
    stops = trial.commands("stop")
    assert len(stops) == connections
    assert all(any(begin <= at < end for begin, end in good) for at in stops)


def test_a_link_starts_when_the_providers_window_is_empty() -> None:
    trial = Trial(account())
    trial.observed.answered = BEGIN + 0.5
    trial.bring(30)
    assert trial.commands("start")[0] >= BEGIN + 1.5


def test_without_a_moment_nothing_is_touched() -> None:
    trial = Trial(account(), good=[])
    with pytest.raises(GatewayError, match="no moment"):
        trial.bring(30)
    assert trial.gateway.said == []


def test_when_one_link_has_changed_the_others_follow_even_at_a_worse_moment() -> None:
    trial = Trial(account(connections=2), good=[(BEGIN, BEGIN + 0.01)])
    trial.bring(30)
    assert trial.gateway.rates() == {"acc-1": 15, "acc-2": 15}
    assert [text for text in trial.told if "no quiet moment to re-create acc-2" in text]


def test_a_slow_death_is_told_waited_for_and_counted_as_slow() -> None:
    trial = Trial(account(), Habits(dies_after=30.0))
    brought = trial.bring(30)
    assert brought == Brought(brought.away, slow=True, online=True)
    assert brought.away > 30
    assert trial.gateway.rates() == {"acc-1": 30}
    assert len([text for text in trial.told if "does not end its bind" in text]) == 1


def test_a_link_whose_share_stays_is_left_alone() -> None:
    trial = Trial(account(connections=3))
    trial.share(20, 20, 19)
    assert [(said, name) for _, said, name in trial.gateway.said] == [("stop", "acc-3"), ("start", "acc-3")]


def test_who_gets_less_goes_first_so_that_the_shares_never_add_up_to_more() -> None:
    trial = Trial(account(connections=3))
    trial.share(29, 30, 1)
    assert [name for _, said, name in trial.gateway.said if said == "start"] == ["acc-3", "acc-1", "acc-2"]


def test_a_link_that_is_down_takes_its_share_without_being_waited_for() -> None:
    trial = Trial(account(connections=2), good=[(BEGIN, FOREVER)])
    trial.gateway.put("acc-2", "re-connecting", online_after=FOREVER)
    trial.gateway.habits.online_after = 3.0
    brought = trial.share(59, 1)
    assert brought.online
    assert brought.away == pytest.approx(3.0, abs=0.1)  # acc-1's alone
    assert trial.gateway.rates() == {"acc-1": 59, "acc-2": 1}
    assert trial.recreation.stale == {}


def test_a_link_that_hangs_in_its_connect_is_renewed_when_it_is_online() -> None:
    trial = Trial(account(connections=2), Habits(dies_after=FOREVER), good=[(BEGIN, FOREVER)])
    trial.gateway.put("acc-2", "connecting", online_after=FOREVER)
    trial.share(30, 1)
    assert trial.recreation.stale == {"acc-2": "acc"}
    trial.gateway.habits.dies_after = 0.03
    trial.gateway.put("acc-2", "online")
    played(trial.recreation.renew("acc-2"))
    assert trial.recreation.stale == {}
    assert trial.gateway.rates()["acc-2"] == 1


@pytest.mark.parametrize("before", [{"acc-1": 500}, {"acc-1": 250, "acc-2": 250}, {"acc-2": 500}])
def test_what_waits_does_not_stay_with_a_link_that_lent_its_share(before: dict[str, int]) -> None:
    trial = Trial(account(connections=2))
    trial.gateway.queued = dict(before)
    trial.share(59, 1, lenders=("acc-2",))
    assert trial.gateway.queued == {"acc-1": 500}
    assert trial.gateway.rates() == {"acc-1": 59, "acc-2": 1}
    assert trial.gateway.fewest_online == 1


def test_a_link_that_a_change_left_dead_is_started() -> None:
    trial = Trial(account(connections=2))
    trial.gateway.put("acc-2", "dead")
    trial.recreation.stale["acc-2"] = "acc"
    trial.share(31, 29)
    assert trial.gateway.rates() == {"acc-1": 31, "acc-2": 29}
    assert trial.recreation.stale == {}


def test_a_link_that_is_dead_is_left_to_whoever_starts_it() -> None:
    trial = Trial(account(connections=2))
    trial.gateway.put("acc-2", "dead")
    trial.share(59, 1)
    assert {name for _, _, name in trial.gateway.said} == {"acc-1"}


def test_a_start_that_is_refused_is_repeated_once_a_second() -> None:
    trial = Trial(account(), Habits(refused_starts=5))
    assert trial.bring(30).online
    starts = trial.commands("start")
    assert len(starts) == 6
    assert all(later - earlier >= 1.0 for earlier, later in pairwise(starts))
    assert trial.gateway.rates() == {"acc-1": 30}


def test_a_provider_that_is_away_ends_the_wait_and_is_told() -> None:
    trial = Trial(account(), Habits(online_after=FOREVER))
    brought = trial.bring(30)
    assert not brought.online
    assert [text for text in trial.told if "acc-1 is not online" in text]
    assert len(trial.commands("start")) == 1  # it is not dead, it connects: Kannel goes on by itself


@pytest.mark.parametrize("begin", [0.01, 0.05, 0.08])
def test_a_bearerbox_that_is_silent_while_a_link_is_away_does_not_leave_it_away(begin: float) -> None:
    trial = Trial(account(), Habits(silent=(BEGIN + begin, BEGIN + begin + 9)))
    assert trial.bring(30).online
    assert trial.gateway.rates() == {"acc-1": 30}


def test_a_bearerbox_that_is_silent_from_the_start_leaves_all_as_it_was() -> None:
    trial = Trial(account(), Habits(silent=(BEGIN, FOREVER)))
    with pytest.raises(GatewayError):
        trial.bring(30)
    assert trial.gateway.said == []


def test_a_link_that_does_not_die_is_not_taken_for_changed() -> None:
    trial = Trial(account(), Habits(dies_after=600.0))
    with pytest.raises(GatewayError, match="has not ended"):
        trial.bring(30)
    assert trial.commands("start") == []
    assert trial.gateway.rates() == {"acc-1": 60}


def test_a_change_that_is_cut_off_leaves_the_file_for_whoever_starts_the_link() -> None:
    trial = Trial(account(), Habits(dies_after=30.0))

    async def cut_off() -> None:
        task = asyncio.create_task(trial.recreation.bring(trial.moves(30)))
        await passes(5)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await passes(30)
        await trial.gateway.start_link("acc-1")
        await passes(1)
        await trial.gateway.status()

    played(cut_off())
    assert trial.gateway.rates() == {"acc-1": 30}
