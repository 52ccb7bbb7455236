"""What the provider's page says of its server: a test for each sentence, listed in docs/smsc-ru.md."""

from __future__ import annotations

import pytest

from kannelkit.providers.channels import Channel, ChannelText, build
from kannelkit.providers.statuses import Hlr, Kind
from kannelkit.simulator import AccountRules, Behaviour, Simulator
from kannelkit.simulator.account import Account
from kannelkit.simulator.deliversm import Incoming
from kannelkit.simulator.messages import Message
from kannelkit.smpp import gsm0338
from kannelkit.smpp.constants import CommandId, CommandStatus, MessageState, Tag
from kannelkit.smpp.pdu import Tlv
from tests.simulator.esme import Esme, Fields, message
from tests.simulator.submitted import (
    ACCOUNT,
    ADDRESSES,
    AT_ONCE,
    CHANNELS,
    CODES,
    EXAMPLE,
    HLR_TEXT,
    INCOMING,
    LONG,
    TEXTS,
    WAYS,
    by_udh,
    plain,
    receipt,
    taken,
)
from tests.simulator.test_time import jump, play, settle

# connecting


@pytest.mark.parametrize("version", [0x34, 0x50])
async def test_versions_3_4_and_5_0_bind(version: int) -> None:
    async with Simulator([ACCOUNT], AT_ONCE) as smsc, Esme(smsc.port) as esme:
        fields: Fields = {"system_id": b"test", "password": b"test", "interface_version": version}
        answer = await esme.ask(CommandId.BIND_TRANSCEIVER, fields)
        assert (answer.command_status, answer.tlv(Tag.SC_INTERFACE_VERSION)) == (0, bytes((version,)))
        assert await taken(esme, message(b"hello", receipt=True))
        assert receipt(await esme.receive()).state == "DELIVRD"


@pytest.mark.parametrize(("addresses", "status"), ADDRESSES)
async def test_address_that_is_not_listed_is_refused(addresses: str, status: int) -> None:
    rules = AccountRules.parse(f"test:test@30,addresses={addresses}")
    async with Simulator([rules]) as smsc, Esme(smsc.port) as esme:
        assert (await esme.bind()).command_status == status
        assert smsc.account("test").counters.binds_refused == int(bool(status))


def test_enquire_link_keeps_a_connection_alive() -> None:
    async def scene() -> None:
        async with Simulator([ACCOUNT]) as smsc, Esme(smsc.port) as quiet, Esme(smsc.port) as alive:
            await quiet.bind(system_type=b"MCON2")
            await alive.bind(system_type=b"MCON2")
            jump(100)
            assert (await alive.ask(CommandId.ENQUIRE_LINK)).command_status == 0
            jump(100)
            await settle()
            assert await quiet.ended() == b""
            assert await taken(alive, message(b"still here"))

    play(scene)


@pytest.mark.parametrize(("login", "password"), [("логин", "secret"), ("login", "пароль")])
async def test_login_in_russian_is_refused(login: str, password: str) -> None:
    with pytest.raises(ValueError, match="ASCII"):
        AccountRules(login, password)
    async with Simulator([ACCOUNT]) as smsc, Esme(smsc.port) as esme:
        answer = await esme.bind(login.encode("cp1251"), password.encode("cp1251"))
        assert answer.command_status == CommandStatus.ESME_RINVPASWD


async def test_other_logins_close_nobody() -> None:
    rules = [AccountRules("one", "test"), AccountRules("two", "test")]
    async with Simulator(rules) as smsc, Esme(smsc.port) as one, Esme(smsc.port) as two:
        for esme, login in ((one, b"one"), (two, b"two")):
            assert (await esme.bind(login)).command_status == 0
        for esme in (one, two):
            assert await taken(esme, message(b"hello"))


