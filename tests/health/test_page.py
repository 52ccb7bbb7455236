"""The page for people as HTML: what it says of each gateway, that it is valid, and that no text acts in it."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.health.page import Page, Shown, asset
from kannelkit.health.page_view import MOST_CARDS
from tests.health.pages import AT, GATEWAYS, account, look, observed, overview, told, whole
from tests.health.strict_html import read

# what may load, run or send something
ACTIVE = {"script", "iframe", "object", "embed", "form", "base", "img", "audio", "video", "input", "button"}

SAID = {
    "well": ("Sending", "Both accounts send. Nothing is wrong.", "28.4 of 30 a second", "ceiling 60"),
    "one-away": (
        "smscru is not sending",
        "1 of 2 accounts send. Since 23:24 (17 min)",
        "What to do: try it from this machine",
        "1840, and nothing is being sent",
        "1864, of which 1840 at accounts that send nothing",
        "its certificate expires in 9 days",
        "throughput 60 -> 30: 31 of 60 refused",
    ),
    "on-backup": ("Sending", "on its backup host smpp2.example.net:3700", "side changed once", "since 23:29 (12 min)"),
    "all-away": ("Not sending", "No account sends.", "As told of smscru:"),
    "silent": ("Not sending", "Not sending: bearerbox hangs.", "smscru, reserve", "not known, limit 30 a second"),
    "nobody": ("Nothing to send through", "bearerbox is not running", "nobody supervises", "There is none."),
    "many": ("29 of 200 accounts are not sending", "and 23 more", "And 150 more that are no worse"),
    "hostile": ("8 of 10 accounts are not sending", "<script>alert(1)</script>", "\\u202emoc.live", "{{ 7 * 7 }}"),
}


@cache
def made(name: str) -> Shown:
    return whole(name)


def text(html: str) -> str:
    return " ".join("".join(read(html).itertext()).split())


def test_every_gateway_has_its_words() -> None:
    assert set(SAID) == set(GATEWAYS)


@pytest.mark.parametrize("name", SAID)
def test_the_page_says(name: str) -> None:
    shown = made(name)
    said = text(shown.html)
    assert shown.title.startswith(SAID[name][0])
    for words in SAID[name]:
        assert words in said


@pytest.mark.parametrize("name", GATEWAYS)
def test_the_page_is_valid_and_nothing_in_it_acts(name: str) -> None:
    document = read(made(name).html)
    scripts = [node.attrib for node in document.iter("script")]
    assert scripts == [{"src": "page.js", "defer": ""}]
    for node in document.iter():
        assert node.tag not in ACTIVE - {"script"}
        assert not [key for key in node.attrib if key.startswith("on") or key == "style"]
        for key in ("href", "src"):
            assert re.fullmatch(r"[a-z.]+|#[a-z-]+|data:,", node.attrib.get(key, "#a")), node.attrib


@pytest.mark.parametrize("name", GATEWAYS)
def test_ids_are_there_once_and_are_what_others_point_to(name: str) -> None:
    document = read(made(name).html)
    ids = Counter(node.attrib["id"] for node in document.iter() if "id" in node.attrib)
    assert set(ids.values()) == {1}
    wanted = {node.attrib["aria-labelledby"] for node in document.iter() if "aria-labelledby" in node.attrib}
    wanted |= {node.attrib["href"][1:] for node in document.iter() if node.attrib.get("href", "").startswith("#")}
    assert wanted <= set(ids)
    assert set(made(name).parts) <= set(ids)
    assert set(made(name).cards) <= set(ids)


@pytest.mark.parametrize("name", GATEWAYS)
def test_headings_go_down_one_by_one(name: str) -> None:
    levels = [int(found) for found in re.findall(r"<h([1-6])", made(name).html)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_what_a_silent_bearerbox_cannot_tell_is_no_trouble_of_its_own() -> None:
    troubles = made("silent").parts["troubles"]
    assert "unknown" in {check.status for check in told(GATEWAYS["silent"]()).checks}
    assert "unknown" not in troubles
    assert troubles.count("<section") == 2  # the gateway, and both accounts alike


@pytest.mark.parametrize("report_age", [None, 65.0])
def test_what_is_not_known_is_not_told(report_age: float | None) -> None:
    seen = GATEWAYS["well"]()
    page = Page()
    page.noted(seen.overview)
    shown = page.shown(replace(look(seen), report=None, age=report_age), whole=True)
    assert shown.title.startswith("Not known")
    assert "Sending" not in text(shown.html)
    assert shown.cards == ()
    assert ("1 min ago" in text(shown.html)) == (report_age is not None)


def test_a_page_has_no_more_cards_than_are_read_and_the_worst_first() -> None:
    shown = made("many")
    assert len(shown.cards) == MOST_CARDS
    assert shown.cards[:2] == ("account-3", "account-10")


def test_only_what_differs_is_sent_again() -> None:
    page, seen = Page(), GATEWAYS["well"]()
    first = page.shown(look(seen))
    assert set(json.loads(first.since({}))["parts"]) == set(first.parts)
    assert json.loads(page.shown(look(seen)).since(first.parts))["parts"] == {}
    faster = observed(account(rate=29.9), account("reserve", 3.1))
    changed = json.loads(page.shown(look(faster)).since(first.parts))["parts"]
    assert set(changed) == {"facts-0"}


def test_a_thing_that_goes_on_does_not_change_every_second() -> None:
    page, seen = Page(), GATEWAYS["one-away"]()
    first = page.shown(look(seen))
    for seconds in range(2, 9):
        later = replace(look(seen), now=AT + seconds)
        assert set(json.loads(page.shown(later).since(first.parts))["parts"]) <= {"plot-0", "plot-1"}


@pytest.mark.parametrize("name", ["page.css", "page.js"])
def test_assets_name_nothing_outside(name: str) -> None:
    assert not re.search(r"https?:|//[a-z]+\.|url\(|@import|eval\(|Function\(", asset(name))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (WCAG 2.2, 1.4.3)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_can_be_read(scheme: str) -> None:
    blocks = re.findall(r":root \{(.*?)\}", asset("page.css"), re.DOTALL)
    colours = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6})", blocks[scheme == "dark"]))
    for name in ("text", "note", "link", "ok", "warning", "critical", "unknown"):
        for ground in ("ground", "card"):
            assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
    for name in ("ok", "warning", "critical", "unknown"):
        assert contrast(colours["on"], colours[name]) >= 4.5, name
    for name in ("accepted", "refused", "limit", "mark"):
        assert contrast(colours[name], colours["card"]) >= 3, name


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_is_text(name: str, why: str) -> None:
    strange = replace(account(name), why=why, host=why, side="backup", since=0.0)
    seen = replace(observed(strange), overview=overview(strange))
    html = Page().shown(look(seen), whole=True).html
    document = read(html.encode().decode())
    assert len(list(document.iter("script"))) == 1
    assert len(list(document.iter("article"))) == 1


def test_reports_of_the_cases_come_from_the_checks() -> None:
    assert told(GATEWAYS["well"]()).status == "ok"
