"""When a link may be stopped: told from the counts of a gateway that is played, second by second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from kannelkit.errors import GatewayError
from kannelkit.gateway.status import GatewayStatus
from kannelkit.supervise.rest import Rest
from tests.supervise.played import link, played, status

BEGIN = 1000.0  # what the played clock says at first


@dataclass
class Seen:
    """A gateway as `at` says it stands so many seconds after the beginning; every burst looks answered."""

    at: Callable[[float], GatewayStatus]
    bursts: bool = False
    notes: list[str] = field(default_factory=list)

    async def look(self) -> GatewayStatus:
        return self.at(asyncio.get_running_loop().time() - BEGIN)

    def moment(self, account: str) -> bool:
        return self.bursts

    def last_answer(self, account: str) -> float:
        return 0.0

    def rest(self) -> Rest:
        return Rest(self, lambda account, note: self.notes.append(note), frozenset({"acc"}))

    def moment_after(self) -> float | None:
        """Return the seconds until a moment came, None where none did."""

        async def waited() -> float | None:
            came = await self.rest().moment("acc-1", "acc")
            return asyncio.get_running_loop().time() - BEGIN if came else None

        return played(waited())

    def drained_after(self, *, give_up: bool = False) -> float:
        async def waited() -> float:
            await self.rest().drained("acc-1", "acc", give_up=give_up)
            return asyncio.get_running_loop().time() - BEGIN

        return played(waited())


def test_between_two_bursts_is_a_moment() -> None:
    assert Seen(lambda at: status(link("acc-1", queued=9), store=9), bursts=True).moment_after() == 0.0


@pytest.mark.parametrize(
    ("others", "queued", "came"),
    [
        (False, 9, False),  # what is unanswered can be nobody else's
        (True, 9, True),  # it may be the other link's, and this one's burst is answered whole
        (True, 0, False),  # messages trickle: there are no bursts
    ],
)
def test_unanswered_submits_contradict_what_looks_like_a_moment(others: bool, queued: int, came: bool) -> None:
    def at(seconds: float) -> GatewayStatus:
        # one message more is answered ten times a second, and three are unanswered
        links = [link("acc-1", queued=queued, sent=int(seconds * 10)), link("b-1", sent=int(seconds * 10))]
        return status(*links[: 1 + others], store=queued + 3)

    assert (Seen(at, bursts=True).moment_after() is not None) == came


def test_a_link_that_does_nothing_is_at_rest_beside_a_busy_one() -> None:
    def at(seconds: float) -> GatewayStatus:
        return status(link("acc-1"), link("b-1", sent=int(seconds * 10)), store=3)

    after = Seen(at).moment_after()
    assert after is not None
    assert 3.0 <= after < 3.5


def test_what_no_other_link_can_have_is_this_ones() -> None:
    assert Seen(lambda at: status(link("acc-1"), link("b-1"), store=3)).moment_after() is None


def test_a_closed_link_is_drained_when_all_it_had_is_answered() -> None:
    def at(seconds: float) -> GatewayStatus:
        left = max(0, 8 - int(seconds))
        return status(link("acc-1", queued=left, sent=8 - left), store=left + (2 if seconds < 10 else 0))

    assert 10.0 <= Seen(at).drained_after() < 10.5


def test_a_link_that_cannot_send_is_not_waited_for_for_ever() -> None:
    stuck = Seen(lambda at: status(link("acc-1", queued=4), store=4))
    with pytest.raises(GatewayError, match="4 messages wait for it"):
        stuck.drained_after()
    assert 60.0 <= stuck.drained_after(give_up=True) < 61.0
    assert any("not at rest" in note for note in stuck.notes)
