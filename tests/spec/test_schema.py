"""The schema takes what the loader takes, and refuses what the loader refuses as far as a schema can see it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from kannelkit.conf import GROUPS, Directive
from kannelkit.errors import InputError
from kannelkit.providers.profile import MOST_CONNECTIONS
from kannelkit.spec.ignored import ignored
from kannelkit.spec.keys import HEALTH_KEYS, SMSC_KEYS, SUPERVISOR_KEYS, TOP_KEYS, WATCH_KEYS
from kannelkit.spec.load import parse
from kannelkit.spec.own import OWN
from kannelkit.spec.schema import schema

HOUSE = Path(__file__).parents[2]
SCHEMA = schema()
VALIDATOR = Draft202012Validator(SCHEMA)


class CoreLoader(yaml.SafeLoader):
    """YAML 1.2's core schema, which editors go by: `no`, `0123` and `1:30` are no truth value, octal number or time."""


CoreLoader.yaml_implicit_resolvers = {}
for tag, pattern, first in (
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)", "tTfF"),
    ("null", r"(?:~|null|Null|NULL|)", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^{pattern}$"), first)
# its numbers are decimal, whatever they begin with
CoreLoader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value))


def instance(text: str) -> Any:
    """Return a spec as an editor sees it."""
    return yaml.load(text, CoreLoader)


def faults(text: str) -> list[str]:
    """Return what the schema has against a spec, by where, but for values that a comment there excuses."""
    excused = ignored(text).lines
    return [
        f"{'.'.join(map(str, error.absolute_path))}: {error.message}"
        for error in VALIDATOR.iter_errors(instance(text))
        if not excused or line_of(text, error.absolute_path) not in excused
    ]


def line_of(text: str, path: Iterable[str | int]) -> int:
    """Return the line on which the value at a path begins."""
    node = yaml.compose(text, CoreLoader)
    for step in path:
        if isinstance(node, yaml.MappingNode):
            node = next(value for key, value in node.value if key.value == step)
        elif isinstance(node, yaml.SequenceNode):
            node = node.value[int(step)]
    assert node is not None
    return int(node.start_mark.line) + 1


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "path",
    [*(HOUSE / "examples").glob("*.yaml"), *(HOUSE / "tests/cases/specs").glob("*.yaml")],
    ids=lambda path: path.stem,
)
def test_specs_that_run_fit(path: Path) -> None:
    assert faults(path.read_text()) == []


FINDINGS = sorted((HOUSE / "tests/cases/spec-findings").glob("*.yaml"))
# What a schema cannot see, by the beginning of the file's name.
UNSEEN = {
    "s00": "the text, before it is a tree",
    "s101-merge-key": "a merge key is followed before the schema sees the tree",
    "s103": "a repeated key is one key in a tree",
    "s201-hexadecimal": "0x10 and 16 are one number",
    "s201-octal": "010 and 10 are one number",
    "s201-bad-regular-expression": "whether a text is a regular expression",
    "s202-state-dir": "the folder that the spec lies in",
    "s202-include-in-a-secret": "the secret",
    "s202-two-lines-in-a-secret-file": "the secret",
    "s203": "the environment and the files",
    "s205-octets-not-characters": "octets; a schema counts characters",
    "s3": "the spec as a whole",
}
SEEN = {
    "s309": "keys that an account may not have",
    "s311": "keys that a service has to have",
}


def is_seen(path: Path) -> bool:
    """Return whether a schema can see what is wrong in a file of tests/cases/spec-findings."""
    longest = max((*UNSEEN, *SEEN), key=lambda start: len(start) if path.stem.startswith(start) else -1)
    return not path.stem.startswith(longest) or longest in SEEN


@pytest.mark.parametrize("path", [path for path in FINDINGS if is_seen(path)], ids=lambda path: path.stem)
def test_what_the_loader_refuses_does_not_fit(path: Path) -> None:
    assert faults(path.read_text())


def beyond(row: Directive) -> list[object]:
    """Return values that a directive of an SMPP account, or of another group, cannot take."""
    wrong: list[object] = [{"env": ""}, {"key": "a"}, None]
    if row.least is not None:
        wrong.append(row.least - 1)
    if row.most is not None:
        wrong.append(row.most + 1)
    if row.kind in ("integer", "seconds", "port", "number", "boolean") or row.one_of:
        wrong += ["xyzzy", ""]
    if row.kind in ("integer", "seconds", "port"):
        wrong += [1.5, "010", True]
    if row.kind in ("host", "file", "folder", "url", "regex") or row.filled:
        wrong.append("")
    if row.octets is not None:
        wrong.append("x" * (row.octets + 1))
    if not row.separator:
        wrong.append(["a"])
    else:
        wrong += [[""], [f"a{row.separator}b"], [["a"]]]
    if row.kind == "text":
        wrong += ["a\nb", "an include", "\n"]
    return wrong


def placed(values: dict[tuple[str, str], object]) -> dict[str, Any]:
    """Return a tree with each value at its group and directive."""
    tree: dict[str, Any] = {}
    for (group, name), value in values.items():
        several = GROUPS[group].repeatable
        entry = tree.setdefault(group, [{}] if several else {})
        (entry[0] if several else entry)[name] = value
    return tree


