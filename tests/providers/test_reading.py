"""A file with profiles is read, or everything wrong in it is told with its place; never a traceback."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.providers import Profile, read_profiles
from kannelkit.providers.profile import DeclaredTlv, Fact, Flag, Limits, Setting

WHOLE = """
[[brand]]
name = "acme"
host = "smpp.acme.example"
backup-host = "smpp2.acme.example"
other-hosts = ["old.acme.example"]

[connections]
flag = "BINDS{n}"
most = 4

[limits]
throughput = {value = 50, grade = "A", about = "their contract"}
idle = {value = 60}
closes-older = {value = false}

[[flag]]
name = "LONG"
instead = "ask for it"
charset = "UTF-8"

[[tlv]]
name = "price"
tag = 0x1500
type = "nulterminated"
length = 9

[[setting]]
directive = "port"
value = "2775"
tls-value = "2776"

[[setting]]
directive = "enquire-link-interval"
value = "30"
grade = "B"
about = "half of the idle limit"
"""


def test_a_file_of_the_users_own() -> None:
    profiles, findings = read_profiles(WHOLE, "acme.toml", graded=False)
    assert findings == ()
    assert profiles == (
        Profile(
            name="acme",
            host="smpp.acme.example",
            backup_host="smpp2.acme.example",
            other_hosts=("old.acme.example",),
            settings=(
                Setting("port", "2775", "2776", "C", ""),
                Setting("enquire-link-interval", "30", None, "B", "half of the idle limit"),
            ),
            connections_flag="BINDS{n}",
            most_connections=4,
            flags=(Flag("LONG", "ask for it", "C", "", "UTF-8"),),
            limits=Limits(
                throughput=Fact(50, "A", "their contract"), idle=Fact(60, "C", ""), closes_older=Fact(False, "C", "")
            ),
            tlvs=(DeclaredTlv("price", 0x1500, "nulterminated", 9, "C", ""),),
            file="acme.toml",
        ),
    )


def test_without_grades_it_is_none_of_kannelkits_own() -> None:
    _, findings = read_profiles(WHOLE, "acme.toml", graded=True)
    assert [(finding.rule, finding.place.line) for finding in findings] == [
        ("S321", 28),
        ("S321", 17),
        ("S321", 22),
        ("S321", 8),
        ("S321", 15),
        ("S321", 14),
        ("S321", 2),
    ]


BRAND = '[[brand]]\nname = "acme"\n'
TLV = "[[tlv]]\nname = '{}'\ntag = {}\ntype = '{}'\nlength = 2\n"
# what is in the file, and what is found: rule, line:column and words of the message
CASES = [
    ("x = ", "S320", "1:1", "invalid value"),
    ("", "S321", "0:0", "has no brand"),
    (f"x = {'[' * 9999}", "S320", "0:0", "no profile"),
    (f"x = {'9' * 9999}", "S320", "0:0", "no profile"),
    ("[[brand]]\nhost = 'h'\n", "S321", "1:1", "brand has no name"),
    ("[brand]\nname = 'h'\n", "S323", "1:1", "brand is a list"),
    ("brand = [1]\n", "S323", "1:1", "brand is a list"),
    ("[[brand]]\nname = 'a;b'\n", "S323", "2:1", "cannot name an account"),
    ("[[brand]]\nname = 1\n", "S323", "2:1", "name is no text"),
    (f"{BRAND}hots = 'h'\n", "S322", "3:1", "brand has no key 'hots'"),
    (f"{BRAND}host = 'h\\u000a'\n".replace("'", '"'), "S323", "3:1", "line feed"),
    (f"{BRAND}host = 'include'\n", "S323", "3:1", "include"),
    (f"{BRAND}other-hosts = 'h'\n", "S323", "3:1", "is a list of texts"),
    (f"{BRAND}grade = 'D'\n", "S323", "3:1", "no such grade: D"),
    (f"{BRAND}{BRAND}", "S324", "4:1", "name acme is there already"),
    (f"{BRAND}[settings]\n", "S322", "3:1", "no key 'settings'"),
    (f"{BRAND}[[setting]]\ndirective = 'port'\n", "S321", "3:1", "setting has no value"),
    (f"{BRAND}[[setting]]\ndirective = 'prot'\nvalue = '1'\n", "S323", "4:1", "no such directive: prot"),
    (f"{BRAND}[[setting]]\ndirective = 'smsc-password'\nvalue = '1'\n", "S323", "4:1", "is not a provider's to set"),
    (f"{BRAND}[[setting]]\ndirective = 'port'\nvalue = 2775\n", "S323", "5:1", "value is no text"),
    (f"{BRAND}[[setting]]\ndirective = 'port'\nvalue = '70000'\n", "S323", "5:1", "too large"),
    (f"{BRAND}[[setting]]\ndirective = 'port'\nvalue = '1'\ntls-value = 'x'\n", "S323", "6:1", "no whole number"),
    (f"{BRAND}[[setting]]\ndirective = 'throughput'\nvalue = '7.5'\n", "S323", "5:1", "no whole number"),
    (f"{BRAND}[[setting]]\ndirective = 'smsc'\nvalue = 'http'\n", "S323", "5:1", "is not smpp"),
    (f"{BRAND}[[setting]]\ndirective = 'log-file'\nvalue = 'a.log'\n", "S323", "4:1", "is not a provider's"),
    (
        f"{BRAND}[[setting]]\ndirective = 'ssl-client-certkey-file'\nvalue = 'a.pem'\n",
        "S323",
        "5:1",
        "is relative",
    ),
    (f"{BRAND}[connections]\nflag = 'MCON'\n", "S323", "4:1", "has {n} once"),
    (f"{BRAND}[connections]\nmost = 100\n", "S323", "4:1", "from 1 to 99"),
    (f"{BRAND}[[connections]]\nmost = 1\n", "S323", "3:1", "connections is a table"),
    (f"{BRAND}[limits]\nidle = 60\n", "S323", "4:1", "idle is a table"),
    (f"{BRAND}[limits]\nidle = {{value = '60'}}\n", "S323", "4:1", "no whole number of at least 1"),
    (f"{BRAND}[limits]\nidle = {{value = true}}\n", "S323", "4:1", "no whole number of at least 1"),
    (f"{BRAND}[limits]\ncloses-older = {{value = 1}}\n", "S323", "4:1", "neither true nor false"),
    (f"{BRAND}[limits]\nspeed = {{value = 1}}\n", "S322", "4:1", "limits has no key 'speed'"),
    (f"{BRAND}[[tlv]]\nname = 'a'\ntag = 1\ntype = 'integer'\n", "S321", "3:1", "tlv has no length"),
    (f"{BRAND}{TLV.format('a b', 1, 'integer')}", "S323", "4:1", "'a b' cannot stand in meta data"),
    (f"{BRAND}{TLV.format('a', 65536, 'integer')}", "S323", "5:1", "tag is no whole number from 0 to 65535"),
    (f"{BRAND}{TLV.format('a', 1, 'float')}", "S323", "6:1", "no such type: float"),
    (f"{BRAND}{TLV.format('a', 1, 'integer')}{TLV.format('b', 1, 'integer')}", "S324", "10:1", "tag 1 is there"),
    (f"{BRAND}{TLV.format('a', 1, 'integer')}{TLV.format('a', 2, 'integer')}", "S324", "9:1", "name a is there"),
]


@pytest.mark.parametrize(("text", "rule", "place", "words"), CASES)
def test_what_is_wrong_is_found_at_its_place(text: str, rule: str, place: str, words: str) -> None:
    profiles, findings = read_profiles(text, "acme.toml", graded=False)
    assert profiles == ()
    (finding,) = findings
    assert (finding.rule, f"{finding.place.line}:{finding.place.column}") == (rule, place)
    assert words in finding.message
    assert finding.hint


keys = st.sampled_from(
    ["brand", "setting", "flag", "connections", "limits", "name", "host", "directive", "value", "most", "idle", "x"]
)
scalars = st.sampled_from(['"a"', "1", "true", "'port'", "2026-11-22", "[1]", "{value = 1}", "[{name = 'a'}]", "nan"])
lines = st.one_of(
    st.builds("{} = {}".format, keys, scalars), st.builds("[{}]".format, keys), st.builds("[[{}]]".format, keys)
)


@given(st.lists(lines, max_size=8).map("\n".join) | st.text(max_size=40))
def test_any_text_is_profiles_or_findings(text: str) -> None:
    profiles, findings = read_profiles(text, "acme.toml", graded=False)
    assert bool(profiles) != bool(findings)
