"""`kannelkit lint`: what goes in, what comes out, and what never does: a password."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from kannelkit.cli.main import group

HOUSE = Path(__file__).parents[2]
CASES = HOUSE / "tests/lint/cases"
SCHEMA = HOUSE / "tests/lint/sarif-2.1.0.json"
SECRET = "s3cr-Et"

CONF = f"""\
group = core
admin-port = 13000
admin-interface = 127.0.0.1
admin-password = {SECRET}
status-password = {SECRET}
smsbox-port = 13001

group = smsbox
bearerbox-host = 127.0.0.1
smsc-password = {SECRET}
"""
SPEC = """\
smsc:
  - {provider: smsc.ru, smsc-username: login, smsc-password: {env: NOT_SET_ANYWHERE}, use-ssl: true}
sendsms-user:
  - username: app
    password:
      file: "no-such-file" # here
"""


def run(*arguments: str | Path, stdin: str = "", **environ: str) -> Result:
    return CliRunner(env=environ).invoke(group, ["lint", *map(str, arguments)], input=stdin)


def rules(result: Result) -> list[str]:
    return [row["rule"] for row in json.loads(result.stdout)]


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    path = tmp_path / "kannel.conf"
    path.write_text(CONF)
    path.chmod(0o600)
    return path


def test_it_says_what_where_and_what_to_do(conf: Path) -> None:
    done = run(conf, "--offline")
    assert done.exit_code == 1
    assert f"{conf}:5:19: E121 error: status-password is the admin-password as well" in done.stdout
    assert "  hint: give each a password of its own\n" in done.stdout
    assert done.stderr.startswith("4 errors")
    assert "`kannelkit explain C110`" in done.stderr


def test_a_sound_file_is_no_finding() -> None:
    done = run(CASES / "E110-good.conf", "--offline")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr.startswith("nothing found in ")


def test_a_warning_is_an_error_for_the_strict() -> None:
    assert run(CASES / "W201-bad.conf", "--offline").exit_code == 0
    assert run(CASES / "W201-bad.conf", "--offline", "--strict").exit_code == 1
    assert run(CASES / "I310-bad.conf", "--offline", "--strict").exit_code == 0


def test_select_and_ignore_take_ids_and_beginnings(conf: Path) -> None:
    assert rules(run(conf, "--offline", "--format=json", "--select=E12")) == ["E121", "E123"]
    assert rules(run(conf, "--offline", "--format=json", "--select", "e121,C", "--select=I")) == [
        "C110",
        "E121",
        "C107",
    ]
    assert "E121" not in rules(run(conf, "--offline", "--format=json", "--ignore=E121"))


@pytest.mark.parametrize("option", ["--select", "--ignore"])
def test_an_unknown_rule_is_wrong_use(option: str, conf: Path) -> None:
    done = run(conf, option, "E121,X1")
    assert done.exit_code == 2
    assert "no rule's id begins with X1" in done.stderr


def test_several_files_at_once(conf: Path) -> None:
    done = run(conf, CASES / "W201-bad.conf", "--offline", "--format=json")
    assert {row["file"] for row in json.loads(done.stdout)} == {str(conf), str(CASES / "W201-bad.conf")}
    assert "in 2 files" in done.stderr


def test_the_standard_input_is_a_spec_or_a_conf() -> None:
    assert "C107" in rules(run("-", "--offline", "--format=json", stdin=CONF))
    assert rules(run("-", "--offline", "--format=json", stdin="core: {admin-prot: 1}")) == ["S105", "S101"]
    assert "S102" in rules(run("-", "--kind=spec", "--format=json", stdin=CONF))
    assert run("-", "-").exit_code == 2


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("none.yaml", None, "S001"),
        ("none.conf", None, "C113"),
        ("bad.yaml", b"core: \xff\xfe", "S002"),
        ("bad.conf", b"group = core\nadmin-port = \xff\x00\n", "C108"),
        ("empty.conf", b"", "C109"),
        ("empty.yaml", b"", "S105"),
    ],
)
def test_what_cannot_be_read_is_a_finding(name: str, content: bytes | None, rule: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = run(tmp_path / name, "--format=json")
    assert done.exit_code == 1
    assert rule in rules(done)


@pytest.mark.parametrize("suffix", ["", ".yaml", ".conf"])
def test_what_is_no_file_keeps_nobody_waiting(suffix: str, tmp_path: Path) -> None:
    rule = "C113" if suffix == ".conf" else "S001"
    folder, pipe = tmp_path / f"folder{suffix}", tmp_path / f"pipe{suffix}"
    folder.mkdir()
    os.mkfifo(pipe)
    done = run(folder, pipe)
    assert done.exit_code == 1
    assert f"{folder}: {rule} error: cannot be read: it is a folder\n" in done.stdout
    assert f"{pipe}: {rule} error: cannot be read: it is no regular file\n" in done.stdout
    assert f"hint: hand it over on the standard input: kannelkit lint - < {pipe}\n" in done.stdout


def test_what_a_spec_names_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "providers: [pipe]\n"
        'core: {status-password: {file: pipe}, admin-password: {file: "a\\0b"}}\n'
        "smsc: [{provider: smsc.ru, smsc-username: a, smsc-password: {file: pipe}, use-ssl: true, "
        f"ssl-client-certkey-file: {tmp_path}/pipe}}]\n"
    )
    done = run(spec, "--format=json")
    assert sorted(rules(done)) == ["S203", "S203", "S203", "S320"]
    assert {row["message"].split(": ")[-1] for row in json.loads(done.stdout)} == {
        "No regular file",
        "no file can have this name",
    }


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero"])
def test_a_device_is_not_read(device: str, tmp_path: Path) -> None:
    assert rules(run(device, "--format=json")) == ["S001"]
    path = tmp_path / "kannel.conf"
    path.write_text(f"include = {device}\n")
    assert "C113" in rules(run(path, "--format=json"))


def test_binary_octets_are_one_finding(tmp_path: Path) -> None:
    path = tmp_path / "kannel.conf"
    path.write_bytes(bytes(range(256)) * 100)
    assert rules(run(path, "--format=json")) == ["C112"]


def test_secrets_that_are_not_at_hand(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(SPEC)
    assert [row["rule"] for row in json.loads(run(spec, "--format=json").stdout)] == ["S203", "S203"]
    without = run(spec, "--format=json", "--no-secrets", "--offline")
    assert without.exit_code == 0
    assert rules(without) == ["I303"]


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_it_looks_at_the_files_unless_told_not_to(public: Path) -> None:
    path = public / "kannel.conf"
    path.write_text((CASES / "E160-good.conf").read_text().replace("/var", str(public)))
    path.chmod(0o644)
    assert {"E124", "E160", "W261"} <= set(rules(run(path, "--format=json")))
    assert rules(run(path, "--format=json", "--offline")) == []


def test_a_secret_that_everybody_may_read_is_told_wherever_it_is(public: Path) -> None:
    spec = public / "spec.yaml"
    spec.write_text(
        "core: {admin-password: plain-1}\n"
        "sendsms-user: [{username: app, password: {file: secrets}}]\n"
        "smsc: [{provider: smsc.ru, smsc-username: a, smsc-password: {env: PASSWORD}, use-ssl: true, "
        "ssl-client-certkey-file: kannel.pem}]\n"
    )
    (public / "secrets").write_text("plain-2\n")
    CliRunner().invoke(group, ["make-dummy-cert", str(public / "kannel.pem")])
    for name in ("spec.yaml", "secrets", "kannel.pem"):
        (public / name).chmod(0o600)
    assert "E124" not in rules(run(spec, "--format=json", PASSWORD="p"))
    for name in ("spec.yaml", "secrets", "kannel.pem"):
        (public / name).chmod(0o604)
    done = run(spec, "--select=E124", PASSWORD="p")
    assert [f"{public / name} holds" in done.stdout for name in ("spec.yaml", "secrets", "kannel.pem")] == [True] * 3
    public.chmod(0o700)
    assert run(spec, "--select=E124", PASSWORD="p").stdout == ""
    assert "plain" not in done.stdout


def test_a_certificate_is_looked_into(tmp_path: Path) -> None:
    pem = tmp_path / "kannel.pem"
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        f"core: {{ssl-trusted-ca-file: {pem}}}\n"
        f"smsc: [{{provider: smsc.ru, smsc-username: a, smsc-password: {{env: PASSWORD}}, use-ssl: true, "
        f"ssl-client-certkey-file: {pem}}}]\n"
    )
    assert rules(run(spec, "--format=json", PASSWORD="p")) == ["E170", "E170"]
    CliRunner().invoke(group, ["make-dummy-cert", str(pem)])
    assert rules(run(spec, "--format=json", PASSWORD="p")) == []
    text = pem.read_text()
    pem.write_text(text[text.index("-----BEGIN CERT") : text.index("-----END CERT")] + "-----END CERTIFICATE-----\n")
    assert rules(run(spec, "--format=json", PASSWORD="p")) == ["E171"]


def authority_in_between() -> bytes:
    """Return a certificate, in PEM form, that another key than its own has signed."""
    own, root = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    now = datetime.now(UTC)
    subject, issuer = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("between", "root"))
    builder = x509.CertificateBuilder(issuer, subject, own.public_key(), 1, now, now + timedelta(days=90))
    return builder.sign(root, SHA256()).public_bytes(Encoding.PEM)


def test_of_a_chain_a_link_shows_one_certificate(tmp_path: Path) -> None:
    chain, spec = tmp_path / "chain.pem", tmp_path / "spec.yaml"
    account = (
        f"smsc: [{{provider: smsc.ru, smsc-username: a, smsc-password: p, use-ssl: true, "
        f"ssl-client-certkey-file: {chain}}}]\n"
    )
    CliRunner().invoke(group, ["make-dummy-cert", str(chain)])
    chain.write_bytes(chain.read_bytes() + authority_in_between())
    spec.write_text(f"core: {{ssl-trusted-ca-file: {chain}}}\n" + account)  # where OpenSSL finds the rest
    assert rules(run(spec, "--format=json")) == []
    spec.write_text(account)
    assert rules(run(spec, "--format=json")) == ["I303", "W271"]
    spec.write_text(f"core: {{ssl-client-certkey-file: {chain}}}\n" + account)
    assert rules(run(spec, "--format=json")) == ["I303"]
    missing = spec.read_text().replace(f"certkey-file: {chain}}}]", "certkey-file: /no/such/file.pem}]")
    spec.write_text(missing)
    assert "Kannel shows the certificate of group core instead" in run(spec, "--select=E170").stdout


def test_a_password_is_never_shown(conf: Path) -> None:
    for form in ("text", "json", "sarif"):
        done = run(conf, "--format", form)
        assert SECRET not in done.stdout + done.stderr


@pytest.mark.parametrize("form", ["text", "json", "sarif"])
def test_a_hostile_file_moves_no_cursor(form: str, tmp_path: Path) -> None:
    path = tmp_path / "kannel.conf"
    path.write_bytes(CONF.encode() + b"\ngroup = sendsms-user\nusername = a\x1b[2J\xff\npassword = p\nlog = \x1b[1m\n")
    done = run(path, "--format", form)
    assert done.exit_code == 1
    assert "\x1b" not in done.stdout + done.stderr


def test_sarif_is_what_its_schema_says(conf: Path) -> None:
    done = run(conf, CASES / "I302-bad.yaml", CASES / "W201-bad.conf", "--format=sarif", "--offline")
    log: dict[str, Any] = json.loads(done.stdout)
    jsonschema.Draft4Validator(json.loads(SCHEMA.read_text())).validate(log)
    run_ = log["runs"][0]
    ids = [each["id"] for each in run_["tool"]["driver"]["rules"]]
    levels = {(each["ruleId"], each["level"]) for each in run_["results"]}
    assert {("E121", "error"), ("W201", "warning"), ("I302", "note")} <= levels
    for each in run_["results"]:
        assert ids[each["ruleIndex"]] == each["ruleId"]
        place = each["locations"][0]["physicalLocation"]
        assert place["region"]["startLine"] >= 1
    assert {each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in run_["results"]} == {
        str(path) for path in (conf, CASES / "I302-bad.yaml", CASES / "W201-bad.conf")
    }


def test_it_starts_without_what_it_does_not_need() -> None:
    program = (
        "import atexit, json, sys\n"
        "sys.argv = ['kannelkit', 'lint', '--no-secrets', 'examples/smallest.yaml']\n"
        "atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))\n"
        "from kannelkit.cli import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=HOUSE, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    heavy = {"aiohttp", "asyncio", "cryptography", "jinja2", "psutil", "rich", "sqlite3"}
    assert heavy & set(json.loads(done.stderr.split("\n")[-2])) == set()


def test_the_examples_have_neither_errors_nor_warnings() -> None:
    for example in sorted((HOUSE / "examples").glob("*.yaml")):
        done = run(example, "--no-secrets", "--offline", "--strict")
        assert done.exit_code == 0, done.stdout
