"""The kannel.conf of a Kannel that something else runs: what it stands for, and that nothing of others is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.errors import HostError
from kannelkit.render import InForce, kannel_conf
from kannelkit.render.links import shares
from kannelkit.spec import Spec
from kannelkit.spec.load import parse
from kannelkit.supervise.asrun import AsRun
from kannelkit.supervise.sharedconf import SharedConf, as_generated, gist, is_half_done, is_ours

SPEC = """\
core: {admin-port: 13000, admin-password: x, smsbox-port: 13001}
smsbox: {sendsms-port: 13013}
smsc:
  - {smsc-id: a, smsc: smpp, host: a.example, smsc-username: u, smsc-password: p, throughput: 60, connections: 2,
     backup-host: b.example}
  - {smsc-id: c, smsc: smpp, host: c.example, smsc-username: u, smsc-password: p, throughput: 40, account-group: g}
  - {smsc-id: d, smsc: smpp, host: c.example, smsc-username: v, smsc-password: p, throughput: 40, account-group: g}
  - {smsc-id: e, smsc: smpp, host: e.example, smsc-username: u, smsc-password: p}
"""


def spec(text: str = SPEC) -> Spec:
    parsed = parse(text, Path("/etc/kannelkit/gateway.yaml"), {}, "gateway.yaml")
    return parsed.with_made(dict.fromkeys(parsed.to_make(), "made"))


@given(
    a=st.integers(2, 60),
    g=st.integers(2, 40),
    uneven=st.booleans(),
    side=st.sampled_from(["primary", "backup"]),
)
def test_every_rate_and_side_is_read_back_from_the_file(a: int, g: int, uneven: bool, side: str) -> None:
    split = {"a": (1, a - 1) if uneven else shares(a, 2), "g": shares(g, 2)}
    text = kannel_conf(spec(), InForce({"a": a, "g": g}, split, {"a": "backup"} if side == "backup" else {}))
    found = as_generated(spec(), text)
    assert found is not None
    assert found.throughputs == {"a": a, "g": g}
    assert found.shares == split
    assert found.sides.get("a", "primary") == side
    assert kannel_conf(spec(), found) == text


OTHERS = {
    "another host": (("host: e.example", "host: f.example"), "smsc e-1: another host"),
    "a link more": (("connections: 2", "connections: 3"), "without"),
    "an account less": (("  - {smsc-id: e,", "  - {smsc-id: f,"), "with smsc e-1"),
    "another password": (("smsc-username: v, smsc-password: p", "smsc-username: v, smsc-password: q"), "smsc d-1"),
    "a limit where there was none": (("host: e.example,", "host: e.example, throughput: 9,"), "another throughput"),
    "another port": (("admin-port: 13000", "admin-port: 13005"), "core: another admin-port"),
}


@pytest.mark.parametrize("other", OTHERS)
def test_what_another_spec_stands_for_is_told_from_it_without_a_value(other: str) -> None:
    (old, new), said = OTHERS[other]
    assert old in SPEC
    text = kannel_conf(spec())
    wanted = spec(SPEC.replace(old, new))
    assert as_generated(wanted, text) is None
    assert said in gist(wanted, text)
    assert "example" not in gist(wanted, text)


@pytest.mark.parametrize("text", ["", "group = core\n", "include = /etc/other\n", "\x00", "throughput = 9" * 1000])
def test_any_other_text_is_something_else(text: str) -> None:
    assert as_generated(spec(), text) is None
    assert gist(spec(), text) != ""
    assert not is_ours(text)


def test_a_file_that_includes_another_is_something_else_whatever_it_says_itself() -> None:
    text = kannel_conf(spec()) + "\ninclude = /etc/other\n"
    assert as_generated(spec(), text) is None
    assert gist(spec(), text) == "lines that are no directives"


def test_kannelkits_own_files_are_known_for_that() -> None:
    text = kannel_conf(spec())
    assert is_ours(text)
    assert not is_half_done(text)
    half_done = AsRun(text).text
    assert is_ours(half_done)
    assert is_half_done(half_done)


def test_nothing_is_put_over_what_somebody_else_wrote(tmp_path: Path) -> None:
    path = tmp_path / "kannel.conf"
    path.write_text("old")
    shared = SharedConf(path)
    assert shared.read() == "old"
    shared.put("new")
    assert path.read_text() == "new"
    assert not shared.foreign()
    path.write_text("edited")
    assert shared.foreign()
    with pytest.raises(HostError, match="changed by somebody else"):
        shared.put("newer")
    assert path.read_text() == "edited"
    path.write_text("new")
    shared.put("newer")  # it is as it was left again, though nobody has looked since
    assert path.read_text() == "newer"
    assert not shared.foreign()
    path.unlink()
    assert shared.foreign()


def test_what_is_closed_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "kannel.conf"
    path.write_text("old")
    shared = SharedConf(path)
    shared.read()
    shared.closed = "bearerbox is not running"
    with pytest.raises(HostError, match="stays as it is: bearerbox is not running"):
        shared.put("new")
    assert path.read_text() == "old"


def test_a_file_that_is_as_wanted_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "kannel.conf"
    path.write_text("old")
    shared = SharedConf(path)
    shared.read()
    before = path.stat()
    shared.put("old")
    assert path.stat() == before
