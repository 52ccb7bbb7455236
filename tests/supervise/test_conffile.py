"""ConfFile: the rates in force are in the file, and what Kannel would not read as it is meant never gets there."""

from __future__ import annotations

import dataclasses
import stat
from pathlib import Path

import pytest

from kannelkit.conf import read
from kannelkit.errors import HostError, InputError
from kannelkit.render import AS_WRITTEN, InForce
from kannelkit.spec import Group, Spec
from kannelkit.supervise.conffile import ConfFile
from tests.supervise.played import spec_in

SPEC = """
state-dir: state
core: {admin-password: secret}
smsc:
  - {smsc-id: a, host: h, smsc-username: u, smsc-password: p, throughput: 60, connections: 2, backup-host: g}
  - {smsc-id: b, host: h, smsc-username: v, smsc-password: p, throughput: 10}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    return spec_in(tmp_path, SPEC)


def throughputs(path: Path) -> dict[str, str]:
    """Return what Kannel would take each link's throughput for."""
    groups, _ = read(path.read_text(), str(path))
    found = {}
    for group in groups:
        if "smsc-admin-id" in group.values:
            found[group.values["smsc-admin-id"]] = group.values.get("throughput", "")
    return found


def test_the_rates_in_force_are_in_the_file(spec: Spec) -> None:
    conf = ConfFile(spec, InForce({"a": 31}))
    assert not conf.is_current()
    conf.write()
    assert conf.is_current()
    assert stat.S_IMODE(conf.path.stat().st_mode) == 0o640
    links = throughputs(conf.path)
    assert (links["a-1"], links["a-2"], links["b-1"]) == ("16", "15", "10")


def test_another_rate_is_in_force_when_it_is_accepted(spec: Spec) -> None:
    conf = ConfFile(spec, AS_WRITTEN)
    conf.write()
    conf.begin("a", 30)
    assert throughputs(conf.path)["a-1"] == "15"
    conf.give_up("a")
    assert throughputs(conf.path)["a-1"] == "30"
    conf.begin("a", 30)
    conf.accept("a")
    assert conf.is_current()


def test_a_link_that_lends_has_one_a_second(spec: Spec) -> None:
    conf = ConfFile(spec, AS_WRITTEN)
    conf.begin("a", 40, (39, 1))
    conf.accept("a")
    links = throughputs(conf.path)
    assert (links["a-1"], links["a-2"], links["a-backup-1"]) == ("39", "1", "39")
    assert conf.shares("a") == (39, 1)
    assert conf.in_force.shares == {"a": (39, 1)}
    with pytest.raises(ValueError, match="no shares of 40"):
        conf.begin("a", 40, (39, 2))
    assert conf.shares("a") == (39, 1)


def test_the_side_that_stands_by_stays_down(spec: Spec) -> None:
    def down() -> set[str]:
        groups, _ = read(conf.path.read_text(), "kannel.conf")
        return {group.values["smsc-admin-id"] for group in groups if group.values.get("dead-start") == "true"}

    conf = ConfFile(spec, AS_WRITTEN)
    conf.write()
    assert down() == {"a-backup-1", "a-backup-2"}
    conf.turn("a", "backup")
    assert down() == {"a-1", "a-2"}
    assert conf.in_force.sides == {"a": "backup"}
    assert conf.accounts[0].sending_ids == ("a-backup-1", "a-backup-2")
    conf.turn("b", "backup")  # which has none
    assert down() == {"a-1", "a-2"}


def test_accounts_on_their_way_at_once_do_not_undo_each_other(spec: Spec) -> None:
    conf = ConfFile(spec, AS_WRITTEN)
    conf.write()
    conf.begin("a", 30)
    conf.begin("b", 5)  # a's links are not started yet: they must find their new rate
    links = throughputs(conf.path)
    assert (links["a-1"], links["b-1"]) == ("15", "5")
    conf.give_up("b")
    links = throughputs(conf.path)
    assert (links["a-1"], links["b-1"]) == ("15", "10")
    conf.accept("a")
    assert conf.is_current()


def _with(spec: Spec, directive: str, text: str) -> Spec:
    """Return the spec with a value that no spec file could have brought."""
    core = spec.core
    value = dataclasses.replace(core.values["log-file"], text=text)
    return dataclasses.replace(spec, core=Group("core", {**core.values, directive: value}, core.place, core.made_as))


NOT_READ_AS_MEANT = {
    "an include": ("log-file", "/log/include/x"),
    "a line feed": ("log-file", "/log\nadmin-password = other"),
    "a word where Kannel panics without a number": ("sms-resend-freq", "soon"),
    "a blank line that ends the group": ("log-file", "/log\n\ngroup = smsc"),
}


@pytest.mark.parametrize("case", NOT_READ_AS_MEANT)
def test_what_kannel_would_not_read_as_meant_is_never_written(spec: Spec, case: str) -> None:
    ConfFile(spec, AS_WRITTEN).write()
    conf = ConfFile(_with(spec, *NOT_READ_AS_MEANT[case]), AS_WRITTEN)
    before = conf.path.read_text()
    with pytest.raises((InputError, ValueError)):
        conf.write()
    assert conf.path.read_text() == before
    assert [file.name for file in conf.path.parent.iterdir()] == ["kannel.conf"]


def test_a_rate_below_one_for_each_link_is_never_written(spec: Spec) -> None:
    conf = ConfFile(spec, AS_WRITTEN)
    conf.write()
    before = conf.path.read_text()
    with pytest.raises(ValueError, match="whole shares"):
        conf.begin("a", 1)
    assert conf.path.read_text() == before


def test_a_folder_that_is_gone_is_told_in_words(spec: Spec) -> None:
    spec.state_dir.rmdir()
    with pytest.raises(HostError):
        ConfFile(spec, AS_WRITTEN).write()