@pytest.mark.parametrize("flags", [b"ISO,SINGLE", b"SINGLE,ISO", b"ISO, SINGLE"])
async def test_words_of_system_type_are_divided_by_commas(flags: bytes) -> None:
    async with Simulator([ACCOUNT], AT_ONCE) as smsc, Esme(smsc.port) as esme:
        await esme.bind(system_type=flags)
        ids = [await taken(esme, plain(each)) for each in by_udh(b"\0a" * 80, 80)]
        assert len(set(ids)) == 2
        await taken(esme, message("é_~".encode("latin-1")))
        assert smsc.account("test").recent(1)[0].text == "é_~"


# speed


def test_speed_is_what_the_window_allows() -> None:
    async def scene() -> None:
        async with Simulator([ACCOUNT], Behaviour(delay=0.5)) as smsc, Esme(smsc.port) as esme:
            await esme.bind()
            answered = 0
            for _ in range(6):  # three seconds, with two windows of 20 in each
                for _ in range(20):
                    esme.submit(b"%d" % answered)
                    answered += 1
                await esme.ask(CommandId.ENQUIRE_LINK)  # so that they have arrived
                assert smsc.account("test").counters.unanswered == 20
                jump(0.5)
                assert [(await esme.receive()).command_status for _ in range(20)] == [0] * 20
            assert smsc.account("test").counters.accepted == 120

    play(scene)


@pytest.mark.parametrize("urgent", [{"source_addr": b"code"}, {"priority_flag": 1}], ids=["its sender", "its priority"])
def test_single_message_is_delivered_before_a_mailing(urgent: Fields) -> None:
    async def scene() -> None:
        rules = AccountRules("test", "test", limit=None, delivery_rate=10)
        async with Simulator([rules], AT_ONCE) as smsc, Esme(smsc.port) as esme:
            await esme.bind()
            mailing = [await taken(esme, message(b"sale", to=b"7999%07d" % each)) for each in range(100)]
            single = await taken(esme, {**message(b"code 1234", receipt=True), **urgent})
            jump(1.1)
            assert receipt(await esme.receive()).message_id == single
            await settle()
            states = [
                (await esme.ask(CommandId.QUERY_SM, {"message_id": each.encode()})).number("message_state")
                for each in mailing
            ]
            assert MessageState.DELIVERED in states
            assert states[30:] == [MessageState.ENROUTE] * 70
            for _ in range(12):
                jump(1)
                await settle()
            assert [each.state(smsc.clock.now()) for each in smsc.account("test").recent(200)] == ["DELIVRD"] * 101

    play(scene)


# texts


@pytest.mark.parametrize(("flags", "data_coding", "octets", "text", "alphabet"), TEXTS)
async def test_text_is_decoded_by_its_data_coding(
    flags: bytes, data_coding: int, octets: bytes, text: str | None, alphabet: str
) -> None:
    async with Simulator([ACCOUNT]) as smsc, Esme(smsc.port) as esme:
        await esme.bind(system_type=flags)
        await taken(esme, {**message(octets), "data_coding": data_coding})
        (found,) = smsc.account("test").recent(10)
        assert (found.text, str(found.alphabet), found.octets, found.data_coding) == (
            text,
            alphabet,
            octets,
            data_coding,
        )


async def test_iso_in_system_type_changes_data_coding_0() -> None:
    async with Simulator([ACCOUNT], AT_ONCE) as smsc, Esme(smsc.port) as esme:
        for flags, text in ((b"", "èLÄ"), (b"ISO", "\x04L[")):
            async with Esme(smsc.port) as client:
                await client.bind(system_type=flags)
                await taken(client, message(b"\x04L["))
                assert smsc.account("test").recent(1)[0].text == text
        # in GSM an underline is another octet, so this is an SMS; in ISO it is an HLR request
        for flags, channel in ((b"", Channel.SMS), (b"ISO", Channel.HLR)):
            async with Esme(smsc.port) as client:
                await client.bind(system_type=flags)
                await taken(client, message(b"__HLR__"))
                assert smsc.account("test").recent(1)[0].channel.channel is channel
        await esme.bind()
        await taken(esme, message(gsm0338.encode("__HLR__")))
        assert smsc.account("test").recent(1)[0].channel.channel is Channel.HLR