def found_wrong(values: dict[tuple[str, str], object]) -> set[tuple[str, str]]:
    """Return where the schema has something against the values, by group and directive."""
    wrong = set()
    for error in VALIDATOR.iter_errors(placed(values)):
        group, *rest = map(str, error.absolute_path)
        if GROUPS[group].repeatable:
            rest = rest[1:]
        if rest:  # else it is the group as a whole, where something is missing
            wrong.add((group, rest[0]))
    return wrong


OURS = {("smsc", name) for name in ("smsc-admin-id", "dead-start", "instances")}  # not for an account
ROWS = {(group.name, row.name): row for group in GROUPS.values() for row in group.directives.values()}


def test_no_directive_takes_what_is_beyond_it() -> None:
    wrong = {where: beyond(row) for where, row in ROWS.items() if where != ("smsc", "smsc")}
    for number in range(max(map(len, wrong.values()))):
        values = {where: each[number] for where, each in wrong.items() if number < len(each)}
        missed = set(values) - found_wrong(values)
        assert not missed, [(where, values[where]) for where in missed]


def test_every_directive_takes_what_is_within_it() -> None:
    for pick in (min, max):
        values: dict[tuple[str, str], object] = {}
        for where, row in ROWS.items():
            bounds = [bound for bound in (row.least, row.most) if bound is not None]
            if row.one_of:
                values[where] = pick(row.one_of)
            elif bounds or row.kind in ("integer", "seconds", "port", "number"):
                values[where] = pick(bounds or [7])
            elif row.kind == "boolean":
                values[where] = pick(True, "NO", key=str)
            else:
                values[where] = pick({"file": "a"}, "x" * (row.octets or 1), key=str)
        values[("smsc", "smsc")], values[("smsc", "throughput")] = "smpp", 30
        assert found_wrong(values) <= OURS


def test_own_keys_are_those_of_the_loader() -> None:
    assert tuple(OWN["spec"].directives) == tuple(
        name for name in TOP_KEYS if name not in (*GROUPS, "supervisor", "health")
    )
    assert tuple(OWN["smsc"].directives) == SMSC_KEYS
    assert {part: tuple(OWN[part].directives) for part in SUPERVISOR_KEYS} == SUPERVISOR_KEYS
    assert tuple(OWN["supervisor"].directives) == WATCH_KEYS
    assert tuple(OWN["health"].directives) == HEALTH_KEYS
    assert OWN["smsc"].directives["connections"].most == MOST_CONNECTIONS


def test_every_key_has_a_title_and_a_description() -> None:
    def look(node: dict[str, Any], where: str) -> int:
        seen = 0
        for name, inner in node.get("properties", {}).items():
            assert inner["title"] == name, where
            assert inner["description"].endswith("."), (where, name)
            seen += 1 + look(inner, f"{where}.{name}") + look(inner.get("items", {}), f"{where}.{name}")
        return seen

    rows = sum(len(group.directives) for group in (*GROUPS.values(), *OWN.values()))
    assert look(SCHEMA, "") >= rows + len(GROUPS)


def test_properties_stand_in_the_order_of_the_table() -> None:
    for group in GROUPS.values():
        node = SCHEMA["properties"][group.name]
        names = list((node["items"] if group.repeatable else node)["properties"])
        assert [name for name in names if name in group.directives] == list(group.directives)


texts = st.sampled_from(
    [
        "1",
        "0",
        "7",
        "25.5",
        "13000",
        "65536",
        "+7",
        "true",
        "yes",
        "No",
        "a",
        "a b",
        "127.0.0.1:1",
        "smpp",
        "fake",
        "é",
        "",
    ]
)
values = texts | st.lists(texts, max_size=2) | st.fixed_dictionaries({"env": st.just("SET")})


def entries(group: str, own: tuple[str, ...] = ()) -> st.SearchStrategy[dict[str, Any]]:
    """Return mappings of a few of the group's keys to values, some of them sound."""
    return st.dictionaries(st.sampled_from([*own, *GROUPS[group].directives]), values, max_size=2)


ACCOUNT = {"smsc-id": "a", "host": "h", "smsc-username": "u", "smsc-password": "p"}
specs = st.fixed_dictionaries(
    {"smsc": entries("smsc", SMSC_KEYS).map(lambda more: [{**ACCOUNT, **more}])},
    optional={
        "core": entries("core"),
        "smsbox": entries("smsbox"),
        "wapbox": entries("wapbox"),
        "sendsms-user": entries("sendsms-user").map(lambda more: [{"username": "u", **more}]),
        "ota-bookmark": st.lists(entries("ota-bookmark"), max_size=2),
        "state-dir": texts,
        "defaults": st.sampled_from(["kannelkit", "kannel"]),
        "health": st.dictionaries(st.just("listen"), texts),
    },
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(specs)
def test_what_the_loader_takes_fits(spec: dict[str, Any]) -> None:
    text = yaml.dump(spec, Dumper=yaml.SafeDumper, allow_unicode=True)
    try:
        parse(text, Path("/nowhere/spec.yaml"), {"SET": "1"}, "spec.yaml")
    except InputError:
        assume(False)
    assert faults(text) == []
