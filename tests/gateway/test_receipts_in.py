"""The port where receipts come in: what smsbox fetches is a receipt, everything else is nothing."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import aiohttp
import pytest
import yarl

from kannelkit.gateway.receipts_in import MASK, Receipt, ReceiptsIn

TEXT = "id:12 sub:001 dlvrd:001 submit date:1108202241 done date:1108202241 stat:DELIVRD err:000"


def filled(url: str, kind: int, text: str = TEXT, message_id: str = "12", smsc: str = "acc") -> str:
    """Return a dlr-url as Kannel fills it in."""
    values = {"%d": str(kind), "%F": message_id, "%i": smsc, "%A": text}
    for escape, value in values.items():
        url = url.replace(escape, quote(value, safe=""))
    return url


async def fetched(session: aiohttp.ClientSession, url: str) -> int:
    async with session.get(yarl.URL(url, encoded=True)) as answer:
        return answer.status


async def test_a_receipt_is_told_once() -> None:
    came: list[Receipt] = []
    async with ReceiptsIn(came.append) as receipts, aiohttp.ClientSession() as session:
        url = receipts.url(7)
        assert [await fetched(session, filled(url, kind)) for kind in (8, 1, 1)] == [202, 202, 202]
    assert [(receipt.number, receipt.kind, receipt.text, receipt.id, receipt.smsc) for receipt in came] == [
        (7, 8, TEXT, "12", "acc"),
        (7, 1, TEXT, "12", "acc"),
    ]
    assert [(receipt.final, receipt.delivered) for receipt in came] == [(False, False), (True, True)]


async def test_what_is_no_receipt_is_not_told() -> None:
    came: list[Receipt] = []
    async with ReceiptsIn(came.append) as receipts, aiohttp.ClientSession() as session:
        url = filled(receipts.url(7), 1)
        wrong = {
            url.replace("number=7", "number=8"): 400,
            url.replace("number=7", "number=x"): 400,
            url.replace("number=7", f"number={'9' * 5000}"): 400,
            url.replace("kind=1", "kind="): 400,
            url.replace("kind=1", "kind=%D9%A3"): 400,
            url.partition("?")[0]: 400,
            url.replace("?", "x?"): 404,
            "http://" + url.split("/")[2] + "/": 404,
        }
        assert {each: await fetched(session, each) for each in wrong} == wrong
    assert came == []


async def test_what_is_no_http_is_no_traceback_either(caplog: pytest.LogCaptureFixture) -> None:
    async with ReceiptsIn(lambda receipt: None) as receipts:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(receipts.url(1).split("/")[2].split(":")[1]))
        writer.write(b"GET /\xd9?\xff HTTP/1.1\r\n\r\n")
        assert b" 400 " in await reader.readline()
        writer.close()
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("kind", "final", "delivered"),
    [(1, True, True), (2, True, False), (4, False, False), (8, False, False), (16, True, False), (34, True, False)],
)
def test_what_a_kind_tells(kind: int, final: bool, delivered: bool) -> None:
    receipt = Receipt(1, kind, "", "", "")
    assert (receipt.final, receipt.delivered) == (final, delivered)
    assert not receipt.final or kind & MASK  # whatever ends the waiting is asked for
