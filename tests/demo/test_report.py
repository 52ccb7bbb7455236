"""What people read at the end."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from kannelkit.demo.figures import Half
from kannelkit.demo.report import conclusion, picture, report

ALONE = Half(15.0, 0.5, 570, 0, None, (30, 30, 0, 30, 0), 0, 0)
SUPERVISED = Half(29.4, 0.002, 30, 1, 1.2, (30, 30, 30, 15, 1), 0, 0)


def text(encoding: str = "utf-8") -> list[str]:
    octets = io.BytesIO()
    stream = io.TextIOWrapper(octets, encoding=encoding)
    report(Console(file=stream, width=80, highlight=False), 30, ALONE, SUPERVISED)
    stream.flush()
    return [line.rstrip() for line in octets.getvalue().decode(encoding).splitlines()]


def test_the_table_fits_a_terminal_and_holds_both_halves() -> None:
    lines = text()
    rows = [line.rsplit(maxsplit=2) for line in lines[2:10]]
    assert rows == [
        ["delivered per second", "15.0", "29.4"],
        ["of the limit", "50%", "98%"],
        ["refused, of what was sent", "50%", "0%"],
        ["seconds until at the limit", "never", "1.2"],
        ["changes of rate", "0", "1"],
        ["refused in all, start included", "570", "30"],
        ["messages lost", "0", "0"],
        ["messages delivered twice", "0", "0"],
    ]
    assert max(len(line) for line in lines[:-1]) <= 80


def test_without_unicode_the_picture_is_ascii() -> None:
    assert "Kannel alone    @@ @" in text("ascii")
    assert "Kannel alone    ██ █" in text()


@pytest.mark.parametrize(
    ("each_second", "bars"),
    [((0, 1, 15, 29, 30), " ▁▄██"), ((31,), "█"), ((), ""), ((30,) * 300, "█" * 48)],
    ids=["heights", "never above the limit", "nothing", "cut"],
)
def test_picture(each_second: tuple[int, ...], bars: str) -> None:
    assert picture(each_second, 30) == bars


CONCLUSIONS = {
    "a gain": (ALONE, SUPERVISED, "delivers 29.4, 2.0 times as many, and not one message is lost or sent twice."),
    "no gain": (ALONE, replace(SUPERVISED, accepted_per_second=14.0), "gained nothing here: 14.0 instead of 15.0"),
    "nothing at all": (replace(ALONE, accepted_per_second=0.0), SUPERVISED, "gained nothing here"),
    "lost": (ALONE, replace(SUPERVISED, lost=2), "This must not be: with kannelkit: 2 messages were lost."),
    "doubled": (
        replace(ALONE, doubled=1),
        replace(SUPERVISED, lost=2),
        "Kannel alone: 1 messages were delivered twice; with kannelkit: 2 messages were lost.",
    ),
}


@pytest.mark.parametrize("case", CONCLUSIONS)
def test_conclusion(case: str) -> None:
    alone, supervised, words = CONCLUSIONS[case]
    assert words in conclusion(30, alone, supervised).plain
