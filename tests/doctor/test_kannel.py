"""What Kannel's programs tell of themselves, against what a spec needs."""

from __future__ import annotations

import subprocess

import pytest

from kannelkit.doctor.kannel import Build, Program, build, judged
from kannelkit.doctor.values import Result
from kannelkit.supervise.boxes import find_program
from tests.doctor.specs import ACCOUNT, spec

SAID = """Kannel {box} version `{version}'.
Compiler `12.2.0'.
System Linux, release 6.1, version #1 SMP, machine x86_64.
Hostname vm, IP 127.0.0.1.
Libxml version 2.9.14.
{parts}Using native malloc.
"""
DEBIAN = """Using OpenSSL 3.0.5 5 Jul 2022.
Compiled with MySQL 10.6.10-MariaDB, using MySQL 3.3.20.
Compiled with PostgreSQL 15.0 (Debian 15.0-1+b1).
Using SQLite 3.39.4.
Using hiredis API 0.14.1
"""
TLS = f"{{smsc-id: main, host: smpp.example.net, use-ssl: true, {ACCOUNT}}}"


def program(name: str = "bearerbox", version: str = "1.4.5", parts: str = DEBIAN) -> Program:
    return Program(name, f"/usr/sbin/{name}", SAID.format(box=name, version=version, parts=parts))


def statuses(results: list[Result]) -> list[str]:
    return [result.status for result in results]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (
            program().said,
            Build(
                "1.4.5",
                "OpenSSL 3.0.5",
                ("MySQL", "PostgreSQL", "SQLite", "redis"),
                frozenset({"mysql", "pgsql", "sqlite3", "redis"}),
            ),
        ),
        (program(parts="").said, Build("1.4.5")),
        (program(parts="Using WTLS library OpenSSL 1.1.1.\n").said, Build("1.4.5", "OpenSSL 1.1.1.")),
        (program(version="svn-r5341").said, build(program(version="svn-r5341").said)),
        ("", None),
        ("bash: bearerbox: command not found\n", None),
        ("Kannel bearerbox version `" + "9" * 100 + "'", None),
    ],
)
def test_a_build_is_read(said: str, found: Build | None) -> None:
    assert build(said) == found


def test_the_installed_kannel_is_read() -> None:
    ran = subprocess.run([find_program("bearerbox"), "--version"], capture_output=True, text=True, check=True)
    found = build(ran.stdout)
    assert found is not None
    assert found.version[0].isdigit()
    assert found.tls


def test_a_kannel_as_it_should_be_is_one_line() -> None:
    (result,) = judged((program(), program("smsbox")), spec(TLS))
    assert result.status == "ok"
    assert "1.4.5" in result.summary
    assert "OpenSSL 3.0.5" in result.summary


@pytest.mark.parametrize(
    ("programs", "expected"),
    [
        ((Program("bearerbox", trouble="is not installed"), program("smsbox")), ["failed"]),
        ((program(), Program("smsbox", trouble="is not installed")), ["failed", "ok"]),
        ((Program("bearerbox", "/usr/bin/bearerbox", "hello"), program("smsbox")), ["failed"]),
        ((program(version="1.5.0"), program("smsbox", "1.5.0")), ["warning"]),
        ((program(), program("smsbox", "1.4.4")), ["ok", "failed"]),
    ],
)
def test_what_is_wrong_with_the_programs(programs: tuple[Program, ...], expected: list[str]) -> None:
    found = list(judged(programs, None))
    assert statuses(found) == expected
    assert all(result.advice for result in found if result.status != "ok")


def test_a_build_without_tls_is_of_no_use_to_an_account_with_it() -> None:
    found = list(judged((program(parts=""), program("smsbox")), spec(TLS)))
    assert statuses(found) == ["ok", "failed"]
    assert found[1].account == "main"
    assert statuses(list(judged((program(parts=""), program("smsbox")), spec()))) == ["ok"]


@pytest.mark.parametrize(
    ("storage", "parts", "expected"),
    [
        ("spool", "", ["ok"]),
        ("internal", "", ["ok"]),
        ("mssql", DEBIAN, ["ok", "warning"]),
    ],
)
def test_the_storage_of_receipts_has_to_be_in_the_build(storage: str, parts: str, expected: list[str]) -> None:
    more = f"core: {{dlr-storage: {storage}}}\n"
    if storage == "mssql":
        more += "dlr-db: {id: a, table: t, field-smsc: s, field-timestamp: t, field-source: s, field-destination: d, "
        more += "field-service: s, field-url: u, field-mask: m, field-status: s, field-boxc-id: b}\n"
        more += "mssql-connection: [{id: a, server: s, username: u, password: p, database: d}]\n"
    found = list(judged((program(parts=parts), program("smsbox")), spec(more=more)))
    assert statuses(found) == expected
