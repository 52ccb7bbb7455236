"""What a page shows of a text, and what that could do to its neighbours."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from kannelkit.host.html import environment, shown


@pytest.mark.parametrize(("text", "expected"), [("a\u202eb", "a\\u202eb"), ("жé", "жé"), ("\0", "\\x00"), (7, 7)])
def test_what_would_turn_or_hide_its_neighbours_is_spelt_out(text: object, expected: object) -> None:
    assert shown(text) == expected


def test_every_value_is_escaped_and_spelt_out_but_html_that_was_made() -> None:
    made = environment().from_string("{{ one }} {{ other }}")
    assert made.render(one="<b>\u202e", other=Markup("<b>")) == "&lt;b&gt;\\u202e <b>"
