"""Recreation against a gateway played in memory: every link at the new rate, one at a time, whatever goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest

from kannelkit.errors import GatewayError, HostError
from kannelkit.render import Account
from kannelkit.render.links import shares
from kannelkit.supervise.links import Brought, Recreation
from tests.supervise.played import FOREVER, Habits, Observed, PlayedGateway, account, played

BEGIN = 1000.0  # what the played clock says at first


class Trial:
    """One change of an account's rate from 60, and all that is to be seen of it."""

    def __init__(
        self, of: Account, habits: Habits | None = None, good: list[tuple[float, float]] | None = None
    ) -> None:
        self.account = of
        self.before = dict(zip(of.primary_ids, shares(60, of.connections), strict=True))
        self.gateway = PlayedGateway(self.before, habits)
        self.observed = Observed(self.gateway)
        if good is not None:
            self.observed.good = good
        self.told: list[str] = []
        self.restored = 0

    def bring(self, throughput: int, write: Callable[[str, int], None] | None = None) -> Brought:
        def put(name: str, rate: int) -> None:
            self.gateway.file = dict(zip(self.account.primary_ids, shares(rate, self.account.connections), strict=True))

        def restore(name: str) -> None:
            self.gateway.file = dict(self.before)
            self.restored += 1

        async def change() -> Brought:
            return await Recreation(
                self.gateway, self.observed, write or put, restore, lambda name, text: self.told.append(text)
            ).bring(self.account, throughput)

        return played(change())

    def commands(self, name: str) -> list[float]:
        return [at for at, said, _ in self.gateway.said if said == name]


@pytest.mark.parametrize("connections", [1, 2, 3])
def test_every_link_comes_back_at_its_share_one_at_a_time(connections: int) -> None:
    trial = Trial(account(connections=connections))
    brought = trial.bring(30)
    assert trial.gateway.rates() == dict(zip(trial.account.primary_ids, shares(30, connections), strict=True))
    assert [(said, name) for _, said, name in trial.gateway.said] == [
        (said, name) for name in trial.account.primary_ids for said in ("stop", "start")
    ]
    assert trial.gateway.fewest_online == connections - 1
    assert (brought.slow, brought.online, trial.told, trial.restored) == (False, True, [], 0)
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


def test_without_a_moment_nothing_is_touched_and_the_file_is_as_before() -> None:
    trial = Trial(account(), good=[])
    with pytest.raises(GatewayError, match="no moment"):
        trial.bring(30)
    assert trial.gateway.said == []
    assert trial.gateway.file == trial.before
    assert trial.restored == 1


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


def test_a_file_that_cannot_be_written_stops_no_link() -> None:
    def full(name: str, rate: int) -> None:
        raise HostError("disk full")

    trial = Trial(account())
    with pytest.raises(HostError):
        trial.bring(30, full)
    assert trial.gateway.said == []


@pytest.mark.parametrize("begin", [0.01, 0.05, 0.08])
def test_a_bearerbox_that_is_silent_while_a_link_is_away_does_not_leave_it_away(begin: float) -> None:
    trial = Trial(account(), Habits(silent=(BEGIN + begin, BEGIN + begin + 9)))
    assert trial.bring(30).online
    assert trial.gateway.rates() == {"acc-1": 30}


def test_a_bearerbox_that_is_silent_from_the_start_leaves_all_as_it_was() -> None:
    trial = Trial(account(), Habits(silent=(BEGIN, FOREVER)))
    with pytest.raises(GatewayError):
        trial.bring(30)
    assert trial.gateway.file == trial.before


def test_a_link_that_does_not_die_is_not_taken_for_changed() -> None:
    trial = Trial(account(), Habits(dies_after=600.0))
    with pytest.raises(GatewayError, match="has not ended"):
        trial.bring(30)
    assert trial.commands("start") == []
    assert trial.gateway.file == trial.before
    assert trial.gateway.rates() == {"acc-1": 60}


def test_a_change_that_is_cut_off_leaves_the_file_for_whoever_starts_the_link() -> None:
    trial = Trial(account(), Habits(dies_after=30.0))

    async def cut_off() -> None:
        def put(name: str, rate: int) -> None:
            trial.gateway.file = {"acc-1": rate}

        recreation = Recreation(trial.gateway, trial.observed, put, lambda name: None, lambda name, text: None)
        task = asyncio.create_task(recreation.bring(trial.account, 30))
        await asyncio.sleep(5)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(30)
        await trial.gateway.start_link("acc-1")
        await asyncio.sleep(1)
        await trial.gateway.status()

    played(cut_off())
    assert trial.gateway.rates() == {"acc-1": 30}
