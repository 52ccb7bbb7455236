"""What lint warns of, on a real Kannel: panics, values that are cut, passwords in logs, messages lost and doubled."""

from __future__ import annotations

import asyncio
import re
import struct
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import aiohttp
import pytest

from kannelkit.simulator.rules import AccountRules, Behaviour
from kannelkit.simulator.server import Simulator
from tests.conf.judge import kannel_reads
from tests.harness.kannel import CORE, SMSBOX, Kannel, program
from tests.harness.ports import free_ports

pytestmark = pytest.mark.kannel

CASES = Path(__file__).parents[1] / "lint/cases"
# Each of these ends bearerbox at its start.
PANICS = (
    *("C101", "C102", "C103", "C104", "C106", "C107", "C109", "C113", "C114"),
    *("E104", "E107", "E108", "E115", "E116", "E117", "E119", "E130", "E131", "E133", "E160"),
)
# The same for lines that no case holds: a directive of group core, or one of group smsc.
PANICKING_LINES = (
    "ssl-trusted-ca-file = /no/such/file.pem",
    "ssl-client-certkey-file = /no/such/file.pem",
    "white-list-sender-regex = (",
    "white-list-receiver = http://127.0.0.1:1/list",
    "priority = 5",
    "allowed-prefix-regex = (",
)
PANIC_WITHIN = 60.0  # seconds; a panic comes at once


def moved(text: str, folder: Path) -> str:
    """Return the case with free ports, folders of its own, and links that reach nobody."""
    for port, free in zip(("13000", "13001", "13002", "13013"), free_ports(4), strict=True):
        text = re.sub(rf"\b{port}\b", str(free), text)
    text = re.sub(r"^host = smpp\..*$", "host = 127.0.0.1", text, flags=re.MULTILINE)
    text = re.sub(r"^((?:receive-)?port) = (2775|2776|3443)$", r"\1 = 1", text, flags=re.MULTILINE)
    for old in ("/var/log/kannel", "/var/spool/kannel", "/etc/kannel"):
        text = text.replace(old, str(folder))
    return text


async def output_of(box: str, text: str, folder: Path) -> tuple[int | None, str]:
    """Run one of Kannel's boxes with this configuration until it ends; return its exit code and what it printed."""
    folder.mkdir()
    path = folder / "kannel.conf"
    path.write_text(text)
    process = await asyncio.create_subprocess_exec(
        program(box) or box, "-v", "1", str(path), cwd=folder, stdout=PIPE, stderr=STDOUT
    )
    try:
        printed, _ = await asyncio.wait_for(process.communicate(), PANIC_WITHIN)
    except TimeoutError:
        process.kill()
        await process.wait()
        return None, "did not end"
    return process.returncode, printed.decode("utf-8", "replace")


async def panicked(box: str, text: str, folder: Path) -> bool:
    code, printed = await output_of(box, moved(text, folder), folder)
    return code not in (None, 0) and "PANIC" in printed


async def test_a_box_panics(tmp_path: Path) -> None:
    sound = (CASES / "E160-good.conf").read_text()
    texts = {name: (CASES / f"{name}-bad.conf").read_text() for name in PANICS}
    for line in PANICKING_LINES:
        before = "admin-interface" if line.startswith(("ssl", "white")) else "transceiver-mode"
        texts[line] = re.sub(rf"^{before}", f"{line}\n{before}", sound, count=1, flags=re.MULTILINE)
    for name in texts.keys() - {"E116", "E160"}:  # whose fault it is that a folder is not there
        texts[name] = re.sub(r"^(store-.*|dlr-storage = spool|dlr-spool.*)\n", "", texts[name], flags=re.MULTILINE)
    done = await asyncio.gather(
        *(panicked("bearerbox", text, tmp_path / f"{number}") for number, text in enumerate(texts.values()))
    )
    assert [name for name, ended in zip(texts, done, strict=True) if not ended] == []


async def test_smsbox_panics(tmp_path: Path) -> None:
    code, printed = await output_of(
        "smsbox", moved((CASES / "E140-bad.conf").read_text(), tmp_path / "box"), tmp_path / "box"
    )
    assert code not in (None, 0)
    assert "urltrans_add_cfg failed" in printed


def test_what_kannel_reads(tmp_path: Path) -> None:
    def read(name: str) -> list[tuple[str, dict[str, str]]]:
        return kannel_reads((CASES / f"{name}-bad.conf").read_text(), tmp_path) or []

    assert [name for name, _ in read("C105")].count("core") == 1
    merged = kannel_reads("group = smsc\nsmsc-id = a\nhost = h\ngroup = smsc\nsmsc-id = b\n", tmp_path)
    assert merged == [("smsc", {"smsc-id": "b", "host": "h"})]
    links = [values for name, values in read("W250") if name == "smsc"]
    assert [values.get("throughput") for values in links] == ["30", None]
    assert next(values["smsc-password"] for name, values in read("W251") if name == "smsc") == "pw # old"
    assert [values["text"] for name, values in read("W252") if name == "sms-service"] == ['"received']
    links = [values for name, values in read("E151") if name == "smsc"]
    assert [values.get("max-pending-submits") for values in links] == ["100", None]  # not the comment's 1
    windows = kannel_reads("group = smsc\r\nsmsc-id = a\\\r\nhost = h\r\n", tmp_path)
    assert windows == [("smsc", {"smsc-id": "a\\", "host": "h"})]


