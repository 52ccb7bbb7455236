"""A gateway with two hosts of one provider, each node's SMSC, and what both of them saw of its messages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from kannelkit.supervise.memory import Event, Memory
from tests.harness.load import Sent
from tests.harness.node_smsc import NodeSmsc
from tests.harness.ports import free_ports
from tests.harness.supervised import Supervised
from tests.integration.operated import Up

AFTER, BACK_AFTER = 2, 3
THROUGHPUT = 100


class Gateway(Up):
    """`kannelkit up` whose account has a second host."""

    def __init__(self, folder: Path, primary: NodeSmsc, backup: NodeSmsc, **account: Any) -> None:
        self.core = {}
        failover = {"after": AFTER, "back-after": BACK_AFTER}
        own = {"backup-host": "127.0.0.1", "backup-port": backup.port, **account}
        Supervised.__init__(
            self, folder, primary.port, THROUGHPUT, account=own, spec={"supervisor": {"failover": failover}}
        )

    def moves(self) -> list[Event]:
        """Return the moves that were told, oldest first."""
        memory = Memory(self.state / "state.db", read_only=True)
        try:
            return [event for _, event in memory.history(kinds=["failover"])]
        finally:
            memory.close()

    def standing_by(self) -> list[str]:
        """Return the links that the file keeps down."""
        conf = (self.state / "kannel.conf").read_text()
        return [
            re.findall(r"^smsc-admin-id = (\S+)", group, re.MULTILINE)[0]
            for group in conf.split("\n\n")
            if re.search(r"^dead-start = true", group, re.MULTILINE)
        ]


@asynccontextmanager
async def hosts(**behaviour: Any) -> AsyncIterator[tuple[NodeSmsc, NodeSmsc]]:
    one, other = free_ports(2)  # which stay theirs while nobody listens there
    primary, backup = (NodeSmsc(delay_ms=20, port=port, **behaviour) for port in (one, other))
    async with primary, backup:
        yield primary, backup


async def arrivals(*smscs: NodeSmsc) -> Counter[str]:
    """Return how often each message was accepted, over all the hosts."""
    found: Counter[str] = Counter()
    for smsc in smscs:
        found.update({key: accepted for key, (accepted, _) in (await smsc.messages()).items()})
    return found


def judged(arrived: Counter[str], *sent: Sent) -> tuple[int, int]:
    """Return how many messages are lost, and how many arrived twice; a third time counts again."""
    wanted = [key for one in sent for key in one.accepted]
    lost = [key for key in wanted if not arrived[key]]
    return len(lost), sum(times - 1 for times in arrived.values() if times)
