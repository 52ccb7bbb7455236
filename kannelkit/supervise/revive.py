"""Which dead links to start again, and when: a bind that was refused once leaves Kannel's link dead for ever."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from kannelkit.gateway.status import GatewayStatus
from kannelkit.render.links import Account

# seconds a link has been dead before it is started, doubled with every try up to the longest
_AFTER = 5.0
_LONGEST = 300.0


class Revival:
    """Follows links that are dead although they should be bound; starts grow rarer until one is online."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._accounts = tuple(accounts)
        self._dead_since: dict[str, float] = {}
        self._tries: dict[str, int] = {}

    def due(self, status: GatewayStatus, now: float, leave: Collection[str]) -> list[tuple[str, str]]:
        """Return account and admin id of the links to start at `now` (seconds); accounts in `leave` are left alone."""
        due = []
        for account in self._accounts:
            if account.smsc_id in leave:
                continue
            for name in account.sending_ids:
                links = status.links_of(name)
                if any(link.state != "dead" for link in links):
                    self._dead_since.pop(name, None)
                    if any(link.online for link in links):
                        self._tries.pop(name, None)
                    continue
                tries = self._tries.get(name, 0)
                if now - self._dead_since.setdefault(name, now) >= min(_LONGEST, _AFTER * 2.0**tries):
                    del self._dead_since[name]
                    self._tries[name] = tries + 1
                    due.append((account.smsc_id, name))
        return due
