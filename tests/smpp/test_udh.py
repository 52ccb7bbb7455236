"""User data headers: read, written, and refused where a length is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kannelkit.smpp.constants import CommandStatus
from kannelkit.smpp.pdu import PduError
from kannelkit.smpp.udh import Concatenation, Element, build, concatenation, parse


@pytest.mark.parametrize(
    ("octets", "elements", "part"),
    [
        ("00", [], None),
        ("05 00 03 2a 03 01", [Element(0, b"\x2a\3\1")], Concatenation(42, 3, 1)),
        ("06 08 04 012a 02 02", [Element(8, b"\1\x2a\2\2")], Concatenation(298, 2, 2, wide=True)),
        ("06 05 04 0b84 23f0", [Element(5, b"\x0b\x84\x23\xf0")], None),
        (
            "0b 05 04 0b84 23f0 00 03 01 02 01",
            [Element(5, b"\x0b\x84\x23\xf0"), Element(0, b"\1\2\1")],
            Concatenation(1, 2, 1),
        ),
        ("05 00 03 2a 03 00", [Element(0, b"\x2a\3\0")], None),
        ("05 00 03 2a 03 04", [Element(0, b"\x2a\3\4")], None),
        ("04 00 02 2a 03", [Element(0, b"\x2a\3")], None),
        ("0a 00 03 010201 00 03 020202", [Element(0, b"\1\2\1"), Element(0, b"\2\2\2")], Concatenation(2, 2, 2)),
    ],
)
def test_headers(octets: str, elements: list[Element], part: Concatenation | None) -> None:
    header = bytes.fromhex(octets)
    assert parse(header + b"text") == (elements, b"text")
    assert build(elements) == header
    assert concatenation(elements) == part


@pytest.mark.parametrize("octets", ["", "01", "05 00 03 2a 03", "01 00", "02 00 01", "03 00 02 00", "04 0001 00 00"])
def test_a_wrong_length_is_refused(octets: str) -> None:
    with pytest.raises(PduError) as caught:
        parse(bytes.fromhex(octets))
    assert (caught.value.command_status, caught.value.fault) == (CommandStatus.ESME_RINVMSGLEN, "peer")


@pytest.mark.parametrize(
    "part",
    [Concatenation(256, 2, 1), Concatenation(1, 2, 0), Concatenation(1, 2, 3), Concatenation(1, 256, 1)],
)
def test_numbers_that_do_not_fit(part: Concatenation) -> None:
    with pytest.raises(PduError):
        part.element()


@pytest.mark.parametrize(
    "elements", [[Element(256, b"")], [Element(0, bytes(256))], [Element(0, bytes(200)), Element(1, bytes(60))]]
)
def test_headers_that_do_not_fit(elements: list[Element]) -> None:
    with pytest.raises(PduError):
        build(elements)


@settings(deadline=None)
@given(st.integers(0, 255), st.integers(1, 255), st.integers(1, 255), st.booleans())
def test_a_part_comes_back(reference: int, total: int, number: int, wide: bool) -> None:
    part = Concatenation(reference * 257 if wide else reference, max(total, number), number, wide)
    assert concatenation(parse(build([part.element()]))[0]) == part


@settings(deadline=None)
@given(st.binary(max_size=40))
def test_any_octets_come_back_or_are_refused(octets: bytes) -> None:
    try:
        elements, text = parse(octets)
    except PduError:
        return
    assert build(elements) + text == octets
