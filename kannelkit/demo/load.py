"""The load: messages through smsbox's sendsms, each one different, so that a lost or a doubled one shows."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import aiohttp

from kannelkit.gateway.sendsms import Message, SendSms

_AT_A_TIME = 8


def messages(count: int) -> Iterator[Message]:
    """Yield `count` messages of one part each, no two the same."""
    for number in range(count):
        yield Message(to=f"7999{number:07d}", text=f"Demonstration, message {number}", sender="demo")


async def send(port: int, username: str, password: str, count: int) -> int:
    """Send the messages as fast as smsbox takes them and return how many that were: all.

    Nothing is sent a second time, for that could itself double a message. Raises GatewayError where smsbox refuses
    one or does not answer: then nobody knows how many have to arrive.
    """
    async with aiohttp.ClientSession() as session:
        sms = SendSms(session, port, username, password)
        async with contextlib.aclosing(sms.send_many(messages(count), _AT_A_TIME)) as outcomes:
            async for outcome in outcomes:
                if outcome.error is not None:
                    raise outcome.error
    return count
