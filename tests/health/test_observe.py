"""A look at a gateway of which every part can be missing, hostile, or hang."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kannelkit.certs.dummy import dummy_certificate
from kannelkit.health import sources
from kannelkit.health.checks import report
from kannelkit.health.observe import Observer
from kannelkit.health.observed import Observed
from kannelkit.health.values import sending
from kannelkit.host import processes
from kannelkit.host.processes import ProcessId
from kannelkit.relay.control import FILE
from kannelkit.spec import Spec, load
from kannelkit.spec.load import parse
from kannelkit.supervise.asking import plain_overview
from kannelkit.supervise.course import Minute
from kannelkit.supervise.lock import Lock
from kannelkit.supervise.memory import Memory
from tests.cli.answering import SEEN, SMSCRU, Answering, written
from tests.harness.ports import closed_port

REAL = (Path(__file__).parents[1] / "gateway/status.xml").read_bytes()
DENIED = b'<?xml version="1.0"?>\n<gateway>\nDenied</gateway>\n'
SECONDS = 60.0  # for each source; none takes that long
HANGS = 0.8  # for each where one takes as long as it is let

Serve = Callable[[bytes | None], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Answer whatever comes with these octets, or with nothing at all, on a free port."""
    with ExitStack() as opened:

        def begin(octets: bytes | None) -> int:
            listening = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
            if octets is not None:
                threading.Thread(target=answer, args=(listening, octets), daemon=True).start()
            return int(listening.getsockname()[1])

        yield begin


def answer(listening: socket.socket, octets: bytes, asked: list[bytes] | None = None) -> None:
    with contextlib.suppress(OSError):  # the test is over
        while True:
            connection, _ = listening.accept()
            with connection, contextlib.suppress(OSError):
                request = connection.recv(4096)
                if asked is not None:
                    asked.append(request)
                connection.sendall(octets)


def http(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(body), body)


def spec(folder: Path, port: int, more: str = "", core: str = "") -> Spec:
    text = f"""
state-dir: state
core: {{admin-port: {port}, admin-password: adminpw77{core}}}
smsc:
  - {{smsc-id: main, host: 127.0.0.1, port: 1, smsc-username: u, smsc-password: p{more}}}
"""
    return parse(text, folder / "spec.yaml", {}, "spec.yaml")


def look(of: Spec, seconds: float = SECONDS) -> Observed:
    seen = Observer().observe(of, seconds)
    assert [check for check in report(seen, of.health_thresholds).checks if "\n" in check.summary] == []
    return seen


def statuses(seen: Observed, of: Spec) -> dict[str, str]:
    return {check.id: check.status for check in report(seen, of.health_thresholds).checks}


def test_nothing_runs_and_nothing_was_ever_made(tmp_path: Path) -> None:
    with closed_port() as port:
        of = spec(tmp_path, port)
        seen = look(of)
    assert seen.silence is not None
    assert seen.silence.kind == "refused"
    assert not seen.started
    found = statuses(seen, of)
    assert found["bearerbox"] == found["sending"] == found["logs"] == "critical"
    assert seen.hosts == ()
    assert not (tmp_path / "state").exists()