CUT = (
    CORE
    + """\
admin-deny-ip = "*"
store-location = {folder}/store
"""
    + SMSBOX
    + """
group = sendsms-user
username = app
password = user-password

group = smsc
smsc = smpp
smsc-id = long
host = 127.0.0.1
port = {port}
transceiver-mode = true
smsc-username = sixteen-letters-
smsc-password = ninechars
system-type = ISO,SINGLE,MCON2
"""
)


async def test_what_is_too_long_is_cut_and_level_0_tells(tmp_path: Path) -> None:
    bound: asyncio.Future[list[bytes]] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = struct.unpack(">4I", await reader.readexactly(16))[0]
        if not bound.done():
            bound.set_result((await reader.readexactly(length - 16)).split(b"\0")[:3])
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    # that bearerbox answers at all shows that admin-deny-ip = "*" keeps nobody out
    async with server, Kannel(tmp_path, CUT, smsbox=True, log_level=0, port=port), asyncio.timeout(60):
        assert await bound == [b"sixteen-letters", b"ninechar", b"ISO,SINGLE,M"]
    assert "ninechar" in (tmp_path / "bearerbox.log").read_text(errors="replace")
    assert "user-password" in (tmp_path / "smsbox.log").read_text(errors="replace")


LINK = """
group = smsc
smsc = smpp
smsc-id = {name}
smsc-admin-id = {admin}
allowed-smsc-id = {name}
host = 127.0.0.1
port = {{{port}}}
transceiver-mode = true
smsc-username = {name}
smsc-password = pw
system-type = ""
reconnect-delay = 1
wait-ack = 1
enquire-link-interval = 1
"""
EFFECTS = (
    CORE
    + """\
store-location = {folder}/store
access-log = {folder}/access.log
sms-resend-freq = 1
sms-resend-retry = 1
"""
    + SMSBOX
    + "\ngroup = sendsms-user\nusername = app\npassword = pw\n"
    + LINK.format(name="late", admin="late", port="slow_port")
    + LINK.format(name="refused", admin="refused", port="port")
    + LINK.format(name="twice", admin="twice-1", port="port")
    + LINK.format(name="twice", admin="twice-2", port="port")
)


async def send(session: aiohttp.ClientSession, kannel: Kannel, **more: str) -> None:
    """Send a message; smsbox listens before it has found bearerbox, and says 503 until then."""
    query = {"username": "app", "password": "pw", "from": "a", "to": "123", "text": "x", **more}
    while True:
        async with session.get(f"http://127.0.0.1:{kannel.sendsms_port}/cgi-bin/sendsms", params=query) as answer:
            assert answer.status in (202, 503)
            if answer.status == 202:
                return
        await asyncio.sleep(0.05)


async def test_what_doubles_loses_and_throws_out(tmp_path: Path) -> None:
    accounts = [AccountRules("refused", "pw", 0), AccountRules("twice", "pw", None)]
    late = AccountRules("late", "pw", None)
    async with Simulator(accounts) as smsc, Simulator([late], Behaviour(delay=60)) as slow:
        kannel = Kannel(tmp_path, EFFECTS, smsbox=True, stops_within=1, port=smsc.port, slow_port=slow.port)
        async with kannel, aiohttp.ClientSession() as session, asyncio.timeout(90):
            for name in ("late", "refused"):
                await send(session, kannel, smsc=name)
            # a response that is late: the same message a second time
            while not slow.accounts["late"].counters.doubled:
                await asyncio.sleep(0.05)
            # one that is refused for now, twice: gone
            while "DISCARDED SMS [SMSC:refused]" not in (tmp_path / "access.log").read_text():
                await asyncio.sleep(0.05)
            # two links of one login: each throws the other out
            log = tmp_path / "bearerbox.log"
            while log.read_text().count("SMPP[twice]: I/O error or other error. Re-connecting.") < 3:
                await asyncio.sleep(0.05)


RECEIPTS = (
    CORE
    + """\
store-type = spool
store-location = {folder}/store
dlr-storage = spool
dlr-spool = {folder}/store/dlr
"""
    + SMSBOX
    + "\ngroup = sendsms-user\nusername = app\npassword = pw\n"
    + LINK.format(name="late", admin="late", port="port")
)


async def test_receipts_in_the_store_end_the_gateway(tmp_path: Path) -> None:
    (tmp_path / "store/dlr").mkdir(parents=True)
    never = Behaviour(receipt_delay=3600)
    async with Simulator([AccountRules("late", "pw", None)], never) as smsc, asyncio.timeout(90):
        async with (
            Kannel(tmp_path, RECEIPTS, smsbox=True, stops_within=1, port=smsc.port) as kannel,
            aiohttp.ClientSession() as session,
        ):
            await send(session, kannel, **{"smsc": "late", "dlr-mask": "31", "dlr-url": "http://127.0.0.1:1/"})
            while not list((tmp_path / "store/dlr").rglob("*/*")):
                await asyncio.sleep(0.05)
        code, printed = await output_of("bearerbox", (tmp_path / "kannel.conf").read_text(), tmp_path / "again")
        assert code not in (None, 0)
        assert "PANIC" in printed
        assert "Could not open" not in printed  # no port was taken
