"""Gives the PDUs of cases/pdus.toml to every test that takes `octets` and `pdu`."""

from __future__ import annotations

import re
import struct
import tomllib
from pathlib import Path
from typing import Any

import pytest

from kannelkit.smpp.pdu import DistributionList, FieldValue, Pdu, SmeAddress, Tlv, UnsuccessSme

CASES = Path(__file__).parent / "cases"


def octets_of(case: dict[str, Any]) -> bytes:
    """Return a case's octets, with the command_length in front."""
    rest = bytes.fromhex(re.sub(r"#.*", "", case["octets"]))
    return struct.pack(">I", case.get("length", 4 + len(rest))) + rest


def plain(value: Any) -> Any:
    """Return a value of a case's field as the codec has it."""
    if isinstance(value, str):
        return value.encode("latin-1")
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        kind = DistributionList if "dl_name" in value else UnsuccessSme if "error_status_code" in value else SmeAddress
        return kind(**{name: plain(each) for name, each in value.items()})
    return value


def pdu_of(case: dict[str, Any]) -> Pdu:
    """Return a case's PDU as values."""
    fields: dict[str, FieldValue] = {name: plain(value) for name, value in case.get("fields", {}).items()}
    return Pdu(
        case["command_id"],
        case.get("command_status", 0),
        case.get("sequence_number", 0),
        fields,
        [Tlv(tlv["tag"], bytes.fromhex(tlv["value"])) for tlv in case.get("tlvs", [])],
        bytes.fromhex(case["body"]) if "body" in case else None,
    )


def cases(name: str) -> list[dict[str, Any]]:
    """Return the cases of a file in cases/."""
    found: list[dict[str, Any]] = tomllib.loads((CASES / name).read_text())["pdu"]
    return found


@pytest.fixture
def cases_of_pdus() -> list[Pdu]:
    """Every PDU of cases/pdus.toml."""
    return [pdu_of(case) for case in cases("pdus.toml")]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if {"octets", "pdu"} <= set(metafunc.fixturenames):
        found = cases("pdus.toml")
        metafunc.parametrize(
            ("octets", "pdu"), [pytest.param(octets_of(case), pdu_of(case), id=case["name"]) for case in found]
        )
    if "malformed" in metafunc.fixturenames:
        metafunc.parametrize(
            ("malformed", "status", "answered_with"),
            [
                pytest.param(octets_of(case), case["status"], case.get("answer"), id=case["name"])
                for case in cases("malformed.toml")
            ],
        )
