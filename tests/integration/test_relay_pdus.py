"""What a real bearerbox makes of the relay: binds as the provider answers them, urgent messages, what is delivered."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from kannelkit.relay.octets import HEADER
from kannelkit.smpp.constants import RESPONSE, CommandId, CommandStatus, Tag
from kannelkit.smpp.pdu import Pdu, Tlv, decode, encode
from tests.harness.kannel import APPLICATION, CORE, SMSBOX, Kannel, link
from tests.integration.operated import until
from tests.relay.running import NAME, account, running
from tests.relay.scripted import Scripted

pytestmark = pytest.mark.kannel

REFUSALS = {
    CommandStatus.ESME_RINVPASWD: r"code 0x0000000e \(Invalid Password\)",
    CommandStatus.ESME_RINVSYSID: r"code 0x0000000f \(Invalid System ID\)",
    CommandStatus.ESME_RBINDFAIL: r"code 0x0000000d \(Bind Failed\)",
}


async def test_a_refused_bind_stands_in_bearerbox_s_own_log_as_the_provider_said_it(tmp_path: Path) -> None:
    names = [status.name.lower().removeprefix("esme_") for status in REFUSALS]
    providers = [Scripted(status=status) for status in REFUSALS]
    async with providers[0], providers[1], providers[2]:
        accounts = [
            replace(
                account(provider.port),
                name=name,
                unit=name,
                listen_system_id=name.encode(),
                listen_password=b"password",
            )
            for name, provider in zip(names, providers, strict=True)
        ]
        async with running(tmp_path / "relay", *accounts) as relay:
            conf = (
                CORE
                + SMSBOX
                + "".join(link(name, name, "system-type = ISO", port=str(relay.ports[name])) for name in names)
            )
            async with Kannel(tmp_path, conf, smsbox=False):
                log = tmp_path / "bearerbox.log"
                said = [
                    rf"SMPP\[{name}\]: SMSC rejected login to transmit, {words}"
                    for name, words in zip(names, REFUSALS.values(), strict=True)
                ]
                await until(lambda: all(re.search(each, log.read_text()) for each in said), log.read_text)


async def test_bearerbox_sees_the_provider_and_the_provider_bearerbox(tmp_path: Path) -> None:
    greeting = {"system_id": b"SMSC of theirs"}
    async with (
        Scripted(fields={**greeting}, tlvs=[Tlv(Tag.SC_INTERFACE_VERSION, b"\x50")]) as provider,
        running(tmp_path / "relay", account(provider.port, listen_password=b"password")) as relay,
    ):
        directives = ("interface-version = 33", "system-type = ISO", "address-range = ^7999", "log-level = 0")
        conf = CORE + SMSBOX + APPLICATION + link("acc", NAME, *directives, port=str(relay.ports[NAME]))
        async with Kannel(tmp_path, conf, smsbox=True, log_level=0) as kannel:
            log = tmp_path / "bearerbox.log"
            await until(lambda: "SMSC of theirs" in log.read_text(), log.read_text)
            await until(lambda: "sc_interface_version: 80 = 0x00000050" in log.read_text(), log.read_text)
            bind = decode(provider.binds[0])
            assert (bind.number("interface_version"), bind.octets("system_type")) == (0x33, b"ISO")
            assert bind.octets("address_range") == b"^7999"

            # urgent ones pass those that wait in the relay already
            held = relay.accounts[NAME].state
            relay.accounts[NAME].pacer.pause(True)
            for each in range(5):
                await kannel.sendsms(f"bulk {each}", f"7999000000{each}")
            await until(lambda: held()["held"] == 5, held)
            await kannel.sendsms("code", "79990000009", priority="3")
            await until(lambda: held()["held"] == 6, held)
            relay.accounts[NAME].pacer.pause(False)
            came = [decode(frame) for frame in await provider.come(6)]
            assert [pdu.number("priority_flag") for pdu in came] == [3, 0, 0, 0, 0, 0]
            assert {pdu.octets("short_message") for pdu in came[1:]} == {b"bulk %d" % each for each in range(5)}

            # what the provider sends, and what bearerbox answers to it
            fields = {"source_addr": b"79991234567", "destination_addr": b"shop"}
            alert = {"source_addr": b"79991234567", "esme_addr": b"shop"}
            provider.send(encode(Pdu(CommandId.ALERT_NOTIFICATION, 0, 901, {**alert})))
            provider.send(encode(Pdu(CommandId.DATA_SM, 0, 902, {**fields}, [Tlv(Tag.MESSAGE_PAYLOAD, b"STOP")])))
            provider.send(encode(Pdu(CommandId.DELIVER_SM, 0, 903, {**fields, "short_message": b"STOP"})))
            answers = {HEADER.unpack_from(frame)[3]: decode(frame) for frame in (await provider.come(8))[6:]}
            assert {number: (pdu.command_id, pdu.command_status) for number, pdu in answers.items()} == {
                902: (CommandId.DATA_SM | RESPONSE, 0),
                903: (CommandId.DELIVER_SM | RESPONSE, 0),
            }
            await until(lambda: re.search(r"alert_notification.*ignored", log.read_text()), log.read_text)
