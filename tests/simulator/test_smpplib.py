"""A client that this project did not write: smpplib, with its own codec and its own idea of a session."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
import smpplib.client
import smpplib.consts
import smpplib.exceptions

from kannelkit.simulator import AccountRules, Behaviour, Law, Simulator

PATIENCE = 60  # seconds that smpplib waits on its socket


class Client:
    """smpplib's client, and what it was told."""

    def __init__(self, port: int) -> None:
        self.smpp = smpplib.client.Client("127.0.0.1", port, timeout=PATIENCE, allow_unknown_opt_params=True)
        self.answers: list[tuple[int, bytes | None]] = []
        self.receipts: list[tuple[bytes, bytes, int]] = []
        self.smpp.set_message_sent_handler(lambda pdu: self.answers.append((pdu.status, pdu.message_id)))
        self.smpp.set_error_pdu_handler(lambda pdu: None)  # which would raise; the status is in the answer
        self.smpp.set_message_received_handler(self._receipt)

    def _receipt(self, pdu: smpplib.command.DeliverSM) -> None:
        self.receipts.append((pdu.short_message, pdu.receipted_message_id, pdu.message_state))

    def bind(self, password: str = "test") -> None:
        self.smpp.connect()
        self.smpp.bind_transceiver(system_id="test", password=password)

    def submit(self, text: bytes) -> None:
        self.smpp.send_message(
            source_addr_ton=smpplib.consts.SMPP_TON_ALNUM,
            source_addr="shop",
            dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
            destination_addr="79991234567",
            short_message=text,
            registered_delivery=True,
        )


@contextmanager
def client(port: int) -> Iterator[Client]:
    made = Client(port)
    try:
        yield made
    finally:
        made.smpp.state = smpplib.consts.SMPP_CLIENT_STATE_OPEN  # else it warns of the unbind that was not sent
        made.smpp.disconnect()


async def test_binds_submits_and_gets_receipts() -> None:
    def session(port: int) -> tuple[Client, int]:
        with client(port) as esme:
            esme.bind()
            for number in range(10):
                esme.submit(b"%d" % number)
            while len(esme.receipts) < 10 or len(esme.answers) < 10:
                esme.smpp.read_once()
            return esme, esme.smpp.unbind().status

    async with Simulator(behaviour=Behaviour(receipt_delay=0)) as smsc:
        esme, unbound = await asyncio.to_thread(session, smsc.port)
        assert unbound == 0
        assert [status for status, _ in esme.answers] == [0] * 10
        assert [answer for _, answer in esme.answers] == [receipted for _, receipted, _ in esme.receipts]
        assert {state for _, _, state in esme.receipts} == {smpplib.consts.SMPP_MESSAGE_STATE_DELIVERED}
        assert all(b"stat:DELIVRD" in text for text, _, _ in esme.receipts)
        counters = smsc.account("test").counters
        assert (counters.accepted, counters.receipts_acknowledged) == (10, 10)


async def test_is_throttled_beyond_the_limit() -> None:
    def session(port: int) -> list[int]:
        with client(port) as esme:
            esme.bind()
            for _ in range(5):
                esme.submit(b"hello")
            while len(esme.answers) < 5:
                esme.smpp.read_once()
            return [status for status, _ in esme.answers]

    async with Simulator([AccountRules("test", "test", limit=0)]) as smsc:
        statuses = await asyncio.to_thread(session, smsc.port)
        assert statuses == [smpplib.consts.SMPP_ESME_RTHROTTLED] * 5


async def test_is_told_that_its_password_is_wrong() -> None:
    def session(port: int) -> None:
        with client(port) as esme:
            esme.bind("wrong")

    async with Simulator() as smsc:
        with pytest.raises(smpplib.exceptions.PDUError) as refused:
            await asyncio.to_thread(session, smsc.port)
        assert refused.value.args[1] == smpplib.consts.SMPP_ESME_RINVPASWD


async def test_is_closed_by_a_newer_bind() -> None:
    def session(port: int) -> None:
        with client(port) as older, client(port) as newer:
            older.bind()
            newer.bind()
            older.smpp.read_once()

    async with Simulator() as smsc:
        with pytest.raises(smpplib.exceptions.ConnectionError):
            await asyncio.to_thread(session, smsc.port)
        assert smsc.account("test").counters.closed_by_newer == 1


async def test_is_closed_after_an_excess_and_keeps_what_it_was_told() -> None:
    def session(port: int) -> list[int]:
        with client(port) as esme:
            esme.bind()
            for number in range(10):
                esme.submit(b"%d" % number)
            with suppress(smpplib.exceptions.ConnectionError):
                while True:
                    esme.smpp.read_once()
            return [status for status, _ in esme.answers]

    rules = AccountRules("test", "test", limit=3, law=Law.CLOSING)
    async with Simulator([rules], Behaviour(delay=0.05, receipt_delay=3600)) as smsc:
        told = await asyncio.to_thread(session, smsc.port)
        assert told == [0, 0, 0, smpplib.consts.SMPP_ESME_RTHROTTLED]


async def test_is_told_that_the_queue_is_full() -> None:
    def session(port: int) -> list[int]:
        with client(port) as esme:
            esme.bind()
            for number in range(3):
                esme.submit(b"%d" % number)
            while len(esme.answers) < 3:
                esme.smpp.read_once()
            return [status for status, _ in esme.answers]

    async with Simulator(behaviour=Behaviour(reject_share=1)) as smsc:
        assert await asyncio.to_thread(session, smsc.port) == [smpplib.consts.SMPP_ESME_RMSGQFUL] * 3


async def test_is_refused_its_connection_and_then_taken() -> None:
    def session(port: int) -> None:
        with client(port) as esme:
            esme.bind()

    async with Simulator() as smsc:
        smsc.refuse_connections()
        with pytest.raises(smpplib.exceptions.ConnectionError):
            await asyncio.to_thread(session, smsc.port)
        await smsc.listen()
        await asyncio.to_thread(session, smsc.port)
        assert smsc.account("test").counters.binds == 1
