"""Every way of writing a spec wrong that is known here is found, at its place, with its rule and a hint."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kannelkit.conf import GROUPS
from kannelkit.errors import InputError
from kannelkit.spec import load
from kannelkit.spec.keys import TOP_KEYS, did_you_mean

CASES = sorted((Path(__file__).parents[1] / "cases/spec-findings").glob("*.yaml"))


def _expected(case: Path) -> list[str]:
    return re.findall(r"^# finds (S\d{3} \d+:\d+)$", case.read_bytes().decode("latin-1"), re.MULTILINE)


def test_there_are_cases() -> None:
    assert len(CASES) > 70


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_what_is_wrong_is_found_at_its_place(case: Path) -> None:
    with pytest.raises(InputError) as raised:
        load(case, {})
    found = raised.value.findings
    assert sorted(f"{finding.rule} {finding.place.line}:{finding.place.column}" for finding in found) == sorted(
        _expected(case)
    )
    assert all(finding.message and finding.hint and finding.place.file == str(case) for finding in found)


SLOW = "{smsc-id: %s, host: smsc.test, smsc-username: u, smsc-password: p, throughput: 2, connections: 4%s}"


@pytest.mark.parametrize("more", ["", ", account-group: slow"])
def test_the_relay_needs_no_share_for_each_connection(tmp_path: Path, more: str) -> None:
    path = tmp_path / "spec.yaml"
    path.touch(mode=0o600)
    path.write_text("smsc:\n" + "".join(f"  - {SLOW % (name, more + ', pacing: relay')}\n" for name in "ab"))
    assert [(each.throughput, each.connections) for each in load(path, {}).smpp_accounts] == [(2, 4), (2, 4)]
    path.write_text("smsc:\n" + "".join(f"  - {SLOW % (name, more)}\n" for name in "ab"))
    with pytest.raises(InputError, match="S303"):
        load(path, {})


def test_a_spec_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="S001: cannot be read: No such file"):
        load(tmp_path / "none.yaml", {})


def test_an_empty_spec_asks_for_an_account(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text("")
    with pytest.raises(InputError, match="S105: there is no smsc"):
        load(tmp_path / "spec.yaml", {})


MESSAGES = [
    ("s101-unknown-key", "did you mean admin-port?"),
    ("s101-underscore", "did you mean admin-port?"),
    ("s101-directive-of-another-group", "it belongs into smsbox"),
    ("s101-directive-at-the-top", "it belongs into core"),
    ("s101-own-key-in-a-group", "it stands at the top of the file"),
    ("s101-own-key-at-the-top", "it belongs into smsc; or did you mean providers?"),
    ("s101-key-of-a-part", "it belongs into supervisor.rate"),
    ("s101-own-key-misspelt", "did you mean connections?"),
    ("s101-merge-key", "merge keys are YAML 1.1"),
    ("s003-tab", "never with tabs"),
    ("s204-fraction", "Kannel sends 8 a second"),
    ("s301-flag-would-be-cut", "would send ISO,SINGLE,M, with MCON2 cut"),
    ("s301-flag-would-be-cut", "leave SINGLE out and switch it on in the account's settings"),
    ("s201-octal", "octal"),
    ("s202-include", "%69nclude"),
]


DIRECTIVES = {name for group in GROUPS.values() for name in group.directives}


@pytest.mark.parametrize("key", sorted(set(TOP_KEYS) - DIRECTIVES))
def test_a_key_of_the_top_in_a_group_is_sent_there(key: str) -> None:
    assert did_you_mean(key, GROUPS["core"].directives).startswith("it stands at the top of the file")


@pytest.mark.parametrize(("case", "words"), MESSAGES)
def test_the_finding_says_what_to_do(case: str, words: str) -> None:
    with pytest.raises(InputError) as raised:
        load(CASES[0].parent / f"{case}.yaml", {})
    assert words in str(raised.value)


SECRETS = [
    ("s202-include-in-a-secret", "xincludex"),
    ("s205-password-too-long", "ninechars"),
    ("s205-octets-not-characters", "пять5"),
    ("s202-two-lines-in-a-secret-file", "two\n"),
]


@pytest.mark.parametrize(("case", "secret"), SECRETS)
def test_a_finding_never_tells_a_secret(case: str, secret: str) -> None:
    with pytest.raises(InputError) as raised:
        load(CASES[0].parent / f"{case}.yaml", {})
    assert secret not in str(raised.value)
    assert secret not in repr(raised.value)
