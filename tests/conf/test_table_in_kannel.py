"""What the table says about values holds in a real bearerbox: kinds, required directives, ranges and defaults."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from kannelkit.conf import GROUPS, Directive
from tests.harness.kannel import CORE, SMSBOX, program
from tests.harness.ports import free_ports

pytestmark = pytest.mark.kannel

SMSC = GROUPS["smsc"]
# parlayx needs a Kannel built with gSOAP, which Debian's is not
KINDS = [kind for kind in SMSC.directives["smsc"].one_of if kind != "parlayx"]
# Said when the configuration has been read and every link made; then bearerbox waits 5 s before it goes on.
STARTED = "bearerbox II version"
# Where nothing listens, so that no link finds a message centre.
SMPP = "smsc = smpp\nhost = 127.0.0.1\nport = 1\nsmsc-username = u\nsmsc-password = p\nsystem-type = s\n"


def said(folder: Path, text: str, core: Iterable[str] = ()) -> str:
    """Return what bearerbox says until it has started or given up, with the text below the usual beginning."""
    admin_port, smsbox_port = free_ports(2)
    head = CORE.format(admin_port=admin_port, admin_password="a", smsbox_port=smsbox_port, folder=folder, log_level=0)
    path = folder / "kannel.conf"
    path.write_text(
        head + "".join(f"{line}\n" for line in core) + SMSBOX.format(sendsms_port=1, folder=folder, log_level=0) + text
    )
    return output_of(path)


def output_of(path: Path) -> str:
    """Return what bearerbox says over a kannel.conf until it has started or given up."""
    bearerbox = program("bearerbox")
    assert bearerbox is not None
    lines = []
    with subprocess.Popen([bearerbox, str(path)], stderr=subprocess.PIPE, cwd=path.parent) as box:
        assert box.stderr is not None
        for line in box.stderr:
            lines.append(line.decode(errors="replace"))
            if STARTED in lines[-1]:
                box.kill()  # nothing is in its care yet
                break
    return "".join(lines)


@pytest.mark.parametrize("kind", KINDS)
def test_bearerbox_knows_every_kind(tmp_path: Path, kind: str) -> None:
    assert "Unknown SMSC type" not in said(tmp_path, f"\ngroup = smsc\nsmsc = {kind}\nsmsc-id = x\n")


@pytest.mark.parametrize("kind", ["at2", "emi2", "SMPP", "parlayx"])
def test_bearerbox_knows_no_other(tmp_path: Path, kind: str) -> None:
    assert f"Unknown SMSC type '{kind}'" in said(tmp_path, f"\ngroup = smsc\nsmsc = {kind}\nsmsc-id = x\n")


# What a link of each kind can do with.
VALUES = {
    "host": "127.0.0.1",
    "port": "1",
    "receive-port": "1",
    "smsc-username": "u",
    "smsc-password": "p",
    "system-type": "kannel",
    "send-url": "http://127.0.0.1:1/",
    "device": "/dev/null",
    "phone": "1",
    "smsc_nua": "1",
    "home_nua": "1",
}


@pytest.mark.parametrize(
    ("kind", "missing"), [(kind, name) for kind in KINDS for name in SMSC.required_for.get(kind, ())]
)
def test_without_what_a_kind_requires_bearerbox_does_not_start(tmp_path: Path, kind: str, missing: str) -> None:
    values = {name: VALUES[name] for name in SMSC.required_for[kind] if name != missing}
    lines = "".join(f"{name} = {value}\n" for name, value in values.items())
    output = said(tmp_path, f"\ngroup = smsc\nsmsc = {kind}\nsmsc-id = x\n{lines}")
    assert "PANIC" in output
    assert STARTED not in output


# Those that start without anything at their other end.
@pytest.mark.parametrize("kind", ["smpp", "at", "emi", "cimd2", "cgw", "smasi", "oisd", "loopback"])
def test_with_it_bearerbox_starts(tmp_path: Path, kind: str) -> None:
    lines = "".join(f"{name} = {VALUES[name]}\n" for name in SMSC.required_for.get(kind, ()))
    assert STARTED in said(tmp_path, f"\ngroup = smsc\nsmsc = {kind}\nsmsc-id = x\n{lines}")


@pytest.mark.parametrize("dialect", [*SMSC.directives["system-type"].one_of_for["http"], "Generic", "smpp"])
def test_dialects_of_http(tmp_path: Path, dialect: str) -> None:
    lines = "send-url = http://127.0.0.1:1/\nsmsc-username = u\nsmsc-password = p\nstatus-success-regex = ok\n"
    output = said(tmp_path, f"\ngroup = smsc\nsmsc = http\nsmsc-id = x\nsystem-type = {dialect}\n{lines}")
    assert (STARTED in output) == (dialect != "smpp")


@pytest.mark.parametrize("name", ["priority", "wait-ack-expire", "msg-id-type"])
def test_beyond_these_ranges_bearerbox_stops(tmp_path: Path, name: str) -> None:
    row = SMSC.directives[name]
    assert row.most is not None
    within = "".join(f"\ngroup = smsc\n{SMPP}smsc-id = x{value}\n{name} = {value}\n" for value in (row.least, row.most))
    assert STARTED in said(tmp_path, within)
    output = said(tmp_path, f"\ngroup = smsc\n{SMPP}smsc-id = x\n{name} = {row.most + 1}\n")
    assert "PANIC: SMPP" in output


@pytest.mark.parametrize("kind", ["internal", "mysql", "pgsql", "sqlite3", "redis", "mssql"])
def test_debian_has_these_receipt_stores(tmp_path: Path, kind: str) -> None:
    output = said(tmp_path, "", [f"dlr-storage = {kind}"])
    assert "is not supported" not in output
    assert (STARTED in output) == (kind == GROUPS["core"].directives["dlr-storage"].default)


@pytest.mark.parametrize("kind", ["sdb", "oracle", "cassandra"])
def test_debian_has_not_these(tmp_path: Path, kind: str) -> None:
    assert f"PANIC: DLR: storage type '{kind}' is not supported!" in said(tmp_path, "", [f"dlr-storage = {kind}"])


def test_defaults_that_bearerbox_tells(tmp_path: Path) -> None:
    output = said(tmp_path, f"\ngroup = smsc\n{SMPP}smsc-id = x\n")
    core = GROUPS["core"].directives

    def default(row: Directive) -> str:
        return row.default or ""

    assert f"'smsbox-max-pending' not set, using default ({default(core['smsbox-max-pending'])})" in output
    assert f"DLR: using default '{default(core['dlr-storage'])}'" in output
    assert "SMS resend retry set to unlimited" in output
    assert "DLR rerouting for smsc id <x> disabled" in output


def test_a_link_needs_the_smsbox_port(tmp_path: Path) -> None:
    folder = tmp_path / "with"
    folder.mkdir()
    (port,) = free_ports(1)
    link = f"\ngroup = smsc\n{SMPP}smsc-id = x\n"
    assert STARTED in said(folder, link)
    (folder / "core.conf").write_text(f"group = core\nadmin-port = {port}\nadmin-password = a\n{link}")
    assert "PANIC: Unable to start SMSCs" in output_of(folder / "core.conf")


def test_what_nothing_reads_can_hold_anything(tmp_path: Path) -> None:
    dead = [row.name for row in SMSC.directives.values() if not row.change]
    output = said(tmp_path, f"\ngroup = smsc\n{SMPP}smsc-id = x\n" + "".join(f"{name} = (\n" for name in dead))
    assert STARTED in output


@pytest.mark.parametrize(("tag", "sound"), [("0x1403", True), ("5123", True), ("x1403", False)])
def test_a_tag_is_a_number_in_either_form(tmp_path: Path, tag: str, sound: bool) -> None:
    parameter = f"\ngroup = smpp-tlv\nname = x\ntag = {tag}\nlength = 1\ntype = integer\n"
    assert (STARTED in said(tmp_path, f"\ngroup = smsc\n{SMPP}smsc-id = x\n{parameter}")) == sound