ANSWERS = {
    "denied": (http(DENIED), "unreadable"),
    "cut": (http(REAL[: len(REAL) // 2]), "unreadable"),
    "empty": (http(b""), "unreadable"),
    "no HTTP": (b"SSH-2.0-x\r\n", "unreadable"),
    "closed": (b"", "unreadable"),
    "entities": (http(b'<!DOCTYPE x [<!ENTITY a "b">]><gateway>&a;</gateway>\n'), "unreadable"),
    "endless": (b"HTTP/1.1 200 OK\r\n\r\n" + b"<" * 9_000_000, "unreadable"),
    "an error": (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "unreadable"),
    "silence": (None, "silent"),
    "dribble": (b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\nx", "unreadable"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_no_status_is_told_from_silence(name: str, tmp_path: Path, serve: Serve) -> None:
    octets, kind = ANSWERS[name]
    of = spec(tmp_path, serve(octets))
    seen = look(of, HANGS if octets is None else SECONDS)
    assert seen.silence is not None
    assert seen.silence.kind == kind
    assert not sending(report(seen, of.health_thresholds), "main")
    assert "adminpw77" not in repr(seen)


def test_a_status_is_read_and_hosts_without_a_link_are_tried(tmp_path: Path, serve: Serve) -> None:
    of = spec(tmp_path, serve(http(REAL)), ", backup-host: name.invalid")
    seen = look(of)
    assert seen.silence is None
    assert seen.overview.state == "running"
    assert statuses(seen, of)["bearerbox"] == "ok"
    assert {(host.side, host.trouble) for host in seen.hosts} == {
        ("primary", "Connection refused"),
        ("backup", "the name is not known"),
    }


def test_a_relay_that_is_silent_is_told_by_the_checks_of_it_alone(tmp_path: Path, serve: Serve) -> None:
    of = spec(tmp_path, serve(http(REAL)), ", pacing: relay, relay-port: 1")
    of = of.with_made(dict.fromkeys(of.to_make(), "made"))
    (of.state_dir / "relay").mkdir(parents=True)
    memory = Memory(of.state_dir / "state.db")
    memory.box("relay", processes.current(os.getpid()))
    memory.close()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(of.state_dir / "relay" / FILE))
        listening.listen()
        seen = look(of, HANGS)
    assert statuses(seen, of)["pacing"] == "unknown"
    assert not [reason for reason in seen.unseen if reason.startswith("relay")]


def test_an_observer_counts_silence_from_the_last_answer(tmp_path: Path, serve: Serve) -> None:
    begun, observer = time.monotonic(), Observer()
    observer.observe(spec(tmp_path, serve(http(REAL))), SECONDS)
    seen = observer.observe(spec(tmp_path, serve(None)), HANGS)
    assert seen.silence is not None
    assert seen.silence.seconds >= HANGS / 2
    again = observer.observe(spec(tmp_path, serve(None)), HANGS)
    assert again.silence is not None
    assert again.silence.seconds <= time.monotonic() - begun
    assert again.silence.seconds > seen.silence.seconds
    assert again.clock_set is not None


def test_a_denial_that_takes_long_is_no_silence(tmp_path: Path) -> None:
    """bearerbox answers each wrong password a second later than the one before; what it does not know, at once."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening, ExitStack() as held:
        port = listening.getsockname()[1]

        def unless_asked_for_a_status() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection = held.enter_context(listening.accept()[0])
                    asked.append(connection.recv(4096))
                    if b"password" not in asked[-1]:
                        connection.sendall(http(b"Unknown command"))

        threading.Thread(target=unless_asked_for_a_status, daemon=True).start()
        seen = look(spec(tmp_path, port), 3 * HANGS)  # most of it is for the answer that comes
    assert seen.silence is not None
    assert seen.silence.kind == "unreadable"
    assert "wrong passwords" in seen.silence.why


def test_who_is_denied_asks_again_only_after_a_while(tmp_path: Path) -> None:
    """Each denial holds bearerbox's administration port for longer than the one before."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=answer, args=(listening, http(DENIED), asked), daemon=True).start()
        observer, of = Observer(), spec(tmp_path, listening.getsockname()[1])
        kinds = [observer.observe(of, SECONDS).silence for _ in range(3)]
    assert all(silence is not None and silence.kind == "unreadable" for silence in kinds)
    assert len([request for request in asked if b"password" in request]) == 1


def test_who_had_half_an_answer_asks_again_at_once(tmp_path: Path) -> None:
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=answer, args=(listening, http(REAL[: len(REAL) // 2]), asked), daemon=True).start()
        observer, of = Observer(), spec(tmp_path, listening.getsockname()[1])
        for _ in range(3):
            observer.observe(of, SECONDS)
    assert len([request for request in asked if b"password" in request]) == 3


def folders(folder: Path) -> Path:
    state = folder / "state"
    for name in ("log", "spool"):
        (state / name).mkdir(parents=True, exist_ok=True)
    return state


def a_pipe_for_a_log(state: Path) -> None:
    for name in ("bearerbox.log", "access.log", "smsbox.log"):
        os.mkfifo(state / "log" / name)


def logs_of_noise(state: Path) -> None:
    for name in ("bearerbox.log", "access.log", "smsbox.log"):
        (state / "log" / name).write_bytes(bytes(range(256)) * 20_000)


def a_database_that_is_none(state: Path) -> None:
    (state / "state.db").write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 64)


def a_database_of_another_kind(state: Path) -> None:
    with contextlib.closing(sqlite3.connect(state / "state.db")) as base:
        base.execute("CREATE TABLE boxes (name BLOB, pid BLOB, started BLOB, boot BLOB)")
        base.execute("CREATE TABLE sides (x)")
        base.commit()


def events_of_noise(state: Path) -> None:
    memory = Memory(state / "state.db")
    memory._base.execute("INSERT INTO events (at, kind, text, data) VALUES (1, 'rate', 'x', '{')")
    memory._base.execute("INSERT INTO events (at, kind, account, text, data) VALUES (1, 'rate', 'main', 'x', '[')")
    memory.close()


def passwords_for_all(state: Path) -> None:
    (state / "passwords.json").write_text("[")
    (state / "passwords.json").chmod(0o644)


def a_running_spec_of_noise(state: Path) -> None:
    (state / "running.json").write_text("[" * 100_000)


def a_lock_that_is_a_folder(state: Path) -> None:
    (state / "lock").mkdir()


def a_store_of_noise(state: Path) -> None:
    store = state / "spool" / "store"
    for number in range(3):
        (store / str(number)).mkdir(parents=True)
        (store / str(number) / "message").write_bytes(b"\0")
    (store / "loop").symlink_to(state)
    (store / "file").touch()


def a_socket_that_answers_nothing(state: Path) -> None:
    (state / "control.sock").write_bytes(b"no socket")


TRICKS = [
    a_pipe_for_a_log,
    logs_of_noise,
    a_database_that_is_none,
    a_database_of_another_kind,
    events_of_noise,
    passwords_for_all,
    a_running_spec_of_noise,
    a_lock_that_is_a_folder,
    a_store_of_noise,
    a_socket_that_answers_nothing,
]


def test_what_may_not_be_read_is_told_and_is_no_dead_gateway(tmp_path: Path, serve: Serve) -> None:
    passwords_for_all(folders(tmp_path))
    of = spec(tmp_path, serve(http(REAL)))
    blank = dataclasses.replace(of.core.values["admin-password"], text="")
    core = dataclasses.replace(
        of.core,
        values={**of.core.values, "admin-password": blank},
        made_as={"admin-password": "core.admin-password"},
    )
    made = dataclasses.replace(of, core=core)
    found = {check.id: check for check in report(look(made), of.health_thresholds).checks}
    assert found["bearerbox"].status == found["sending"].status == found["sources"].status == "unknown"
    assert "passwords.json" in found["sources"].summary


@pytest.mark.parametrize("trick", TRICKS)
def test_no_file_keeps_it_from_telling_what_it_can(trick: Callable[[Path], None], tmp_path: Path, serve: Serve) -> None:
    trick(folders(tmp_path))
    of = spec(tmp_path, serve(http(REAL)))
    seen = look(of)
    assert statuses(seen, of)["bearerbox"] == "ok"
    assert seen.places


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder that is there to be read."""
    folder = tmp_path / "state"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "kannelkit-test", folder], check=False)
    if done.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_file_system_that_is_read_only_to_the_box_is_told(read_only: Path) -> None:
    of = spec(read_only.parent, 1)
    for process in (None, ProcessId(os.getpid(), 0.0)):
        assert [place.trouble for place in sources.places(of, process) if place.path == read_only] == [
            "is on a file system that is read-only"
        ]


def test_what_the_supervisor_counts_is_seen(tmp_path: Path) -> None:
    path = written(tmp_path)
    minute = Minute(42, 20, 3, 1)
    counted = dataclasses.replace(SMSCRU, minute=minute)
    state = plain_overview(dataclasses.replace(SEEN, accounts=(counted,)))
    with Answering(path, {"state": {"state": state}}), Lock(tmp_path / "state" / "lock"):
        seen = look(load(path, {"A_VARIABLE_THAT_ONLY_THE_SUPERVISOR_HAS": "x"}))
    smscru, bulk = seen.overview.accounts
    assert (smscru.accepted, smscru.refused, smscru.minute) == (SMSCRU.accepted, SMSCRU.refused, minute)
    assert smscru.other_refusals == SMSCRU.other_refusals
    assert (bulk.accepted, bulk.minute) == (None, None)


def test_a_store_is_looked_at_two_levels_down(tmp_path: Path, serve: Serve) -> None:
    state = folders(tmp_path)
    a_store_of_noise(state)
    os.utime(state / "spool" / "store" / "1" / "message", (time.time() - 5000,) * 2)
    seen = look(spec(tmp_path, serve(http(REAL))))
    assert seen.store is not None
    assert seen.store.messages == 3
    assert seen.store.oldest is not None
    assert 4990 < seen.store.oldest < 5100


def certificate(begins: int) -> bytes:
    """Return a key and a certificate for 400 days that begin in so many days."""
    day = datetime.now(UTC) + timedelta(days=begins)
    return dummy_certificate(["test"], 400, day, key="ec-p256")


@pytest.mark.parametrize(
    ("octets", "status", "words"),
    [
        (certificate(begins=0), "ok", "expires in"),
        (certificate(begins=-390), "warning", "expires in"),
        (certificate(begins=-401), "critical", "expired"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "critical", "cannot be used"),
        (None, "critical", "it cannot be read"),
    ],
)
def test_certificates_are_looked_into(
    octets: bytes | None, status: str, words: str, tmp_path: Path, serve: Serve
) -> None:
    if octets is not None:
        (tmp_path / "pem").write_bytes(octets)
    of = spec(tmp_path, serve(http(REAL)), ", use-ssl: true, ssl-client-certkey-file: pem")
    (check,) = report(look(of), of.health_thresholds).of("certificates")
    assert (check.status, words in check.summary) == (status, True)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_mangled_status_has_an_answer(data: st.DataObject, tmp_path: Path) -> None:
    """Whatever octets of a real status are changed, there is an answer, and it is no traceback."""
    octets = bytearray(REAL)
    for _ in range(data.draw(st.integers(1, 5))):
        begin = data.draw(st.integers(0, len(octets)))
        octets[begin : begin + data.draw(st.integers(0, 50))] = data.draw(st.binary(max_size=20))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=answer, args=(listening, http(bytes(octets))), daemon=True).start()
        look(spec(tmp_path, listening.getsockname()[1]))
