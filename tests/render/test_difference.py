"""The difference between two files: it is one, it is short where little differs, and it shows no password."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.render.difference import masked_diff, operations_between

texts = st.lists(st.sampled_from(["", "", "a", "b", "c", "group = smsc", "smsc-id = x"]), max_size=40)


@given(texts, texts)
def test_the_operations_turn_one_into_the_other(old: list[str], new: list[str]) -> None:
    made: list[str] = []
    old_at = new_at = 0
    for tag, a, b, c, d in operations_between(old, new):
        assert (a, c) == (old_at, new_at)
        assert tag != "equal" or old[a:b] == new[c:d]
        made += old[a:b] if tag == "equal" else new[c:d]
        old_at, new_at = b, d
    assert made == new
    assert old_at == len(old)


@given(texts)
def test_nothing_differs_from_itself(text: list[str]) -> None:
    assert {operation[0] for operation in operations_between(text, text)} <= {"equal"}
    assert len(list(masked_diff("\n".join(text), "\n".join(text), "FILE", frozenset()))) == 2


def test_one_change_in_many_alike_groups_is_shown_alone() -> None:
    old = "\n\n".join(f"group = smsc\nsmsc-id = {number}\nthroughput = 30\nport = 1" for number in range(3000))
    shown = list(
        masked_diff(old, old.replace("smsc-id = 1500\nthroughput = 30", "smsc-id = 1500\n"), "FILE", frozenset())
    )
    assert shown[2:] == [
        "@@ -7501,5 +7501,5 @@",
        " group = smsc",
        " smsc-id = 1500",
        "-throughput = 30",
        "+",
        " port = 1",
        " ",
    ]


def test_a_group_that_moved_is_taken_out_and_put_in() -> None:
    groups = ["a = 1\n", "b = 1\n", "c = 1\n", "d = 1\n"]
    shown = list(masked_diff("\n".join(groups), "\n".join([*groups[1:], groups[0]]), "FILE", frozenset()))
    assert [line for line in shown[2:] if line.startswith(("-", "+"))] == ["-a = 1", "-", "+a = 1", "+"]


# what stood there, what should, and what must not be seen in the difference
MASKS = [
    ("password = old-one", "password = new-one", ["old-one", "new-one"]),
    ("  smsc-password   =  old-one", "x", ["old-one"]),
    ("smsc-password = begin\\\nend-of-it", "x", ["begin", "end-of-it"]),
    ("smsc-password = begin\\\nmiddle\\\nend-of-it", "x", ["begin", "middle", "end-of-it"]),
    ("smsc-username = from-env", "smsc-username = x", ["from-env"]),
    ("# a comment about from-env", "x", ["from-env"]),
    ("get-url = http://h/from-envfrom-env-and-morefrom-en", "x", ["from-env", "and-more"]),
]


@pytest.mark.parametrize(("found", "wanted", "hidden"), MASKS)
def test_masks(found: str, wanted: str, hidden: list[str]) -> None:
    shown = "\n".join(masked_diff(found, wanted, "FILE", frozenset({"from-env", "from-env-and-more", "x"})))
    assert "***" in shown
    assert [secret for secret in hidden if secret in shown] == []
