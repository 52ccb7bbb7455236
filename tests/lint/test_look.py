"""What an input is taken for, and what is made of secrets that are not at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from kannelkit.conf import Opened
from kannelkit.findings import Finding
from kannelkit.lint import look
from kannelkit.lint.subject import Kind, Subject

KINDS: list[tuple[str, str, Kind]] = [
    ("gateway.yaml", "group = core", "spec"),
    ("kannel.conf", "smsc: []", "conf"),
    ("kannel.conf.old", "# a comment\n\ngroup = core", "conf"),
    ("-", "smsc:\n  - provider: smsc.ru", "spec"),
    ("-", "group=core", "conf"),
    ("-", "include = accounts", "conf"),
    ("-", '{"smsc": []}', "spec"),
    ("-", "", "spec"),
]


@pytest.mark.parametrize(("name", "text", "kind"), KINDS)
def test_it_is_known_by_its_name_or_its_first_line(name: str, text: str, kind: Kind) -> None:
    assert look.kind_of(name, text) == kind


SECRETS = [
    "smsc-password: {file: no/such/file}",
    "smsc-password: {file: 'no/such/file'}",
    'smsc-password: {  file:   "no such file" }',
    "smsc-password:\n      file: no/such/file",
    "smsc-password: {env: NO_SUCH_VARIABLE}",
]


def subject(text: str) -> Subject:
    looked = look.spec(text, Path("/nowhere/spec.yaml"), {}, "spec.yaml", secrets=False)
    assert looked.findings == ()
    assert looked.subject
    return looked.subject


@pytest.mark.parametrize("written", SECRETS)
def test_a_secret_that_is_not_at_hand_is_unknown(written: str) -> None:
    made = subject(f"smsc:\n  - provider: smsc.ru\n    smsc-username: login\n    {written}\n")
    (link,) = made.live()
    assert link.group.values["smsc-password"].origin == "unknown"
    assert link.group.text("smsc-password") is None
    assert len(made.elsewhere) == 1


def test_several_secrets_in_one_line() -> None:
    made = subject(
        "smsc: [{provider: smsc.ru, smsc-username: a, smsc-password: {file: a}}]\n"
        "core: {admin-password: {file: b}, status-password: {file: c}}\n"
    )
    assert len(made.elsewhere) == 3
    assert sorted(made.elsewhere.values()) == ["/nowhere/a", "/nowhere/b", "/nowhere/c"]


def test_what_else_is_wrong_is_still_found() -> None:
    text = "smsc: [{provider: smsc.ru, smsc-username: a, smsc-password: {file: a}, throughput: 7.5}]\n"
    looked = look.spec(text, Path("/nowhere/spec.yaml"), {}, "spec.yaml", secrets=False)
    assert [(finding.rule, finding.place.column) for finding in looked.findings] == [("S204", text.index("7.5") + 1)]


def in_conf(text: str) -> list[Finding]:
    return list(look.findings(look.conf("kannel.conf", lambda _: Opened("kannel.conf", text))))


def test_a_file_of_another_box_is_one_finding() -> None:
    (found,) = in_conf("group = core\ndlr-storage = mysql\n\ngroup = opensmppbox\nopensmppbox-id = a\n")
    assert (found.rule, found.place.line) == ("C104", 4)
    assert "a file of opensmppbox's" in found.message


def test_another_box_in_bearerboxs_file_is_sent_to_its_own() -> None:
    text = (Path(__file__).parent / "cases/E160-good.conf").read_text() + "\ngroup = sqlbox\nid = a\n"
    (found,) = in_conf(text)
    assert found.rule == "C104"
    assert "sqlbox reads a file of its own" in found.hint


def test_a_part_of_a_configuration_is_told_so() -> None:
    found = {each.rule: each.hint for each in in_conf("group = smsc\nsmsc = fake\nsmsc-id = a\nport = 10000\n")}
    assert "lint the file that includes this one" in found["C109"]


def test_a_login_may_be_written_as_system_id() -> None:
    text = (Path(__file__).parent / "cases/E160-good.conf").read_text()
    assert in_conf(text.replace("smsc-username = login", "system-id = login")) == []


def test_a_hint_is_written_in_the_files_own_language() -> None:
    looked = look.spec(
        "smsc: [{provider: smsc.ru, smsc-username: u, smsc-password: p, wait-ack-expire: 1}]",
        Path("/nowhere/spec.yaml"),
        {},
        "spec.yaml",
    )
    hints = {each.rule: each.hint for each in look.findings(looked)}
    assert hints["E106"] == "write wait-ack-expire: 0"


def test_an_account_at_a_provider_of_the_users_own(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        '[[brand]]\nname = "own"\nhost = "smpp.own.example"\ngrade = "A"\nabout = "x"\n'
        '[limits]\nconnections = {value = 1, grade = "A", about = "x"}\n'
        'closes-older = {value = false, grade = "A", about = "x"}\n'
        'throughput = {value = 5, grade = "A", about = "x"}\nidle = {value = 40, grade = "A", about = "x"}\n'
    )
    text = (
        "providers: [own.toml]\nsmsc:\n  - {smsc-id: a, provider: own, smsc-username: u, smsc-password: p, "
        "connections: 2, throughput: 6, enquire-link-interval: 40}\n"
    )
    looked = look.spec(text, tmp_path / "spec.yaml", {}, "spec.yaml")
    found = {finding.rule: finding.message for finding in look.findings(looked)}
    assert {"E101", "W202", "E103"} <= found.keys()
    assert "the others are refused for ever" in found["E101"]
    assert "6 SMS per second over 2 connections, where own accepts 5" in found["W202"]


WINDOWS = [
    ("pacing: log", True),
    ("pacing: relay", False),  # it is made to fit
    ("pacing: relay, max-pending-submits: 100", True),
    ("pacing: relay, max-pending-submits: 100, connections: 2", False),
]


@pytest.mark.parametrize(("keys", "small"), WINDOWS)
def test_a_window_that_is_too_small_is_told_where_it_is_in_force(keys: str, small: bool) -> None:
    account = "smsc-id: a, host: h.example, smsc-username: u, smsc-password: p, throughput: 400"
    looked = look.spec(f"smsc: [{{{account}, {keys}}}]", Path("/nowhere/spec.yaml"), {}, "spec.yaml")
    assert ("W204" in {finding.rule for finding in look.findings(looked)}) == small
