"""How a unit's throughput is shared out among its links: evenly, but a link that has no use for its share lends it.

A link that is down sends nothing, nor does one of a login without traffic, and what is waiting for the others could
go. A lender keeps a share of one SMS per second, so that it can say that it is of use again; then it gets its share
back. Each change means new links, so a link lends only after some seconds, and only while others have a queue that
is worth it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# a link that is down for so many seconds is not just being made anew
_DOWN = 10.0
# nor is one idle whose messages come and go; one beside a queue of its own account gets none as long as nothing comes
_IDLE = 20.0
_IDLE_BESIDE_A_QUEUE = 5.0
# what waits for the others has to be worth so many seconds of their shares
_WORTH_WHILE_DOWN = 2.0
_WORTH_WHILE_IDLE = 20.0
# of its share, a link that sends less is idle; a lender has one a second, and sends it when it is of use again
_LITTLE = 0.5
# seconds between two changes, twice as long after each, so that traffic that wanders does not drag the links along; so
# many seconds without a change, and it is as at first
_CALM, _CALMEST = 30.0, 960.0
_FORGOTTEN = 1800.0
# a link that is back is given its share when it has been online for so many seconds
_BACK = 2.0


@dataclass(frozen=True, slots=True)
class LinkSample:
    """What was seen of one link: whether it is online, the parts that wait in its queue, and what it sent in all.

    Links of one `account` take each other's messages, when they come.
    """

    online: bool
    waiting: int
    sent: int
    account: str = ""


@dataclass(slots=True)
class _Link:
    online_since: float | None = None
    down_since: float | None = None
    idle_since: float | None = None
    sent: int = 0
    seen_at: float | None = None


def allot(total: int, links: int, lenders: frozenset[int] = frozenset()) -> tuple[int, ...]:
    """Return whole shares of at least 1 that add up to `total`: 1 for each lender, the rest as even as can be.

    Links are known by their place. Raises ValueError where there is less than one for each.
    """
    if links < 1 or total < links:
        raise ValueError(f"{total} cannot be split into {links} whole shares of at least 1")
    takers = [place for place in range(links) if place not in lenders]
    if not takers:
        takers, lenders = list(range(links)), frozenset()
    share, left = divmod(total - (links - len(takers)), len(takers))
    of = {place: share + (number < left) for number, place in enumerate(takers)}
    return tuple(of.get(place, 1) for place in range(links))


class Balance:
    """Follows a unit's links and says which of them lend. Times are seconds of one monotonic clock."""

    def __init__(self, links: int) -> None:
        self.lenders: frozenset[int] = frozenset()
        self._links = [_Link() for _ in range(links)]
        self._changed_at = float("-inf")
        self._calm = _CALM

    def sampled(self, at: float, shares: Sequence[int], seen: Sequence[LinkSample]) -> frozenset[int] | None:
        """Return who should lend from now on, None while that is as it is; `shares` are those in force."""
        links = self._links
        if len(links) < 2 or len(seen) != len(links) or len(shares) != len(links):
            return None
        for link, sample, share in zip(links, seen, shares, strict=True):
            _follow(link, sample, share, at)
        wanted = frozenset(place for place in range(len(links)) if self._lends(place, at, shares, seen))
        if wanted == self.lenders or at - self._changed_at < self._calm:
            return None
        if len(wanted) == len(links):
            return None
        return wanted

    def changed(self, lenders: frozenset[int], at: float) -> None:
        """Take note that these lend since `at`, and that the links were made anew."""
        if lenders == self.lenders:
            return
        self.put_off(at)
        self.lenders = lenders

    def explains(self, seen: Sequence[LinkSample]) -> bool:
        """Return whether refusals may come of the lending: each link may have a limit of its own.

        Only where a lender is online, so that it can take its share back.
        """
        return any(seen[place].online for place in self.lenders if place < len(seen))

    def refuted(self, at: float) -> None:
        """What was lent was refused: the next time is much later."""
        self.put_off(at)
        self.put_off(at)

    def put_off(self, at: float) -> None:
        """Leave everything as it is for a while."""
        forgotten = at - self._changed_at >= _FORGOTTEN
        self._calm = _CALM if forgotten else min(_CALMEST, 2 * self._calm)
        self._changed_at = at

    def _lends(self, place: int, at: float, shares: Sequence[int], seen: Sequence[LinkSample]) -> bool:
        link = self._links[place]
        lends = place in self.lenders
        if link.down_since is not None:
            return lends or (at - link.down_since >= _DOWN and _others_want(place, shares, seen, _WORTH_WHILE_DOWN))
        if lends and link.online_since is not None and at - link.online_since < _BACK:
            return True
        if lends or link.idle_since is None:
            return link.idle_since is not None
        idle = at - link.idle_since
        if idle >= _IDLE_BESIDE_A_QUEUE and _others_want(place, shares, seen, _WORTH_WHILE_IDLE, of_its_account=True):
            return True
        return idle >= _IDLE and _others_want(place, shares, seen, _WORTH_WHILE_IDLE)


def _others_want(
    place: int, shares: Sequence[int], seen: Sequence[LinkSample], worth: float, *, of_its_account: bool = False
) -> bool:
    return any(
        sample.online and sample.waiting >= worth * share
        for other, (sample, share) in enumerate(zip(seen, shares, strict=True))
        if other != place and (not of_its_account or sample.account == seen[place].account)
    )


def _follow(link: _Link, sample: LinkSample, share: int, at: float) -> None:
    if sample.online:
        link.down_since = None
        if link.online_since is None:
            link.online_since = at
    else:
        link.online_since = None
        if link.down_since is None:
            link.down_since = at
    if link.seen_at is None or at - link.seen_at >= 1.0:
        sent = sample.sent - link.sent if sample.sent >= link.sent else sample.sent
        busy = sample.waiting > share or (link.seen_at is not None and sent > _LITTLE * share * (at - link.seen_at))
        link.seen_at, link.sent = at, sample.sent
        if busy:
            link.idle_since = None
        elif link.idle_since is None:
            link.idle_since = at
