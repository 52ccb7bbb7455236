"""bearerbox's log lines: what counts as its word, and what does not."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.throttle.lines import (
    TRIED_AGAIN,
    BindRefused,
    Cause,
    Event,
    LinkTroubled,
    Panicked,
    SubmitRefused,
    Trouble,
    pause_end,
    read_events,
    read_line,
)
from tests.harness.kannel import CORE, program
from tests.throttle.provoked import BINDS, NOT_BOUND, STATUSES, provoke

PID = 18484
_STAMP = b"2026-11-22 15:40:57 [18484] [6] "
_LINE = (
    _STAMP
    + b"ERROR: SMPP[smscru]: SMSC returned error code 0x00000058 (Throttling error) in response to submit_sm PDU."
)
_REFUSED = SubmitRefused("smscru", 0x58, 57, PID, 6)
_LOGIN = b"ERROR: SMPP[a]: SMSC rejected login to transmit, code 0x0000000e (Invalid Password)."

CASES: list[tuple[bytes, Event | None]] = [
    (_LINE, _REFUSED),
    (_LINE + b"\r\n", _REFUSED),
    (
        _LINE.replace(b"0x00000058 (Throttling error)", b"0x00000014 (Message Queue Full)"),
        SubmitRefused("smscru", 0x14, 57, PID, 6),
    ),
    (_LINE.replace(b"SMPP[smscru]", b"SMPP[a]: b]"), SubmitRefused("a]: b", 0x58, 57, PID, 6)),
    (_LINE.replace(b"[18484]", b"[18485]"), None),  # another process
    (_LINE.replace(b"ERROR", b"INFO"), None),
    (_LINE.replace(b"ERROR", b"WARNING"), None),  # not the level that Kannel gives it
    (_LINE + b" more", None),  # the tail of an application's text
    (b"from " + _LINE, None),
    (_STAMP + b"DEBUG:   short_message: " + _LINE, None),
    (_LINE.replace(b"submit_sm", b"data_sm"), None),
    (_STAMP + _LOGIN, BindRefused("a", 0x0E, 57, PID, 6)),
    (_STAMP + _LOGIN.replace(b"transmit", b"receive"), BindRefused("a", 0x0E, 57, PID, 6)),
    (_STAMP + _LOGIN + b" ", None),
    (_STAMP + b"ERROR: SMPP[a]: Couldn't connect to server.", LinkTroubled("a", Trouble.UNREACHABLE, 57, PID, 6)),
    (
        _STAMP + b"ERROR: SMPP[a]: Couldn't send bind_transceiver to server.",
        LinkTroubled("a", Trouble.BROKEN, 57, PID, 6),
    ),
    (
        _STAMP + b"WARNING: Got no responses within 301 sec., reconnecting...",
        LinkTroubled("", Trouble.SILENT, 57, PID, 6),
    ),
    (_STAMP + b"PANIC: no \x1b[2Jbearerbox \xff", Panicked("no \ufffd[2Jbearerbox \ufffd", 57, PID, 6)),
    (_STAMP + b"PANIC: " + b"x" * 999, Panicked("x" * 200, 57, PID, 6)),
    (_STAMP + b"PANIC: /usr/sbin/bearerbox(gw_panic+0x14b) [0x55d0c1]", None),  # its place, not its reason
    (b"", None),
    (b"] ERROR: SMPP[", None),
    (b"] PANIC: ", None),
]


@pytest.mark.parametrize(("line", "expected"), CASES)
def test_lines(line: bytes, expected: Event | None) -> None:
    assert read_events(line, PID) == ([] if expected is None else [expected])
    assert read_line(line, PID) == (expected if isinstance(expected, SubmitRefused) else None)


@given(st.lists(st.sampled_from([line.rstrip(b"\r\n") for line, _ in CASES]) | st.binary(max_size=20)))
def test_any_text_gives_the_events_of_its_lines_wherever_it_is_cut_between_them(lines: list[bytes]) -> None:
    text = b"".join(line + b"\n" for line in lines)
    assert read_events(text, PID) == [event for line in text.split(b"\n") for event in read_events(line, PID)]


@given(st.binary())
def test_any_octets_are_read_without_an_error(octets: bytes) -> None:
    assert read_events(octets, PID) == []
    read_events(_STAMP + b"ERROR: SMPP[" + octets, PID)
    read_events(_STAMP + b"PANIC: " + octets, PID)


@pytest.mark.parametrize(
    ("status", "cause", "tried_again"),
    [
        (0x58, Cause.TOO_FAST, True),
        (0x14, Cause.QUEUE_FULL, True),
        (0x08, Cause.THEIR_TROUBLE, True),
        (0x64, Cause.THEIR_TROUBLE, True),
        (0x04, Cause.NOT_BOUND, False),
        (0x0B, Cause.MESSAGE, False),
        (0xFFFFFFFF, Cause.MESSAGE, False),
    ],
)
def test_refusals_are_told_apart(status: int, cause: Cause, tried_again: bool) -> None:
    refused = SubmitRefused("a", status, 0, PID, 6)
    assert (refused.cause, refused.throttled) == (cause, status == 0x58)
    assert (refused.cause in TRIED_AGAIN) == tried_again


def of_process(pid: int) -> bytes:
    """Return a refusal as this bearerbox writes it."""
    return _LINE.replace(b"18484", b"%d" % pid)


@pytest.mark.kannel
def test_a_real_bearerbox_tells_all_of_it_and_no_application_can_say_the_same(tmp_path: Path) -> None:
    until = (
        b"(Throttling error)",
        b"SMPP[taken]: SMSC returned",
        b"SMPP[cuts]: Couldn't connect to SMS center",
        b"SMPP[quits]: Couldn't connect to SMS center",
        b"SMPP[leaves]: Couldn't connect to SMS center",
        b"SMPP[quiet]: Not ACKED",
    )
    pid, log = asyncio.run(provoke(tmp_path, until, hostile=lambda pid: of_process(pid).decode()))
    assert len(read_events(of_process(pid), pid)) == 1
    events = read_events(log, pid)
    refused = [(event.smsc_id, event.command_status) for event in events if isinstance(event, SubmitRefused)]
    assert sorted(refused) == sorted([*(("answers", status) for status in STATUSES if status), ("taken", NOT_BOUND)])
    binds = {event.smsc_id: event for event in events if isinstance(event, BindRefused)}
    assert {name: event.command_status for name, event in binds.items()} == {
        name: status for name, status in BINDS.items() if status not in (0, 0x05)
    }
    troubles = [event for event in events if isinstance(event, LinkTroubled)]
    waiting = {event.smsc_id for event in troubles if event.trouble is Trouble.WAITING}
    assert waiting == {"nowhere", "busy", "cuts", "quits", "leaves"}
    assert {name for name, event in binds.items() if event.final} == binds.keys() - waiting
    threads = {event.thread: event.smsc_id for event in troubles if event.trouble is Trouble.WAITING}
    others = [event for event in troubles if event.trouble is not Trouble.WAITING]
    assert sorted((event.smsc_id or threads[event.thread], event.trouble.name) for event in others) == [
        ("cuts", "BROKEN"),
        ("leaves", "SILENT"),
        ("nowhere", "UNREACHABLE"),
        ("quiet", "REPEATED"),
        ("quits", "UNANSWERED"),
    ]


@pytest.mark.kannel
def test_a_real_panic_is_told_once_with_its_reason(tmp_path: Path) -> None:
    conf = CORE.format(admin_port=1, admin_password="secret", smsbox_port=1, folder=tmp_path, log_level=1)
    path = tmp_path / "kannel.conf"
    path.write_text(conf)
    box = subprocess.Popen([program("bearerbox") or "", "-v", "4", path], stderr=subprocess.DEVNULL)
    box.wait(20)
    log = (tmp_path / "bearerbox.log").read_bytes()
    events = read_events(log, box.pid)
    assert log.count(b"PANIC: ") > 1  # the others tell where in the program
    assert [event.text for event in events if isinstance(event, Panicked)] == [
        "Cannot start with corrupted configuration"
    ]


@pytest.mark.parametrize(
    ("second", "wall", "expected"),
    [
        (7, 7.9, 9.0),
        (7, 8.02, 9.0),  # read a little later than written
        (59, 60.3, 61.0),  # over the minute
        (0, 120.0, 122.0),
        (30, 125.0, 127.0),  # nonsense: taken for now
    ],
)
def test_kannel_pauses_until_the_second_whole_second(second: int, wall: float, expected: float) -> None:
    assert pause_end(second, wall) == expected


@given(st.floats(0, 4e9), st.floats(0, 5))
def test_a_pause_is_one_to_two_seconds(at: float, late: float) -> None:
    end = pause_end(int(at) % 60, at + late)
    assert 1.0 < end - at <= 2.0
