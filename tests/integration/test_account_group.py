"""Two logins behind one limit of the provider's: one rate for both, shared out by what they have to send."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.integration.applied import Applied, Load, account, judge, smscs
from tests.integration.operated import until

pytestmark = pytest.mark.kannel


async def test_the_limit_is_found_for_both_and_who_has_nothing_to_send_lends_its_share(tmp_path: Path) -> None:
    # the provider counts by login: two accounts with one login are counted together
    async with smscs(1, limit=10, allow_binds=2) as (smsc,):
        together = {"account-group": "acme", "throughput": 18}
        accounts = [account(name, smsc, prefix, **together) for name, prefix in (("a", "7900"), ("b", "7901"))]
        gateway = Applied(tmp_path, accounts)
        async with gateway:
            await gateway.saying("ready: 2 of 2 links online")
            assert re.findall(r"^throughput = (\d+)", gateway.conf, re.MULTILINE) == ["9", "9"]
            async with Load(gateway.sendsms_port, ["7900"], speed=10) as load:
                await gateway.saying(r"acme: .*throughput 18 -> \d+")
                await gateway.saying(r"acme: of no use now are b-1: shares \d+ \+ 1 of throughput \d+")
                await until(lambda: len(load.accepted) > 0)
                judged = await judge(gateway, load, smsc)
            assert (judged.lost, judged.doubled) == ([], {})
            learnt = gateway.learnt()["acme"].throughput
            assert 9 <= learnt <= 11
            lent = [str(learnt - 1), "1"]
            assert re.findall(r"^throughput = (\d+)", gateway.conf, re.MULTILINE) == lent
            assert await gateway.end() == 0
            await gateway.start()
            await gateway.saying("ready: 2 of 2 links online", times=2)
            assert re.findall(r"^throughput = (\d+)", gateway.conf, re.MULTILINE) == lent
