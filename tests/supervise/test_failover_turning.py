"""The links of one side stop before those of the other start, whatever becomes of them."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from kannelkit.errors import GatewayError
from kannelkit.render import Account
from kannelkit.supervise.turning import Turned, Turning
from tests.supervise.played import FOREVER, Habits, Observed, PlayedGateway, account, played

TO_BACKUP = account(connections=2, backup=2).on("backup")


class Host:
    """A gateway whose account is on its primary, and what turns it; `said` is what was told meanwhile."""

    def __init__(
        self,
        habits: Habits,
        good: list[tuple[float, float]] | None = None,
        last_answer: float = 0.0,
        *,
        alone: bool = True,
    ) -> None:
        names = [*TO_BACKUP.standby_ids, *TO_BACKUP.sending_ids]
        self.gateway = PlayedGateway(dict.fromkeys(names, 30), habits)
        for name in TO_BACKUP.sending_ids:
            self.gateway.put(name, "dead")
        self.observed = Observed(self.gateway, good if good is not None else [(0.0, FOREVER)], last_answer)
        self.turning = Turning(self.gateway, self.observed, lambda: alone, self.cut)
        self.said: list[str] = []
        self.was_cut: set[str] = set()
        self.can_cut = False

    async def cut(self, of: Account, names: Collection[str]) -> None:
        self.was_cut.update(names)
        for name in names if self.can_cut else ():
            self.gateway.put(name, "dead")

    async def turn(self, to: Account = TO_BACKUP, *, pressed: bool) -> Turned:
        return await self.turning.turn(to, self.said.append, pressed=pressed)

    def commands(self, word: str) -> list[tuple[float, str]]:
        return [(at, name) for at, said, name in self.gateway.said if said == word]


@pytest.mark.parametrize("pressed", [True, False])
def test_all_stop_at_once_and_then_the_others_start(pressed: bool) -> None:
    async def play() -> None:
        host = Host(Habits(), last_answer=999.5)
        turned = await host.turn(pressed=pressed)
        stops, starts = host.commands("stop"), host.commands("start")
        assert [name for _, name in stops] == ["acc-1", "acc-2"]
        assert stops[0][0] == stops[1][0]
        assert [name for _, name in starts] == ["acc-backup-1", "acc-backup-2"]
        # after the others' end, and a second after the provider's last answer
        assert min(at for at, _ in starts) >= max(stops[0][0] + 0.03, 1000.5)
        assert turned.unanswered == 0
        assert host.turning.ending == set()

    played(play())


@pytest.mark.parametrize(("others", "unanswered"), [(0, 0), (3, None)])
def test_beside_other_accounts_no_more_is_known_than_that_nothing_is_unanswered(
    others: int, unanswered: int | None
) -> None:
    async def play() -> None:
        host = Host(Habits(), alone=False)
        host.gateway.unanswered = others
        assert (await host.turn(pressed=True)).unanswered == unanswered

    played(play())


def test_links_that_do_not_end_are_not_waited_for_and_not_forgotten() -> None:
    async def play() -> None:
        host = Host(Habits(dies_after=30.0))
        turned = await host.turn(pressed=True)
        assert turned.away < 3.0
        assert host.was_cut == {"acc-1", "acc-2"}
        assert {name for _, name in host.commands("start")} == {"acc-backup-1", "acc-backup-2"}
        assert host.turning.ending == {"acc-1", "acc-2"}

    played(play())


def test_links_whose_connection_can_be_cut_have_ended() -> None:
    async def play() -> None:
        host = Host(Habits(dies_after=30.0))
        host.can_cut = True
        assert (await host.turn(pressed=True)).away < 2.0
        assert host.turning.ending == set()

    played(play())


def test_a_start_that_is_refused_is_repeated_and_given_up_to_the_revival() -> None:
    async def play() -> None:
        host = Host(Habits(refused_starts=3))
        await host.turn(pressed=True)
        assert len(host.commands("start")) == 5
        host = Host(Habits(refused_starts=1000))
        await host.turn(pressed=True)
        assert len(host.commands("start")) == 10

    played(play())


def test_a_moment_is_waited_for_but_not_for_ever() -> None:
    async def play() -> None:
        host = Host(Habits(), good=[(1004.0, FOREVER)])
        await host.turn(pressed=False)
        assert 1004.0 <= host.commands("stop")[0][0] < 1005.0
        assert host.said[0] == "acc: waiting for a moment at which no answer is due"
        host = Host(Habits(), good=[])
        began = host.gateway.now
        await host.turn(pressed=False)
        assert 10.0 <= host.commands("stop")[0][0] - began < 11.0

    played(play())


def test_what_a_silent_bearerbox_breaks_off_goes_on_when_it_is_done_again() -> None:
    async def play() -> None:
        host = Host(Habits(silent=(1000.02, 1005.0)))
        with pytest.raises(GatewayError):
            await host.turn(pressed=True)
        host.gateway.habits.silent = (FOREVER, FOREVER)
        await host.turn(pressed=True)
        assert {name for _, name in host.commands("stop")} == {"acc-1", "acc-2"}
        assert [name for _, name in host.commands("start")] == ["acc-backup-1", "acc-backup-2"]
        assert host.turning.ending == set()

    played(play())


def test_a_link_whose_former_self_has_not_ended_is_not_taken_for_started() -> None:
    async def play() -> None:
        host = Host(Habits(dies_after=5.0))
        await host.turn(pressed=True)
        await host.turn(TO_BACKUP.on("primary"), pressed=True)
        back = [(at, name) for at, name in host.commands("start") if not name.startswith("acc-backup")]
        assert [name for _, name in back] == ["acc-1", "acc-2"]
        assert back[0][0] >= host.commands("stop")[0][0] + 5.0

    played(play())
