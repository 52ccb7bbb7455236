"""The copy that a scratch Kannel starts from reaches nobody: no provider, no live file, no database, no device."""

from __future__ import annotations

from pathlib import Path

import pytest

from kannelkit.errors import GatewayError
from kannelkit.plan.groups import Key, groups
from kannelkit.supervise.trial import Trial, scratch

CONF = """\
group = core
admin-port = 13000
admin-interface = 0.0.0.0
admin-password = secret
admin-deny-ip = *.*.*.*
smsbox-port = 13001
smsbox-interface = 10.0.0.1
wapbox-port = 13002
log-file = /live/bearerbox.log
access-log = /live/access.log
store-type = redis
store-location = /live/store
dlr-storage = mysql

group = store-db
id = store
table = store

group = redis-connection
id = store
host = redis.example
port = 6379

group = smsbox
bearerbox-host = gateway.example
bearerbox-port = 13001
sendsms-port = 13013
sendsms-interface = 10.0.0.1
log-file = /live/smsbox.log
access-log = /live/smsbox-access.log

group = smsc
smsc = smpp
smsc-id = a
smsc-admin-id = a-1
host = smpp.example
port = 2775
our-host = 10.0.0.1
our-port = 4000
smsc-username = u
smsc-password = p
system-type = ""
log-file = /live/a.log
instances = 2

group = smsc
smsc = smpp
smsc-id = receives
host = smpp.example
receive-port = 2776
smsc-username = u
smsc-password = p
system-type = ""

group = smsc
smsc = http
smsc-id = web
system-type = kannel
smsc-username = u
smsc-password = p
port = 8080
send-url = http://smpp.example/send
dlr-url = http://smpp.example/dlr

group = smsc
smsc = at
smsc-id = modem
device = /dev/ttyUSB0
modemtype = auto

group = smsc
smsc = loopback
smsc-id = loop

group = modems
id = auto
name = any

group = sms-service
keyword = default
text = hello

group = sendsms-user
username = u
password = p
"""
PORTS = (1001, 1002, 1003, 1004)


def test_nothing_that_the_gateway_needs_is_in_the_copy(tmp_path: Path) -> None:
    copy = scratch(groups(CONF), tmp_path, PORTS)
    whole = "\n".join(f"{name} = {value}" for values in copy.values() for name, value in values.items())
    for live in ("example", "/live", "/dev", "10.0.0.1", "0.0.0.0", "redis", "mysql", "2775", "2776", "8080", "13013"):
        assert live not in whole, whole
    assert {key.group for key in copy} == {"core", "smsbox", "smsc", "sms-service", "sendsms-user"}
    assert [key.name for key in copy if key.group == "smsc"] == ["a-1", "receives", "web", "loop"]
    core, smsbox = copy[Key("core", "", 0)], copy[Key("smsbox", "", 0)]
    assert (core["admin-port"], core["smsbox-port"], smsbox["sendsms-port"]) == ("1001", "1002", "1003")
    assert copy[Key("smsc", "web", 0)]["port"] == "1004"
    assert "port" not in copy[Key("smsc", "receives", 0)]
    assert copy[Key("smsc", "a-1", 0)]["instances"] == "2"


@pytest.mark.kannel
async def test_kannel_comes_up_with_the_copy_and_says_why_where_it_does_not(tmp_path: Path) -> None:
    kept: dict[str, object] = {}
    trial = Trial(tmp_path, lambda name, process: kept.update({name: process}))
    await trial.run(CONF, smsbox=True)
    assert kept == {"trial-bearerbox": None, "trial-smsbox": None}
    assert list(tmp_path.iterdir()) == []
    for faulty, says in (
        (CONF.replace("instances = 2", "allowed-prefix-regex = [[:seven:]]"), "Could not compile pattern"),
        (CONF.replace("keyword = default", "keyword-regex = [[:seven:]]"), "smsbox does not start"),
    ):
        with pytest.raises(GatewayError, match=says):
            await trial.run(faulty, smsbox=True)
    assert kept == {"trial-bearerbox": None, "trial-smsbox": None}
    assert list(tmp_path.iterdir()) == []
