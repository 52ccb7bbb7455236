"""`kannelkit watch` with an account that the relay paces: the relay is kannelkit's, Kannel is somebody else's."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from kannelkit.host import processes
from tests.harness.load import load
from tests.integration.attached import Watched
from tests.integration.operated import LOGIN, arrived, drained, simulator, until

pytestmark = pytest.mark.kannel


def has_relay(gateway: Watched, wanted: bool) -> bool:
    return ("relay" in gateway.boxes()) is wanted


async def test_a_relay_beside_somebody_elses_kannel(tmp_path: Path) -> None:
    async with simulator(limit=40) as smsc:
        counters = smsc.account(LOGIN).counters
        gateway = Watched(tmp_path, smsc, wrapped=False, throughput=80, account={"pacing": "relay"}, sms_resend_freq=2)
        async with gateway:
            await gateway.start()
            await gateway.saying("relay started")
            await gateway.kannel()
            await gateway.saying(r"bearerbox runs \(pid \d+\): attached, 1 of 1 links online")
            boxes = {name: gateway.box(name) for name in ("bearerbox", "smsbox")}
            assert (await load(gateway.sendsms_port, 120, speed=400)).failed == {}
            await drained(gateway)
            assert arrived(smsc) == (120, 0)
            assert counters.refused < 12

            # it is started again, and outlives kannelkit as Kannel does
            processes.kill(gateway.boxes()["relay"])
            await gateway.saying("relay started", times=2)
            relay = gateway.boxes()["relay"]
            assert await gateway.end() == 0
            assert "Kannel runs on with the rates in its file, and the relay with those it learnt" in gateway.said()
            assert processes.alive(relay)
            assert (await load(gateway.sendsms_port, 40, speed=400, series=1)).failed == {}
            await gateway.start()
            await gateway.saying(rf"relay runs already \(pid {relay.pid}\): adopted")
            await gateway.saying("bearerbox runs", times=2)
            await drained(gateway)
            assert counters.accepted - counters.doubled == 160
            doubled = counters.doubled

            # what it is told reaches it without a restart of anything
            gateway.account["throughput"] = 7.5
            gateway.write()
            assert await gateway.run("apply", gateway.path, "--yes") == 0
            assert gateway.boxes() == {**boxes, "relay": relay}
            assert await gateway.run("rate", gateway.path, LOGIN) == 0
            assert "ceiling 7.5, paced by the relay" in gateway.said()

            # it comes and goes like that, too
            for pacing in ("log", "relay"):
                gateway.account.update(pacing=pacing, throughput=40)
                gateway.write()
                assert await gateway.run("apply", gateway.path, "--yes") == 0
                assert has_relay(gateway, pacing == "relay")
            assert not processes.alive(relay)
            relay = gateway.boxes()["relay"]
            assert gateway.boxes() == {**boxes, "relay": relay}

            # a Kannel that is started with another spec has the relay that this one asks for: none, and one again
            for pacing in ("log", "relay"):
                gateway.account.update(pacing=pacing, throughput=40)
                gateway.write()
                await gateway.generate()
                await gateway.ended()
                await gateway.saying("bearerbox .* ended")
                await gateway.kannel()
                await gateway.saying("Kannel was started with what .* stands for now: it is in force")
                await until(partial(has_relay, gateway, pacing == "relay"))
            assert not processes.alive(relay)
            assert (await load(gateway.sendsms_port, 40, speed=400, series=2)).failed == {}
            await drained(gateway)
            assert counters.accepted - counters.doubled == 200
            assert counters.doubled == doubled
            assert "Traceback" not in gateway.said()
