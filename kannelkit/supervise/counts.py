"""bearerbox's status -> one sample for each account, and for each unit of accounts that share a rate; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from kannelkit.gateway.status import GatewayStatus, LinkStatus
from kannelkit.render.links import Account
from kannelkit.throttle.shares import LinkSample
from kannelkit.throttle.values import Sample

# the numbers in a status are read one after another: a few messages may move meanwhile
_RACE = 5
# below this many waiting parts, their mean says nothing
_ENOUGH_PARTS = 20


class Counts:
    """Turns statuses into samples whose counts never fall, although Kannel's begin at 0 with every new link."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._accounts = tuple(accounts)
        self._seen: dict[str, int] = {}
        self._totals = {account.smsc_id: 0 for account in self._accounts}

    def samples(self, status: GatewayStatus, at: float) -> dict[str, Sample]:
        """Return a sample, taken at `at` (monotonic seconds), for each account by its smsc-id."""
        links: dict[str, list[LinkStatus]] = {}
        for link in status.links:
            links.setdefault(link.admin_id, []).append(link)
        parts = mean_parts(status)
        in_flight = status.in_flight
        if in_flight is not None and (parts > 1.0 or in_flight < -_RACE):
            in_flight = None  # long messages wait: Kannel counts them once in the store and in parts in the queues
        if in_flight is not None and in_flight > 0 and len(self._accounts) > 1:
            in_flight = None  # nobody can say whose they are
        samples = {}
        for account in self._accounts:
            bound = [link for name in counted_ids(account) for link in links.get(name, ())]
            for link in bound:
                before = self._seen.get(link.admin_id, 0)
                # fewer than before: the link is a new one
                self._totals[account.smsc_id] += link.sms_sent - (before if link.sms_sent >= before else 0)
                self._seen[link.admin_id] = link.sms_sent
            sending = [link for name in account.sending_ids for link in links.get(name, ())]
            samples[account.smsc_id] = Sample(
                at=at,
                accepted=self._totals[account.smsc_id],
                waiting=max(0, status.sms_queued_out) + sum(link.queued for link in bound),
                in_flight=in_flight,
                online=len(sending) >= account.connections and all(link.online for link in sending),
                parts=parts,
            )
        return samples

    def follow(self, accounts: Iterable[Account]) -> None:
        """Count for these accounts from now on; the counts of those that stay go on."""
        self._accounts = tuple(accounts)
        self._totals = {account.smsc_id: self._totals.get(account.smsc_id, 0) for account in self._accounts}

    def forget(self) -> None:
        """bearerbox is a new process: every link's count begins at 0."""
        self._seen.clear()


def mean_parts(status: GatewayStatus) -> float:
    """Return how many parts a message that waits in a link's queue has on average; 1.0 where that cannot be told."""
    parts = sum(link.queued for link in status.links)
    if status.store_size is None or parts < _ENOUGH_PARTS:
        return 1.0
    boxes = sum(box.queue or 0 for box in status.boxes)
    messages = status.store_size - status.sms_queued_out - status.sms_queued_in - boxes
    mean = parts / max(1, messages)
    return mean if mean > 1.05 else 1.0


def link_samples(accounts: Iterable[Account], status: GatewayStatus) -> list[LinkSample]:
    """Return a sample for each sending link of these accounts, in order; one that bearerbox does not have is down."""
    links = {link.admin_id: link for link in status.links}
    found = [(account.smsc_id, links.get(name)) for account in accounts for name in account.sending_ids]
    return [
        LinkSample(online=False, waiting=0, sent=0, account=account)
        if link is None
        else LinkSample(link.online, link.queued, link.sms_sent, account)
        for account, link in found
    ]


def joined(
    unit: Collection[Account], samples: Mapping[str, Sample], links: Collection[LinkSample], waiting_for_all: int
) -> Sample:
    """Return the sample of a unit: what its accounts' samples say together.

    `waiting_for_all` messages, in the global queue, are in each account's sample. The unit is online while every link
    is that does not lend its share to the others; `links` are those that do not.
    """
    every = [samples[account.smsc_id] for account in unit]
    return replace(
        every[0],
        accepted=sum(sample.accepted for sample in every),
        waiting=sum(sample.waiting for sample in every) - (len(every) - 1) * max(0, waiting_for_all),
        online=bool(links) and all(link.online for link in links),
    )


def counted_ids(account: Account) -> tuple[str, ...]:
    """Return the admin ids of the links that may carry the account's messages: all but the parking link."""
    return tuple(link.admin_id for link in account.links if link.role != "park")
