"""Whatever stands in a spec, the answer is a spec that can be rendered, or findings; never a traceback."""

from __future__ import annotations

from pathlib import Path

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kannelkit.conf import GROUPS, check
from kannelkit.errors import InputError
from kannelkit.render import AS_WRITTEN, accounts, kannel_conf, misread
from kannelkit.spec import lacking
from kannelkit.spec.keys import SMSC_KEYS, SUPERVISOR_KEYS, TOP_KEYS
from kannelkit.spec.load import parse
from kannelkit.spec.silenced import CARRIED

KEYS = sorted(
    {
        *TOP_KEYS,
        *SMSC_KEYS,
        *SUPERVISOR_KEYS,
        "floor",
        "raise-after",
        "after",
        "back-after",
        "listen",
        "env",
        "file",
        "x",
    }
    | {name for group in GROUPS.values() for name in group.directives}
)
TEXTS = [
    *("", "0", "1", "2", "3", "9", "13000", "65536", "-1", "7.5", "0123", "yes", "no", "smpp", "fake", "http"),
    *("smsc.ru", "generic", "a", "a-1", "a-park", "A", "ISO,SINGLE", "MCON2", "spool", "file", "internal"),
    *("kannel", "mysql", "redis", "0x10", "none.toml", "emi", "at", "9" * 5000, f"{'9' * 5000}.5"),
    *("127.0.0.1", "127.0.0.1:1", "log", "relay", "include", "(", "\\", '"', "\n", "é", "default"),
]  # fmt: skip

scalars = st.sampled_from(TEXTS) | st.text(max_size=6)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=12,
)
smsc_keys = st.sampled_from([*SMSC_KEYS, *GROUPS["smsc"].directives])
smscs = st.fixed_dictionaries(
    {"smsc-id": scalars, "host": scalars, "smsc-username": scalars, "smsc-password": scalars},
    optional={
        "provider": st.sampled_from(["smsc.ru", "smsc.kz", "generic", "x"]),
        "connections": scalars,
        "throughput": scalars,
        "system-type": scalars,
        "backup-host": scalars,
        "use-ssl": scalars,
        "port": scalars,
        "receive-port": scalars,
        "smsc": scalars,
        "log-file": scalars,
    },
).flatmap(lambda smsc: st.dictionaries(smsc_keys, trees, max_size=2).map(lambda more: {**more, **smsc}))
specs = st.dictionaries(st.sampled_from(TOP_KEYS), trees, max_size=3).flatmap(
    lambda top: st.lists(smscs, min_size=1, max_size=3).map(lambda smsc: {**top, "smsc": smsc})
)


# nothing silenced, or everything that can be; filled in by kannelkit, or by nobody
beginnings = st.sampled_from(["", f"# kannelkit: ignore-file {', '.join(CARRIED)}\n"])
fillings = st.sampled_from(["kannelkit", "kannel"])


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(specs | trees, beginnings, fillings)
def test_a_spec_or_findings(tree: object, beginning: str, filling: str) -> None:
    if isinstance(tree, dict) and "smsc" in tree:
        tree = {"defaults": filling, **tree}
    text = beginning + yaml.safe_dump(tree, allow_unicode=True, default_style='"')
    try:
        spec = parse(text, Path("/nowhere/spec.yaml"), {"a": "x"}, "spec.yaml")
    except InputError as error:
        assert error.findings  # noqa: PT017 both outcomes are right, a traceback is not
        return
    rendered = kannel_conf(spec, AS_WRITTEN, dict.fromkeys(spec.to_make(), "x"))
    unexpected = {finding.rule for finding in misread(spec, rendered)}
    assert unexpected <= ({"C109"} if spec.defaults == "kannel" else set())
    lacks = {finding.rule for finding in lacking(spec)}
    assert not lacks or beginning or spec.defaults == "kannel"
    ids = [link.admin_id for account in accounts(spec) for link in account.links]
    assert len(ids) == len(set(ids)) or "S305" in lacks


sound_texts = st.sampled_from(["a", "b", "c.d", "x-1"])
sound_accounts = st.fixed_dictionaries(
    {
        "smsc-id": st.sampled_from(["a", "b", "a-backup", "a-1"]),
        "smsc-username": sound_texts,
        "smsc-password": sound_texts,
    },
    optional={
        "connections": st.integers(1, 9).map(str),
        "throughput": st.integers(1, 100).map(str),
        "system-type": st.sampled_from(["", "ISO", "MCON9"]),
        "backup-host": sound_texts,
        "use-ssl": st.sampled_from(["yes", "no"]),
        "transceiver-mode": st.sampled_from(["yes", "no"]),
        "log-file": sound_texts,
    },
).map(lambda account: {**account, "provider": "smsc.ru"})  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(sound_accounts, min_size=1, max_size=4))
def test_sound_accounts_share_what_they_have(smsc: list[dict[str, str]]) -> None:
    try:
        spec = parse(yaml.safe_dump({"smsc": smsc}), Path("/nowhere/spec.yaml"), {}, "spec.yaml")
    except InputError as error:
        # two of one name, links of one name, less than one SMS a second each, fewer binds than connections
        assert {finding.rule for finding in error.findings} <= {"S303", "S304", "S305", "S308"}  # noqa: PT017 see above
        return
    for account, written in zip(accounts(spec), smsc, strict=True):
        primaries = [link.throughput or 0 for link in account.links if link.role == "primary"]
        assert sum(primaries) == int(written.get("throughput", "30"))
        assert len(primaries) == int(written.get("connections", "1"))
    assert check(kannel_conf(spec, AS_WRITTEN, dict.fromkeys(spec.to_make(), "x"))) == ()
