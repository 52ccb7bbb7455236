"""What a spec says of an account that the relay paces."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from kannelkit.errors import InputError
from kannelkit.render import accounts, kannel_conf
from kannelkit.spec import Spec, load
from kannelkit.spec.schema import schema

ACCOUNT = """\
smsc:
  - smsc-id: a
    host: 127.0.0.1
    smsc-username: u
    smsc-password: p
    pacing: relay
    throughput: %s
"""
BY_KANNEL = ACCOUNT.replace("pacing: relay", "pacing: log")

# throughput as written, and the SMS per second that are never exceeded
CEILINGS = [
    ("7.5", 7.5),
    ("7.50", 7.5),
    ("30", 30),
    ("30.0", 30),
    ("0.1", 0.1),
    ("12.125", 12.125),
    ("100000", 100_000),
]
# what is no rate, too low or too high for one, or written in a way that can be read as two
NO_CEILINGS = ["0", "0.0", "0.05", "100000.5", "100001", "-1", "1e3", ".5", "7.", "7,5", "010", "seven", "1.5.2"]


def loaded(folder: Path, text: str) -> Spec:
    (folder / "spec.yaml").write_text(text)
    return load(folder / "spec.yaml", {})


@pytest.mark.parametrize(("text", "ceiling"), CEILINGS)
def test_a_ceiling_is_what_is_written(tmp_path: Path, text: str, ceiling: float) -> None:
    spec = loaded(tmp_path, ACCOUNT % text)
    (account,) = accounts(spec)
    # a whole number is one to programs, too
    assert json.dumps(account.ceiling) == json.dumps(spec.smpp_accounts[0].ceiling) == json.dumps(ceiling)
    conf = kannel_conf(spec, made=dict.fromkeys(spec.to_make(), "20000"))
    assert "throughput =" not in conf
    assert f"{ceiling} SMS per second at the most" in conf


@pytest.mark.parametrize("text", NO_CEILINGS)
def test_what_is_no_ceiling_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="S204"):
        loaded(tmp_path, ACCOUNT % text)


def test_a_fraction_that_kannel_would_have_to_hold_tells_who_does(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        loaded(tmp_path, BY_KANNEL % "7.5")
    (finding,) = raised.value.findings
    assert (finding.rule, "pacing: relay" in finding.hint) == ("S204", True)


def test_the_floor_is_not_the_relays(tmp_path: Path) -> None:
    floor = "supervisor: {rate: {floor: 5}}\n"
    assert loaded(tmp_path, ACCOUNT % "2.5" + floor).smpp_accounts[0].ceiling == 2.5
    with pytest.raises(InputError, match="S315"):
        loaded(tmp_path, BY_KANNEL % "2" + floor)


@pytest.mark.parametrize(
    ("pacing", "throughput", "fits"),
    [("relay", 7.5, True), ("relay", 30, True), ("relay", 0.05, False), ("log", 7.5, False), ("log", 30, True)],
)
def test_an_editor_is_told_the_same(pacing: str, throughput: float, fits: bool) -> None:
    account = {"smsc-id": "a", "host": "h", "smsc-username": "u", "smsc-password": "p"}
    spec = {"smsc": [{**account, "pacing": pacing, "throughput": throughput}]}
    assert Draft202012Validator(schema()).is_valid(spec) == fits
