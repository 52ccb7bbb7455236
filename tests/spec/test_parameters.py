"""The TLVs of a provider's receipts are declared for bearerbox, once, unless the spec does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from kannelkit.conf import check
from kannelkit.render import kannel_conf
from kannelkit.spec import Spec
from kannelkit.spec.load import parse

RU = {"smsc-id": "ru", "provider": "smsc.ru", "smsc-username": "u", "smsc-password": "p"}
KZ = {"smsc-id": "kz", "provider": "smsc.kz", "smsc-username": "u", "smsc-password": "p"}
OTHER = {"smsc-id": "other", "provider": "generic", "host": "h", "smsc-username": "u", "smsc-password": "p"}
COST = ("cost", "0x2000", "nulterminated", "16", None)
FLAGS = ("flags", "0x2001", "integer", "2", None)
PARTS = ("parts", "0x2002", "integer", "2", None)


def spec(*accounts: dict[str, str], **groups: Any) -> Spec:
    return parse(yaml.safe_dump({"smsc": list(accounts), **groups}), Path("/etc/kannelkit/gateway.yaml"), {}, "g.yaml")


def declared(of: Spec) -> list[tuple[str | None, ...]]:
    keys = ("name", "tag", "type", "length", "smsc-id")
    return [tuple(map(group.get, keys)) for group in of.others if group.name == "smpp-tlv"]


@pytest.mark.parametrize(
    ("accounts", "expected"),
    [
        ([OTHER], []),
        ([RU], [COST, FLAGS, PARTS]),
        ([OTHER, KZ], [COST, FLAGS, PARTS]),
        ([RU, RU | {"smsc-id": "second", "smsc-username": "v"}, KZ], [COST, FLAGS, PARTS]),
    ],
)
@pytest.mark.parametrize("defaults", ["kannelkit", "kannel"])
def test_once_for_all_accounts(
    accounts: list[dict[str, str]], expected: list[tuple[str | None, ...]], defaults: str
) -> None:
    assert declared(spec(*accounts, defaults=defaults)) == expected


@pytest.mark.parametrize(
    "own",
    [
        {"name": "price", "tag": "0x2000", "type": "nulterminated", "length": "9"},
        {"name": "price", "tag": "8192", "type": "nulterminated", "length": "9", "smsc-id": "ru"},
        {"name": "cost", "tag": "0x1500", "type": "integer", "length": "2"},
    ],
)
def test_what_the_spec_writes_stays_as_it_is(own: dict[str, str]) -> None:
    written = (own["name"], own["tag"], own["type"], own["length"], own.get("smsc-id"))
    of = spec(RU, **{"smpp-tlv": [own]})
    assert declared(of) == [written, FLAGS, PARTS]
    text = kannel_conf(of, made=dict.fromkeys(of.to_make(), "x"))
    assert check(text, "kannel.conf") == ()
    assert text.count("group = smpp-tlv\n") == 3
