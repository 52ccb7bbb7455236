"""What an input is taken for, and what is made of secrets that are not at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

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
