"""Something that answers at a control socket as the kannelkit that supervises does, from a table."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kannelkit.errors import KannelkitError
from kannelkit.supervise.asking import plain_overview
from kannelkit.supervise.control import Control, Tell
from kannelkit.supervise.course import Curve, Flow
from kannelkit.supervise.memory import Event
from kannelkit.supervise.views import BoxView, LinkView, OtherRefusals, Overview
from tests.harness.views import account_view

SPEC = """
state-dir: state
core: {admin-password: {env: A_VARIABLE_THAT_ONLY_THE_SUPERVISOR_HAS}}
smsc:
  - {smsc-id: smscru, host: smsc.test, smsc-username: u, smsc-password: p4ssw0rd, throughput: 60,
     backup-host: smsc2.test, connections: 2, allowed-smsc-id: smscru}
  - {smsc-id: bulk, host: bulk.test, smsc-username: v, smsc-password: p4ssw0rd, throughput: 20, allowed-smsc-id: bulk}
"""


class Answering:
    """Answers each request with what `answers` has for its `do`; `asked` is what was asked for."""

    def __init__(self, spec: Path, answers: Mapping[str, Mapping[str, object] | KannelkitError]) -> None:
        self.asked: list[Mapping[str, Any]] = []
        self._answers = answers
        self._folder = spec.parent / "state"
        self._spec = spec
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    def __enter__(self) -> Answering:
        self._folder.mkdir(exist_ok=True)
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()
        self._loop.close()

    async def _serve(self) -> None:
        async with Control(self._folder, self._answer):
            self._ready.set()
            await self._end.wait()

    async def _answer(self, request: Mapping[str, Any], tell: Tell) -> Mapping[str, object]:
        assert request["spec"] == os.path.realpath(self._spec)
        self.asked.append(request)
        answer = self._answers[request["do"]]
        if isinstance(answer, KannelkitError):
            raise answer
        tell({"event": "step", "text": "a step"})
        return {"event": "done", **answer}


def written(folder: Path) -> Path:
    """Write the spec and return its path."""
    path = folder / "spec.yaml"
    path.write_text(SPEC)
    return path


AT = 1_795_345_445.0  # a whole minute lies between the seconds in what is shown and this
SMSCRU = account_view(
    "smscru",
    host="smsc.test:2775",
    rate_since=AT - 125,
    accepted_per_second=29.8,
    accepted=Flow(30, 29.8, 29.5),
    refused=Flow(0, 0.0, 0.2),
    other_refusals=(OtherRefusals(0x14, "ESME_RMSGQFUL", 3),),
    queued=12_345,
    minutes_left=6.97,
    curve=Curve((*[0] * 30, *[30] * 120), (*[0] * 30, 30, *[0] * 107, 12, *[0] * 11)),
    links=(
        LinkView("smscru-1", "primary", "smsc.test", 2775, "online", 3725, 6173, 15),
        LinkView("smscru-2", "primary", "smsc.test", 2775, "online", 125, 6172, 15),
        LinkView("smscru-backup-1", "backup", "smsc2.test", 2775, "standby", None, 0, 15),
    ),
)
BULK = account_view(
    "bulk",
    state="offline",
    host="bulk.test:2775",
    links_online=0,
    links_wanted=1,
    throughput=15,
    ceiling=20,
    floor=1,
    paused=True,
    by_hand=True,
    rate_since=AT - 60,
    accepted_per_second=0.0,
    accepted=Flow(0, 0.0, 0.0),
    refused=Flow(0, 0.0, 0.0),
    curve=Curve((0,) * 150, (0,) * 150),
    links=(LinkView("bulk-1", "primary", "bulk.test", 2775, "re-connecting", None, 0, 15),),
)
SEEN = Overview(
    at=AT,
    state="running",
    version="1.4.5",
    supervisor=11,
    boxes=(BoxView("bearerbox", "running", 12, AT - 3725), BoxView("smsbox", "running", 13, AT - 3724)),
    accounts=(SMSCRU, BULK),
    waiting=12_350,
    in_flight=2,
    stored=12_352,
    events=(
        Event(AT - 300_000, "started", None, "bearerbox started (pid 12)", {}),
        Event(AT - 125, "rate", "smscru", "smscru: 30 of 60 refused in 1 s: throughput 60 -> 30\x1b[2J", {"after": 30}),
        Event(AT - 60, "rate", "bulk", "bulk: by hand: throughput 20 -> 15", {"direction": "by-hand"}),
    ),
    problems=("bulk: 0 of 1 links online: bulk-1 re-connecting: bulk.test:2775 does not take the connection",),
)
STATE: Mapping[str, object] = {"state": plain_overview(SEEN)}