def test_identical_message_is_refused_within_a_minute() -> None:
    async def scene() -> None:
        rules = AccountRules.parse("test:test@none,same-within=60")
        async with Simulator([rules], AT_ONCE) as smsc, Esme(smsc.port) as esme:
            await esme.bind()
            refused = CommandStatus.ESME_RSUBMITFAIL
            again: list[tuple[Fields, int]] = [
                (message(b"a"), 0),
                (message(b"a"), refused),
                (message(b"a", to=b"79990000000"), 0),
                (message(b"b"), 0),
                *((plain(each), 0) for each in by_udh(b"\0a" * 100, 134)),
                # a client that repeats itself gives a long message another reference
                *((plain(each), refused) for each in by_udh(b"\0a" * 100, 134, reference=6)),
            ]
            for fields, status in again:
                assert (await esme.ask(CommandId.SUBMIT_SM, fields)).command_status == status
            jump(60)
            assert (await esme.ask(CommandId.SUBMIT_SM, message(b"a"))).command_status == 0
            assert smsc.account("test").counters.rejected == 3

    play(scene)


async def test_comment_is_kept_and_counts_for_no_part() -> None:
    async with Simulator([ACCOUNT], AT_ONCE) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        text = "Order 17 is ready." + "\n~~~\n" + "shop 4, " * 40
        for fields in by_udh(text.encode("utf-16-be"), 134):
            await taken(esme, fields)
        (found,) = smsc.account("test").recent(1)
        assert found.text == text
        assert (found.channel.text, found.channel.comment) == ("Order 17 is ready.", "shop 4, " * 40)
        told = receipt(await esme.receive())
        assert (found.parts, told.parts, told.sub, told.cost) == (1, 1, "001", "1.0000")


# channels


@pytest.mark.parametrize(("wanted", "kind"), CHANNELS, ids=[str(each[0].channel) for each in CHANNELS])
@pytest.mark.parametrize("long", [False, True], ids=["alone", "in parts"])
async def test_channel_is_told_by_the_text(wanted: ChannelText, kind: Kind, long: bool) -> None:
    async with Simulator([ACCOUNT], AT_ONCE) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        octets = build(wanted).encode("utf-16-be")
        parts: list[Fields] = [{**message(octets, receipt=True), "data_coding": 8}]
        for fields in by_udh(octets, 14) if long else parts:
            await taken(esme, fields)
        (found,) = smsc.account("test").recent(1)
        assert found.channel == wanted
        told = receipt(await esme.receive())
        assert (told.kind, told.state, told.parts) == (kind, "DELIVRD", 1)


@pytest.mark.parametrize(("code", "good"), CODES)
async def test_code_for_telegram_is_4_to_8_digits(code: str, good: bool) -> None:
    async with Simulator([ACCOUNT]) as smsc, Esme(smsc.port) as esme:
        await esme.bind(system_type=b"ISO")
        answer = await esme.ask(CommandId.SUBMIT_SM, message(f"__TGM__: {code}".encode()))
        assert answer.command_status == (0 if good else CommandStatus.ESME_RSUBMITFAIL)
        assert smsc.account("test").counters.rejected == int(not good)


