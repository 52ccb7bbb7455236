"""How many submit_sm a second the simulator takes, beside node's `smpp` package as a server, in the same run.

    .venv/bin/python -m tests.benchmarks simulator [--seconds 5] [--window 100] [--rounds 3]

Once with answers alone, and once with a delivery receipt for each message, where a message counts when it is answered,
its receipt is there, and that is acknowledged. The servers and the loader are processes of their own. The loader writes
octets made beforehand and looks at headers alone, so that it is not what is measured; one connection keeps a window of
submits unanswered. Both servers work on one core; what they do in a second of its time is told beside, for other work
on the machine does not change that. node's package comes from the npm registry into a temporary folder. Fails where
the simulator does less than the 10,000 a second with receipts that it is to reach.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil

from kannelkit.smpp.constants import CommandId
from kannelkit.smpp.pdu import FieldValue, Pdu, encode

ENOUGH = 10_000  # messages a second, with receipts
DRAINED_WITHIN = 30.0  # seconds for the last receipts

NODE_SERVER = """
const smpp = require('smpp');
let last = 0;
const two = (number) => String(number).padStart(2, '0');
function moment() {
  const now = new Date();
  return [now.getUTCFullYear() % 100, now.getUTCMonth() + 1, now.getUTCDate(), now.getUTCHours(), now.getUTCMinutes()]
    .map(two).join('');
}
function receipt(pdu, id) {
  const at = moment();
  return {
    source_addr_ton: pdu.dest_addr_ton, source_addr_npi: pdu.dest_addr_npi, source_addr: pdu.destination_addr,
    dest_addr_ton: pdu.source_addr_ton, dest_addr_npi: pdu.source_addr_npi, destination_addr: pdu.source_addr,
    esm_class: 4, data_coding: 0,
    short_message: Buffer.from(
      `id:${id} sub:001 dlvrd:001 submit date:${at} done date:${at} stat:DELIVRD err:000`),
    receipted_message_id: id, message_state: 2, network_error_code: Buffer.from([3, 0, 0]),
  };
}
const server = smpp.createServer((session) => {
  session.on('bind_transceiver', (pdu) => session.send(pdu.response()));
  session.on('submit_sm', (pdu) => {
    const id = String(++last);
    session.send(pdu.response({ message_id: id }));
    if (pdu.registered_delivery) session.deliver_sm(receipt(pdu, id));
  });
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
  session.on('error', () => {});
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
"""

OUR_SERVER = """
import asyncio
from kannelkit.simulator import AccountRules, Behaviour, Simulator

async def main():
    behaviour = Behaviour(receipt_delay=0, receipt_window=1000)
    async with Simulator([AccountRules("test", "test", limit=None)], behaviour) as smsc:
        print(smsc.port, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""

_HEADER = struct.Struct(">IIII")


def submits(count: int, *, receipts: bool) -> list[bytes]:
    """Return `count` different submit_sm of 60 characters, as bearerbox would write them, with or without receipts."""
    return [
        encode(
            Pdu(
                CommandId.SUBMIT_SM,
                sequence_number=number + 2,
                fields={
                    "source_addr_ton": 5,
                    "source_addr": b"kannelkit",
                    "dest_addr_ton": 1,
                    "dest_addr_npi": 1,
                    "destination_addr": b"79%09d" % number,
                    "esm_class": 3,
                    "registered_delivery": int(receipts),
                    "short_message": b"Your code is %06d. " % number + b"x" * 40,
                },
            )
        )
        for number in range(count)
    ]


def load(port: int, seconds: float, window: int, made: list[bytes], *, receipts: bool) -> tuple[int, float]:
    """Send for `seconds`, `window` submits unanswered; return how many messages, and the seconds to the last end."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        bind: dict[str, FieldValue] = {"system_id": b"test", "password": b"test", "interface_version": 0x34}
        connection.sendall(encode(Pdu(CommandId.BIND_TRANSCEIVER, sequence_number=1, fields=bind)))
        (length,) = struct.unpack(">I", connection.recv(4, socket.MSG_WAITALL))
        if connection.recv(length - 4, socket.MSG_WAITALL)[4:8] != b"\0\0\0\0":
            raise RuntimeError("the bind was refused")
        connection.settimeout(DRAINED_WITHIN)
        position = answered = receipted = 0
        rest = b""
        unanswered = 0
        start = time.monotonic()
        end = start + seconds
        while True:
            sending = time.monotonic() < end
            if not sending and not unanswered and (not receipts or receipted == answered):
                return answered, time.monotonic() - start
            out: list[bytes] = []
            if sending and unanswered < window:
                out = made[position : position + window - unanswered]
                position = (position + len(out)) % len(made)
                unanswered += len(out)
            if out:
                connection.sendall(b"".join(out))
            rest += connection.recv(262_144)
            acknowledged: list[bytes] = []
            at = 0
            while len(rest) - at >= 16:
                length, command_id, status, number = _HEADER.unpack_from(rest, at)
                if len(rest) - at < length:
                    break
                at += length
                if command_id == CommandId.DELIVER_SM:
                    receipted += 1
                    acknowledged.append(_HEADER.pack(17, CommandId.DELIVER_SM_RESP, 0, number) + b"\0")
                elif status:
                    raise RuntimeError("a submit was refused")
                else:
                    unanswered -= 1
                    answered += 1
            rest = rest[at:]
            if acknowledged:
                connection.sendall(b"".join(acknowledged))


@contextlib.contextmanager
def server(command: list[str], folder: str) -> Iterator[tuple[int, psutil.Process]]:
    """Run a server that prints its port; end it afterwards."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=folder, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline()), psutil.Process(process.pid)
        finally:
            process.terminate()


def measured(command: list[str], folder: str, load: Callable[[int], tuple[int, float]]) -> tuple[float, float]:
    """Return a server's messages per second, and per second of processor time that it took."""
    with server(command, folder) as (port, process):
        before = process.cpu_times()
        count, seconds = load(port)
        after = process.cpu_times()
    return count / seconds, count / (after.user + after.system - before.user - before.system)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--window", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    rows = {"answers": submits(200_000, receipts=False), "answers and receipts": submits(200_000, receipts=True)}
    found: dict[str, dict[str, list[tuple[float, float]]]] = {row: {"kannelkit": [], "node": []} for row in rows}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "server.js").write_text(NODE_SERVER)
        subprocess.run(["npm", "install", "--silent", "--no-save", "smpp@0.5.1"], cwd=folder, check=True)
        commands = {"kannelkit": [sys.executable, "-c", OUR_SERVER], "node": ["node", "server.js"]}
        for row, made in rows.items():
            receipts = row != "answers"
            loaded = partial(load, seconds=arguments.seconds, window=arguments.window, made=made, receipts=receipts)
            for _ in range(arguments.rounds):  # in turn, so that both meet the same machine
                for name, command in commands.items():
                    found[row][name].append(measured(command, folder, loaded))
    told = {row: _row(rates) for row, rates in found.items()}
    machine = {"python": platform.python_version(), "processors": os.cpu_count()}
    print(json.dumps({"window": arguments.window, **told, **machine}, indent=2))
    return 0 if statistics.median(rate for rate, _ in found["answers and receipts"]["kannelkit"]) >= ENOUGH else 1


def _row(rates: dict[str, list[tuple[float, float]]]) -> dict[str, object]:
    """Return the medians of both servers, and ours over theirs."""
    told: dict[str, object] = {}
    for place, what in enumerate(("a_second", "a_second_of_processor_time")):
        ours, theirs = (statistics.median(each[place] for each in rates[name]) for name in ("kannelkit", "node"))
        told[what] = {"kannelkit": round(ours), "node": round(theirs), "ratio": round(ours / theirs, 2)}
    told["rounds"] = {name: [round(rate) for rate, _ in each] for name, each in rates.items()}
    return told


if __name__ == "__main__":
    sys.exit(main())
