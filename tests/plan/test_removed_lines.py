"""Some lines of a link's routing go with the link only: at a reload bearerbox would go on to use what it has freed."""

from __future__ import annotations

import pytest

from kannelkit.plan.compare import plan
from kannelkit.plan.values import Recreate, Reroute
from tests.plan.confs import account, conf, up

REGEX = ["denied_prefix_regex", "allowed_smsc_id_regex"]
LINES = [*REGEX, "preferred_smsc_id_regex", "reroute_receiver", "reroute_smsc_id"]


def routed(**routing: str) -> str:
    """Return a kannel.conf with one account of two links and this routing."""
    return conf(account("a", 2, **routing))


@pytest.mark.parametrize("name", LINES)
def test_the_removal_of_such_a_line_makes_the_links_anew(name: str) -> None:
    before = routed(**{name: "b"})
    steps = plan(before, routed(), up(before)).steps
    assert {step for step in steps if isinstance(step, Recreate)} >= {Recreate("a-1", "a"), Recreate("a-2", "a")}
    assert not any(isinstance(step, Reroute) for step in steps)


@pytest.mark.parametrize("name", REGEX)
def test_a_reload_for_other_routing_leaves_the_line_where_it_is(name: str) -> None:
    before = routed(**{name: "b", "denied_prefix": "5"})
    found = plan(before, routed(denied_prefix="6"), up(before))
    reloads = [stage.text for stage in found.stages if any(isinstance(step, Reroute) for step in stage.steps)]
    assert reloads
    assert all(text.count(f"{name.replace('_', '-')} = b") == 3 and "denied-prefix = 5" not in text for text in reloads)
    assert Recreate("a-1", "a") in found.steps


@pytest.mark.parametrize("name", REGEX)
@pytest.mark.parametrize("before", ["", "^5"])
def test_another_value_or_a_new_line_takes_a_reload(name: str, before: str) -> None:
    running = routed(**{name: before}) if before else routed()
    assert plan(running, routed(**{name: "^6"}), up(running)).steps == (Reroute(("a-1", "a-2", "a-park")),)
