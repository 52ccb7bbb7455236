"""`kannelkit cert show` and `kannelkit cert import`."""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click.testing
import pytest
import yaml

from kannelkit.certs.dummy import dummy_certificate
from kannelkit.certs.inspect import inspect
from kannelkit.cli.cert import lines, look
from kannelkit.cli.main import group
from tests.certs.authority import Signed, ec_key, rsa_key, signed

NOW = datetime.now(UTC).replace(microsecond=0)
ROOT = signed("root", None, authority=True, begins=NOW - timedelta(days=1))
LEAF = signed("gate.example", ROOT, begins=NOW - timedelta(days=1))


def run(*arguments: str | Path, answer: str = "") -> click.testing.Result:
    return click.testing.CliRunner().invoke(group, ["cert", *map(str, arguments)], input=answer)


def lay(folder: Path, mode: int = 0o600, **files: bytes) -> None:
    """Write `name.pem` for each."""
    for name, octets in files.items():
        path = folder / f"{name}.pem"
        path.write_bytes(octets)
        path.chmod(mode)


def signed_for(days: int) -> Signed:
    """Return a certificate that began 100 days ago, for so many days from now."""
    return signed("gate.example", ROOT, begins=NOW - timedelta(days=100), days=days + 100)


# Octets and mode, then the exit code and words of what is shown.
SHOWN: list[tuple[bytes, int, int, list[str]]] = [
    (LEAF.key_pem + LEAF.pem, 0o600, 0, ["subject  CN=gate.example", "issuer   CN=root\n", "Kannel can bind with it"]),
    (LEAF.key_pem + LEAF.pem + ROOT.pem, 0o640, 0, ["chain    CN=root, until ", "mode     0640", "from core's"]),
    (LEAF.key_pem + LEAF.pem, 0o644, 0, ["warning: mode 0644: everybody", "can bind"]),
    (LEAF.pem, 0o644, 0, ["warning: no key: good as ssl-trusted-ca-file"]),
    (LEAF.key_pem + LEAF.pem + LEAF.pem, 0o600, 0, ["warning: the chain is not in order"]),
    (
        dummy_certificate(["a.example"], 20, NOW, key="ec-p256"),
        0o600,
        0,
        ["warning: CN=a.example expires in ", "self-signed"],
    ),
    (
        dummy_certificate(["a.example"], 40, NOW, key="ec-p256"),
        0o600,
        0,
        ["CN=a.example (self-signed)", "39 days left"],
    ),
    (ec_pem := signed_for(-3).key_pem, 0o600, 1, ["error: no certificate"]),
    (LEAF.locked_key_pem(b"x") + LEAF.pem, 0o600, 1, ["key      locked", "error: the key is locked"]),
    (ec_pem + LEAF.pem, 0o600, 1, ["does not fit the certificate", "error: the key does not fit"]),
    (b"nonsense", 0o600, 1, ["error: no certificate in PEM form"]),
    (b"x" * 2_000_000, 0o600, 1, ["error:", "octets"]),
]


@pytest.mark.parametrize(("octets", "mode", "code", "words"), SHOWN)
def test_what_is_shown(tmp_path: Path, octets: bytes, mode: int, code: int, words: list[str]) -> None:
    lay(tmp_path, mode, file=octets)
    result = run("show", tmp_path / "file.pem")
    assert (result.exit_code, result.stderr) == (code, "")
    for each in words:
        assert each in result.stdout
    assert ("Kannel can bind with it" in result.stdout) == inspect(octets).usable
    assert "PRIVATE" not in result.stdout
    assert "\x1b" not in result.stdout


def test_time_is_what_makes_it_bad(tmp_path: Path) -> None:
    each = signed_for(10)
    lay(tmp_path, file=each.key_pem + each.pem)
    until = each.certificate.not_valid_after_utc
    words = {}
    for days in (-200, 30, 29, 1, 0, -1):
        moment = until - timedelta(days=days, seconds=-1 if days < 0 else 0)
        looked = look(tmp_path / "file.pem", moment, 30)
        words[days] = [line.strip() for line in lines(looked) if line.startswith(("  error:", "  warning:"))]
        assert bool(looked.problems) == (days < 0 or days > 110)
    day = f"{until:%Y-%m-%d}"
    assert words == {
        -200: [f"error: CN=gate.example expired {day}, 201 days ago"],
        30: [],
        29: ["warning: CN=gate.example expires in 29 days"],
        1: ["warning: CN=gate.example expires in 1 day"],
        0: ["warning: CN=gate.example expires in 0 days"],
        -1: [f"error: CN=gate.example expired {day}, 2 days ago"],
    }
    early = look(tmp_path / "file.pem", each.certificate.not_valid_before_utc - timedelta(days=1), 30)
    assert "is valid from" in early.problems[0]


def test_many_files_and_one_that_is_missing(tmp_path: Path) -> None:
    lay(tmp_path, one=LEAF.key_pem + LEAF.pem, two=ROOT.pem)
    result = run("show", *(tmp_path / name for name in ("one.pem", "two.pem", "three.pem", ".")), "--json")
    assert result.exit_code == 1
    one, two, three, folder = json.loads(result.stdout)
    assert (one["usable"], one["key_fits"], one["mode"], one["problems"]) == (True, True, "0600", [])
    assert one["certificates"][0]["days_left"] == 88
    assert datetime.fromisoformat(one["certificates"][0]["valid_until"]) == LEAF.certificate.not_valid_after_utc
    assert (two["usable"], two["key"], two["certificates"][0]["authority"]) == (False, None, True)
    assert "No such file" in three["problems"][0]
    assert "Is a directory" in folder["problems"][0]