async def test_hlr_is_answered_with_a_receipt() -> None:
    rules = [
        "to=79230000001,imsi=250023012345678,msc=79232510066,mcc=250,mnc=02,cn=Russian+Federation,"
        "net=MegaFON+open+Joint+Stock+Company",
        "to=79230000002,err=1",
    ]
    async with Simulator([ACCOUNT], AT_ONCE, outcomes=rules) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        found = []
        for number in (b"79230000001", b"79230000002", b"79230000003"):
            number_id = await taken(esme, message(gsm0338.encode("__HLR__"), to=number, receipt=True))
            found.append(receipt(told := await esme.receive()))
            assert (found[-1].message_id, found[-1].kind) == (number_id, Kind.HLR)
            assert HLR_TEXT.match(told.octets("short_message"))
            esme.send(CommandId.DELIVER_SM_RESP, sequence_number=told.sequence_number)
        assert [(each.state, each.err) for each in found] == [("DELIVRD", 0), ("UNDELIV", 1), ("DELIVRD", 0)]
        assert found[0].hlr == EXAMPLE
        assert found[1].hlr == Hlr()
        assert found[2].hlr is not None
        assert found[2].hlr.imsi.endswith("9230000003")
        await taken(esme, message(b"hello", to=b"79230000001", receipt=True))  # not a request
        assert receipt(await esme.receive()).hlr is None


async def test_ping_is_answered_with_a_receipt() -> None:
    rules = ["channel=ping,to=*2,err=6"]
    async with Simulator([ACCOUNT], AT_ONCE, outcomes=rules) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        for number, state in ((b"79230000001", "DELIVRD"), (b"79230000002", "UNDELIV")):
            await taken(esme, message(gsm0338.encode("__PING__"), to=number, receipt=True))
            told = receipt(await esme.receive())
            assert (told.kind, told.state, told.err) == (Kind.PING, state, 6 if state == "UNDELIV" else 0)


# statuses


async def test_status_goes_to_the_handler_without_registered_delivery() -> None:
    handed: list[tuple[Account, Message]] = []
    async with Simulator([ACCOUNT], AT_ONCE) as smsc, Esme(smsc.port) as esme:
        smsc.statuses = lambda account, told: handed.append((account, told))
        await esme.bind()
        silent = await taken(esme, message(b"a"))
        asked = await taken(esme, message(b"b", receipt=True))
        assert receipt(await esme.receive()).message_id == asked
        assert [(account.rules.login, str(told.id), told.outcome.state) for account, told in handed] == [
            ("test", silent, "DELIVRD")
        ]


async def test_receipt_has_the_providers_tlvs() -> None:
    rules = AccountRules.parse("test:test@none,cost=1.5")
    async with Simulator([rules], AT_ONCE, outcomes=["err=220"]) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        for fields in by_udh(LONG.encode("utf-16-be"), 134):
            message_id = await taken(esme, fields)
        told = await esme.receive()
        assert told.tlv(Tag.RECEIPTED_MESSAGE_ID) == message_id.encode() + b"\0"
        assert told.tlv(Tag.MESSAGE_STATE) == bytes((MessageState.UNDELIVERABLE,))
        assert told.tlv(Tag.NETWORK_ERROR_CODE) == b"\3\0\xdc"
        assert told.tlv(0x2000) == b"6.0000\0"
        assert told.tlv(0x2001) == b"\0\0"
        assert told.tlv(0x2002) == b"\0\4"
        status = receipt(told)
        assert (status.sub, status.dlvrd, status.state, status.err) == ("004", "000", "UNDELIV", 220)


@pytest.mark.parametrize(("parts", "long_by"), [each[1:] for each in WAYS], ids=[each[0] for each in WAYS])
@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "backwards"])
async def test_parts_of_a_long_message_have_one_id_and_one_receipt(
    parts: list[tuple[Fields, list[Tlv]]], long_by: str, backwards: bool
) -> None:
    async with Simulator([ACCOUNT], AT_ONCE) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        ids = [await taken(esme, *each) for each in (parts[::-1] if backwards else parts)]
        assert len(set(ids)) == 1
        told = receipt(await esme.receive())
        assert (told.message_id, told.parts, told.sub, told.dlvrd) == (ids[0], 4, "004", "004")
        (found,) = smsc.account("test").recent(10)
        assert (found.text, found.parts, found.long_by) == (LONG, 4, long_by)
        await esme.ask(CommandId.ENQUIRE_LINK)  # nothing else came
        assert smsc.account("test").counters.receipts_sent == 1


