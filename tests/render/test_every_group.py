"""Every directive of every group can stand in a spec, and Kannel's own reader finds it in the generated file."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from kannelkit.conf import GROUPS, Directive
from kannelkit.render import kannel_conf
from kannelkit.render.chapters import BEFORE_LINKS, BEHIND_LINKS
from kannelkit.spec.load import parse
from tests.conf.judge import kannel_reads

KINDS = sorted(GROUPS["smsc"].required_for)
# A value for each kind of directive.
VALUES = {
    "text": "a text",
    "integer": "1",
    "number": "1",
    "boolean": "yes",
    "seconds": "5",
    "port": "2775",
    "host": "127.0.0.1",
    "file": "/tmp/a file",
    "folder": "/tmp/folder/",
    "url": "http://127.0.0.1/?a=%a",
    "regex": "^[+]7[0-9]+$",
}
# What needs another value than its kind has, and what kannelkit itself writes.
OTHER_VALUES = {"smsc-id": "a-name", "dlr-storage": "internal", "store-type": "file", "receive-port": "0"}
NOT_IN_ACCOUNTS = ("smsc-admin-id", "dead-start", "instances")


def value(directive: Directive, kind: str = "") -> str:
    if directive.name in OTHER_VALUES:
        return OTHER_VALUES[directive.name]
    words = directive.one_of_for.get(kind, directive.one_of)
    if words:
        return words[0]
    if directive.least is not None:
        return str(max(directive.least, int(VALUES[directive.kind])))
    return VALUES[directive.kind][: directive.octets]


def filled(name: str, kind: str = "") -> dict[str, str]:
    left_out = NOT_IN_ACCOUNTS if kind == "smpp" else ()
    values = {each.name: value(each, kind) for each in GROUPS[name].directives.values() if each.name not in left_out}
    if kind:
        values |= {"smsc": kind, "smsc-id": f"a-{kind}"} | ({} if kind == "smpp" else {"smsc-admin-id": f"link-{kind}"})
    return values


def spec_tree() -> dict[str, object]:
    groups: dict[str, object] = {}
    for name, group in GROUPS.items():
        one: dict[str, str] = filled(name)
        if name in ("sms-service", "smsc"):
            continue
        if name in ("core", "smsbox"):
            for number, port in enumerate(each for each in one if each.endswith("-port")):
                one[port] = str(13000 + 100 * (name == "smsbox") + number)
        groups[name] = [one, one] if group.repeatable and name != "sendsms-user" else [one] if group.repeatable else one
    service = filled("sms-service")
    groups["sms-service"] = [
        {name: text for name, text in service.items() if name != other} for other in ("keyword", "keyword-regex")
    ]
    groups["smsc"] = [filled("smsc", kind) for kind in KINDS]
    return groups


def test_the_order_of_a_file_knows_every_group() -> None:
    assert {*BEFORE_LINKS, *BEHIND_LINKS, "smsc"} == set(GROUPS)


@pytest.mark.kannel
def test_kannel_finds_every_directive_of_every_group(tmp_path: Path) -> None:
    tree = spec_tree()
    spec = parse(yaml.safe_dump({"defaults": "kannel", **tree}), tmp_path / "spec.yaml", {}, "spec.yaml")
    judged = kannel_reads(kannel_conf(spec), tmp_path)
    assert judged is not None
    for name, wanted in tree.items():
        found = [values for group, values in judged if group == name]
        if name == "smsc":
            # an account's link has a name of its own, and there is one more that parks its messages
            found = [values for values in found if values.get("smsc-admin-id") != "a-smpp-park"]
            own = next(values for values in found if values["smsc"] == "smpp")
            assert own.pop("smsc-admin-id") == "a-smpp-1"
            assert sorted(found, key=lambda values: values["smsc"]) == wanted
        else:
            assert found == (wanted if isinstance(wanted, list) else [wanted]), name
