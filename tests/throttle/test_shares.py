"""Shares: they always add up, whoever lends gets back what it lent, and traffic that wanders drags nobody along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.throttle.shares import Balance, LinkSample, allot

EVERY = 0.25  # seconds between two samples


@st.composite
def cases(draw: st.DrawFn) -> tuple[int, int, frozenset[int]]:
    links = draw(st.integers(1, 12))
    return draw(st.integers(links, 3000)), links, draw(st.frozensets(st.integers(0, links - 1)))


@given(cases())
def test_shares_add_up_and_leave_each_link_one(case: tuple[int, int, frozenset[int]]) -> None:
    total, links, lenders = case
    shares = allot(total, links, lenders)
    assert (len(shares), sum(shares)) == (links, total)
    assert min(shares) >= 1
    takers = [share for place, share in enumerate(shares) if place not in lenders] or list(shares)
    assert max(takers) - min(takers) <= 1
    if takers != list(shares):
        assert all(shares[place] == 1 for place in lenders)


@pytest.mark.parametrize(("total", "links"), [(1, 2), (0, 1), (5, 0)])
def test_less_than_one_each_is_refused(total: int, links: int) -> None:
    with pytest.raises(ValueError, match="cannot be split"):
        allot(total, links)


Traffic = Callable[[float, tuple[int, ...]], Sequence[tuple[bool, int, float]]]


def played(
    links: int, total: int, seconds: float, traffic: Traffic, *, one_account: bool = False
) -> list[tuple[float, tuple[int, ...]]]:
    """Return when the shares changed, and to what; `traffic` says for a moment and the shares in force of each link
    whether it is online, how many parts wait for it and how many it sends per second.
    """
    balance, shares = Balance(links), allot(total, links)
    sent = [0.0] * links
    changes = []
    for step in range(int(seconds / EVERY)):
        at = step * EVERY
        now = traffic(at, shares)
        sent = [before + speed * EVERY for before, (_, _, speed) in zip(sent, now, strict=True)]
        samples = [
            LinkSample(up, waiting, int(sent[place]), account="" if one_account else str(place))
            for place, (up, waiting, _) in enumerate(now)
        ]
        lenders = balance.sampled(at, shares, samples)
        if lenders is not None:
            balance.changed(lenders, at)
            shares = allot(total, links, lenders)
            changes.append((at, shares))
    return changes


def test_a_link_that_is_down_lends_while_others_have_a_queue_and_gets_its_share_back() -> None:
    def traffic(at: float, shares: tuple[int, ...]) -> list[tuple[bool, int, float]]:
        up = not 20 <= at < 80
        return [(True, 300, shares[0]), (up, 0, shares[1] if up else 0.0)]

    (lent, less), (back, even) = played(2, 30, 150, traffic)
    assert (less, even) == ((29, 1), (15, 15))
    assert 30 <= lent < 31
    assert 82 <= back < 83


def test_nobody_lends_where_nothing_waits() -> None:
    assert played(2, 30, 300, lambda at, shares: [(True, 0, 15.0), (False, 0, 0.0)]) == []


def test_a_login_without_traffic_lends_and_gets_its_share_back_when_it_has_some() -> None:
    def traffic(at: float, shares: tuple[int, ...]) -> list[tuple[bool, int, float]]:
        wants = at >= 120
        return [(True, 900, shares[0]), (True, 40 if wants else 0, shares[1] if wants else 0.0)]

    (lent, less), (back, even) = played(2, 30, 300, traffic)
    assert (less, even) == ((29, 1), (15, 15))
    assert 20 <= lent < 22
    assert 120 <= back < 122


def test_a_link_without_a_queue_beside_one_with_all_of_it_lends_soon() -> None:
    def traffic(at: float, shares: tuple[int, ...]) -> list[tuple[bool, int, float]]:
        return [(True, 3000, shares[0]), (True, 0, 0.0)]

    ((lent, less),) = played(2, 30, 300, traffic, one_account=True)
    assert (5 <= lent < 7, less) == (True, (29, 1))


def test_who_lends_and_gets_back_again_and_again_does_so_ever_more_rarely() -> None:
    def traffic(at: float, shares: tuple[int, ...]) -> list[tuple[bool, int, float]]:
        # what comes goes to the link that has nothing, but is too little for a share of half
        return [(True, 3000, shares[0]), (True, 3 if shares[1] == 1 else 0, 5.0 if shares[1] > 1 else 1.0)]

    times = [at for at, _ in played(2, 30, 1500, traffic)]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert len(gaps) >= 4
    assert all(later > 1.5 * earlier for earlier, later in pairwise(gaps))


def test_links_that_all_send_share_evenly() -> None:
    assert played(3, 30, 300, lambda at, shares: [(True, 900, float(share)) for share in shares]) == []


def test_all_links_down_change_nothing() -> None:
    assert played(3, 30, 300, lambda at, shares: [(False, 900, 0.0)] * 3) == []


@st.composite
def lives(draw: st.DrawFn) -> tuple[int, list[list[tuple[float, bool, int, float]]]]:
    links = draw(st.integers(2, 4))
    moment = st.tuples(
        st.floats(1, 90), st.booleans(), st.integers(0, 1000), st.floats(0, 1)
    )  # for so long it is up or not, with so many waiting, and sends this share of its share
    return links, [draw(st.lists(moment, min_size=1, max_size=6)) for _ in range(links)]


@given(lives())
def test_whatever_links_go_through_shares_change_seldom_and_never_all_are_lenders(
    case: tuple[int, list[list[tuple[float, bool, int, float]]]],
) -> None:
    links, plans = case

    def traffic(at: float, shares: tuple[int, ...]) -> list[tuple[bool, int, float]]:
        now = []
        for plan, share in zip(plans, shares, strict=True):
            ends = [sum(moment[0] for moment in plan[: place + 1]) for place in range(len(plan))]
            place = next((place for place, end in enumerate(ends) if at < end), len(plan) - 1)
            _, up, waiting, part = plan[place]
            now.append((up, waiting, share * part if up else 0.0))
        return now

    changes = played(links, 30, 400, traffic)
    assert all(later - earlier >= 30 for (earlier, _), (later, _) in pairwise(changes))
    for _, shares in changes:
        assert sum(shares) == 30
        assert max(shares) > 1


@pytest.mark.parametrize(
    ("lenders", "online", "expected"),
    [
        pytest.param(frozenset(), [True, True], False, id="nobody lends"),
        pytest.param(frozenset({1}), [True, True], True, id="a lender that is idle"),
        pytest.param(frozenset({1}), [True, False], False, id="a lender that is down has no use for its share"),
    ],
)
def test_refusals_of_what_was_lent_may_be_a_limit_of_each_link(
    lenders: frozenset[int], online: list[bool], expected: bool
) -> None:
    balance = Balance(2)
    balance.changed(lenders, 0.0)
    assert balance.explains([LinkSample(each, 100, 0) for each in online]) is expected


def test_what_was_lent_and_refused_is_not_lent_again_soon() -> None:
    def lent_at(*, refuted: bool) -> float:
        balance, at = Balance(2), 0.0
        balance.changed(frozenset({1}), at)
        if refuted:
            balance.refuted(at)
        balance.changed(frozenset(), at)
        while balance.sampled(at, (30, 30), [LinkSample(True, 5000, int(30 * at)), LinkSample(True, 0, 0)]) is None:
            at += EVERY
        return at

    assert lent_at(refuted=True) >= 2 * lent_at(refuted=False)
