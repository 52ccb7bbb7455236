"""Specs for tests of what is sent through them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from kannelkit.spec import Spec
from kannelkit.spec.load import parse

SMSC_RU = {"smsc-id": "smscru", "provider": "smsc.ru", "smsc-username": "u", "smsc-password": "p"}
# known by its host alone, so that nothing is filled in
BY_HOST = {"smsc-id": "smscru", "host": "smpp.m.smsc.ru", "smsc-username": "u", "smsc-password": "p"}
OTHER = {"smsc-id": "other", "host": "smsc.test", "smsc-username": "u", "smsc-password": "p"}


def spec(
    *accounts: dict[str, Any],
    user: dict[str, Any] | None = None,
    users: list[dict[str, Any]] | None = None,
    **groups: Any,
) -> Spec:
    """Return a spec of these accounts, one of SMSC.ru where none is given, with a sendsms-user `app`."""
    one = {"username": "app", "password": "pw", **(user or {})}
    whole = {
        "sendsms-user": [one] if users is None else users,
        "smsc": list(accounts) or [SMSC_RU],
        **groups,
    }
    return parse(yaml.safe_dump(whole), Path("/etc/kannelkit/gateway.yaml"), {}, "gateway.yaml")
