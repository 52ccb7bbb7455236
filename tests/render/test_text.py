"""A generated file says to Kannel exactly what the spec says, and to a person what it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kannelkit.conf import GROUPS, check, read
from kannelkit.errors import InputError
from kannelkit.render import AS_WRITTEN, InForce, kannel_conf, misread
from kannelkit.render.account import ROUTING
from kannelkit.render.lines import comment
from kannelkit.spec import Spec, load
from kannelkit.spec.load import parse
from tests.conf.judge import Groups, as_read, kannel_reads

ROOT = Path(__file__).parents[2]
ENVIRON = {
    "KANNEL_ADMIN_PASSWORD": "admin-secret",
    "SMSCRU_PASSWORD": "smscru-1",
    "OTHER_PASSWORD": "other-pw",
    "APP_PASSWORD": "app-secret",
}
EXAMPLES = sorted(ROOT.glob("examples/*.yaml"))
CASES = sorted(ROOT.glob("tests/cases/specs/*.yaml"))


def text_of(spec: Spec, **throughputs: int) -> str:
    return kannel_conf(spec, InForce(throughputs), dict.fromkeys(spec.to_make(), "made-at-random"))


def parsed(text: str) -> Groups:
    groups, findings = read(text)
    assert findings == ()
    return [(group.name, {name: value for name, value in group.values.items() if name != "group"}) for group in groups]


def by_admin_id(text: str) -> dict[str, dict[str, str]]:
    return {values["smsc-admin-id"]: values for name, values in parsed(text) if name == "smsc"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the secrets that examples and cases name."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/app").write_text("app-secret\n")
    (tmp_path / "own-provider.toml").write_bytes((ROOT / "examples/own-provider.toml").read_bytes())
    return tmp_path


def placed(path: Path, folder: Path) -> Spec:
    (folder / path.name).write_bytes(path.read_bytes())
    return load(folder / path.name, ENVIRON)


@pytest.mark.kannel
@pytest.mark.parametrize("path", EXAMPLES + CASES, ids=lambda path: path.stem)
def test_kannel_reads_every_generated_file_as_it_is_meant(folder: Path, path: Path) -> None:
    spec = placed(path, folder)
    text = text_of(spec)
    judged = kannel_reads(text, folder)
    assert judged is not None
    assert as_read(judged) == as_read(parsed(text))
    assert misread(spec, text) == ()


def test_there_are_examples_and_cases() -> None:
    assert len(EXAMPLES) >= 4
    assert len(CASES) >= 4


@pytest.mark.kannel
def test_the_file_does_not_change_unseen(folder: Path) -> None:
    spec = load(ROOT / "tests/cases/specs/everything.yaml", ENVIRON)
    text = text_of(spec).replace(str(ROOT / "tests/cases/specs"), "/etc/kannelkit")
    assert text == (ROOT / "tests/cases/specs/everything.conf").read_text()


SMALL = """
smsc:
  - smsc-id: a
    provider: smsc.ru
    smsc-username: u
    smsc-password: p
    allowed-prefix: [7, 8]
    preferred-smsc-id: a
    unified-prefix: "+7,8"
    denied-smsc-id-regex: "^b$"
    reroute: no
