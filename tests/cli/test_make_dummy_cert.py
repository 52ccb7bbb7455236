"""`kannelkit make-dummy-cert`."""

from __future__ import annotations

import os
import ssl
import stat
from pathlib import Path

import click.testing
import pytest
import yaml

from kannelkit.certs.dummy import KEYS
from kannelkit.cli.main import group


def run(*arguments: str | Path) -> click.testing.Result:
    return click.testing.CliRunner().invoke(group, ["make-dummy-cert", *map(str, arguments)])


@pytest.mark.parametrize("name", ["kannel.pem", "a b: #c\"'.pem"])
def test_the_file_is_private_and_what_is_printed_is_what_to_write(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    result = run(path, "--host", "gate.example", "--host", "10.0.0.1", "--days", "9")
    assert (result.exit_code, result.stderr) == (0, "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(path)
    said, _, spec = result.stdout.partition("In the smsc entry of the spec:\n")
    assert "gate.example, 10.0.0.1" in said
    assert yaml.safe_load(spec) == {"use-ssl": True, "ssl-client-certkey-file": str(path)}
    assert "PRIVATE" not in result.output
    assert os.listdir(tmp_path) == [name]


def test_the_kinds_of_key_are_those_there_are(tmp_path: Path) -> None:
    for key in KEYS:
        if key != "rsa-4096":  # which takes long to make
            result = run(tmp_path / key, "--key", key, "--name", "ACME Ltd")
            assert (result.exit_code, result.stderr) == (0, "")
            assert result.stdout.startswith(f"{tmp_path / key}: {key} key and self-signed certificate for ACME Ltd,")
    assert f"[{'|'.join(KEYS)}]" in run("--help").stdout


@pytest.mark.parametrize("there", ["a key in use", "link to nowhere"])
def test_what_is_there_is_not_overwritten_silently(tmp_path: Path, there: str) -> None:
    path = tmp_path / "kannel.pem"
    if there == "a key in use":
        path.write_text(there)
    else:
        path.symlink_to(tmp_path / "nowhere")
    result = run(path)
    assert result.exit_code == 1
    assert "hint:" in result.stderr
    assert result.stdout == ""
    assert os.listdir(tmp_path) == ["kannel.pem"]
    assert path.is_symlink() or path.read_text() == there
    if not path.is_symlink():
        assert "--force" in result.stderr
    assert run(path, "--force").exit_code == 0
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(path)
    assert not path.is_symlink()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "Missing argument"),
        (["{folder}"], 2, "is a directory"),
        (["{folder}/x.pem", "--days", "0"], 2, "--days"),
        (["{folder}/x.pem", "--host", "a b"], 1, "host name"),
        (["{folder}/x.pem", "--key", "rsa-512"], 2, "rsa-2048"),
        (["{folder}/x.pem", "--name", "x" * 65], 1, "64 characters"),
        (["{folder}/missing/x.pem"], 1, "make the folder first"),
    ],
)
def test_wrong_use_is_an_error_without_a_traceback(tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    result = run(*(argument.format(folder=tmp_path) for argument in arguments))
    assert (result.exit_code, os.listdir(tmp_path)) == (code, [])
    assert words in result.stderr
    assert "Traceback" not in result.output
