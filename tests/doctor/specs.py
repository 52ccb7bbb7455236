"""Specs for the doctor, as values."""

from __future__ import annotations

from pathlib import Path

from kannelkit.spec import Spec
from kannelkit.spec.load import parse

ACCOUNT = "smsc-username: login, smsc-password: secret"


def spec(*accounts: str, more: str = "", path: Path = Path("/gateway/gateway.yaml")) -> Spec:
    """Return a spec with these accounts, written as YAML's flow mappings, or with one of a usual kind."""
    listed = accounts or (f"{{smsc-id: main, host: smpp.example.net, {ACCOUNT}}}",)
    text = "smsc:\n" + "".join(f"  - {each}\n" for each in listed) + more
    return parse(text, path, {}, "gateway.yaml")
