"""One login while the simulator runs: its limit, its totals, its connections and the messages it sent."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import asdict, replace
from itertools import islice
from typing import TYPE_CHECKING

from kannelkit.providers.channels import Channel, ChannelError, ChannelText, build, parse
from kannelkit.providers.statuses import Hlr, Kind
from kannelkit.simulator import content, limits
from kannelkit.simulator.content import Part
from kannelkit.simulator.counters import Counters, Timeline
from kannelkit.simulator.deliversm import Incoming, incoming_parts
from kannelkit.simulator.messages import KINDS, Message, Submit
from kannelkit.simulator.outcomes import DELIVERED, PARTS_MISSING, REFUSED, Outcome, subscriber
from kannelkit.simulator.parts import Parts, key_of
from kannelkit.simulator.receipts import Receipts
from kannelkit.simulator.rules import AccountRules, Behaviour, LimitPer
from kannelkit.simulator.seen import Digests, Latest, Recent
from kannelkit.simulator.sending import Sending

if TYPE_CHECKING:
    from kannelkit.simulator.link import Link
    from kannelkit.simulator.server import Simulator

LONG = 255  # octets; longer than what one short_message holds


class Account:
    """The state of one login; all moments are seconds since the simulator's start."""

    def __init__(self, rules: AccountRules, simulator: Simulator) -> None:
        bounds = simulator.bounds
        self.rules = rules
        self.links: list[Link] = []  # bound, the oldest first
        self.counters = Counters()
        self.timeline = Timeline()
        self.messages: Latest[Message] = Latest(bounds.messages)
        self._simulator = simulator
        self._bounds = bounds
        self._digests = Digests(bounds.digests)
        self._recent = Recent(bounds.digests)
        self._clock = simulator.clock
        self._parts = Parts(bounds.unfinished, bounds.unfinished_octets)
        self._long: deque[Message] = deque()
        self._long_octets = 0
        self._parts_timer: asyncio.TimerHandle | None = None
        self._sending = Sending(self._clock, rules.delivery_rate, self._send)
        self.receipts = Receipts(self, self._clock, bounds)
        self._limit = self._changed(None)

    @property
    def behaviour(self) -> Behaviour:
        """How the whole simulator answers now."""
        return self._simulator.behaviour

    def follow(self, rules: AccountRules) -> None:
        """Follow these rules from now on; connections that are there stay, whatever the rules for binds."""
        rate_changes = rules.delivery_rate != self.rules.delivery_rate
        self.rules = rules
        self._limit = self._changed(self._limit)
        for link in self.links:
            link.limit = self._changed(link.limit)
        if rate_changes:
            self._sending.change(rules.delivery_rate)

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

    def behaviour_changed(self) -> None:
        """Apply what was changed to what waits."""
        if self._parts_timer is not None:
            self._parts_timer.cancel()
            self._parts_timer = None
        self._watch_parts()
        self.receipts.send()

    def close(self) -> None:
        """Stop: nothing ends and nothing leaves any more."""
        self.receipts.close()
        self._sending.close()
        if self._parts_timer is not None:
            self._parts_timer.cancel()

    # what becomes of a submit

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
        span = self._same_within
        return bool(span) and self._recent.has(submit.request, now, span)

    @property
    def _same_within(self) -> float:
        span = self.rules.same_within
        return self.behaviour.same_within if span is None else span

    def refuses(self, submit: Submit) -> bool:
        """Return whether a whole text asks a channel for what the provider refuses there: letters for Telegram."""
        carried = submit.content
        if carried.part is not None or not content.may_be_a_channels(carried.octets):
            return False
        # a code is short, and whatever is longer than this is none
        return _misuses(_channel_of(carried.octets[:100], carried.alphabet))

    def full(self) -> bool:
        """Return whether so many messages wait to be sent that no more is taken."""
        return len(self._sending) >= self._bounds.messages

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

    def accept(self, submit: Submit, single: bool, now: float) -> int:
        """Count and remember a submit that is within the limit; return the id of its message.

        All parts of a long message have one id, except where each is a message of its own (`single`).
        """
        counters = self.counters
        counters.accepted += 1
        if counters.first_accepted is None:
            counters.first_accepted = now
        counters.last_accepted = now
        self.timeline.accepted(now)
        if self._digests.add(submit.identity):
            counters.doubled += 1
        span = self._same_within
        if span:
            self._recent.add(submit.request, now, span)
        carried = submit.content
        if carried.part is not None and not single:
            return self._accept_part(submit, carried.part, now)
        message = self._remember(submit, now)
        message.octets = carried.octets
        if carried.long_by == "payload" or len(carried.octets) > 140:
            message.parts = content.sms_in(carried.octets, carried.alphabet)
        self._whole(message, now)
        return message.id

    def _remember(self, submit: Submit, now: float) -> Message:
        carried = submit.content
        message = Message(
            self._simulator.next_message_id(),
            submit.source,
            submit.destination,
            now,
            b"",
            submit.data_coding,
            carried.alphabet,
            carried.kind,
            1,
            carried.long_by,
            submit.registered,
            submit.priority,
        )
        self.messages[message.id] = message
        return message

    def _accept_part(self, submit: Submit, part: Part, now: float) -> int:
        key = key_of(submit.source, submit.destination, part)
        message = self._parts.find(key)
        if message is None:
            message = self._remember(submit, now)
            self._parts.begin(key, message, now)
        elif submit.registered & 0x03:  # Kannel asks with the first part alone, others ask with each
            message.registered = submit.registered
        if self._parts.add(key, part, submit.content.octets):
            if message.data_coding == content.ISO_OR_BINARY and message.kind is not Kind.WAP_PUSH:
                message.alphabet, message.kind = content.iso_or_binary(message.octets)
            if content.has_comment(message.octets, message.alphabet):
                message.parts = content.sms_in(message.octets, message.alphabet)
            self._whole(message, now)
        self._give_up(self._parts.too_many(), now)
        self._watch_parts()
        return message.id

    def _watch_parts(self) -> None:
        oldest = self._parts.oldest
        if oldest is not None and self._parts_timer is None:
            self._parts_timer = self._clock.call_at(oldest + self.behaviour.parts_within, self._parts_missing)

    def _parts_missing(self) -> None:
        self._parts_timer = None
        now = self._clock.now()
        self._give_up(self._parts.overdue(now + 0.0005, self.behaviour.parts_within), now)
        self._watch_parts()

    def _give_up(self, unfinished: list[Message], now: float) -> None:
        for message in unfinished:
            self._keep_long(message)
            self._end(message, PARTS_MISSING, now)

    def _whole(self, message: Message, now: float) -> None:
        """Send a message on, all of which is there."""
        self._keep_long(message)
        if content.may_be_a_channels(message.octets):
            channel = _channel_of(message.octets, message.alphabet)
            if channel.channel is not Channel.SMS:
                message.channel_text = channel
                message.kind = KINDS.get(channel.channel, message.kind)
                message.parts = 1
        self._sending.add(message, now)

    def _keep_long(self, message: Message) -> None:
        """Remember the text if it is long, and forget the oldest ones where they take too much."""
        if len(message.octets) <= LONG:
            return
        self._long.append(message)
        self._long_octets += len(message.octets)
        while self._long_octets > self._bounds.long_octets and len(self._long) > 1:
            oldest = self._long.popleft()
            self._long_octets -= len(oldest.octets)
            oldest.octets = b""

    def _send(self, message: Message, now: float) -> None:
        channel = message.channel_text
        if channel is not None and _misuses(channel):
            self._end(message, REFUSED, now)
            return
        outcome = DELIVERED
        way = Channel.SMS if channel is None else channel.channel
        if self._simulator.outcomes:
            outcome = self._simulator.outcome(self.rules.login, message.source, message.destination, way)
        if way is not Channel.HLR:
            if outcome.hlr is not None:  # what a rule says of a subscriber is for those who ask
                outcome = replace(outcome, hlr=None)
        elif outcome.hlr is None:
            outcome = replace(outcome, hlr=subscriber(message.destination) if outcome.delivered else Hlr())
        self._end(message, outcome, now)

    def _end(self, message: Message, outcome: Outcome, now: float) -> None:
        """Have a message end so; what the client is told of it leaves then."""
        after = outcome.after
        message.outcome = outcome
        message.ended = now + (self.behaviour.receipt_delay if after is None else after)
        # on success and failure, on failure alone, on success alone (SMPP 5.0, 4.7.21); 0: the account's HTTP handler
        registered = message.registered & 0x03
        if registered == 0:
            wanted = self._simulator.statuses is not None
        else:
            wanted = registered == 1 or (registered == 3) is outcome.delivered
        if wanted:
            self.receipts.schedule(message, message.ended)

    def tell(self, message: Message) -> None:
        """Tell who asked for it that a message ended whose submit had no registered_delivery."""
        if self._simulator.statuses is not None:
            self._simulator.statuses(self, message)

    # what can be read and done meanwhile

    def recent(self, limit: int, after_id: int = 0) -> list[Message]:
        """Return the last messages, at most `limit` and only those with an id above `after_id`, the newest first."""
        return list(islice(self.messages.newest_first(after_id), limit))

    def incoming(self, source: str, destination: str, text: str) -> int:
        """Take a message from a subscriber and return its id; it goes to a receiver or transceiver when one is there.

        Where the account's incoming messages do not go by SMPP, `Simulator.incomings` gets it instead. Raises
        ValueError for an address or a text that no SMS has.
        """
        now = self._clock.now()
        message = Incoming(self._simulator.next_message_id(), source, destination, text, now)
        parts = incoming_parts(message)
        self.counters.incoming += 1
        if self.rules.incoming:
            for part in parts:
                self.receipts.schedule(part, now)
        elif self._simulator.incomings is not None:
            self._simulator.incomings(self, message)
        return message.id

    def as_dict(self) -> dict[str, object]:
        """Return the totals and the rules in force as plain values; the password is not among them."""
        return {
            "limit": self.rules.limit,
            "law": str(self.rules.law),
            "online": len(self.links),
            "receipts_waiting": len(self.receipts),
            **asdict(self.counters),
        }


def _channel_of(octets: bytes, alphabet: content.Alphabet) -> ChannelText:
    return parse(content.text(octets, alphabet) or "")


def _misuses(channel: ChannelText) -> bool:
    """Return whether a text gives Telegram something else than a code, which is all the provider takes for it."""
    if channel.channel is not Channel.TGM:
        return False
    try:
        build(channel)
    except ChannelError:
        return True
    return False
