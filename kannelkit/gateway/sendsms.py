"""Sends messages through smsbox's sendsms interface (gw/smsbox.c)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

import aiohttp

from kannelkit.errors import GatewayError
from kannelkit.smpp import gsm0338

_MOST_OCTETS = 64 * 1024
_CODING_7BIT, _CODING_UCS2 = 0, 2
_TEMPORAL = "Temporal failure"
# what smsbox answers where it has not even tried to hand the message on (smsbox_sendsms_post, delayed_http_reply)
_REFUSALS = frozenset({400, 403, 404, 415})

# smsbox's answer begins with -> what to do about it
_HINTS = {
    "Authorization failed": "look at username, password and user-allow-ip of the sendsms-user group",
    "Not routable": "no smsc group takes this receiver and smsc-id; look at allowed- and denied-smsc-id and -prefix",
    _TEMPORAL: "bearerbox's queue is full or it is not there; try again later",
    "Sender missing": "name a sender, or write default-sender in the sendsms-user group",
    "Number(s) has/have been denied": "a white-list, black-list, allowed- or denied-prefix does not let it through",
}


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be sent. `coding` is Kannel's: 0 for the GSM alphabet, 1 for octets, 2 for UCS-2, None to choose.

    `dlr_mask` adds up Kannel's 1 delivered, 2 undeliverable, 4 queued at the SMSC, 8 accepted by it, 16 refused by it.
    `smsc` is an smsc-id. `priority` is 0 to 3, `validity` in minutes.
    """

    to: str
    text: str
    sender: str | None = None
    dlr_mask: int | None = None
    dlr_url: str | None = None
    smsc: str | None = None
    coding: int | None = None
    priority: int | None = None
    validity: int | None = None
    account: str | None = None
    binfo: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """bearerbox has the message; `queued` when no link could take it yet. Not a word about its delivery."""

    answer: str
    queued: bool


class Fate(StrEnum):
    """What became of a message as far as smsbox's answer tells."""

    TAKEN = "taken"
    REFUSED = "refused"  # not taken, and another try would end the same way
    NOT_NOW = "not-now"  # not taken: bearerbox's queue is full, or it is shutting down
    UNREACHED = "unreached"  # not taken: no connection to smsbox came about
    UNKNOWN = "unknown"  # the request was made, and no answer came that tells


