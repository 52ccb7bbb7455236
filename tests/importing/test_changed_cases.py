"""Files as people leave them, lines lost, doubled and moved: taken as Kannel takes them, or refused with a place."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kannelkit.conf import Opened
from kannelkit.errors import InputError
from kannelkit.findings import Finding
from kannelkit.importing import imported
from kannelkit.render import kannel_conf
from kannelkit.spec.load import parse
from tests.conf.judge import kannel_reads_each
from tests.importing.same import unlike

CASES = sorted((Path(__file__).parents[1] / "cases/kannel-conf").glob("*.conf"))
ENDS = ["\\", '"', " #x", "\t", "\r", "\u2028", "\udce9", "\x00", ";", "é", "="]


@functools.cache
def lines_of(path: Path) -> tuple[str, ...]:
    return tuple(path.read_bytes().decode("utf-8", "surrogateescape").split("\n"))


def anywhere() -> st.SearchStrategy[int]:
    return st.integers(0, 200)


@st.composite
def changed(draw: st.DrawFn) -> str:
    lines = list(lines_of(draw(st.sampled_from(CASES))))
    for change in draw(st.lists(st.sampled_from(["lose", "double", "move", "end", "empty"]), min_size=1, max_size=3)):
        at = draw(anywhere()) % len(lines)
        if change == "lose" and len(lines) > 1:
            del lines[at]
        elif change == "double":
            lines.insert(draw(anywhere()) % len(lines), lines[at])
        elif change == "move":
            lines.insert(draw(anywhere()) % len(lines), lines.pop(at))
        elif change == "end":
            lines[at] += draw(st.sampled_from(ENDS))
        elif change == "empty":
            lines[at] = lines[at].partition("=")[0] + "="
    return "\n".join(lines)


def back(text: str) -> str | tuple[Finding, ...]:
    """Return what is generated from what the text becomes, or why it is refused."""
    path = Path("/nowhere/gateway.yaml")
    try:
        made = imported("kannel.conf", lambda name: Opened(name, text), path)
    except InputError as error:
        return error.findings
    return kannel_conf(parse(made.text, path, {}, str(path)))


def starts(values: dict[str, str]) -> bool:
    """Return whether bearerbox starts with such a link: it does not where one of these is missing."""
    return values.get("smsc") != "smpp" or {"system-type", "smsc-username", "smsc-password"} <= values.keys()


@pytest.mark.kannel
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(changed(), min_size=10, max_size=20))
def test_taken_as_kannel_takes_them(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    results = [(text, back(text)) for text in texts]
    refused = [finding for _, result in results if not isinstance(result, str) for finding in result]
    assert all(finding.place.file == "kannel.conf" and finding.place.line for finding in refused)
    pairs = [(text, result) for text, result in results if isinstance(result, str)]
    judged = iter(kannel_reads_each([text for pair in pairs for text in pair], tmp_path_factory.getbasetemp()))
    for text, _ in pairs:
        before, after = next(judged), next(judged)
        assert before is not None, text
        assert after is not None, text
        if "\udce9" not in text and all(starts(values) for name, values in before if name == "smsc"):
            assert unlike(before, after) == [], text
