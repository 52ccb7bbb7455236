"""Whatever stands in a configuration: findings, never an error, and never a password."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.conf import GROUPS, Opened, UnwritableError, directive_line
from kannelkit.lint import look
from kannelkit.lint.certificates import named
from kannelkit.lint.facts import Certificate, Facts, Rotation, Seen

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SECRET = "s3cr-Et"
ODD = [
    *("", " ", "0", "1", "-1", "2", "30", "0x10", "7.5", "65536", "9" * 30, "9" * 5000, "1e5", "true", "yes", "maybe"),
    *("*", "*.*.*.*", "a;b", "a; b", ";", ",", "+7,8;", "127.0.0.1", "::1", "10.0.0.0/8", "/", "/a/b", "relative"),
    *("smpp", "http", "fake", "spool", "file", "internal", "mysql", "redis", "default", "smpp.m.smsc.ru", "MCON2", "é"),
    *("~", "(", "[", "a\\", "\x1b[2J", "%s", "#", "a # b", '"', "x" * 300, "?secret?"),
]
GROUP_NAMES = [*GROUPS, "core", "smsc", "smsc", "sendsms-user", "smsbox"]

directives = sorted({(group, name) for group, each in GROUPS.items() for name in each.directives})


@st.composite
def conf_groups(draw: st.DrawFn) -> str:
    """Draw a kannel.conf with real groups and directives, and odd values; its passwords are all the same one."""
    blocks = []
    for name in draw(st.lists(st.sampled_from(GROUP_NAMES), max_size=6)):
        known = GROUPS[name].directives
        lines = [f"group = {name}"]
        for directive in draw(st.lists(st.sampled_from(sorted(known)), max_size=12)):
            value = SECRET if known[directive].secret else draw(st.sampled_from([*ODD, *known[directive].one_of]))
            try:
                lines.append(directive_line(directive, value))
            except UnwritableError:
                continue
        blocks.append("\n".join(lines))
    return draw(st.sampled_from(["\n\n", "\n"])).join(blocks) + "\n"


def findings(looked: look.Looked, draw: st.DataObject) -> str:
    """Return all that is found, about machines of all kinds."""
    facts = None
    if looked.subject is not None:
        seen = st.builds(Seen, st.booleans(), st.booleans(), st.booleans(), st.integers(0, 0o7777), st.booleans())
        pems = st.builds(Certificate, st.sampled_from(["", "no key"]), st.none() | st.just(NOW))
        facts = Facts(
            NOW,
            {path: draw.draw(seen) for path in looked.subject.paths()},
            {(each.certificate, each.key): draw.draw(pems) for each in named(looked.subject)},
            (Rotation("f", 1, ("/a/*", "["), draw.draw(st.booleans()), draw.draw(st.booleans())),),
        )
    return "\n".join(str(finding) for finding in look.findings(looked, facts))


@given(st.data(), conf_groups())
def test_any_groups(data: st.DataObject, text: str) -> None:
    looked = look.conf("kannel.conf", lambda _: Opened("kannel.conf", text))
    assert SECRET not in findings(looked, data)


@pytest.mark.parametrize("value", ["9" * 5000, "0" * 5000 + ".5", "0x" + "f" * 5000, "9" * 5000 + ".5"])
@pytest.mark.parametrize("name", ["core", "smsc", "sendsms-user", "smsbox"])
def test_numbers_of_any_length(name: str, value: str) -> None:
    lines = [f"{each} = {value}" for each in GROUPS[name].directives if each != "smsc"]
    text = "\n".join([f"group = {name}", "smsc = smpp", *lines])
    assert look.findings(look.conf("kannel.conf", lambda _: Opened("kannel.conf", text)))


@given(st.data(), st.text())
def test_any_text_as_a_kannel_conf(data: st.DataObject, text: str) -> None:
    findings(look.conf("kannel.conf", lambda _: Opened("kannel.conf", text)), data)


@given(st.data(), st.lists(st.tuples(st.sampled_from(directives), st.sampled_from(ODD)), max_size=12))
def test_any_directives_as_a_spec(data: st.DataObject, chosen: list[tuple[tuple[str, str], str]]) -> None:
    lines = ["defaults: kannel"] if data.draw(st.booleans()) else []
    groups: dict[str, dict[str, str]] = {}
    for (group, name), value in chosen:
        shown = value.replace("\\", "\\\\").replace('"', '\\"').replace("\x1b", "\\e")
        groups.setdefault(group, {})[name] = f'"{SECRET if GROUPS[group].directives[name].secret else shown}"'
    for group, values in groups.items():
        inner = ", ".join(f"{name}: {value}" for name, value in values.items())
        lines.append(f"{group}: [{{{inner}}}]" if GROUPS[group].repeatable else f"{group}: {{{inner}}}")
    text = "\n".join(lines)
    looked = look.spec(text, Path("/nowhere/spec.yaml"), {}, "spec.yaml", secrets=data.draw(st.booleans()))
    assert SECRET not in findings(looked, data)