"""


def small(folder: Path, lines: str = "") -> Spec:
    (folder / "spec.yaml").write_text(SMALL + lines)
    return load(folder / "spec.yaml", {})


def test_the_parking_link_takes_the_accounts_messages_and_none_of_its_secrets(tmp_path: Path) -> None:
    links = by_admin_id(text_of(small(tmp_path)))
    park = links["a-park"]
    assert (park["host"], park["port"], park["reconnect-delay"]) == ("127.0.0.1", "1", "86400")
    routing = ("smsc-id", "allowed-prefix", "preferred-smsc-id", "unified-prefix", "denied-smsc-id-regex", "reroute")
    assert {name: park[name] for name in routing} == {name: links["a-1"][name] for name in routing}
    assert park["smsc-username"] != "u"
    assert park["smsc-password"] != "p"
    assert "throughput" not in park


def test_links_standing_by_differ_only_in_where_they_connect(tmp_path: Path) -> None:
    links = by_admin_id(text_of(small(tmp_path, "    connections: 2\n")))
    assert set(links) == {"a-1", "a-2", "a-backup-1", "a-backup-2", "a-park"}
    for number in (1, 2):
        primary, backup = links[f"a-{number}"], links[f"a-backup-{number}"]
        differing = {name for name in primary.keys() | backup.keys() if primary.get(name) != backup.get(name)}
        assert differing == {"smsc-admin-id", "host", "dead-start"}
        assert backup["dead-start"] == "true"
        assert backup["system-type"] == "MCON2"
        assert backup["throughput"] == "15"


def test_the_throughput_in_force_takes_the_place_of_the_specs(tmp_path: Path) -> None:
    spec = small(tmp_path, "    connections: 2\n    throughput: 60\n")
    links = by_admin_id(text_of(spec, a=31))
    assert [links[f"a-{number}"]["throughput"] for number in (1, 2)] == ["16", "15"]
    assert "31 SMS per second in all (the spec allows 60)" in text_of(spec, a=31)
    assert text_of(spec, a=60) == text_of(spec)


def test_a_missing_password_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"core\.admin-password"):
        kannel_conf(small(tmp_path))


def test_what_is_made_is_written(tmp_path: Path) -> None:
    spec = small(tmp_path)
    text = kannel_conf(spec, AS_WRITTEN, {"core.admin-password": "one", "core.status-password": 'tw"o\\'})
    core = dict(parsed(text))["core"]
    assert (core["admin-password"], core["status-password"]) == ("one", 'tw"o\\')


def test_the_profiles_part_is_told_from_the_operators(tmp_path: Path) -> None:
    text = text_of(small(tmp_path, "    validityperiod: 60\n"))
    comment = " ".join(line.lstrip("# ") for line in text.splitlines() if line.startswith("#"))
    told = comment.partition("set by the profile smsc.ru: ")[2].partition(" set by kannelkit")[0]
    assert "enquire-link-interval" in told
    assert "validityperiod" not in told


plain = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@pytest.mark.kannel
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(plain, min_size=1, max_size=8), name=st.text('ab\\"# \n', max_size=6))
def test_any_text_of_a_service_and_a_user_reaches_kannel_or_is_refused(
    tmp_path: Path, texts: list[str], name: str
) -> None:
    def quoted(text: str) -> str:
        return '"' + "".join(f"\\U{ord(character):08x}" for character in text) + '"'

    services = "".join(f"  - {{keyword: {quoted(text)}, text: {quoted(text)}}}\n" for text in texts)
    users = f"sendsms-user:\n  - {{username: {quoted(name)}, password: x}}\n" if name else ""
    try:
        spec = parse(f"sms-service:\n{services}{users}{SMALL}", tmp_path / "spec.yaml", {}, "spec.yaml")
    except InputError as error:
        assert {finding.rule for finding in error.findings} <= {"S202", "S003"}  # noqa: PT017 both outcomes are right
        return
    judged = kannel_reads(text_of(spec), tmp_path)
    assert judged is not None
    written = [values["text"] for group, values in judged if group == "sms-service"]
    assert written[: len(texts)] == texts
    assert [values["username"] for group, values in judged if group == "sendsms-user"] == ([name] if name else [])


def test_routing_is_known_to_kannel() -> None:
    assert set(ROUTING) <= set(GROUPS["smsc"].directives)


@given(st.text())
def test_any_text_is_one_line_of_comment(text: str) -> None:
    groups, findings = read(f"# {comment(text)}\ngroup = core\n")
    assert findings == ()
    assert [group.name for group in groups] == ["core"]


def test_what_only_reads_a_spec_does_not_load_the_templates() -> None:
    program = "import sys, kannelkit.render, kannelkit.spec; print('jinja2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_name_of_the_spec_is_only_a_comment(tmp_path: Path) -> None:
    path = tmp_path / "odd\ngroup = core\\"
    path.write_text(SMALL)
    assert check(text_of(load(path, {}))) == ()
