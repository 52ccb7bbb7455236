"""The simulator as a process that remembers few messages, so that millions can be sent.

`python -m tests.benchmarks.lean_smsc` takes the words of `kannelkit simulate` for ports, accounts and delay.
"""

from __future__ import annotations

import argparse
import asyncio

from kannelkit.simulator import AccountRules, Behaviour, Simulator
from kannelkit.simulator.rules import Bounds

_MESSAGES = 1000  # of an account; nobody asks for them


async def main() -> None:
    """Run until it is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--control-port", type=int, required=True)
    parser.add_argument("--account", type=AccountRules.parse, action="append", required=True)
    parser.add_argument("--delay", type=float, default=0.0)
    options = parser.parse_args()
    async with Simulator(
        options.account,
        Behaviour(delay=options.delay),
        port=options.port,
        control_port=options.control_port,
        bounds=Bounds(messages=_MESSAGES),
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
