"""Any configuration that can be written comes back from a spec as Kannel read it, whatever stands in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kannelkit.conf import GROUPS, Directive, Opened, UnwritableError, directive_line
from kannelkit.importing import imported
from kannelkit.render import kannel_conf
from kannelkit.spec.load import parse
from tests.conf.judge import kannel_reads_each
from tests.importing.same import unlike

# Texts that are awkward in one of the two languages, and any others.
TEXTS = (
    st.sampled_from(["", "no", "0123", "a;b;c", "a; b", "; ", ",", "- x", "x: y", "x #y", "'", '"', "\\", "[a]", "{a}"])
    | st.text("ab ;,:#'\"\\-[]{}&*!|>%@`=~?", max_size=8)
    | st.text(max_size=12)
)
# kannelkit has to know these ports itself; of the others it takes what stands there.
KNOWN_PORTS = {"admin-port", "smsbox-port", "wapbox-port", "sendsms-port", "port", "receive-port"}

Lines = list[tuple[str, str]]


def value(directive: Directive) -> st.SearchStrategy[str]:
    if directive.name in KNOWN_PORTS:
        return st.sampled_from(["0", "1", "2775", "0x10", "010", "65535"])
    if directive.name == "throughput":  # kannelkit computes with it
        return st.sampled_from(["0", "7.5", "12.", "100", "fast", "3/s", ".5", "1e2", "-1"])
    if directive.name == "instances":  # which no machine could run are refused
        return st.sampled_from(["0", "1", "3", "-1", "x"])
    usual = {
        "integer": st.integers(-2, 10**10).map(str),
        "seconds": st.integers(0, 100).map(str),
        "port": st.integers(0, 70000).map(str),
        "boolean": st.sampled_from(["true", "No", "1", "maybe"]),
    }
    return (usual[directive.kind] | TEXTS) if directive.kind in usual else TEXTS


@st.composite
def lines_of(draw: st.DrawFn, name: str, without: frozenset[str] = frozenset()) -> Lines:
    """Return some of the group's directives, with values that they may or may not be able to take."""
    rows = [row for row in GROUPS[name].directives.values() if row.name not in without]
    chosen = draw(st.lists(st.sampled_from(rows), unique=True, max_size=6))
    return [(row.name, draw(value(row))) for row in chosen]


# Few names, hosts and logins, so that there are links that belong together, and links that nearly do.
LINK = st.fixed_dictionaries(
    {
        "smsc": st.just("smpp"),
        "host": st.sampled_from(["a.example", "b.example", "c.example"]),
        "smsc-username": st.sampled_from(["u", "v"]),
        "smsc-password": st.sampled_from(["p", "longer than eight"]),
        "system-type": st.sampled_from(["", "ISO", "ISO, SINGLE", "MCON2", "ISO,SINGLE,MCON2"]),
    },
    optional={
        "smsc-id": st.sampled_from(["a", "b", "A", "a-1", "ж b"]),
        "port": st.sampled_from(["2775", "3700"]),
        "receive-port": st.just("2775"),
        "instances": st.sampled_from(["1", "2", "0x3"]),
        "throughput": st.sampled_from(["1", "7.5", "0", "10", "fast", "3/s"]),
        "dead-start": st.sampled_from(["true", "false", "maybe"]),
        "smsc-admin-id": TEXTS,
    },
)
REQUIRED = {"smsc", "host", "smsc-username", "smsc-password", "system-type"}
OPTIONAL = {"smsc-id", "port", "receive-port", "instances", "throughput", "dead-start", "smsc-admin-id"}


@st.composite
def links(draw: st.DrawFn) -> list[Lines]:
    """Return links of a few accounts that share further directives, or do not."""
    shared = draw(lines_of("smsc", frozenset(REQUIRED | OPTIONAL)))
    return [[*draw(LINK).items(), *(shared if draw(st.booleans()) else [])] for _ in range(draw(st.integers(0, 5)))]


OTHER_LINK = st.tuples(
    st.sampled_from(["fake", "http", "at", "emi", "FAKE", "loopback"]), lines_of("smsc", frozenset({"smsc"}))
).map(lambda made: [("smsc", made[0]), *made[1]])
OTHER = st.sampled_from([name for name in GROUPS if name != "smsc"]).flatmap(
    lambda name: lines_of(name).map(lambda lines: [("group", name), *lines])
)


@st.composite
def configurations(draw: st.DrawFn) -> str:
    groups = draw(st.lists(OTHER, max_size=5))
    groups += [[("group", "smsc"), *lines] for lines in (*draw(links()), *draw(st.lists(OTHER_LINK, max_size=3)))]
    return "\n\n".join("\n".join(filter(None, map(written, lines))) for lines in draw(st.permutations(groups)))


def written(line: tuple[str, str]) -> str:
    try:
        return directive_line(*line)
    except UnwritableError:  # held to be so by the language's own tests
        return directive_line(line[0], "unwritable")


def back(text: str) -> str:
    path = Path("/nowhere/gateway.yaml")
    made = imported("kannel.conf", lambda name: Opened(name, text), path)
    return kannel_conf(parse(made.text, path, {}, str(path)))


@pytest.mark.kannel
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(configurations(), min_size=1, max_size=10))
def test_kannel_reads_the_same(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    judged = kannel_reads_each([*texts, *map(back, texts)], tmp_path_factory.getbasetemp())
    for before, after in zip(judged[: len(texts)], judged[len(texts) :], strict=True):
        assert before is not None
        assert after is not None
        assert unlike(before, after) == []
