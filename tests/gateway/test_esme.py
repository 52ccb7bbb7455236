"""The client of an SMSC: against the simulator, and against peers that do what they should not."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kannelkit.errors import GatewayError
from kannelkit.gateway.esme import Esme, Kind
from kannelkit.host.bind import Login
from kannelkit.host.reach import Address
from kannelkit.simulator import AccountRules, Behaviour, Simulator
from kannelkit.smpp.constants import RESPONSE, CommandId, CommandStatus
from kannelkit.smpp.pdu import FieldValue, Pdu, decode, encode
from tests.harness.ports import closed_port
from tests.harness.waiting import until

LOGIN = Login(b"bench", b"secret", b"", 0x34, transceiver=True)
SUBMIT: dict[str, FieldValue] = {
    "source_addr_ton": 5,
    "source_addr": b"shop",
    "dest_addr_ton": 1,
    "dest_addr_npi": 1,
    "destination_addr": b"79991234567",
    "registered_delivery": 1,
    "short_message": b"hello",
}
PATIENCE = 60.0


@asynccontextmanager
async def smsc(delay: float = 0.0) -> AsyncIterator[Simulator]:
    async with Simulator([AccountRules("bench", "secret", None)], Behaviour(delay=delay)) as simulator:
        yield simulator


def address(simulator: Simulator) -> Address:
    return Address("127.0.0.1", simulator.port)


@pytest.mark.parametrize("version", [0x34, 0x50])
@pytest.mark.parametrize("kind", ["transmitter", "receiver", "transceiver"])
async def test_it_binds_and_leaves(kind: Kind, version: int) -> None:
    async with smsc() as simulator:
        async with Esme(address(simulator), dataclasses.replace(LOGIN, interface_version=version)) as esme:
            assert await esme.bind(kind) == 0
            assert esme.bound is not None
            assert simulator.account("bench").links
            await esme.unbind()
            assert esme.ended == "unbound"
        assert not simulator.account("bench").links


async def test_a_refused_bind_is_a_status_and_no_bind() -> None:
    async with (
        smsc() as simulator,
        Esme(address(simulator), dataclasses.replace(LOGIN, password=b"wrong")) as esme,
    ):
        assert await esme.bind("transceiver") == CommandStatus.ESME_RINVPASWD
        assert esme.bound is None
        assert not esme.ended


async def test_each_request_has_its_own_answer() -> None:
    async with smsc(delay=0.01) as simulator, Esme(address(simulator), LOGIN) as esme:
        await esme.bind("transmitter")
        asked = [Pdu(CommandId.SUBMIT_SM, fields={**SUBMIT, "short_message": b"%d" % n}) for n in range(50)]
        answers = await asyncio.gather(*map(esme.request, asked), esme.request(Pdu(CommandId.ENQUIRE_LINK)))
        ids = [each.octets("message_id") for each in answers[:-1]]
        assert len(set(ids)) == 50
        assert answers[-1].command_id == CommandId.ENQUIRE_LINK_RESP
        queried = [await esme.request(Pdu(CommandId.QUERY_SM, fields={"message_id": each})) for each in ids[:3]]
        assert [each.octets("message_id") for each in queried] == ids[:3]


async def test_what_is_delivered_is_answered_with_what_its_taker_says() -> None:
    taken: asyncio.Queue[Pdu] = asyncio.Queue()

    def take(pdu: Pdu) -> int:
        taken.put_nowait(pdu)
        return 0

    async with smsc() as simulator, Esme(address(simulator), LOGIN, received=take) as esme:
        await esme.bind("transceiver")
        answered = await esme.request(Pdu(CommandId.SUBMIT_SM, fields=SUBMIT))
        async with asyncio.timeout(PATIENCE):
            receipt = await taken.get()
        await until(lambda: simulator.account("bench").counters.receipts_acknowledged)
        assert receipt.command_id == CommandId.DELIVER_SM
        assert receipt.message().startswith(b"id:%b " % answered.octets("message_id"))


# -- peers of the tests' own: each is given the PDUs that come, and says what goes back ------------------------------

Says = Callable[[Pdu], bytes | None]  # None closes the connection


@asynccontextmanager
async def peer(says: Says, first: bytes = b"") -> AsyncIterator[Address]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        try:
            while True:
                length = await reader.readexactly(4)
                said = says(decode(length + await reader.readexactly(int.from_bytes(length, "big") - 4)))
                if said is None:
                    break
                writer.write(said)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield Address("127.0.0.1", server.sockets[0].getsockname()[1])


def takes(pdu: Pdu) -> bytes:
    """Answer every request as an SMSC does that takes it."""
    return encode(Pdu(pdu.command_id | RESPONSE, 0, pdu.sequence_number)) if not pdu.command_id & RESPONSE else b""


def silent(pdu: Pdu) -> bytes:
    return b""


def says_another_number(pdu: Pdu) -> bytes:
    return takes(Pdu(pdu.command_id, sequence_number=pdu.sequence_number + 1))


REFUSING: dict[str, tuple[Says, str]] = {
    "silence": (silent, "enquire_link has no answer within 0.2 s"),
    "an answer to something else": (says_another_number, "enquire_link has no answer within 0.2 s"),
    "another command's answer": (
        lambda pdu: takes(Pdu(CommandId.UNBIND, sequence_number=pdu.sequence_number)),
        "answered with unbind_resp",
    ),
    "an answer that is cut": (
        lambda pdu: (
            (17).to_bytes(4, "big") + encode(Pdu(pdu.command_id | RESPONSE, 0, pdu.sequence_number))[4:] + b"\0"
        ),
        "the answer cannot be read",
    ),
    "an end": (lambda pdu: None, "the connection is closed by the SMSC"),
    "no SMPP": (lambda pdu: b"HTTP/1.1 400 Bad Request\r\n\r\n", "what came is no SMPP"),
    "an unbind": (lambda pdu: encode(Pdu(CommandId.UNBIND, sequence_number=7)), "the SMSC unbound"),
}


@pytest.mark.parametrize("how", REFUSING)
async def test_a_request_ends_in_words_whatever_the_peer_does(how: str) -> None:
    says, words = REFUSING[how]
    patience = (
        0.2 if "within 0.2 s" in words else PATIENCE
    )  # where it waits for nothing, a busy machine may take its time
    async with peer(says) as place, Esme(place, LOGIN, patience=patience) as esme:
        with pytest.raises(GatewayError, match=words):
            await esme.request(Pdu(CommandId.ENQUIRE_LINK))


async def test_a_refusal_without_a_body_is_an_answer() -> None:
    def nacks(pdu: Pdu) -> bytes:
        return encode(Pdu(CommandId.GENERIC_NACK, CommandStatus.ESME_RINVCMDID, pdu.sequence_number))

    async with peer(nacks) as place, Esme(place, LOGIN) as esme:
        answered = await esme.request(Pdu(CommandId.QUERY_SM, fields={"message_id": b"1"}))
        assert (answered.name, answered.command_status) == ("generic_nack", CommandStatus.ESME_RINVCMDID)


async def test_after_the_end_a_request_says_why_at_once() -> None:
    async with peer(lambda pdu: None) as place, Esme(place, LOGIN) as esme:
        with pytest.raises(GatewayError):
            await esme.request(Pdu(CommandId.ENQUIRE_LINK))
        assert await esme.wait_ended() == "the connection is closed by the SMSC"
        with pytest.raises(GatewayError, match="closed by the SMSC"):
            await esme.request(Pdu(CommandId.ENQUIRE_LINK))


async def test_no_more_requests_wait_than_were_allowed() -> None:
    async with peer(silent) as place, Esme(place, LOGIN, patience=0.2, most_waiting=2) as esme:
        asked = [esme.request(Pdu(CommandId.ENQUIRE_LINK)) for _ in range(3)]
        errors = await asyncio.gather(*asked, return_exceptions=True)
        assert ["2 requests wait" in str(error) for error in errors] == [False, False, True]


async def test_what_the_smsc_asks_is_answered() -> None:
    """An enquire_link, a delivery that nobody takes, what no SMSC asks, what cannot be read."""
    answers: list[Pdu] = []
    enough = asyncio.Event()
    asked = [
        encode(Pdu(CommandId.ENQUIRE_LINK, sequence_number=11)),
        encode(Pdu(CommandId.DELIVER_SM, sequence_number=12, fields={"short_message": b"id:1 stat:DELIVRD"})),
        encode(Pdu(0x00010203, sequence_number=13, body=b"?")),
        encode(Pdu(CommandId.ALERT_NOTIFICATION, sequence_number=14)),
        (20).to_bytes(4, "big") + encode(Pdu(CommandId.DELIVER_SM, sequence_number=15))[4:20],
    ]

    def hears(pdu: Pdu) -> bytes:
        answers.append(pdu)
        if len(answers) == 4:
            enough.set()
        return b""

    async with peer(hears, b"".join(asked)) as place, Esme(place, LOGIN):
        async with asyncio.timeout(PATIENCE):
            await enough.wait()
    assert [(each.name, each.command_status, each.sequence_number) for each in answers] == [
        ("enquire_link_resp", 0, 11),
        ("deliver_sm_resp", CommandStatus.ESME_RX_T_APPN, 12),
        ("generic_nack", CommandStatus.ESME_RINVCMDID, 13),
        ("generic_nack", CommandStatus.ESME_RINVCMDLEN, 15),
    ]


async def test_a_bind_that_hears_nothing_asks_and_ends() -> None:
    heard: list[str] = []

    def hears(pdu: Pdu) -> bytes:
        heard.append(pdu.name)
        return takes(pdu) if len(heard) < 3 else b""

    async with peer(hears) as place, Esme(place, LOGIN, patience=2.0, enquire_after=0.05) as esme:
        assert await esme.bind("receiver") == 0
        async with asyncio.timeout(PATIENCE):
            assert "no sign of life" in await esme.wait_ended()
    assert heard == ["bind_receiver", "enquire_link", "enquire_link"]


async def test_nobody_listens() -> None:
    with closed_port() as port, pytest.raises(GatewayError, match=f"127.0.0.1:{port}: Connection refused"):
        async with Esme(Address("127.0.0.1", port), LOGIN):
            pass


async def test_a_login_that_the_wire_cannot_hold_is_refused_without_its_password() -> None:
    long = dataclasses.replace(LOGIN, password=b"longer than eight")
    async with peer(takes) as place, Esme(place, long) as esme:
        with pytest.raises(GatewayError, match="bind_receiver cannot be sent") as raised:
            await esme.bind("receiver")
    assert "longer" not in str(raised.value)


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """Something with a header: any command, known or not, with a body that may not be its own."""
    command_id = draw(st.sampled_from([*map(int, CommandId), 0x7FFFFFFF]))
    body = draw(st.binary(max_size=60))
    header = (16 + len(body), command_id, draw(st.sampled_from([0, 0x58])), draw(st.integers(0, 3)))
    return b"".join(number.to_bytes(4, "big") for number in header) + body


@settings(max_examples=40)
@given(said=st.lists(frames(), max_size=6), rest=st.binary(max_size=30))
def test_whatever_a_peer_says_ends_in_an_answer_or_in_words(said: list[bytes], rest: bytes) -> None:
    async def ask() -> None:
        async with peer(lambda pdu: None, b"".join(said) + rest) as place, Esme(place, LOGIN, patience=1.0) as esme:
            try:
                await esme.bind("transceiver")
                await esme.request(Pdu(CommandId.QUERY_SM, fields={"message_id": b"1"}))
            except GatewayError as error:
                assert str(place) in str(error)  # noqa: PT017 - an answer is as good

    asyncio.run(ask())


async def test_what_the_taker_raises_is_seen() -> None:
    class OwnError(Exception):
        pass

    def fails(pdu: Pdu) -> int:
        raise OwnError

    delivery = encode(Pdu(CommandId.DELIVER_SM, sequence_number=1))
    with pytest.raises(OwnError):
        async with peer(silent, delivery) as place, Esme(place, LOGIN, received=fails) as esme:
            await esme.wait_ended()
