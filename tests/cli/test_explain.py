"""`kannelkit explain`: each name there is has an answer, a slip has a hint, and a program gets JSON."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kannelkit.cli import topics
from kannelkit.cli.main import group
from kannelkit.conf import GROUPS
from kannelkit.gateway.rules import RULES as OF_MESSAGES
from kannelkit.lint.rules import RULES
from kannelkit.spec.own import OWN


def explain(*arguments: str) -> Result:
    return CliRunner().invoke(group, ["explain", *arguments])


def test_a_directive_of_several_groups_is_told_for_each() -> None:
    done = explain("http-timeout")
    assert done.exit_code == 0
    assert [line for line in done.stdout.splitlines() if line and not line.startswith(" ")] == [
        "core.http-timeout",
        "smsbox.http-timeout",
        "wapbox.http-timeout",
    ]


def test_what_is_told_of_a_directive() -> None:
    assert explain("smsc.wait-ack-expire").stdout.splitlines()[2:] == [
        "  type        whole number, 0 to 3, also as 0x03",
        "  default     0, which kannelkit writes; 1 in Kannel",
        "  read by     smpp and emi",
        "  change      a new link, with a new bind",
    ]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("core.sms-resend-freq", "  default     5, which kannelkit writes; 60 in Kannel"),
        ("smsc.reconnect-delay", "  default     10"),
        ("smsc.allowed-prefix", "  change      a reload, and every bind stays"),
        (
            "smsc.denied-prefix-regex",
            "  removal     a new link, with a new bind: a reload without the line is bearerbox's end",
        ),
        ("core.ssl-trusted-ca-file", "  change      a restart of bearerbox, smsbox and wapbox"),
        ("core.dlr-url", None),
        ("smsc.ussdc", "  change      nothing: no box reads it"),
        ("smsc.smsc-password", "  secret      never shown; better {env: NAME} or {file: PATH} in a spec"),
        ("smsc.smsc-password", "  type        text, at most 8 octets for smpp"),
        ("smsc.device", "  required    for at, emi_x25 and sema"),
        ("dlr-db.table", "  required    Kannel does not do without it"),
        ("smsc.alt-addr-charset", "  read by     smpp"),
        ("connections", "  type        whole number, 1 to 99"),
        ("connections", "  change      kannelkit's own key: Kannel never sees it"),
        ("supervisor.rate.floor", "  default     1"),
        ("state-dir", "  default     .kannelkit"),
    ],
)
def test_facts(name: str, line: str | None) -> None:
    done = explain(name)
    assert done.exit_code == (1 if line is None else 0)
    assert line is None or line in done.stdout.splitlines()


def test_a_group_is_its_directives_by_section() -> None:
    lines = explain("core").stdout.splitlines()
    assert lines[0] == "core (once)"
    headings = [line for line in lines[1:] if line and not line.startswith(" ")]
    assert headings == list(dict.fromkeys(row.section for row in GROUPS["core"].directives.values()))
    told = [line.split()[0] for line in lines if line.startswith("  ")]
    assert set(GROUPS["core"].directives) <= set(told)
    resend = [line for line in lines if line.startswith("  sms-resend-freq ")]
    assert resend[0].endswith("[5]")


def test_a_group_goes_before_a_directive_of_its_name_and_names_it() -> None:
    assert "  see also    the directive smsc.smsc" in explain("smsc").stdout.splitlines()
    assert explain("smsc.smsc").stdout.startswith("smsc.smsc\n")


def test_a_kind_of_link_is_what_it_reads() -> None:
    lines = explain("fake").stdout.splitlines()
    assert lines[:2] == ["smsc (a list)", "  What a link of the kind fake reads."]
    assert "  required    smsc and port" in lines
    told = {line.split()[0] for line in lines[4:] if line.startswith("  ")}
    assert {"connect-allow-ip", "throughput", "smsc-id"} <= told
    assert not told & {"host", "system-type", "ussdc", "provider"}
    assert "provider" in explain("smpp").stdout
    windows = [
        next(line for line in explain(kind).stdout.splitlines() if "max-pending" in line) for kind in ("smpp", "http")
    ]
    assert [line[-6:].split("[")[1] for line in windows] == ["100]", "10]"]


def test_own_keys_of_an_account_stand_with_its_directives() -> None:
    lines = explain("smsc").stdout.splitlines()
    own = lines.index("Account (kannelkit's own)")
    assert [line.split()[0] for line in lines[own + 1 : own + 1 + len(OWN["smsc"].directives)]] == list(
        OWN["smsc"].directives
    )


@pytest.mark.parametrize("name", ["S204", "s204"])
def test_a_rule(name: str) -> None:
    lines = explain(name).stdout.splitlines()
    rule = RULES["S204"]
    assert lines[0] == f"S204 error: {rule.title}"
    assert f"  do          {rule.remedy}" in lines
    assert f"  rests on    {rule.source}" in lines


def test_every_name_has_an_answer() -> None:
    for name in (*topics.names(), *RULES, *OF_MESSAGES):
        assert topics.find(name), name
    everything = explain(*RULES, *OF_MESSAGES, *GROUPS)
    assert everything.exit_code == 0
    rules = (*RULES.values(), *OF_MESSAGES.values())
    assert all(f"{rule.id} {rule.severity}: " in everything.stdout for rule in rules)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("throughputt", "did you mean throughput?"),
        ("core.adminport", "did you mean core.admin-port, core.admin-port-ssl or core.admin-password?"),
        ("S2044", "did you mean S204"),
        ("xyzzy", "kannelkit explain lists the groups"),
        ("", "kannelkit explain lists the groups"),
    ],
)
def test_a_slip_has_a_hint(name: str, hint: str) -> None:
    done = explain(name)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"nothing is called {name!r}; {hint}")


def test_a_slip_keeps_no_other_answer_back() -> None:
    done = explain("smsc.host", "xyzzy", "smsc.port", "smsc.host")
    assert done.exit_code == 1
    assert [line for line in done.stdout.splitlines() if line.startswith("smsc.")] == ["smsc.host", "smsc.port"]


def test_without_a_name_the_groups() -> None:
    done = explain()
    assert done.exit_code == 0
    assert done.stdout.startswith("kannelkit explain NAME:")
    told = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")]
    assert set(GROUPS) <= set(told)
    assert {"state-dir", "supervisor.rate", "health"} <= set(told)


def test_json() -> None:
    done = explain("smsc.throughput", "supervisor", "S204", "--json")
    throughput, *parts, rule = json.loads(done.stdout)
    assert throughput["topic"] == "directive"
    assert throughput["change"] == ["link"]
    assert throughput["type"] == "number"
    below = [f"supervisor{part}" for part in ("", ".rate", ".failover", ".pid-files")]
    assert sorted(part["path"] for part in parts) == sorted(below)
    rate = next(part for part in parts if part["path"] == "supervisor.rate")
    assert [row["name"] for row in rate["directives"]] == ["floor", "raise-after"]
    assert (rule["topic"], rule["id"], rule["severity"]) == ("rule", "S204", "error")
    everything = json.loads(explain("--json").stdout)
    assert {part["path"] for part in everything} >= set(GROUPS)
    assert json.loads(explain("xyzzy", "--json").stdout) == []


def test_names_are_completed() -> None:
    def completed(word: str) -> list[str]:
        environ = {
            **os.environ,
            "_KANNELKIT_COMPLETE": "bash_complete",
            "COMP_WORDS": f"kannelkit explain {word}",
            "COMP_CWORD": "2",
        }
        program = [str(Path(sys.executable).with_name("kannelkit"))]
        done = subprocess.run(program, env=environ, capture_output=True, text=True, check=True)
        return [line.partition(",")[2] for line in done.stdout.splitlines()]

    assert completed("throu") == ["throughput"]
    assert completed("smsc.hos") == ["smsc.host"]
    assert "S204" in completed("s20")


def in_terminal(**environ: str) -> bytes:
    """Return what `explain smsc` shows in a terminal of 80 columns."""
    here, there = pty.openpty()
    script = [sys.executable, "-m", "kannelkit", "explain", "smsc"]
    clean = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    with subprocess.Popen(script, stdout=there, env={**clean, "COLUMNS": "80", "TERM": "xterm", **environ}) as child:
        os.close(there)
        seen = b""
        try:
            while part := os.read(here, 65536):
                seen += part
        except OSError:  # what Linux says where the terminal's other end is closed
            pass
        assert child.wait() == 0
    os.close(here)
    return seen


def test_a_terminal_gets_colours_and_lines_that_fit() -> None:
    assert b"\x1b[1msmsc\x1b[0m" in in_terminal()
    plain = in_terminal(NO_COLOR="1")
    assert b"\x1b" not in plain
    assert max(map(len, plain.split(b"\r\n"))) <= 80
