"""One login while the simulator runs: its limit, its totals, its connections and the messages it sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

from kannelkit.simulator import limits
from kannelkit.simulator.clock import Clock
from kannelkit.simulator.counters import Counters, Timeline
from kannelkit.simulator.messages import Message, Submit
from kannelkit.simulator.receipts import Receipts
from kannelkit.simulator.rules import AccountRules, Behaviour, Bounds, LimitPer
from kannelkit.simulator.seen import Digests, Latest, Recent

if TYPE_CHECKING:
    from kannelkit.simulator.link import Link


class Account:
    """The state of one login; all moments are seconds since the simulator's start."""

    def __init__(self, rules: AccountRules, clock: Clock, behaviour: Callable[[], Behaviour], bounds: Bounds) -> None:
        self.rules = rules
        self.links: list[Link] = []  # bound, the oldest first
        self.counters = Counters()
        self.timeline = Timeline()
        self.messages: Latest[Message] = Latest(bounds.messages)
        self._bounds = bounds
        self._digests = Digests(bounds.digests)
        self._recent = Recent()
        self._clock = clock
        self._behaviour = behaviour
        self.receipts = Receipts(self, clock, behaviour, bounds.receipts)
        self._limit = self._changed(None)

    def follow(self, rules: AccountRules) -> None:
        """Follow these rules from now on; connections that are there stay, whatever the rules for binds."""
        self.rules = rules
        self._limit = self._changed(self._limit)
        for link in self.links:
            link.limit = self._changed(link.limit)

    def take(self, link: Link) -> None:
        """Take up a connection that has bound."""
        link.limit = self._changed(None)
        self.links.append(link)
        self.counters.binds += 1

    def _changed(self, limit: limits.Limit | None) -> limits.Limit | None:
        rules = self.rules
        if rules.limit is None:
            return None
        return limits.change(limit, limits.make(rules.law, rules.limit, rules.burst, self._clock.edge))

    def reset(self) -> None:
        """Set every total to nothing; messages of before count as doubled no more."""
        self.counters = Counters(unanswered=sum(link.waiting for link in self.links))
        self.timeline = Timeline()
        self._digests = Digests(self._bounds.digests)

    def arrived(self, now: float) -> None:
        """Count a submit, whatever will become of it."""
        counters = self.counters
        if counters.first_submit is None:
            counters.first_submit = now
        counters.last_submit = now
        counters.submits += 1
        counters.unanswered += 1

    def repeats(self, submit: Submit, now: float) -> bool:
        """Return whether the same message was accepted so shortly before that it is not taken again."""
        span = self._behaviour().same_within
        return bool(span) and self._recent.has(submit.identity, now, span)

    def admits(self, link: Link, now: float) -> bool:
        """Return whether a submit that arrived at `now` is within the limit; count it as refused where it is not."""
        counters = self.counters
        limit = self._limit if self.rules.limit_per is LimitPer.ACCOUNT else link.limit
        if limit is None or limit.admits(now):
            return True
        counters.refused += 1
        if counters.first_refused is None:
            counters.first_refused = now
        counters.last_refused = now
        self.timeline.refused(now)
        return False

    def accept(self, message_id: int, submit: Submit, now: float) -> Message:
        """Count and remember a submit that is within the limit."""
        counters = self.counters
        counters.accepted += 1
        if counters.first_accepted is None:
            counters.first_accepted = now
        counters.last_accepted = now
        self.timeline.accepted(now)
        if self._digests.add(submit.identity):
            counters.doubled += 1
        behaviour = self._behaviour()
        if behaviour.same_within:
            self._recent.add(submit.identity, now, behaviour.same_within)
        message = Message(message_id, submit.source, submit.destination, now, now + behaviour.receipt_delay)
        self.messages[message_id] = message
        if submit.registered_delivery & 0x01:  # on success and failure, or on success alone (SMPP 5.0, 4.7.21)
            self.receipts.schedule(message, message.delivered)
        return message

    def as_dict(self) -> dict[str, object]:
        """Return the totals and the rules in force as plain values; the password is not among them."""
        return {
            "limit": self.rules.limit,
            "law": str(self.rules.law),
            "online": len(self.links),
            "receipts_waiting": len(self.receipts),
            **asdict(self.counters),
        }
