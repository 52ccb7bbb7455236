"""The simulator's page in a real browser: live, by its forms, on a phone, in the dark, by keyboard, without scripts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from kannelkit.simulator import AccountRules, Behaviour, Simulator
from kannelkit.smpp.constants import CommandId
from tests.integration.browser import PROGRAM, Browser
from tests.simulator.esme import Esme

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium (Debian's package chromium) is installed")

LIVE = "document.getElementById('live').textContent"
SHOWN = "[...document.querySelectorAll('#messages > li')].map((each) => each.id).join()"
HOSTILE = "<img src=x onerror=\"document.title='lost'\"><script>document.title='lost'</script>"


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Simulator, Esme, str]]:
    async with (
        Simulator([AccountRules("test", "test")], Behaviour(receipt_delay=0), control_port=0) as smsc,
        Esme(smsc.port) as esme,
    ):
        await esme.bind()
        yield smsc, esme, f"http://127.0.0.1:{smsc.control_port}/"


def form(action: str, **fields: str) -> str:
    """Return a script that fills in a form and sends it as a person would."""
    fill = "".join(f"f.elements['{name}'].value = {value!r};" for name, value in fields.items())
    return f"(() => {{ const f = document.querySelector('form[action={action}]'); {fill} f.requestSubmit(); }})()"


def said(action: str, words: str) -> str:
    """Return whether a form has been answered so."""
    return f"document.querySelector('form[action={action}] .said').textContent.startsWith({words!r})"


async def test_what_arrives_appears_and_what_is_open_stays_open(browser: Browser) -> None:
    async with served() as (_, esme, url):
        await browser.open(url)
        await browser.until(f"{LIVE}.startsWith('live')")
        await esme.submit_and_wait(HOSTILE.encode())
        await browser.until(f"{SHOWN} === 'message-1'")
        assert not await browser.tell("document.getElementById('nothing').checkVisibility()")
        await browser.tell("document.querySelector('details').open = true; document.querySelector('summary').focus()")
        await esme.submit_and_wait(b"second")
        await browser.until(f"{SHOWN} === 'message-2,message-1'")
        await browser.until("document.getElementById('state-1').textContent.includes('DELIVRD')")
        assert await browser.tell("document.querySelector('#message-1 details').open")
        assert await browser.tell("document.activeElement.closest('li').id") == "message-1"
        assert HOSTILE in await browser.tell("document.querySelector('#message-1 .text').textContent")
        assert "lost" not in await browser.tell("document.title")
        assert browser.complaints == []
    asked = {address.removeprefix(url) for address in browser.requested} - {"data:,"}
    assert asked == {"", "page.css", "page.js", "events"}


async def test_while_paused_nothing_moves_and_then_everything_is_there(browser: Browser) -> None:
    async with served() as (_, esme, url):
        await browser.open(url)
        await browser.until(f"{LIVE}.startsWith('live')")
        await browser.tell("document.getElementById('pause').click()")
        for number in range(3):
            await esme.submit_and_wait(b"%d" % number)
        await browser.until("document.getElementById('standing-0').textContent.includes('Accepted')")
        await browser.until(f"{LIVE} === 'paused'")
        assert await browser.tell(SHOWN) == ""
        await browser.tell("document.getElementById('pause').click()")
        await browser.until(f"{SHOWN} === 'message-3,message-2,message-1'")


async def test_the_forms_change_what_they_say(browser: Browser) -> None:
    async with served() as (smsc, esme, url):
        await browser.open(url)
        await browser.tell(form("limit", limit="7"))
        await browser.until(
            "document.querySelector('form[action=limit] .said').textContent === 'The limit is changed.'"
        )
        assert smsc.account("test").rules.limit == 7
        await browser.tell(form("outcomes", rules="to=7*,err=220\nerr=1"))
        await browser.until(said("outcomes", "The rules are changed"))
        assert [rule.err for rule in smsc.outcomes] == [220, 1]
        await browser.tell(form("outcomes", rules="err=none"))
        await browser.until(
            "document.querySelector('form[action=outcomes] [role=alert]').textContent.startsWith('line 1')"
        )
        await browser.tell(form("incoming", **{"from": "79991234567", "to": "7999", "text": "Да"}))
        arrived = await esme.receive()
        assert arrived.command_id == CommandId.DELIVER_SM
        assert arrived.octets("short_message") == "Да".encode("utf-16-be")
        # a refused form is told by the browser, too
        assert all("400" in complaint for complaint in browser.complaints)


async def test_the_forms_work_without_scripts(browser: Browser) -> None:
    async with served() as (smsc, esme, url):
        await esme.submit_and_wait(b"hello")
        await browser.call("Emulation.setScriptExecutionDisabled", value=True)
        await browser.open(url)
        # scripts of the debugger still run
        await browser.tell(form("limit", limit="9"))
        await browser.until("location.search === '?done=limit'")
        assert smsc.account("test").rules.limit == 9
        assert await browser.tell("document.querySelector('[role=status].said').textContent") == "The limit is changed."
        assert await browser.tell(SHOWN) == "message-1"
        assert not await browser.tell("document.getElementById('pause').checkVisibility()")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_it_fits_a_phone_and_can_be_read(browser: Browser, dark: bool) -> None:
    async with served() as (_, esme, url):
        await esme.submit_and_wait(b"w" * 150)
        await esme.submit_and_wait(bytes(range(100)) + b"\xff")
        await browser.open(url, width=320, dark=dark)
        assert await browser.tell("document.documentElement.scrollWidth") == 320
        colours = "((s) => [s.color, s.backgroundColor].join())(getComputedStyle(document.body))"
        assert await browser.tell(colours) == (
            "rgb(236, 239, 241),rgb(16, 18, 20)" if dark else "rgb(22, 25, 29),rgb(244, 245, 247)"
        )


async def test_it_is_used_by_keyboard(browser: Browser) -> None:
    async with served() as (_, esme, url):
        await esme.submit_and_wait(b"hello")
        await browser.open(url)
        reached = set()
        for _ in range(30):
            await browser.key("Tab")
            reached.add(await browser.tell("document.activeElement.tagName"))
            if await browser.tell("document.activeElement.tagName === 'SUMMARY'"):
                await browser.key("Enter")
        assert {"A", "SELECT", "BUTTON", "SUMMARY", "INPUT", "TEXTAREA"} <= reached


async def test_a_simulator_that_is_gone_is_told(browser: Browser) -> None:
    async with served() as (_, _, url):
        await browser.open(url)
        await browser.until(f"{LIVE}.startsWith('live')")
    await browser.tell("Date.now = ((now) => () => now() + 60000)(Date.now)")  # not the ten seconds that it takes
    await browser.until(f"{LIVE}.startsWith('No word from the simulator')")
    assert await browser.tell("document.getElementById('live').ariaLive") == "polite"
