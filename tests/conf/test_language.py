"""What is written here, Kannel reads; what Kannel reads, is read here in the same way."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kannelkit.conf import GROUPS, UnwritableError, directive_line, parse, read, written
from tests.conf import texts
from tests.conf.judge import Groups, as_read, kannel_reads, kannel_reads_each, read_here

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


# Groups with values of any kind: the directives are Kannel's, since it refuses others, and so are the groups that may
# stand more than once, since of the others it forgets all but the last.
REPEATABLE = [group for group in GROUPS.values() if group.repeatable and len(group.directives) > 1]
VALUE = st.text(max_size=60) | st.text('"\\ #=\n\tinclude', max_size=12)
WRITTEN_GROUPS = st.lists(
    st.sampled_from(REPEATABLE).flatmap(
        lambda group: st.tuples(
            st.just(group.name), st.dictionaries(st.sampled_from(sorted(group.directives)), VALUE, max_size=20)
        )
    ),
    max_size=20,
)


@pytest.mark.kannel
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(groups=WRITTEN_GROUPS)
def test_kannel_reads_what_the_writer_accepts(tmp_path: Path, groups: Groups) -> None:
    tree = parse("# written here")
    accepted: Groups = []
    for name, values in groups:
        taken = {each: value for each, value in values.items() if accepts(each, value)}
        tree = tree.with_group(name, taken)
        accepted.append((name, taken))
    judged = kannel_reads(tree.text(), tmp_path)
    assert judged is not None
    assert as_read(judged) == as_read(accepted)


def accepts(name: str, value: str) -> bool:
    try:
        directive_line(name, value)
    except UnwritableError:
        return False
    return True


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


@pytest.mark.kannel
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(many=st.lists(texts.TEXTS, min_size=1, max_size=60))
def test_both_read_any_text_alike_or_refuse_it(tmp_path: Path, many: list[str]) -> None:
    for text, judged in zip(many, kannel_reads_each(many, tmp_path), strict=True):
        here = read_here(*read(text))
        assert (text, here and as_read(here)) == (text, judged and as_read(judged))


EXAMPLES = sorted(Path("/usr/share/doc/kannel/examples").glob("*.conf"))


@pytest.mark.kannel
@pytest.mark.skipif(not EXAMPLES, reason="needs the examples of Debian's kannel package")
def test_both_read_debians_examples_alike(tmp_path: Path) -> None:
    many = [example.read_bytes().decode("utf-8", "surrogateescape") for example in EXAMPLES]
    for text, judged in zip(many, kannel_reads_each(many, tmp_path), strict=True):
        here = read_here(*read(text))
        assert here
        assert judged
        assert as_read(here) == as_read(judged)
        assert parse(text).text() == text


UNWRITABLE = [
    ("a\nb", "line feed"),
    ("a\rb", "carriage return"),
    ("\0", "NUL"),
    ("xincludey", "include"),
    ("\ud800", "surrogate"),
    ("\udcff", "no UTF-8"),
]
UNWRITABLE_NAMES = [
    *UNWRITABLE,
    ("", "empty"),
    (" a", "blanks"),
    ("a\t", "blanks"),
    ("#a", "#"),
    ("a=b", "equals sign"),
]


@pytest.mark.parametrize(("value", "reason"), UNWRITABLE)
def test_what_cannot_be_written_is_refused_with_the_reason(value: str, reason: str) -> None:
    with pytest.raises(UnwritableError, match=reason) as raised:
        written(value)
    assert raised.value.hint
    assert value not in str(raised.value)


@pytest.mark.parametrize(("name", "reason"), UNWRITABLE_NAMES)
def test_a_name_that_would_not_be_read_back_is_refused_with_the_reason(name: str, reason: str) -> None:
    with pytest.raises(UnwritableError, match=reason) as raised:
        directive_line(name, "x")
    assert raised.value.hint


@given(name=st.text() | st.text('#= "\\a', max_size=4), value=st.text())
def test_the_reader_here_undoes_the_writer(name: str, value: str) -> None:
    if not accepts(name, value):
        return
    groups, findings = read(MULTIPLE + directive_line(name, value))
    assert findings == ()
    assert groups[0].values[name] == value


@pytest.mark.kannel
def test_the_letters_really_are_an_order_to_kannel(tmp_path: Path) -> None:
    assert kannel_reads('group = core\nadmin-password = "xincludey"\n', tmp_path) is None
