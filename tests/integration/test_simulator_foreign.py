"""Clients that this project did not write, at the simulator: smpplib and node's `smpp`; and Kannel's pretend SMSC."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import smpplib.client
import smpplib.consts
import smpplib.gsm

from kannelkit.certs.dummy import dummy_certificate
from kannelkit.errors import GatewayError
from kannelkit.gateway.esme import Esme
from kannelkit.host.bind import Login
from kannelkit.host.reach import Address
from kannelkit.providers import statuses
from kannelkit.simulator import AccountRules, Behaviour, Simulator
from kannelkit.smpp.constants import CommandId
from kannelkit.smpp.pdu import FieldValue, Pdu
from tests.harness import node_smsc
from tests.harness.ports import free_ports

PATIENCE = 60.0  # seconds for what must come
AT_ONCE = Behaviour(receipt_delay=0)
CYRILLIC = "Съешь же ещё этих мягких французских булок, да выпей чаю. " * 3
LATIN = "Falsches Üben von Xylophonmusik quält jeden größeren Zwerg. " * 4
GSM = "The {quick} brown fox [jumps] over the ~lazy~ dog for 5 €. " * 4

needs_node = pytest.mark.skipif(shutil.which("npm") is None, reason="no node and npm")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("certificate") / "smsc.pem"
    path.touch(mode=0o600)
    path.write_bytes(dummy_certificate(["127.0.0.1"], 2, datetime.now(UTC), key="ec-p256"))
    return path


# -- node's smpp ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def node() -> Callable[..., Any]:
    node_smsc.install()

    async def run(port: int, requests: list[dict[str, Any]], **other: Any) -> dict[str, Any]:
        """Return what node's client was answered and sent; it binds, sends the requests and unbinds."""
        bind = {"command": "bind_transceiver", "system_id": "test", "password": "test", **other.pop("bind", {})}
        wanted = {"port": port, "bind": bind, "requests": requests, **other}
        process = await asyncio.create_subprocess_exec(
            "node", str(node_smsc.FOLDER / "esme.js"), json.dumps(wanted), stdout=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(PATIENCE):
                out, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        told: dict[str, Any] = json.loads(out)
        assert "error" not in told
        return told

    return run


def submit(**fields: Any) -> dict[str, Any]:
    return {
        "command": "submit_sm",
        "source_addr": "shop",
        "destination_addr": "79991234567",
        "registered_delivery": 1,
        **fields,
    }


def node_parts(text: str, encoding: str, size: int, **fields: Any) -> list[dict[str, Any]]:
    """Return the submits of a long message, its user data header written by hand as node's package leaves it to us."""
    octets = text.encode(encoding)
    cut = [octets[start : start + size] for start in range(0, len(octets), size)]
    return [
        submit(short_message={"hex": (bytes((5, 0, 3, 9, len(cut), number)) + part).hex()}, esm_class=0x40, **fields)
        for number, part in enumerate(cut, 1)
    ]


def receipts(told: dict[str, Any]) -> list[statuses.Status]:
    """Return what the receipts say that node's codec read."""
    return [statuses.read_text(each["short_message"]["message"]) for each in told["deliveries"]]


# node chooses the alphabet itself: GSM, ISO-8859-1 as data_coding 3, UCS-2
@needs_node
@pytest.mark.parametrize(
    ("text", "alphabet", "coding"),
    [("{a} €", "gsm", {"data_coding": 0}), ("Üben: ÿ½", "iso-8859-1", {}), ("Код 12", "ucs-2", {})],
)
@pytest.mark.parametrize("version", [0x34, 0x50])
async def test_node_sends_in_every_alphabet_and_gets_receipts(
    node: Callable[..., Any], text: str, alphabet: str, coding: dict[str, int], version: int
) -> None:
    async with Simulator([AccountRules("test", "test")], AT_ONCE) as smsc:
        told = await node(
            smsc.port, [submit(short_message=text, **coding)], deliveries=1, bind={"interface_version": version}
        )
        found = smsc.account("test").recent(1)[0]
    assert told["bind"]["sc_interface_version"] == version
    assert (found.text, str(found.alphabet)) == (text, alphabet)
    assert told["responses"][0]["message_id"] == str(found.id)
    assert (receipts(told)[0].message_id, receipts(told)[0].state) == (str(found.id), "DELIVRD")
    delivery = told["deliveries"][0]
    assert delivery["receipted_message_id"].rstrip("\0") == str(found.id)
    assert (delivery["message_state"], delivery["source_addr"]) == (2, "79991234567")
    assert told["unbind"]["command_status"] == 0


@needs_node
@pytest.mark.parametrize(("flags", "ids"), [("", 1), ("SINGLE", 3)])
async def test_node_sends_a_long_message_by_user_data_header(node: Callable[..., Any], flags: str, ids: int) -> None:
    parts = node_parts(CYRILLIC, "utf-16-be", 134, data_coding=8)
    assert len(parts) == 3
    async with Simulator([AccountRules("test", "test")], AT_ONCE) as smsc:
        told = await node(smsc.port, parts, deliveries=ids, bind={"system_type": flags})
        found = smsc.account("test").recent(10)
    assert len({each["message_id"] for each in told["responses"]}) == len(found) == ids
    assert sorted(each.message_id or "" for each in receipts(told)) == sorted(str(each.id) for each in found)
    if ids == 1:
        assert (found[0].text, found[0].parts, found[0].long_by) == (CYRILLIC, 3, "udh")


@needs_node
async def test_node_sends_a_long_message_as_payload_and_by_sar(node: Callable[..., Any]) -> None:
    payload = submit(message_payload={"hex": CYRILLIC.encode("utf-16-be").hex()}, data_coding=8)
    sar = {"sar_msg_ref_num": 7, "sar_total_segments": 2}
    halves = [
        submit(short_message={"hex": part.hex()}, data_coding=3, sar_segment_seqnum=number, **sar)
        for number, part in enumerate((LATIN.encode("latin-1")[:134], LATIN.encode("latin-1")[134:]), 1)
    ]
    async with Simulator([AccountRules("test", "test")], AT_ONCE) as smsc:
        told = await node(smsc.port, [payload, *halves], deliveries=2)
        by_sar, by_payload = smsc.account("test").recent(10)
    assert (by_payload.text, by_payload.parts, by_payload.long_by) == (CYRILLIC, 3, "payload")
    assert (by_sar.text, by_sar.parts, by_sar.long_by) == (LATIN, 2, "sar")
    assert {each.state for each in receipts(told)} == {"DELIVRD"}


@needs_node
async def test_node_gets_incoming_messages_over_tls(node: Callable[..., Any], certificate: Path) -> None:
    async with Simulator([AccountRules("test", "test")], tls_port=0, certificate=certificate) as smsc:
        account = smsc.account("test")
        account.incoming("+79991234567", "7999", "Да [1] €")  # not in ISO-8859-1, so UCS-2
        account.incoming("79991234567", "7999", "STOP")
        told = await node(smsc.tls_port, [], tls=True, deliveries=2)
    assert [each["short_message"]["message"] for each in told["deliveries"]] == ["Да [1] €", "STOP"]
    assert {each["destination_addr"] for each in told["deliveries"]} == {"7999"}
    assert account.counters.incoming_acknowledged == 2


@needs_node
async def test_node_is_told_what_is_wrong(node: Callable[..., Any]) -> None:
    async with Simulator([AccountRules("test", "test", limit=1, same_within=60)]) as smsc:
        assert (await node(smsc.port, [], bind={"password": "wrong"}))["bind"]["command_status"] == 0x0E
        requests = [submit(short_message="1"), submit(short_message="1"), submit(short_message="2")]
        multi = {"command": "submit_multi", "dest_address": [{"destination_addr": "1"}], "short_message": "1"}
        told = await node(smsc.port, [*requests, multi, {"command": "query_sm", "message_id": "999"}])
    assert [each["command_status"] for each in told["responses"]] == [0, 0x45, 0x58, 0x03, 0x0C]


# -- smpplib -------------------------------------------------------------------------------------------------------


class Client:
    """smpplib's client, and what it was told."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self.smpp = smpplib.client.Client(
            "127.0.0.1", port, timeout=PATIENCE, ssl_context=tls, allow_unknown_opt_params=True
        )
        self.ids: list[bytes] = []
        self.deliveries: list[smpplib.command.DeliverSM] = []
        self.smpp.set_message_sent_handler(lambda pdu: self.ids.append(pdu.message_id))
        self.smpp.set_message_received_handler(lambda pdu: self.deliveries.append(pdu))

    def submit(self, text: str, encoding: int, *, use_udhi: bool = True) -> int:
        """Send a text in as many parts as smpplib makes of it; return how many."""
        parts, coding, esm_class = smpplib.gsm.make_parts(text, encoding, use_udhi=use_udhi)
        for number, part in enumerate(parts, 1):
            sar = {"sar_msg_ref_num": 7, "sar_total_segments": len(parts), "sar_segment_seqnum": number}
            self.smpp.send_message(
                source_addr="shop",
                destination_addr="79991234567",
                short_message=part,
                data_coding=coding,
                esm_class=esm_class,
                registered_delivery=True,
                **({} if use_udhi or len(parts) == 1 else sar),
            )
        return len(parts)

    def read(self, ids: int, deliveries: int) -> None:
        """Read until so many answers and deliveries came."""
        while len(self.ids) < ids or len(self.deliveries) < deliveries:
            self.smpp.read_once()


@contextlib.contextmanager
def client(port: int, flags: str = "", tls: ssl.SSLContext | None = None, version: int = 0x34) -> Iterator[Client]:
    made = Client(port, tls)
    try:
        made.smpp.connect()
        bind = {"system_id": "test", "password": "test", "system_type": flags, "interface_version": version}
        made.smpp.bind_transceiver(**bind)
        yield made
        made.smpp.unbind()
    finally:
        made.smpp.state = smpplib.consts.SMPP_CLIENT_STATE_OPEN  # else it warns of the unbind that was not sent
        made.smpp.disconnect()


DEFAULT, ISO, UCS2 = (
    smpplib.consts.SMPP_ENCODING_DEFAULT,
    smpplib.consts.SMPP_ENCODING_ISO88591,
    smpplib.consts.SMPP_ENCODING_ISO10646,
)


@pytest.mark.parametrize(
    ("text", "encoding", "alphabet"), [(GSM, DEFAULT, "gsm"), (LATIN, ISO, "iso-8859-1"), (CYRILLIC, UCS2, "ucs-2")]
)
@pytest.mark.parametrize("use_udhi", [True, False], ids=["udh", "sar"])
async def test_smpplib_sends_long_messages_in_every_alphabet(
    text: str, encoding: int, alphabet: str, use_udhi: bool
) -> None:
    def session(port: int) -> tuple[Client, int]:
        with client(port) as esme:
            sent = esme.submit(text, encoding, use_udhi=use_udhi)
            esme.read(sent, 1)
            return esme, sent

    async with Simulator([AccountRules("test", "test")], AT_ONCE) as smsc:
        esme, sent = await asyncio.to_thread(session, smsc.port)
        found = smsc.account("test").recent(10)
    assert sent > 1
    assert len(found) == 1
    assert (found[0].text, str(found[0].alphabet), found[0].parts) == (text, alphabet, sent)
    assert found[0].long_by == ("udh" if use_udhi else "sar")
    assert set(esme.ids) == {str(found[0].id).encode()}
    assert esme.deliveries[0].receipted_message_id == esme.ids[0]


async def test_smpplib_with_single_gets_an_id_and_a_receipt_for_each_part() -> None:
    def session(port: int) -> tuple[Client, int]:
        with client(port, "ISO,SINGLE") as esme:
            sent = esme.submit(CYRILLIC, UCS2)
            esme.read(sent, sent)
            return esme, sent

    async with Simulator([AccountRules("test", "test")], AT_ONCE) as smsc:
        esme, sent = await asyncio.to_thread(session, smsc.port)
    assert len(set(esme.ids)) == sent == 3
    assert sorted(each.receipted_message_id for each in esme.deliveries) == sorted(esme.ids)


@pytest.mark.parametrize(("flags", "alphabet"), [("", "gsm"), ("ISO", "iso-8859-1")])
async def test_smpplib_sends_octets_that_mean_another_text_with_iso(flags: str, alphabet: str) -> None:
    octets = b"_~"  # in GSM 03.38 these are a section sign and a u with two dots

    def session(port: int) -> None:
        with client(port, flags) as esme:
            esme.smpp.send_message(destination_addr="79991234567", short_message=octets, data_coding=0)
            esme.read(1, 0)

    async with Simulator([AccountRules("test", "test")]) as smsc:
        await asyncio.to_thread(session, smsc.port)
        found = smsc.account("test").recent(1)[0]
    assert (str(found.alphabet), found.text) == (alphabet, "_~" if flags else "§ü")


async def test_smpplib_sends_and_receives_over_tls(certificate: Path) -> None:
    trusted = ssl.create_default_context(cafile=str(certificate))
    trusted.check_hostname = False  # smpplib gives it no name to check

    def session(port: int) -> Client:
        with client(port, tls=trusted, version=0x50) as esme:
            esme.submit("hello", DEFAULT)
            esme.read(1, 2)
            return esme

    async with Simulator([AccountRules("test", "test")], AT_ONCE, tls_port=0, certificate=certificate) as smsc:
        assert smsc.tls_port is not None
        smsc.account("test").incoming("79991234567", "7999", "STOP")
        esme = await asyncio.to_thread(session, smsc.tls_port)
    incoming = next(each for each in esme.deliveries if not each.receipted_message_id)
    assert (incoming.short_message, incoming.source_addr) == (b"STOP", b"79991234567")


# -- Kannel's drive_smpp -------------------------------------------------------------------------------------------

DRIVE_SMPP = Path("/usr/lib/kannel/test/drive_smpp")
SMSBOX_PORT = 13001  # where it looks for a bearerbox, of which it plays the smsbox; it ends where nobody listens
MESSAGES = 20


@pytest.mark.skipif(not DRIVE_SMPP.exists(), reason="Debian's package kannel-extras is not installed")
async def test_our_client_at_kannels_drive_smpp() -> None:
    """drive_smpp plays an SMSC and an smsbox. It cannot be a client of an SMSC, so here our client meets its codec."""
    try:
        bearerbox = socket.create_server(("127.0.0.1", SMSBOX_PORT))
    except OSError:
        pytest.skip(f"port {SMSBOX_PORT}, which drive_smpp cannot be told to leave, is taken")
    with bearerbox:
        (port,) = free_ports(1)
        process = await asyncio.create_subprocess_exec(
            str(DRIVE_SMPP),
            *("-v", "4", "-p", str(port), "-m", str(MESSAGES)),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await _meet_drive_smpp(Address("127.0.0.1", port))
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _meet_drive_smpp(address: Address) -> None:
    arrived: list[Pdu] = []

    def received(pdu: Pdu) -> int:
        arrived.append(pdu)
        return 0

    login = Login(b"test", b"test", b"", 0x34, transceiver=False)
    async with asyncio.timeout(PATIENCE), contextlib.AsyncExitStack() as kept:
        transmitter = None
        while transmitter is None:
            with contextlib.suppress(GatewayError):  # it is still starting
                transmitter = await kept.enter_async_context(Esme(address, login))
        assert await transmitter.bind("transmitter") == 0
        receiver = await kept.enter_async_context(Esme(address, login, received=received))
        assert await receiver.bind("receiver") == 0
        for number in range(MESSAGES):
            fields: dict[str, FieldValue] = {"destination_addr": b"456", "short_message": b"%d" % number}
            assert (await transmitter.request(Pdu(CommandId.SUBMIT_SM, fields=fields))).command_status == 0
        while len(arrived) < MESSAGES:
            await asyncio.sleep(0.02)
        assert (await receiver.request(Pdu(CommandId.ENQUIRE_LINK))).command_status == 0
    assert [each.octets("short_message") for each in arrived] == [b"%d" % number for number in range(1, MESSAGES + 1)]
