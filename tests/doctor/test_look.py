"""The single looks at this machine: what is there is seen, nothing is changed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from kannelkit.doctor import look
from kannelkit.doctor.look import Runner
from kannelkit.spec import Spec
from tests.doctor.specs import ACCOUNT, spec
from tests.harness.pem import write_pem
from tests.harness.ports import free_ports

CONNECTS = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))):
    print(flush=True)
    sys.stdin.read()
"""
NOBODY = Runner(65534, "nobody", frozenset({65534}), "the boxes run as that user")


def gateway(folder: Path, certificate: str = "k.pem") -> Spec:
    admin, boxes, sendsms = free_ports(3)
    more = (
        f"state-dir: state\ncore: {{admin-port: {admin}, smsbox-port: {boxes}}}\nsmsbox: {{sendsms-port: {sendsms}}}\n"
    )
    tls = f"{{smsc-id: main, host: h.example, {ACCOUNT}, use-ssl: true, ssl-client-certkey-file: {certificate}}}"
    return spec(tls, more=more, path=folder / "gateway.yaml")


def test_a_program_that_is_not_there() -> None:
    (found,) = look.programs(["no-such-box"])
    assert found.trouble == "is not installed"


def test_the_programs_of_this_machine() -> None:
    assert [program.trouble for program in look.programs()] == ["", ""]


def test_ports_that_are_free_and_one_that_is_not(tmp_path: Path) -> None:
    of = gateway(tmp_path)
    assert [port.directive for port in look.ports(of, None)] == ["admin-port", "smsbox-port", "sendsms-port"]
    assert {port.holder for port in look.ports(of, None)} == {""}
    with socket.create_server(("127.0.0.1", of.admin_port)):
        held = look.ports(of, None)[0]
    assert (f"(pid {os.getpid()})" in held.holder, held.ours) == (True, False)


def test_an_address_of_another_machine(tmp_path: Path) -> None:
    of = spec(more="core: {admin-interface: 192.0.2.1}\n", path=tmp_path / "gateway.yaml")
    assert "192.0.2.1" in look.ports(of, None)[0].trouble


def test_another_programs_connection_is_seen_and_our_own_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        with socket.create_connection(address):
            assert address not in look.connected()
        with subprocess.Popen(
            [sys.executable, "-c", CONNECTS, str(address[1])], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other:
            assert other.stdout is not None
            other.stdout.readline()
            assert f"(pid {other.pid})" in look.connected()[address]
            other.communicate()


def test_folders_that_are_to_be_made_may_be_made(tmp_path: Path) -> None:
    user = look.runner(gateway(tmp_path), None)
    seen = look.access(gateway(tmp_path), user)
    assert {each.at for each in seen} == {tmp_path}
    assert all(each.allowed and not each.there for each in seen)
    assert not (tmp_path / "state").exists()


def test_beside_a_kannel_of_somebody_elses_nothing_is_made(tmp_path: Path) -> None:
    of = spec(more="supervisor: {conf-file: etc/kannel.conf}\n", path=tmp_path / "gateway.yaml")
    seen = {each.path: each for each in look.access(of, look.runner(of, None))}
    assert not any(each.allowed or each.there for each in seen.values())
    assert seen[tmp_path / "etc/kannel.conf"].need == "read"
    assert of.state_dir not in seen


def test_what_is_there_is_looked_at_itself(tmp_path: Path) -> None:
    of = gateway(tmp_path)
    (tmp_path / "state" / "log").mkdir(parents=True)
    (tmp_path / "state" / "log" / "bearerbox.log").touch()
    (tmp_path / "state" / "passwords.json").touch(mode=0o600)
    write_pem(tmp_path / "k.pem")
    what = {each.path.name: (each.what, each.need) for each in look.access(of, look.runner(of, None)) if each.there}
    assert what["bearerbox.log"] == ("a log", "write")
    assert what["passwords.json"] == ("kannelkit's own", "write")
    assert what["k.pem"] == ("a certificate", "read")
    assert what["state"] == ("the state-dir", "write")


def test_the_rights_of_another_user_follow_from_owner_and_mode(tmp_path: Path) -> None:
    of = gateway(tmp_path)
    write_pem(tmp_path / "k.pem")
    assert not any(each.allowed for each in look.access(of, NOBODY))


@pytest.mark.parametrize("number", [0o700, 0o755])
def test_disks_are_those_of_the_folders_or_what_is_above(tmp_path: Path, number: int) -> None:
    tmp_path.chmod(number)
    (space,) = look.spaces(gateway(tmp_path))
    assert space.path == tmp_path
    assert space.free > 0
    assert 0 <= space.share <= 1


def test_certificates_are_read_once_for_all_accounts(tmp_path: Path) -> None:
    assert look.certificates(spec(path=tmp_path / "gateway.yaml")) == ()
    of = gateway(tmp_path)
    (missing,) = look.certificates(of)
    assert (missing.contents, missing.accounts) == (None, ("main",))
    write_pem(tmp_path / "k.pem")
    (there,) = look.certificates(of)
    assert there.contents is not None
    assert there.contents.usable


def test_a_pipe_in_a_certificates_place_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "k.pem")
    (pipe,) = look.certificates(gateway(tmp_path))
    assert pipe.contents is None


def test_limits_and_the_clock_of_this_machine(tmp_path: Path) -> None:
    soft, hard, whose = look.descriptors(None)
    assert soft != 0
    assert soft <= hard or hard < 0
    assert whose == "what this user starts"
    assert look.descriptors(os.getpid()) == (soft, hard, f"bearerbox (pid {os.getpid()})")
    assert look.descriptors(2**22 + 1)[2] == whose  # there is no such process
    synchronised, error = look.ntp()
    assert synchronised in (True, False, None)
    assert error is None or error >= 0
    assert look.ahead(tmp_path / "gateway.yaml") < 1
    os.utime(tmp_path, (4e9, 4e9))
    assert look.ahead(tmp_path) > 1e6
