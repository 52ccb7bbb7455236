"""What is written here, Kannel reads; what Kannel reads, is read here in the same way."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kannelkit.conf import UnwritableError, directive_line, read, written
from tests.conf.judge import as_read, kannel_reads, kannel_reads_each, read_here

MULTIPLE = "group = sms-service\n"

# fmt: off
VALUES = [
    "plain", "two words", " blanks around ", "", '"', '""', '"wrapped"', 'in "the" middle', "\\", "ends in \\", "\\\\",
    '\\"', '"\\',
    "#", "# no comment", "a = b", "=", "\t", "a\tb", "\v", "\f", "жир", "é\\", "\x85", "\xa0",
    "ends\xa0", "\x01", "\x7f", "%s $x `y`",
    "\\n", ";", "a;b", "group", "𝔄", "'", "-1", "INCLUDE", "Include", "inc lude",
]
# fmt: on


@pytest.mark.kannel
def test_kannel_reads_each_odd_value_as_it_was(tmp_path: Path) -> None:
    text = "".join(f"{MULTIPLE}{directive_line('text', value)}\n\n" for value in VALUES)
    groups = kannel_reads(text, tmp_path)
    assert groups is not None
    assert [values["text"] for _, values in groups] == VALUES


@pytest.mark.kannel
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.text(max_size=60) | st.text('"\\ #=\n\tinclude', max_size=12), min_size=1, max_size=40))
def test_kannel_reads_what_the_writer_accepts(tmp_path: Path, values: list[str]) -> None:
    accepted, lines = [], []
    for value in values:
        try:
            lines.append(directive_line("text", value))
        except UnwritableError:
            continue
        accepted.append(value)
    text = "".join(f"{MULTIPLE}{line}\n\n" for line in lines)
    groups = kannel_reads(text + "group = core\n", tmp_path)
    assert groups is not None
    assert [values["text"] for name, values in groups if name == "sms-service"] == accepted


@given(st.text())
def test_the_reader_here_undoes_the_writer(value: str) -> None:
    try:
        line = directive_line("text", value)
    except UnwritableError:
        return
    groups, findings = read(MULTIPLE + line)
    assert findings == ()
    assert groups[0].values["text"] == value


# Lines as people write them, oddities included.
TEXTS = [
    "group = core\nadmin-port = 1\n",
    "group = core\r\nadmin-port = 1\r\n\r\n",
    "group=core\n\tadmin-port\t=\t1  \n",
    "# comment\ngroup = core\n# comment = 1\n  # comment\nadmin-port = 1 # no comment\n",
    "group = core\nlog-file = a\\\nb\\\nc\nadmin-port = 1\n",
    "group = core\nlog-file = a\\\\\nadmin-port = 1\n",
    "group = core\nlog-file = \"a\\\\\"\nadmin-port = \"1\"\n",
    "group = core\nlog-file = \"a\nadmin-port = 1\"\n",
    "group = core\nlog-file = \"a\" and \"b\"\n",
    "group = core\nlog-file =\nadmin-port = 1\n",
    "group = core\nadmin-port = 1\nadmin-port = 2\n",
    "admin-port = 1\ngroup = core\n",
    "\n\n\ngroup = core\n\n\n\ngroup = smsbox\nsendsms-port = 1",
    "group = core\n\\\nadmin-port = 1\n",
    "# comment that goes on \\\ngroup = smsbox\n\ngroup = core\nadmin-port = 1\n",
    "group = core\nlog-file = a = b = c\n",
    "group = core\nlog-file = \\\"a\\\"\n",
    "group = core\nlog-file = \"x\\y\\\\z\\\"\"\n",
    "group = core\nlog-file = a\\",
    "group = sms-service\ntext = 1\n\ngroup = sms-service\ntext = 2\n",
]  # fmt: skip


@pytest.mark.kannel
def test_both_read_the_same(tmp_path: Path) -> None:
    for text, judged in zip(TEXTS, kannel_reads_each(TEXTS, tmp_path), strict=True):
        here = read_here(*read(text))
        assert here is not None, text
        assert judged is not None, text
        assert as_read(here) == as_read(judged)


# What lines are made of, with the joints where readers differ: blanks, quotes, backslashes, line ends, octets.
PIECES = st.sampled_from(
    [
        "group = sms-service", "group=core", "group = ", "text = ", "name=", "admin-port = 1", "= x", "nonsense = 1",
        "\n", "\n", "\n", "\n\n", "\n\n", "\r\n", "\r", "\\", "\\", "\\\n", "\\\n", "\\\\\n", "\\\r\n",
        '"', '"', '\\"', " ", "\t", "\v", "\f", "#", "# ", "\n#", "=", "x", "ab", "Ж", "\udcff", "\udc85", "\x85",
        "\xa0", "\x1c", "\u2028", "\ufeff", "\0", "inc", "lude", "include = nowhere",
    ]
)  # fmt: skip
SOUND_LINES = st.sampled_from(["text = ", "name = ", "\tget-url\t="]).flatmap(
    lambda name: st.text('ab"\\ #=\t\r\0\udcff', max_size=8).map(lambda value: f"{name}{value}\n")
)
GROUP_LINES = st.sampled_from(["\ngroup = sms-service\n", "\n \n\tgroup=sms-service \r\n", "\n# x\ngroup = core\n#"])


TEXTS_OF_ANY_KIND = (st.lists(SOUND_LINES | GROUP_LINES).map("".join) | st.lists(PIECES, max_size=20).map("".join)).map(
    MULTIPLE.__add__
)


@pytest.mark.kannel
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(TEXTS_OF_ANY_KIND, min_size=1, max_size=60))
def test_both_read_any_text_alike_or_refuse_it(tmp_path: Path, texts: list[str]) -> None:
    for text, judged in zip(texts, kannel_reads_each(texts, tmp_path), strict=True):
        here = read_here(*read(text))
        assert (text, here and as_read(here)) == (text, judged and as_read(judged))


UNWRITABLE = [
    ("a\nb", "line feed"),
    ("a\rb", "carriage return"),
    ("\0", "NUL"),
    ("xincludey", "include"),
    ("\ud800", "surrogate"),
]


@pytest.mark.parametrize(("value", "reason"), UNWRITABLE)
def test_what_cannot_be_written_is_refused_with_the_reason(value: str, reason: str) -> None:
    with pytest.raises(UnwritableError, match=reason) as raised:
        written(value)
    assert raised.value.hint
    assert value not in str(raised.value)


@pytest.mark.kannel
def test_the_letters_really_are_an_order_to_kannel(tmp_path: Path) -> None:
    assert kannel_reads('group = core\nadmin-password = "xincludey"\n', tmp_path) is None