@pytest.mark.parametrize(("flags", "rule"), [(b"SINGLE", ""), (b"", ",single=true")])
async def test_single_gives_each_part_an_id_and_a_receipt(flags: bytes, rule: str) -> None:
    rules = AccountRules.parse(f"test:test@none{rule}")
    async with Simulator([rules], AT_ONCE) as smsc, Esme(smsc.port) as esme:
        await esme.bind(system_type=flags)
        ids, told = [], []
        for fields in by_udh(LONG.encode("utf-16-be"), 134):
            ids.append(await taken(esme, fields))
            told.append(receipt(await esme.receive()))
        assert len(set(ids)) == 4
        assert [(each.message_id, each.parts) for each in told] == [(each, 1) for each in ids]
        found = smsc.account("test").recent(10)
        assert "".join(each.text or "" for each in reversed(found)) == LONG


# incoming messages


async def test_incoming_messages_have_to_be_switched_on() -> None:
    rules = AccountRules.parse("test:test@none,incoming=false")
    async with Simulator([rules]) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        smsc.account("test").incoming("79161234567", "7777", "one")
        assert (await esme.ask(CommandId.ENQUIRE_LINK)).command_id == CommandId.ENQUIRE_LINK_RESP
        smsc.change_account("test", {"incoming": True})
        smsc.account("test").incoming("79161234567", "7777", "two")
        assert (await esme.receive()).octets("short_message") == b"two"


async def test_incoming_messages_go_one_way_only() -> None:
    handed: list[Incoming] = []
    rules = [AccountRules("smpp", "test"), AccountRules("http", "test", incoming=False)]
    async with Simulator(rules) as smsc:
        smsc.incomings = lambda account, incoming: handed.append(incoming)
        for login in ("smpp", "http"):
            smsc.account(login).incoming("79161234567", "7777", login)
        assert [each.text for each in handed] == ["http"]
        assert [len(smsc.account(login).receipts) for login in ("smpp", "http")] == [1, 0]


@pytest.mark.parametrize(("flags", "text", "data_coding", "octets"), INCOMING)
async def test_incoming_message_is_a_deliver_sm(flags: bytes, text: str, data_coding: int, octets: bytes) -> None:
    async with Simulator([ACCOUNT]) as smsc, Esme(smsc.port) as esme:
        await esme.bind(system_type=flags)
        smsc.account("test").incoming("79161234567", "7777", text)
        came = await esme.receive()
        assert (came.command_id, came.number("esm_class"), came.tlvs) == (CommandId.DELIVER_SM, 0, [])
        assert (came.octets("source_addr"), came.number("source_addr_ton")) == (b"79161234567", 1)
        assert (came.octets("destination_addr"), came.number("dest_addr_ton")) == (b"7777", 0)
        assert (came.number("data_coding"), came.octets("short_message")) == (data_coding, octets)
        esme.send(CommandId.DELIVER_SM_RESP, sequence_number=came.sequence_number)
        await esme.ask(CommandId.ENQUIRE_LINK)
        counters = smsc.account("test").counters
        assert (counters.incoming, counters.incoming_sent, counters.incoming_acknowledged) == (1, 1, 1)
        assert counters.receipts_sent == counters.receipts_acknowledged == 0


@pytest.mark.parametrize("command_id", [CommandId.BIND_RECEIVER, CommandId.BIND_TRANSCEIVER])
async def test_incoming_message_waits_for_a_client_that_can_receive(command_id: CommandId) -> None:
    async with Simulator([ACCOUNT]) as smsc:
        smsc.account("test").incoming("79161234567", "7777", "hello")
        async with Esme(smsc.port) as transmitter:
            await transmitter.bind(command_id=CommandId.BIND_TRANSMITTER)
            assert (await transmitter.ask(CommandId.ENQUIRE_LINK)).command_id == CommandId.ENQUIRE_LINK_RESP
        async with Esme(smsc.port) as esme:
            await esme.bind(command_id=command_id)
            assert (await esme.receive()).octets("short_message") == b"hello"
