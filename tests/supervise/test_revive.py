"""Dead links are started again, ever more rarely; those that stand by are left alone."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from kannelkit.gateway.status import LinkStatus
from kannelkit.supervise.deadlinks import unbound
from kannelkit.supervise.revive import Revival, named
from tests.supervise.played import account, link, status

ACCOUNT = account(connections=2, backup=2)


def starts(seconds: int, *links: LinkStatus, revival: Revival, begin: int = 0, busy: bool = False) -> list[int]:
    """Return when links were started while the gateway showed these."""
    found = []
    for at in range(begin, begin + seconds):
        found += [at for _ in revival.due([ACCOUNT], named(status(*links)), float(at), lambda name: busy)]
    return found


DEAD = (link("acc-1", "dead"), link("acc-2"), link("acc-backup-1", "dead"), link("acc-backup-2", "dead"))


def test_a_dead_link_is_started_ever_more_rarely_up_to_a_bound() -> None:
    found = starts(2000, *DEAD, revival=Revival())
    assert [later - earlier for earlier, later in itertools.pairwise(found)][:7] == [
        10 + 1,
        20 + 1,
        40 + 1,
        80 + 1,
        160 + 1,
        300 + 1,
        300 + 1,
    ]
    assert found[0] == 5


def test_links_that_stand_by_are_left_alone() -> None:
    revival = Revival()
    found = [
        name for at in range(100) for _, name in revival.due([ACCOUNT], named(status(*DEAD)), at, lambda name: False)
    ]
    assert set(found) == {"acc-1"}
    found = [
        name
        for at in range(100, 200)
        for _, name in revival.due([ACCOUNT.on("backup")], named(status(*DEAD)), at, lambda name: False)
    ]
    assert set(found) == {"acc-backup-1", "acc-backup-2"}


def test_an_account_that_somebody_acts_on_is_left_alone() -> None:
    assert starts(600, *DEAD, revival=Revival(), busy=True) == []


@pytest.mark.parametrize(("held", "next_try"), [(4, 21), (60, 6)])
def test_only_a_link_that_held_begins_anew(held: int, next_try: int) -> None:
    """One that looks bound for a moment is no more welcome than one whose bind was refused."""
    revival = Revival()
    last = starts(30, *DEAD, revival=revival)[-1]
    online = dataclasses.replace(link("acc-1"), seconds=held)
    assert starts(5, online, *DEAD[1:], revival=revival, begin=last + 1) == []
    assert starts(100, *DEAD, revival=revival, begin=last + 6)[0] == last + 6 + next_try - 1


REJECTING = dataclasses.replace(link("acc-1"), failed=3)
FORMER = dataclasses.replace(link("acc-2", sent=1000), failed=7, seconds=500)


@pytest.mark.parametrize(
    ("links", "found"),
    [
        ([REJECTING, FORMER], ["acc-1"]),
        ([REJECTING, dataclasses.replace(REJECTING, admin_id="acc-2")], ["acc-1", "acc-2"]),
        ([link("acc-1"), FORMER], ["acc-1"]),
        ([FORMER], ["acc-2"]),
        ([dataclasses.replace(REJECTING, state="re-connecting"), FORMER], ["acc-2"]),
        ([], []),
    ],
)
def test_the_link_that_only_looks_bound_is_the_one_that_took_nothing(links: list[LinkStatus], found: list[str]) -> None:
    assert unbound(links) == found
