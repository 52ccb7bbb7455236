"""Comments silence what they name where they stand, and one that silences nothing is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from kannelkit.conf import Opened
from kannelkit.findings import Finding
from kannelkit.lint import look

CONF = (Path(__file__).parent / "cases/E110-good.conf").read_text()
SPEC = """\
smsc:
  - provider: smsc.ru
    use-ssl: true
    smsc-username: login
    smsc-password: pw-1
    throughput: 31
core: {ssl-trusted-ca-file: /etc/ssl/certs/ca-certificates.crt}
"""


def in_conf(text: str) -> list[str]:
    return shown(look.findings(look.conf("kannel.conf", lambda _: Opened("kannel.conf", text))))


def in_spec(text: str) -> list[str]:
    return shown(look.findings(look.spec(text, Path("/nowhere/gateway.yaml"), {}, "gateway.yaml")))


def shown(findings: tuple[Finding, ...]) -> list[str]:
    return [f"{finding.rule} {finding.place.line}" for finding in findings]


def test_in_a_conf_the_line_below_is_meant() -> None:
    text = CONF.replace("throughput = 30", "throughput = 7.5")
    at = text.split("\n").index("throughput = 7.5") + 1
    assert in_conf(text) == [f"W201 {at}"]
    silenced = text.replace("throughput = 7.5", "# kannelkit: ignore W201 - the provider counts so\nthroughput = 7.5")
    assert in_conf(silenced) == []
    behind = text.replace("throughput = 7.5", "throughput = 7.5 # kannelkit: ignore W201")
    assert "W201" not in in_conf(behind)  # Kannel has no comment there: it is another value
    assert f"W251 {at}" in in_conf(behind)


def test_in_a_spec_the_end_of_the_line_will_do() -> None:
    assert in_spec(SPEC) == ["W202 6"]
    assert in_spec(SPEC.replace("31", "31 # kannelkit: ignore W202 - as agreed")) == []


def test_what_was_silenced_when_the_spec_was_read_counts_as_needed() -> None:
    long = SPEC.replace("pw-1", "ninechars").replace("31", "30")
    assert in_spec(long) == ["S205 5"]
    assert in_spec(long.replace("ninechars", "ninechars # kannelkit: ignore S205 - cut on purpose")) == []


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("# kannelkit: ignore W202 - no longer true", "I390"),
        ("# kannelkit: ignore-file S205 - no longer true", "I390"),
        ("# kannelkit: ignore W999 - never was one", "W290"),
    ],
)
def test_a_comment_without_need_is_told(comment: str, expected: str) -> None:
    assert in_spec(f"{comment}\n" + SPEC.replace("31", "30")) == [f"{expected} 1"]


def test_a_comment_that_is_about_no_line_is_told() -> None:
    assert in_spec(SPEC.replace("31", "30") + "# kannelkit: ignore W202 - nothing follows\n") == ["I390 8"]


def test_the_hint_about_a_comment_can_be_silenced_too() -> None:
    assert in_spec("# kannelkit: ignore-file I390, W202 - shared by many specs\n" + SPEC.replace("31", "30")) == []
