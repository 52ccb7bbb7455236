"""Which dead links to start again, and when; each try later than the one before, until a link holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from kannelkit.gateway.status import GatewayStatus, LinkStatus
from kannelkit.render.links import Account

# seconds a link has been dead before it is started, doubled with every try up to the longest
_AFTER = 5.0
_LONGEST = 300.0
# a link that has been online for so many seconds holds; one that only seems bound is found out by its first message
_HOLDS = 60.0

# A gateway's links by their admin ids.
Links = Mapping[str, Sequence[LinkStatus]]


def named(status: GatewayStatus) -> Links:
    """Return the links of a status by their admin ids; a gateway may have thousands."""
    found: dict[str, list[LinkStatus]] = {}
    for link in status.links:
        found.setdefault(link.admin_id, []).append(link)
    return found


class Revival:
    """Follows the links that should be bound; those that only stand by are nobody's to start."""

    def __init__(self) -> None:
        self._dead_since: dict[str, float] = {}
        self._tries: dict[str, int] = {}

    def due(
        self, accounts: Iterable[Account], links: Links, now: float, busy: Callable[[str], bool]
    ) -> list[tuple[str, str]]:
        """Return account and admin id of the links to start at `now` (seconds); accounts that are `busy` are left."""
        due = []
        sending: set[str] = set()
        for account in accounts:
            sending.update(account.sending_ids)
            for name in () if busy(account.smsc_id) else account.sending_ids:
                own = links.get(name, ())
                if any(link.state != "dead" for link in own):
                    self._dead_since.pop(name, None)
                    if any(link.online and (link.seconds or 0) >= _HOLDS for link in own):
                        self._tries.pop(name, None)
                elif now - self._dead_since.setdefault(name, now) >= self.wait(name):
                    del self._dead_since[name]
                    self._tries[name] = self._tries.get(name, 0) + 1
                    due.append((account.smsc_id, name))
        for name in self._dead_since.keys() - sending:
            del self._dead_since[name]
        for name in self._tries.keys() - sending:
            del self._tries[name]
        return due

    def wait(self, name: str) -> float:
        """Return how many seconds a dead link waits for its next try."""
        return min(_LONGEST, _AFTER * 2.0 ** min(self._tries.get(name, 0), 32))
