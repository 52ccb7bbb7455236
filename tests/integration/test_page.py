"""The page for people in a real browser: live, on a phone, in the dark, without scripts, by keyboard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from kannelkit.health.observed import Observed
from kannelkit.health.server import Known, Server
from kannelkit.health.values import Report
from kannelkit.spec import load
from kannelkit.spec.model import Address
from kannelkit.supervise.views import Overview
from tests.harness.ports import free_ports
from tests.health.pages import AT, GATEWAYS, HOSTILE, account, observed, told
from tests.health.strict_html import read
from tests.integration.browser import PROGRAM, Browser

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium (Debian's package chromium) is installed")

SPEC = "smsc: [{smsc-id: smscru, host: smpp.example.net, smsc-username: login, smsc-password: secret}]\n"
HEADLINE = "document.querySelector('h1').innerText"
LIVE = "document.getElementById('live').textContent"


@dataclass
class Gateway:
    """A gateway that is played: what was seen of it, and a clock that stands still until it is set."""

    seen: Observed
    now: float = AT + 1
    report: Report = field(init=False)

    def __post_init__(self) -> None:
        self.becomes(self.seen)

    def becomes(self, seen: Observed) -> None:
        self.now += 1
        at = self.now
        self.seen = replace(seen, at=at, overview=replace(seen.overview, at=at))
        self.report = told(self.seen)

    def state(self) -> Overview:
        return self.seen.overview


@asynccontextmanager
async def served(gateway: Gateway, folder: Path, port: int = 0) -> AsyncIterator[str]:
    path = folder / "gateway.yaml"
    path.write_text(SPEC)
    spec = load(path, {})
    known = Known(lambda: gateway.report, gateway.state, lambda names: b"", lambda: spec, lambda: True)
    server = Server(known, Address("127.0.0.1", port), clock=lambda: gateway.now)
    bound = await server.start()
    try:
        yield f"http://127.0.0.1:{bound}/"
    finally:
        await server.stop()


async def test_the_page_follows_the_gateway_without_being_loaded_again(browser: Browser, tmp_path: Path) -> None:
    gateway = Gateway(GATEWAYS["well"]())
    async with served(gateway, tmp_path) as url:
        await browser.open(url)
        await browser.until(f"{LIVE}.startsWith('live')")
        assert await browser.tell(HEADLINE) == "● Sending"
        await browser.tell("window.mark = 1; document.querySelector('details').open = true; 0")
        gateway.becomes(GATEWAYS["one-away"]())
        await browser.until(f"{HEADLINE} === '✖ smscru is not sending'")
        assert (await browser.tell("document.title")).startswith("smscru is not sending")
        assert "1840, and nothing is being sent" in await browser.tell("document.getElementById('facts-0').innerText")
        gateway.becomes(GATEWAYS["on-backup"]())
        await browser.until(f"{HEADLINE} === '▲ Sending'")
        # nothing was loaded again, what was folded open is open, and what is said aloud is the headline alone
        assert await browser.tell("window.mark === 1 && document.querySelector('details').open")
        live = "[...document.querySelectorAll('[role=status], [aria-live]')].map((node) => node.nodeName)"
        assert await browser.tell(live) == ["H1"]
        assert browser.complaints == []
    asked = {address.removeprefix(url) for address in browser.requested} - {"data:,"}
    assert asked == {"", "page.css", "page.js", "events"}


async def test_what_takes_ten_seconds_comes_about(chromium_port: int, tmp_path: Path) -> None:
    """Each in a page of its own, at the same time."""

    async def tried(body: Callable[[Browser, Path], Awaitable[None]]) -> None:
        folder = tmp_path / str(id(body))
        folder.mkdir()
        async with Browser(chromium_port) as browser:
            await body(browser, folder)

    async with asyncio.TaskGroup() as pages:
        for body in (
            a_daemon_that_is_gone_is_told_and_found_again,
            other_accounts_are_another_page,
            without_scripts_it_is_read_and_loads_itself,
        ):
            pages.create_task(tried(body))


async def a_daemon_that_is_gone_is_told_and_found_again(browser: Browser, folder: Path) -> None:
    gateway = Gateway(GATEWAYS["well"]())
    (port,) = free_ports(1)
    async with served(gateway, folder, port) as url:
        await browser.open(url)
        await browser.until(f"{LIVE}.startsWith('live')")
    await browser.until(f"{LIVE}.startsWith('No word from the health daemon')")
    assert await browser.tell(
        "document.body.classList.contains('old') && document.getElementById('live').ariaLive"
    ) == ("polite")
    gateway.becomes(GATEWAYS["all-away"]())
    async with served(gateway, folder, port):
        await browser.until(f"{LIVE}.startsWith('live') && {HEADLINE} === '✖ Not sending'")
        assert not await browser.tell("document.body.classList.contains('old')")


async def other_accounts_are_another_page(browser: Browser, folder: Path) -> None:
    gateway = Gateway(observed(account()))
    async with served(gateway, folder) as url:
        await browser.open(url)
        await browser.until(f"{LIVE}.startsWith('live')")
        gateway.becomes(observed(account(), account("added")))
        await browser.until("document.querySelectorAll('article').length === 2")
        gateway.now += 100  # and what is too old is not shown any more
        await browser.until(f"{HEADLINE} === '? Not known' && !document.querySelector('article')")


async def without_scripts_it_is_read_and_loads_itself(browser: Browser, folder: Path) -> None:
    gateway = Gateway(GATEWAYS["one-away"]())
    async with served(gateway, folder) as url:
        await browser.call("Emulation.setScriptExecutionDisabled", value=True)
        await browser.open(url)
        assert await browser.tell(HEADLINE) == "✖ smscru is not sending"
        assert "as of" in await browser.tell(LIVE)
        gateway.becomes(GATEWAYS["well"]())
        await browser.until(f"{HEADLINE} === '● Sending'")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["one-away", "hostile", "silent"])
async def test_on_a_phone_nothing_sticks_out(browser: Browser, tmp_path: Path, name: str, dark: bool) -> None:
    async with served(Gateway(GATEWAYS[name]()), tmp_path) as url:
        await browser.open(url, dark=dark)
        await browser.until(f"{LIVE}.startsWith('live')")
        await browser.tell("document.querySelectorAll('details').forEach((details) => { details.open = true; }); 0")
        assert await browser.tell("document.documentElement.scrollWidth") == 360
        ground = await browser.tell("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, ground[4:-1].split(","))) < 200) == dark
        await browser.picture(tmp_path / "page.png")
        assert browser.complaints == []


@pytest.mark.parametrize("name", ["hostile", "nobody", "well"])
async def test_a_browser_reads_it_as_it_is_written(browser: Browser, tmp_path: Path, name: str) -> None:
    async with served(Gateway(GATEWAYS[name]()), tmp_path) as url:
        await browser.call("Emulation.setScriptExecutionDisabled", value=True)
        await browser.open(url)
        tags = await browser.tell("[...document.querySelectorAll('*')].map((node) => node.localName)")
        written = await browser.tell(f"fetch({url!r}).then((answer) => answer.text())")
    # without scripts a noscript's contents are elements, as they are for the strict reader
    assert tags == [node.tag for node in read(written).iter()]


async def test_names_that_would_act_are_text(browser: Browser, tmp_path: Path) -> None:
    async with served(Gateway(GATEWAYS["hostile"]()), tmp_path) as url:
        await browser.open(url)
        await browser.until(f"{LIVE}.startsWith('live')")
        assert await browser.tell("document.querySelectorAll('img, script:not([src])').length") == 0
        assert HOSTILE[0] in await browser.tell("document.querySelector('article h3').textContent")
        # even a script that got in would not run
        broken = "(() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
        await browser.tell(f"{broken} document.body.append(s); }})()")
        assert await browser.tell("window.ran") is None
        assert "Content Security Policy" in browser.complaints[0]


async def test_the_keyboard_goes_through_it_in_order(browser: Browser, tmp_path: Path) -> None:
    where = "document.activeElement.textContent.trim()"
    async with served(Gateway(observed(account())), tmp_path) as url:
        await browser.open(url, width=1280, height=900)
        await browser.until(f"{LIVE}.startsWith('live')")
        stops = []
        for _ in range(9):
            await browser.key("Tab")
            stops.append(await browser.tell(where))
        links = ["What is wrong", "Accounts", "Queue", "Boxes", "Certificates", "Decisions"]
        assert stops == [*links, "The hour as a table", "Links", "Checks as JSON"]
        outline = await browser.tell("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none"


async def test_a_screen_reader_finds_landmarks_headings_and_the_plot(browser: Browser, tmp_path: Path) -> None:
    gateway = Gateway(GATEWAYS["one-away"]())
    async with served(gateway, tmp_path) as url:
        await browser.open(url)
        await browser.until(f"{LIVE}.startsWith('live')")
        seen = (await browser.call("Accessibility.getFullAXTree"))["nodes"]
    nodes = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in seen if "role" in node]
    roles = {role for role, _ in nodes}
    assert {"banner", "navigation", "main", "contentinfo", "region", "article", "figure"} <= roles
    headings = [name for role, name in nodes if role == "heading"]  # the tree is not in the order of the page
    assert {"What is wrong", "smscru", "reserve", "Accounts", "Queue", "Last decisions"} <= set(headings)
    assert [name for name in headings if name.endswith("smscru is not sending")]
    plots = [name for role, name in nodes if role in ("img", "image") and name]
    assert len(plots) == 2
    assert plots[0].startswith("Last minute: at the most 0.0 a second accepted, limit now 30")
