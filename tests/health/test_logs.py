"""What the ends of Kannel's logs tell; whatever stands in them, something is told."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.health.logs import since, stamp, traffic, troubles
from kannelkit.health.observed import Traffic, Troubles

NOW = datetime(2026, 11, 22, 12, 0, 0)  # noqa: DTZ001 - logs name no zone


def line(seconds: float, verb: str, smsc: str = "main", mask: int = 0) -> bytes:
    """Return a line of the access log as gw/bb_alog.c writes it, `seconds` before NOW."""
    told = (
        f"{verb} [SMSC:{smsc}] [SVC:u] [ACT:] [BINF:] [FID:1] [META:?smpp_resp?] [from:a] [to:+7999] "
        f"[flags:-1:0:-1:0:{mask}] [msg:2:m0] [udh:0:]\n"
    )
    return stamp(NOW, seconds) + b" " + told.encode()


def error(seconds: float, body: str, pid: int = 7) -> bytes:
    """Return a line of bearerbox's log."""
    return stamp(NOW, seconds) + f" [{pid}] [6] ERROR: SMPP[main]: {body}\n".encode()


THROTTLED = "SMSC returned error code 0x00000058 (Throttling error) in response to submit_sm PDU."
REJECTED = "SMSC returned error code 0x0000000b (Invalid Dest Addr) in response to submit_sm PDU."
REFUSED = "SMSC rejected login to transmit, code 0x0000000e (Invalid Password)."
LOST = "I/O error or other error. Re-connecting."

BEGINS = b"2026-11-22 11:00:00 Log begins\n"

ACCESS = [
    (b"", {}),
    (BEGINS, {}),
    (b"".join([line(400, "Sent SMS"), line(299, "Sent SMS")]), {"main": Traffic({"Sent SMS": 1})}),
    (b"".join([line(59, "Sent SMS")] * 30), {"main": Traffic({"Sent SMS": 30}, rate=0.5)}),
    (b"".join([line(5, "Sent SMS")] * 30), {"main": Traffic({"Sent SMS": 30}, rate=3.0)}),
    (line(9, "DISCARDED SMS", ""), {"": Traffic({"DISCARDED SMS": 1})}),
    (line(9, "REJECTED Send SMS") + b"torn", {"main": Traffic({"REJECTED Send SMS": 1})}),
    (
        line(7200, "Sent SMS", mask=31) + line(3600, "Sent SMS", mask=1) + line(1000, "Sent SMS", mask=8),
        {"main": Traffic(without_receipt=2, unheard=7200.0)},
    ),
    (line(7200, "Sent SMS", mask=31) + line(3600, "Receive DLR"), {"main": Traffic()}),
    (
        line(7200, "Receive DLR") + line(3600, "Sent SMS", mask=2) + line(400, "Receive DLR", "other"),
        {"main": Traffic(without_receipt=1, unheard=3600.0), "other": Traffic()},
    ),
]


@pytest.mark.parametrize(("block", "told"), ACCESS)
def test_what_an_access_log_tells(block: bytes, told: dict[str, Traffic]) -> None:
    assert traffic(block, NOW, 300.0) == told


def test_an_access_log_of_another_form_tells_nothing() -> None:
    assert traffic(b"2026-11-22 11:59:59 sent to +7999 by main\n", NOW, 300.0) is None


TROUBLES = [
    ([b""], {}),
    ([error(301, THROTTLED) + error(299, THROTTLED) * 3], {"main": Troubles(throttled=3)}),
    ([error(9, THROTTLED, pid=8)], {}),
    ([error(9, REJECTED), error(9, REJECTED)], {"main": Troubles(refused={0x0B: 2})}),
    ([error(9, REFUSED)], {"main": Troubles(binds={0x0E: 1})}),
    ([error(9, LOST) + b"no stamp\n" + error(8, "Couldn't connect to server.")], {"main": Troubles(0, {}, {}, 1, 1)}),
]


@pytest.mark.parametrize(("blocks", "told"), TROUBLES)
def test_what_bearerboxs_logs_tell(blocks: list[bytes], told: dict[str, Troubles]) -> None:
    assert troubles(blocks, 7, stamp(NOW, 300)) == told


@given(st.lists(st.tuples(st.integers(0, 600), st.booleans()), max_size=40), st.integers(-5, 605))
def test_the_end_of_a_log_is_what_is_not_older(ages: list[tuple[int, bool]], age: int) -> None:
    lines = [
        stamp(NOW, seconds) + b" x\n" + b"a line without a stamp\n" * more
        for seconds, more in sorted(ages, key=lambda each: -each[0])
    ]
    wanted = b"".join(each for each in lines if each[:19] >= stamp(NOW, age))
    assert since(b"".join(lines), stamp(NOW, age)) == wanted


@given(st.lists(st.sampled_from([b"2026-11-22 11:59:59 ", b"\n", b" ", b"x", b"Sent SMS [SMSC:", b"]", b"[7] "])))
def test_any_cut_ends_with_the_block_and_begins_with_a_stamp(parts: list[bytes]) -> None:
    block = b"".join(parts)
    found = since(block, b"2026-11-22 11:59:59")
    assert block.endswith(found)
    assert not found or found.startswith(b"2026-11-22 11:59:59 ")


hostile = st.binary(max_size=300) | st.lists(
    st.sampled_from(
        [line(5, "Sent SMS"), line(9, "Receive DLR"), error(3, THROTTLED), b"9999-99-99 99:99:99 Sent SMS [SMSC:x]"]
    )
    | st.binary(max_size=30)
).map(b"".join)


@given(hostile)
def test_nothing_in_a_log_is_an_error(block: bytes) -> None:
    told = traffic(block, NOW, 300.0)
    assert told is None or all(each.rate >= 0 and each.unheard >= 0 for each in told.values())
    assert all(each.throttled >= 0 for each in troubles([block], 7, stamp(NOW, 300)).values())


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=10))
def test_stamps_stand_in_the_order_of_time(ages: list[float]) -> None:
    for older, newer in itertools.pairwise(sorted(ages, reverse=True)):
        assert stamp(NOW, older) <= stamp(NOW, newer)
    assert stamp(NOW + timedelta(seconds=1), 1) == stamp(NOW, 0)
