"""How many submit_sm a second the simulator takes, beside node's `smpp` package as a server, in the same run.

    .venv/bin/python tests/benchmarks/bench_simulator.py [--seconds 5] [--window 100]

The servers and the loader are processes of their own. The loader writes octets made beforehand and counts answers
by their length alone, so that it is not what is measured; one connection keeps a window of submits unanswered.
node's package comes from the npm registry into a temporary folder.
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
from collections.abc import Iterator
from pathlib import Path

from kannelkit.smpp.constants import CommandId
from kannelkit.smpp.pdu import FieldValue, Pdu, encode

NODE_SERVER = """
const smpp = require('smpp');
let last = 0;
const server = smpp.createServer((session) => {
  session.on('bind_transceiver', (pdu) => session.send(pdu.response()));
  session.on('submit_sm', (pdu) => session.send(pdu.response({ message_id: String(++last) })));
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
  session.on('error', () => {});
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
"""

OUR_SERVER = """
import asyncio
from kannelkit.simulator import AccountRules, Simulator

async def main():
    async with Simulator([AccountRules("test", "test", limit=None)]) as smsc:
        print(smsc.port, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def submits(count: int) -> list[bytes]:
    """Return `count` different submit_sm of 60 characters, as bearerbox would write them."""
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
                    "short_message": b"Your code is %06d. " % number + b"x" * 40,
                },
            )
        )
        for number in range(count)
    ]


def load(port: int, seconds: float, window: int, made: list[bytes]) -> float:
    """Return the submits answered per second over `seconds`, with `window` unanswered at any time."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        bind: dict[str, FieldValue] = {"system_id": b"test", "password": b"test", "interface_version": 0x34}
        connection.sendall(encode(Pdu(CommandId.BIND_TRANSCEIVER, sequence_number=1, fields=bind)))
        (length,) = struct.unpack(">I", connection.recv(4, socket.MSG_WAITALL))
        if connection.recv(length - 4, socket.MSG_WAITALL)[4:8] != b"\0\0\0\0":
            raise RuntimeError("the bind was refused")
        position = answered = 0
        rest = b""
        unanswered = 0
        start = time.monotonic()
        end = start + seconds
        while time.monotonic() < end:
            free = window - unanswered
            if free:
                burst = made[position : position + free]
                position = (position + free) % len(made)
                connection.sendall(b"".join(burst))
                unanswered += len(burst)
            rest += connection.recv(65536)
            at = 0
            while len(rest) - at >= 16:
                length = int.from_bytes(rest[at : at + 4], "big")
                if len(rest) - at < length:
                    break
                if rest[at + 8 : at + 12] != b"\0\0\0\0":
                    raise RuntimeError("a submit was refused")
                at += length
                unanswered -= 1
                answered += 1
            rest = rest[at:]
        return answered / (time.monotonic() - start)


@contextlib.contextmanager
def server(command: list[str], folder: str) -> Iterator[int]:
    """Run a server that prints its port; end it afterwards."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=folder, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--window", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    made = submits(200_000)
    found: dict[str, list[float]] = {"kannelkit": [], "node": []}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "server.js").write_text(NODE_SERVER)
        subprocess.run(["npm", "install", "--silent", "--no-save", "smpp@0.5.1"], cwd=folder, check=True)
        commands = {"kannelkit": [sys.executable, "-c", OUR_SERVER], "node": ["node", "server.js"]}
        for _ in range(arguments.rounds):  # in turn, so that both meet the same machine
            for name, command in commands.items():
                with server(command, folder) as port:
                    found[name].append(load(port, arguments.seconds, arguments.window, made))
    ours, theirs = (statistics.median(found[name]) for name in ("kannelkit", "node"))
    print(
        json.dumps(
            {
                "window": arguments.window,
                "kannelkit_submit_sm_per_second": round(ours),
                "node_smpp_submit_sm_per_second": round(theirs),
                "ratio": round(ours / theirs, 2),
                "rounds": {name: [round(each) for each in rates] for name, rates in found.items()},
                "python": platform.python_version(),
                "processors": os.cpu_count(),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
