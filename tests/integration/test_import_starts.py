"""Debian's example, imported and generated again: both boxes start with it, and its links are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from kannelkit.conf import Opened
from kannelkit.gateway.status import parse_status
from kannelkit.importing import imported
from kannelkit.render import kannel_conf
from kannelkit.spec.load import parse
from tests.harness.gateway import online, status_xml, wait_for
from tests.harness.kannel import Kannel
from tests.harness.waiting import PATIENCE

pytestmark = pytest.mark.kannel

EXAMPLE = Path("/usr/share/doc/kannel/examples/kannel.conf")

PASSWORD = "admin-password = bar\n"
# The example has every kind of link commented out; here are some, to where nothing listens.
LINKS = """
group = smsc
smsc = smpp
smsc-id = north
host = 127.0.0.1
port = 1
transceiver-mode = true
smsc-username = u
smsc-password = p
system-type = ""
throughput = 5
instances = 2

group = smsc
smsc = smpp
smsc-id = north
host = localhost
port = 1
transceiver-mode = true
smsc-username = u
smsc-password = p
system-type = ""
dead-start = true

group = smsc
smsc = smpp
smsc-id = north
host = 127.0.0.1
receive-port = 1
smsc-username = u
smsc-password = p
system-type = ""
"""
PORTS = {
    "admin-port = 13000": "admin-port = {admin_port}",
    "smsbox-port = 13001": "smsbox-port = {smsbox_port}",
    "sendsms-port = 13013": "sendsms-port = {sendsms_port}",
}
# The receiver's links have names of their own although both accounts are called north.
LINK_NAMES = [
    *("north-1", "north-2", "north-backup-1", "north-backup-2", "north-park"),
    *("north-account-2-1", "north-account-2-park"),
]


def generated() -> str:
    """Return what is generated from the imported example, with places for ports that are free."""
    text = EXAMPLE.read_text().replace(PASSWORD, f"{PASSWORD}smsbox-port = 13001\n", 1) + LINKS
    path = Path("/nowhere/gateway.yaml")
    made = imported("kannel.conf", lambda name: Opened(name, text), path)
    conf = kannel_conf(parse(made.text, path, {}, str(path))).replace("{", "{{").replace("}", "}}")
    for port, place in PORTS.items():
        assert conf.count(port) == 1
        conf = conf.replace(port, place)
    return conf


async def test_both_boxes_start(tmp_path: Path) -> None:
    async with Kannel(tmp_path, generated(), smsbox=True, admin_password="bar") as kannel:
        # smsbox's port is open a moment before bearerbox knows of it
        assert await wait_for(kannel.admin_port, PATIENCE, lambda status: online(status, links=0), password="bar")
        status = parse_status((await status_xml(kannel.admin_port, password="bar")).encode())
    assert [box.type for box in status.boxes] == ["smsbox"]
    assert {link.admin_id: link.smsc_id for link in status.links} == dict.fromkeys(LINK_NAMES, "north")
    assert [link.admin_id for link in status.links if link.state == "dead"] == ["north-backup-1", "north-backup-2"]
