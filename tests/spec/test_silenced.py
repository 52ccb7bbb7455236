"""A silenced finding leaves the value as it is written, wherever there is something to write."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kannelkit.conf import read
from kannelkit.errors import InputError
from kannelkit.render import AS_WRITTEN, InForce, accounts, kannel_conf, misread
from kannelkit.spec import Spec, load
from kannelkit.spec.silenced import CARRIED, FIRM

ROOT = Path(__file__).parents[2]
CASES = sorted((ROOT / "tests/cases/spec-findings").glob("*.yaml"))
ACCOUNT = """
smsc:
  - smsc-id: a
    host: 127.0.0.1
    smsc-username: u
    smsc-password: p
"""


def loaded(folder: Path, text: str) -> Spec:
    path = folder / "spec.yaml"
    path.write_text(text)
    return load(path, {})


def links_of(spec: Spec) -> list[dict[str, str]]:
    text = kannel_conf(spec, AS_WRITTEN, dict.fromkeys(spec.to_make(), "x"))
    assert misread(spec, text) == ()
    groups, _ = read(text)
    return [dict(group.values) for group in groups if group.name == "smsc"]


def test_each_rule_can_be_silenced_or_says_why_not() -> None:
    used: set[str] = set()
    for path in [*ROOT.glob("kannelkit/spec/*.py"), *ROOT.glob("kannelkit/providers/*.py")]:
        if path.name != "silenced.py":
            used |= set(re.findall(r'"(S\d{3})"', path.read_text()))
    only_up = {"S318", "S319"}  # which no loading finds
    assert used - only_up == CARRIED.keys() | FIRM.keys()
    assert not CARRIED.keys() & FIRM.keys()


def _silenced(case: Path) -> str:
    """Return a case with a comment at every place where it finds something."""
    text = case.read_bytes().decode("latin-1")
    lines = text.split("\n")
    for rule, line in re.findall(r"^# finds (S\d{3}) (\d+):", text, re.MULTILINE):
        lines[int(line) - 1] += f"  # kannelkit: ignore {rule}"
    return "\n".join(lines)


# These stop the reading before any comment is looked for.
_NO_NODES = ("S001", "S002", "S003", "S004", "S005", "S006", "S007", "S008", "S009", "S103")


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name[:4].upper() in FIRM.keys() - _NO_NODES], ids=lambda case: case.stem
)
def test_what_cannot_be_silenced_says_so(tmp_path: Path, case: Path) -> None:
    text = _silenced(case)
    (tmp_path / "secrets").symlink_to(case.parent / "secrets")
    (tmp_path / "case.yaml").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError) as raised:
        load(tmp_path / "case.yaml", {})
    assert all("no comment silences this: " in finding.hint for finding in raised.value.findings)


# the lines of an account, the last of which finds something; the rule; what the link then says
CARRIED_ON = [
    (["smsc-password: longer-than-eight"], "S205"),
    (["smsc-username: longer-than-fifteen"], "S205"),
    (["throughput: 7.5"], "S204"),
    (["throughput: 0"], "S204"),
    (["throughput: 0123"], "S204"),
    (["priority: 7"], "S201"),
    (["port: 0x10"], "S201"),
    (["use-ssl: maybe"], "S201"),
    (["allowed-prefix-regex: ("], "S201"),
    (["system-type: ISO,SINGLE,VMA"], "S301"),
    (["connections: 2", "system-type: MCON1"], "S308"),
    (["smsc-id: a b"], "S310"),
    (["receive-port: 2", "port: 1"], "S312"),
]


@pytest.mark.parametrize(("lines", "rule"), CARRIED_ON)
def test_a_silenced_value_is_written_as_it_stands(tmp_path: Path, lines: list[str], rule: str) -> None:
    keys = [line.partition(":")[0] for line in lines]
    kept = [line for line in ACCOUNT.split("\n") if not any(f"{key}:" in line for key in keys)]
    entry = "\n".join(["    " + line for line in lines])
    text = "\n".join(kept).replace("- host", "  host").replace("smsc:\n    ", "smsc:\n  - ") + entry
    with pytest.raises(InputError, match=rule):
        loaded(tmp_path, text)
    name, _, value = lines[-1].partition(": ")
    for link in links_of(loaded(tmp_path, f"{text} # kannelkit: ignore {rule} - as it is\n")):
        assert link.get(name) == value or link["smsc-admin-id"].endswith("-park")


def test_the_whole_file(tmp_path: Path) -> None:
    spec = loaded(
        tmp_path, f"# kannelkit: ignore-file S205{ACCOUNT.replace('password: p', 'password: longer-than-eight')}"
    )
    assert spec.smpp_accounts[0].group.get("smsc-password") == "longer-than-eight"


def test_another_rule_or_line_silences_nothing(tmp_path: Path) -> None:
    for comment in ("# kannelkit: ignore S201", "\n    # kannelkit: ignore S205\n    priority: 1"):
        with pytest.raises(InputError, match="S205"):
            loaded(tmp_path, ACCOUNT.replace("password: p", f"password: longer-than-eight {comment}"))


# throughput as written, and what kannelkit takes it for
THROUGHPUTS = [("7.5", 8), ("0.5", 1), ("7.0", 7), ("0", None), ("0.0", None), ("0123", 123), ("200000", 200_000)]


@pytest.mark.parametrize(("text", "limit"), THROUGHPUTS)
def test_where_kannelkit_computes_a_fraction_is_what_kannel_sends(tmp_path: Path, text: str, limit: int | None) -> None:
    spec = loaded(tmp_path, f"{ACCOUNT}    throughput: {text} # kannelkit: ignore S204\n")
    (account,) = accounts(spec)
    assert account.ceiling == limit
    assert account.links[0].throughput == limit
    assert links_of(spec)[0]["throughput"] == text


def test_a_rate_in_force_takes_the_place_of_a_fraction(tmp_path: Path) -> None:
    spec = loaded(tmp_path, f"{ACCOUNT}    throughput: 7.5 # kannelkit: ignore S204\n")
    assert "throughput = 6\n" in kannel_conf(spec, InForce({"a": 6}), dict.fromkeys(spec.to_make(), "x"))


def test_a_fraction_cannot_be_shared(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="each connection needs a whole share"):
        loaded(tmp_path, f"{ACCOUNT}    connections: 2\n    throughput: 7.5 # kannelkit: ignore S204\n")


def test_accounts_of_one_name_have_links_of_different_names(tmp_path: Path) -> None:
    spec = loaded(
        tmp_path,
        ACCOUNT + ACCOUNT.removeprefix("\nsmsc:\n").replace("smsc-id: a", "smsc-id: a # kannelkit: ignore S304"),
    )
    names = [link["smsc-admin-id"] for link in links_of(spec)]
    assert names == ["a-1", "a-park", "a-account-2-1", "a-account-2-park"]
    assert {link["smsc-id"] for link in links_of(spec)} == {"a"}
