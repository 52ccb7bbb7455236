"""Thresholds of checks: the table's, and those that a spec writes."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml

from kannelkit.errors import InputError
from kannelkit.spec.load import parse
from kannelkit.spec.model import Spec, Threshold
from kannelkit.spec.schema import schema
from kannelkit.spec.thresholds import less_is_worse, usual

ACCOUNT = "smsc: [{smsc-id: a, host: h, smsc-username: u, smsc-password: p}]\n"
VALIDATOR = jsonschema.Draft202012Validator(schema())


def read(health: str) -> Spec:
    return parse(f"{ACCOUNT}health: {health}\n", Path("/nowhere/spec.yaml"), {}, "spec.yaml")


def allowed_by_schema(health: str) -> bool:
    return VALIDATOR.is_valid(yaml.safe_load(f"{ACCOUNT}health: {health}\n"))


def test_what_is_not_written_is_the_tables() -> None:
    written = read("{thresholds: {queue-minutes: {warning: 2.5}, flaps: {critical: never}}}").health_thresholds
    assert written == {
        **usual(),
        "queue-minutes": Threshold(2.5, usual()["queue-minutes"].critical),
        "flaps": Threshold(usual()["flaps"].warning, None),
    }
    assert read("{listen: '127.0.0.1:1'}").health_thresholds == usual()
    assert read("").health_thresholds == usual()


def test_the_table_warns_before_it_is_critical() -> None:
    for name, (warning, critical) in usual().items():
        assert warning is not None, name
        if critical is not None:
            assert (critical < warning) is less_is_worse(name)


WRONG = [
    ("{thresholds: {queue-minute: {warning: 1}}}", "S101", "did you mean queue-minutes?"),
    ("{thresholds: {zzz: {warning: 1}}}", "S101", "one of queue, queue-minutes"),
    ("{thresholds: {queue: {warn: 1}}}", "S101", "did you mean warning?"),
    ("{thresholds: {queue: 5}}", "S102", ""),
    ("{thresholds: {queue: {warning: -1}}}", "S201", "never"),
    ("{thresholds: {queue: {warning: many}}}", "S201", "never"),
    ("{thresholds: {queue: {warning: 1e99}}}", "S201", "never"),
    ("{thresholds: [queue]}", "S102", ""),
]


@pytest.mark.parametrize(("health", "rule", "hint"), WRONG)
def test_a_slip_is_found_at_its_place(health: str, rule: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        read(health)
    (finding,) = caught.value.findings
    assert finding.rule == rule
    assert hint in finding.hint
    assert finding.place.line == 2
    assert not allowed_by_schema(health) or "1e99" in health  # a number like any other to a YAML 1.2 reader


@pytest.mark.parametrize("name", usual())
def test_the_schema_takes_what_the_loader_takes(name: str) -> None:
    for bounds in ("{warning: 1}", "{critical: never}", "{warning: 0.5, critical: '7'}", ""):
        health = f"{{thresholds: {{{name}: {bounds}}}}}"
        assert allowed_by_schema(health)
        read(health)