@dataclass(frozen=True, slots=True)
class Answer:
    """The fate of a message, smsbox's own words or what happened instead, and the next step.

    `queued` is for what was taken while no link could take it on.
    """

    fate: Fate
    words: str
    hint: str = ""
    queued: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one of many messages: `accepted`, or the error that `send` would have raised."""

    message: Message
    accepted: Accepted | None = None
    error: GatewayError | None = None


class SendSms:
    """A sendsms-user of a running smsbox.

    Uses POST with the password in a header: it is in no URL, so in no access log and no error, and the HTTP client
    never repeats a POST by itself when a kept-alive connection breaks, which would send a message twice.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        port: int,
        username: str,
        password: str,
        host: str = "127.0.0.1",
        *,
        path: str = "/cgi-bin/sendsms",
        timeout: float = 30.0,
        tls: bool = False,
    ) -> None:
        """Take `timeout` in seconds. With `tls` it is not checked whose certificate smsbox has."""
        self._session = session
        self._ssl = not tls
        self._url = f"http{'s' * tls}://{f'[{host}]' if ':' in host else host}:{port}{path}"
        self._where = f"smsbox's sendsms port {host}:{port}"
        self._username = username
        self._password = password
        self._timeout = aiohttp.ClientTimeout(total=timeout)

    async def send(self, message: Message) -> Accepted:
        """Hand one message to bearerbox and return what it said.

        Raises GatewayError with smsbox's words when it is refused, and when there is no answer: then nobody knows
        whether the message was taken.
        """
        answer = await self.deliver(message)
        if answer.fate is Fate.TAKEN:
            return Accepted(answer.words, answer.queued)
        refused = answer.fate in (Fate.REFUSED, Fate.NOT_NOW)
        raise GatewayError(f"smsbox refuses the message to {message.to}: " * refused + answer.words, answer.hint)

    async def deliver(self, message: Message) -> Answer:
        """Hand one message to bearerbox and return what is known of its fate then.

        Raises GatewayError, before anything was sent, for a message that no request can carry.
        """
        headers = self._headers(message)
        body = _utf8("the text", message.text)
        may_be_taken = "the message may have been taken all the same"
        try:
            status, answer = await self._post(headers, body)
        # what aiohttp says itself is left out: it may hold the request's headers
        except TimeoutError:
            words = f"{self._where} did not answer within {self._timeout.total:g} s"
            return Answer(Fate.UNKNOWN, words, may_be_taken)
        except aiohttp.ClientConnectorError:
            hint = "is smsbox running, and is this its sendsms-port?"
            return Answer(Fate.UNREACHED, f"{self._where} cannot be reached", hint)
        except aiohttp.ClientError:
            return Answer(Fate.UNKNOWN, f"{self._where} broke the connection", may_be_taken)
        if status == 202:
            return Answer(Fate.TAKEN, answer, queued=answer.startswith("3:"))
        hint = next((hint for words, hint in _HINTS.items() if answer.startswith(words)), "")
        words = answer or f"HTTP {status}"
        if status == 503 and answer.startswith(_TEMPORAL):
            return Answer(Fate.NOT_NOW, words, hint)
        if status in _REFUSALS:
            return Answer(Fate.REFUSED, words, hint)
        words = f"smsbox's answer does not tell whether it took the message to {message.to}: {words}"
        return Answer(Fate.UNKNOWN, words, hint or may_be_taken)

    async def send_many(self, messages: Iterable[Message], concurrency: int = 50) -> AsyncGenerator[Outcome, None]:
        """Send the messages, `concurrency` of them at a time, and yield what became of each as soon as it is known.

        Takes the next message only when one of those under way is answered and its outcome was taken. When the caller
        stops early, requests under way are broken off.
        """
        waiting = iter(messages)
        under_way: set[asyncio.Task[Outcome]] = set()
        try:
            while True:
                for message in islice(waiting, concurrency - len(under_way)):
                    under_way.add(asyncio.create_task(self._outcome(message)))
                if not under_way:
                    return
                done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield task.result()
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _outcome(self, message: Message) -> Outcome:
        try:
            return Outcome(message, accepted=await self.send(message))
        except GatewayError as error:
            return Outcome(message, error=error)

    async def _post(self, headers: dict[str, str], body: bytes) -> tuple[int, str]:
        async with self._session.post(
            self._url, data=body, headers=headers, allow_redirects=False, timeout=self._timeout, ssl=self._ssl
        ) as response:
            octets = await response.content.read(_MOST_OCTETS)
            return response.status, octets.decode("utf-8", "backslashreplace").strip()

    def _headers(self, message: Message) -> dict[str, str]:
        coding = message.coding
        if coding is None:
            coding = _smallest_coding(message.text)
        optional = {
            "From": message.sender,
            "DLR-Mask": message.dlr_mask,
            "DLR-URL": message.dlr_url,
            "SMSC": message.smsc,
            "Priority": message.priority,
            "Validity": message.validity,
            "Account": message.account,
            "BInfo": message.binfo,
        }
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "X-Kannel-Username": self._username,
            "X-Kannel-Password": self._password,
            "X-Kannel-To": message.to,
            "X-Kannel-Coding": str(coding),
        }
        headers.update((f"X-Kannel-{name}", str(value)) for name, value in optional.items() if value is not None)
        for name, value in headers.items():
            if any(character < " " or character == "\x7f" for character in value):
                raise GatewayError(f"{name.removeprefix('X-Kannel-')} holds a control character", "leave it out")
            _utf8(name.removeprefix("X-Kannel-"), value)
        return headers


def _utf8(name: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # its own text would show the value
        raise GatewayError(f"{name} holds half a character (a lone surrogate)", "leave it out") from None


def _smallest_coding(text: str) -> int:
    try:
        gsm0338.encode(text)
    except UnicodeEncodeError:
        return _CODING_UCS2
    return _CODING_7BIT
