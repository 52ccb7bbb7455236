"""A generated file that says anything else than the original is seen, whatever differs."""

from __future__ import annotations

from pathlib import Path

import pytest

from kannelkit.conf import Opened, in_force, read
from kannelkit.importing import imported
from kannelkit.importing.accounts import entries
from kannelkit.importing.compare import Differences, differences
from kannelkit.render import kannel_conf
from kannelkit.spec.load import parse

TEXT = """group = core
admin-port = 13000
admin-password = opensesame

group = sms-service
keyword = a
text = A

group = sms-service
keyword = b
text = B

group = smsc
smsc = smpp
smsc-id = s
host = h
port = 2775
smsc-username = u
smsc-password = pw
system-type = ISO
allowed-prefix = 7
throughput = 30
instances = 2

group = smsc
smsc = smpp
smsc-id = s
host = i
port = 2775
smsc-username = u
smsc-password = pw
system-type = ISO
allowed-prefix = 7
throughput = 30
dead-start = true

group = smsc
smsc = fake
smsc-id = f
port = 10000
"""


def generated() -> str:
    path = Path("/nowhere/gateway.yaml")
    made = imported("kannel.conf", lambda name: Opened(name, TEXT), path)
    return kannel_conf(parse(made.text, path, {}, str(path)))


def compared(text: str) -> Differences:
    before, _ = read(TEXT)
    after, _ = read(text)
    made = entries([group for group in before if group.name == "smsc"])
    return differences(before, made, in_force(after))


def test_what_is_generated_is_the_same() -> None:
    assert compared(generated()).unexpected == []


# What is changed in the generated text, the first of it only -> what is told.
CHANGES = [
    ("admin-port = 13000", "admin-port = 13001", "group core: admin-port = 13000 became admin-port = 13001"),
    ("admin-password = opensesame", "", "group core: admin-password = *** became no admin-password"),
    ("text = A", "text = A\nmax-messages = 0", "group sms-service, number 1: no max-messages became max-messages = 0"),
    ("group = sms-service\n", "group = sendsms-user\n", "no groups sendsms-user became 1"),
    ("group = core\n", "group = core\n\ngroup = smsbox\n", "no groups smsbox became 1"),
    ("host = h", "host = g", "smsc s: the host of a link is not what it was"),
    ("port = 2775", "port = 2776", "smsc s: the port of a link is not what it was"),
    ("system-type = ISO", "system-type = ISO,MCON2", "smsc s: system-type = ISO became system-type = ISO,MCON2"),
    ("smsc-password = pw", "smsc-password = other", "smsc s: smsc-password = *** became smsc-password = ***"),
    ("throughput = 30", "throughput = 15", "smsc s: throughput 60 -> one link of 15, one link of 30"),
    ("dead-start = true", "", "smsc s: a link that is not as it should be at the start"),
    ("smsc-admin-id = s-1", "dead-start = on", "smsc s: a link that is not as it should be at the start"),
    ("smsc = fake", "smsc = http", "group smsc: smsc = fake became smsc = http"),
]


@pytest.mark.parametrize(("old", "new", "told"), CHANGES)
def test_a_change_is_seen(old: str, new: str, told: str) -> None:
    text = generated()
    assert old in text
    assert told in compared(text.replace(old, new, 1)).unexpected


def test_a_group_that_is_gone_is_seen() -> None:
    groups = generated().split("\n\n")
    for number, group in enumerate(groups):
        if "group = " in group:
            assert compared("\n\n".join(groups[:number] + groups[number + 1 :])).unexpected, group


def test_groups_in_another_order_are_seen() -> None:
    text = generated().replace("keyword = a", "keyword = x").replace("text = A", "text = Y")
    text = text.replace("keyword = b", "keyword = a").replace("text = B", "text = A")
    text = text.replace("keyword = x", "keyword = b").replace("text = Y", "text = B")
    assert len(compared(text).unexpected) == 4
