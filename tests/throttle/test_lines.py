"""bearerbox's log lines: what counts as its word, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.throttle.lines import SubmitRefused, pause_end, read_line

_LINE = (
    b"2026-11-22 15:40:57 [18484] [6] ERROR: SMPP[smscru]: SMSC returned error code 0x00000058 (Throttling error) "
    b"in response to submit_sm PDU."
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (_LINE, SubmitRefused("smscru", 0x58, 57, 18484)),
        (_LINE + b"\r\n", SubmitRefused("smscru", 0x58, 57, 18484)),
        (
            _LINE.replace(b"0x00000058 (Throttling error)", b"0x00000014 (Message Queue Full)"),
            SubmitRefused("smscru", 0x14, 57, 18484),
        ),
        (_LINE.replace(b"SMPP[smscru]", b"SMPP[a]: b]"), SubmitRefused("a]: b", 0x58, 57, 18484)),
        (_LINE.replace(b"[18484]", b"[18485]"), None),  # another process
        (_LINE.replace(b"ERROR", b"INFO"), None),
        (_LINE + b" more", None),  # the tail of an application's text
        (b"from " + _LINE, None),
        (_LINE.replace(b"submit_sm", b"data_sm"), None),
        (b"", None),
        (b"ERROR: SMPP[", None),
    ],
)
def test_lines(line: bytes, expected: SubmitRefused | None) -> None:
    assert read_line(line, 18484) == expected


@given(st.binary())
def test_any_octets_are_read_without_an_error(octets: bytes) -> None:
    assert read_line(octets, 18484) is None
    read_line(b"2026-11-22 15:40:57 [18484] [6] ERROR: SMPP[" + octets, 18484)


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
