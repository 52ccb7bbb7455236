"""Profiles of providers in files of the user's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from kannelkit.errors import InputError
from kannelkit.render import AS_WRITTEN, kannel_conf
from kannelkit.spec import Spec, load

ACME = """
[[brand]]
name = "acme"
host = "smpp.acme.example"
backup-host = "smpp2.acme.example"
[connections]
flag = "BINDS{n}"
most = 2
[[setting]]
directive = "port"
value = "2776"
[[setting]]
directive = "throughput"
value = "40"
"""
SPEC = """
providers: [acme.toml]
smsc:
  - provider: acme
    connections: 2
    smsc-username: u
    smsc-password: p
"""


def loaded(folder: Path, text: str, **files: str) -> Spec:
    (folder / "acme.toml").write_text(ACME)
    for name, content in files.items():
        (folder / f"{name}.toml").write_text(content)
    (folder / "spec.yaml").write_text(text)
    return load(folder / "spec.yaml", {})


def test_an_account_takes_what_the_file_says(tmp_path: Path) -> None:
    spec = loaded(tmp_path, SPEC)
    (account,) = spec.smpp_accounts
    assert (account.smsc_id, account.host, account.port, account.throughput) == ("acme", "smpp.acme.example", 2776, 40)
    assert (account.backup_host, account.backup_port) == ("smpp2.acme.example", 2776)
    assert account.group.get("system-type") == "BINDS2"
    assert account.profile is not None
    assert account.profile.file == str(tmp_path / "acme.toml")
    text = kannel_conf(spec, AS_WRITTEN, dict.fromkeys(spec.to_make(), "x"))
    assert "# set by the profile acme in acme.toml: host, port, throughput\n" in text


def test_what_is_shipped_stays(tmp_path: Path) -> None:
    (account,) = loaded(tmp_path, SPEC.replace("provider: acme", "provider: smsc.ru")).smpp_accounts
    assert account.provider == "smsc.ru"


def test_one_file_may_be_written_as_a_text(tmp_path: Path) -> None:
    assert loaded(tmp_path, SPEC.replace("[acme.toml]", "acme.toml")).smpp_accounts[0].provider == "acme"


def test_no_file_is_no_file(tmp_path: Path) -> None:
    spec = loaded(tmp_path, SPEC.replace("[acme.toml]", "").replace("provider: acme", "provider: smsc.kz"))
    assert spec.smpp_accounts[0].provider == "smsc.kz"


WRONG = [
    ("[none.toml]", "spec.yaml:2:13", "S320", "none.toml cannot be read: No such file or directory"),
    ("[.]", "spec.yaml:2:13", "S320", "cannot be read: Is a directory"),
    ('["a\\0b"]', "spec.yaml:2:13", "S320", "cannot be read"),
    ("[latin.toml]", "spec.yaml:2:13", "S320", "it is no UTF-8 text"),
    ("[{a: b}]", "spec.yaml:2:13", "S102", "providers is a list of files"),
    ("[acme.toml, again.toml]", "spec.yaml:2:24", "S324", "has a provider acme, and there is one already, in "),
    ("[acme.toml, shipped.toml]", "spec.yaml:2:24", "S324", "one of kannelkit's own"),
    ("[acme.toml, broken.toml]", "broken.toml:2:7", "S320", "this is no TOML: invalid value"),
    ("[acme.toml, wrong.toml]", "wrong.toml:1:1", "S321", "brand has no name"),
]


@pytest.mark.parametrize(("providers", "place", "rule", "words"), WRONG)
def test_what_is_wrong_is_found_at_its_place(tmp_path: Path, providers: str, place: str, rule: str, words: str) -> None:
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"\n')
    files = {
        "again": ACME,
        "shipped": '[[brand]]\nname = "smsc.ru"\n',
        "broken": "[[brand]]\nname= \n",
        "wrong": "[[brand]]\nhost = 'h'\n",
    }
    with pytest.raises(InputError) as raised:
        loaded(tmp_path, SPEC.replace("[acme.toml]", providers), **files)
    (found,) = raised.value.findings
    assert found.rule == rule
    assert str(found.place) == str(tmp_path / place)
    assert words in found.message
    assert found.hint


def test_an_unknown_provider_is_all_that_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        loaded(tmp_path, SPEC.replace("provider: acme", "provider: acne"))
    (found,) = raised.value.findings
    assert (found.rule, "acme" in found.hint) == ("S314", True)


def test_too_many_connections_for_the_provider(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="S201: connections is too large: 3"):
        loaded(tmp_path, SPEC.replace("connections: 2", "connections: 3"))


@pytest.mark.parametrize(
    ("more", "charset"),
    [
        ("", None),
        ("system-type: [SINGLE]", None),
        ("system-type: [SINGLE, ISO]", "ISO-8859-1"),
        ("system-type: 'ISO, SINGLE'", "ISO-8859-1"),
        ("system-type: ISO\n    connections: 2", "ISO-8859-1"),
        ("system-type: ISO\n    alt-charset: windows-1252", "windows-1252"),
    ],
)
@pytest.mark.parametrize("defaults", ["kannelkit", "kannel"])
def test_kannel_writes_what_the_flags_have_the_provider_read(
    tmp_path: Path, more: str, charset: str | None, defaults: str
) -> None:
    text = SPEC.replace("provider: acme", f"provider: smsc.ru\n    {more}").replace(
        "    connections: 2\n    smsc-u", "    smsc-u"
    )
    (account,) = loaded(tmp_path, text + f"defaults: {defaults}\n").smpp_accounts
    assert account.group.get("alt-charset") == charset


def test_a_flag_of_a_provider_of_ones_own_has_a_charset_too(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        '[[brand]]\nname = "own"\nhost = "h"\n[[flag]]\nname = "L1"\ncharset = "latin1"\n'
    )
    text = SPEC.replace("acme.toml", "own.toml").replace("provider: acme", "provider: own\n    system-type: L1")
    (account,) = loaded(tmp_path, text).smpp_accounts
    assert account.group.get("alt-charset") == "latin1"