def test_days_move_the_warning(tmp_path: Path) -> None:
    lay(tmp_path, file=LEAF.key_pem + LEAF.pem)
    assert "warning:" not in run("show", tmp_path / "file.pem").stdout
    assert "expires in" in run("show", tmp_path / "file.pem", "--days", "100").stdout


def test_an_imported_file_is_private_whole_and_says_what_to_write(tmp_path: Path) -> None:
    lay(tmp_path, key=LEAF.key_pem, cert=LEAF.pem, root=ROOT.pem)
    made = tmp_path / "made.pem"
    parts: list[str | Path] = ["--key", tmp_path / "key.pem", "--cert", tmp_path / "cert.pem"]
    result = run("import", "-o", made, *parts)
    assert (result.exit_code, result.stderr) == (0, "")
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert made.read_bytes() == LEAF.key_pem + LEAF.pem
    spec = yaml.safe_load(result.stdout.partition("In the smsc entry of the spec:\n")[2])
    assert spec == {"use-ssl": True, "ssl-client-certkey-file": str(made)}
    again = run("import", "-o", made, *parts, "--chain", tmp_path / "root.pem")
    assert again.exit_code == 1
    assert "--force" in again.stderr
    forced = run("import", "-o", made, *parts, "--chain", tmp_path / "root.pem", "--force")
    assert made.read_bytes() == LEAF.key_pem + LEAF.pem + ROOT.pem
    wanted = forced.stdout.partition("chain:\n")[2].partition("In the smsc")[0]
    assert yaml.safe_load(wanted) == {"core": {"ssl-client-certkey-file": str(made)}}
    assert "PRIVATE" not in result.output + forced.output
    assert sorted(os.listdir(tmp_path)) == ["cert.pem", "key.pem", "made.pem", "root.pem"]


def test_an_expired_one_is_imported_with_a_warning(tmp_path: Path) -> None:
    expired = signed_for(-3)
    lay(tmp_path, cert=expired.key_pem + expired.pem)
    result = run("import", "-o", tmp_path / "made.pem", "--cert", tmp_path / "cert.pem")
    assert result.exit_code == 0
    assert result.stderr.startswith("warning: CN=gate.example expired ")
    assert run("show", tmp_path / "made.pem").exit_code == 1


def test_a_passphrase_comes_from_a_file(tmp_path: Path) -> None:
    lay(tmp_path, key=LEAF.locked_key_pem(b"open sesame"), cert=LEAF.pem, store=LEAF.pkcs12(b"open sesame", ROOT))
    lay(tmp_path, right=b"open sesame\n", wrong=b"open\n")
    made = tmp_path / "made.pem"
    ways: list[list[str | Path]] = [
        ["--key", tmp_path / "key.pem", "--cert", tmp_path / "cert.pem"],
        ["--pkcs12", tmp_path / "store.pem"],
    ]
    useless: list[list[str | Path]] = [[], ["--passphrase-file", tmp_path / "wrong.pem"]]
    for parts in ways:
        for passphrase in useless:
            result = run("import", "-o", made, *parts, *passphrase)
            assert (result.exit_code, made.exists()) == (1, False)
            assert "hint:" in result.stderr
        result = run("import", "-o", made, *parts, "--passphrase-file", tmp_path / "right.pem")
        assert (result.exit_code, result.stderr) == (0, "")
        assert inspect(made.read_bytes()).usable
        assert "sesame" not in result.output
        made.unlink()


WRONG: list[tuple[list[str], int, str]] = [
    ([], 2, "--output"),
    (["-o", "made"], 2, "--cert or --pkcs12"),
    (["-o", "made", "--cert", "cert.pem", "--pkcs12", "x"], 2, "--pkcs12 has it all"),
    (["-o", "made", "--key", "key.pem", "--pkcs12", "x"], 2, "--pkcs12 has it all"),
    (["-o", "made", "--cert", "cert.pem"], 1, "cert.pem has no private key"),
    (["-o", "made", "--cert", "nothing", "--key", "key.pem"], 1, "cannot read nothing"),
    (["-o", "made", "--cert", "cert.pem", "--key", "other.pem"], 1, "does not fit"),
    (["-o", "made", "--cert", "weak.pem"], 1, "1024 bits"),
    (["-o", "no/made", "--cert", "cert.pem", "--key", "key.pem"], 1, "make the folder first"),
    (
        ["-o", "made", "--cert", "cert.pem", "--key", "key.pem", "--passphrase-file", "nothing"],
        1,
        "cannot read nothing",
    ),
]


@pytest.mark.parametrize(("arguments", "code", "words"), WRONG)
def test_wrong_use_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    weak = signed("weak", None, rsa_key(1024), begins=NOW)
    other = ec_key()
    lay(tmp_path, key=LEAF.key_pem, cert=LEAF.pem, weak=weak.key_pem + weak.pem)
    lay(tmp_path, other=signed("other", None, other).key_pem)
    before = sorted(os.listdir(tmp_path))
    result = run("import", *arguments)
    assert result.exit_code == code
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert sorted(os.listdir(tmp_path)) == before
