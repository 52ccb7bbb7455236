"""Watch: shares that were lent go back before a rate is lowered, where each link may have a limit of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kannelkit.gateway.admin import Admin
from kannelkit.gateway.status import GatewayStatus
from kannelkit.render import Account
from kannelkit.supervise.watch import Watch
from kannelkit.throttle.controller import AccountRate
from kannelkit.throttle.values import Decision, Sample, Settings
from tests.supervise.played import account, link, passes, played, status

_LOWER = Decision("shop", "lower", 60, 40, refused=20, submits=60, accepted=40, seconds=1.0)
_QUEUE = 5_000  # messages that are worth a change of shares


class _Rate(AccountRate):
    """Decides what it is told to, at the next sample."""

    def __init__(self) -> None:
        super().__init__("shop", Settings(ceiling=60, links=2))
        self.next: Decision | None = None
        self.was_abandoned = False

    def sampled(self, sample: Sample) -> Decision | None:
        decision, self.next = self.next, None
        return decision

    def abandoned(self) -> None:
        self.was_abandoned = True


@dataclass
class _Gateway(Admin):
    """Two links, of which the first has the whole queue and sends it."""

    names: tuple[str, str]
    second: str = "online"

    async def status(self) -> GatewayStatus:
        first, second = self.names
        return status(link(first, queued=_QUEUE, sent=100), link(second, self.second), store=_QUEUE)


async def _lending(watch: Watch) -> None:
    """Look on until the second link lends, and bring that into force."""
    while "shop" not in watch.lenders:
        await watch.look()
        await passes(1.0)
    lenders = watch.lenders.pop("shop")
    assert lenders == {1}
    watch.balances["shop"].changed(lenders, 0.0)


def _lowered(accounts: list[Account], second: str = "online") -> tuple[Watch, _Rate]:
    """Return what becomes of a rate that is to be lowered while the second of two links lends."""
    names = [name for each in accounts for name in each.sending_ids]
    gateway, rate = _Gateway((names[0], names[1])), _Rate()

    async def run() -> Watch:
        watch = Watch(gateway, accounts, {"shop": rate})
        await _lending(watch)
        gateway.second, rate.next = second, _LOWER
        await watch.look()
        return watch

    return played(run()), rate


def test_what_is_refused_while_a_link_lends_has_it_take_its_share_back_and_the_rate_stays() -> None:
    watch, rate = _lowered([account("shop", connections=2)])
    assert watch.lenders == {"shop": frozenset()}
    assert not watch.decisions
    assert rate.was_abandoned


def test_a_lender_that_is_down_cannot_take_its_share_back() -> None:
    watch, rate = _lowered([account("shop", connections=2)], second="re-connecting")
    assert watch.decisions == {"shop": _LOWER}
    assert not rate.was_abandoned


def test_accounts_of_a_group_have_one_limit_whoever_sends() -> None:
    watch, rate = _lowered([replace(account(name), unit="shop", ceiling=30) for name in ("one", "two")])
    assert watch.decisions == {"shop": _LOWER}
    assert not rate.was_abandoned
