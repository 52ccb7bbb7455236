"""An account to its links: the laws of shares, and which links there are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.conf import read
from kannelkit.render import Account, InForce, Link, accounts, kannel_conf, shares
from kannelkit.render.account import relay_windows
from kannelkit.spec import load

ACCOUNT = """
smsc:
  - smsc-id: a
    provider: smsc.ru
    host: primary.example
    smsc-username: u
    smsc-password: p
"""


def rendered(folder: Path, lines: str = "", **throughputs: int) -> Account:
    (folder / "spec.yaml").write_text(ACCOUNT + lines)
    (account,) = accounts(load(folder / "spec.yaml", {}), InForce(throughputs))
    return account


@given(st.integers(1, 200).flatmap(lambda links: st.tuples(st.integers(links, 100_000), st.just(links))))
def test_shares_are_whole_even_and_add_up(case: tuple[int, int]) -> None:
    total, links = case
    split = shares(total, links)
    assert len(split) == links
    assert sum(split) == total
    assert min(split) >= 1
    assert max(split) - min(split) <= 1
    assert list(split) == sorted(split, reverse=True)


@given(st.integers(1, 50).flatmap(lambda links: st.tuples(st.integers(links, 1000), st.just(links))))
def test_one_more_raises_one_share(case: tuple[int, int]) -> None:
    total, links = case
    raised = [more - less for more, less in zip(shares(total + 1, links), shares(total, links), strict=True)]
    assert sorted(raised) == [0] * (links - 1) + [1]


@pytest.mark.parametrize(("total", "links"), [(1, 2), (0, 1), (5, 0), (-1, 1)])
def test_less_than_one_each_is_refused(total: int, links: int) -> None:
    with pytest.raises(ValueError, match="cannot be split"):
        shares(total, links)


def test_one_connection(tmp_path: Path) -> None:
    account = rendered(tmp_path)
    assert account == Account(
        smsc_id="a",
        unit="a",
        ceiling=30,
        floor=1,
        connections=1,
        side="primary",
        links=(
            Link("a-1", "a", "primary", 1, "primary.example", 3700, 30, None),
            Link("a-park", "a", "park", 1, "127.0.0.1", 1, None, None),
        ),
    )
    assert account.sending_ids == ("a-1",)


def test_connections_and_a_second_host(tmp_path: Path) -> None:
    second = "    backup-host: second.example\n    backup-port: 3701\n"
    account = rendered(tmp_path, second + "    connections: 2\n    log-file: a.log\n    throughput: 31\n")
    log = tmp_path / "a.log"
    assert account.links == (
        Link("a-1", "a", "primary", 1, "primary.example", 3700, 16, log),
        Link("a-2", "a", "primary", 2, "primary.example", 3700, 15, log),
        Link("a-backup-1", "a", "backup", 1, "second.example", 3701, 16, log),
        Link("a-backup-2", "a", "backup", 2, "second.example", 3701, 15, log),
        Link("a-park", "a", "park", 1, "127.0.0.1", 1, None, None),
    )
    assert account.sending_ids == ("a-1", "a-2")
    assert (account.floor, account.ceiling) == (2, 31)


def test_the_throughput_in_force_is_shared_the_ceiling_stays(tmp_path: Path) -> None:
    account = rendered(tmp_path, "    connections: 2\n", a=17)
    assert [link.throughput for link in account.links] == [9, 8, None]
    assert account.ceiling == 30


def test_no_ceiling_is_no_limit(tmp_path: Path) -> None:
    account = rendered(tmp_path, "    throughput: 30\n")
    generic = ACCOUNT.replace("smsc.ru", "generic")
    (tmp_path / "spec.yaml").write_text(generic)
    (account,) = accounts(load(tmp_path / "spec.yaml", {}))
    assert account.ceiling is None
    assert [link.throughput for link in account.links] == [None, None]
    (account,) = accounts(load(tmp_path / "spec.yaml", {}), InForce({"a": 12}))
    assert [link.throughput for link in account.links] == [12, None]


def test_a_throughput_too_small_for_the_links_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be split"):
        rendered(tmp_path, "    connections: 3\n", a=2)


@pytest.mark.parametrize(("floor", "connections", "expected"), [(1, 3, 3), (5, 2, 5)])
def test_the_floor_is_never_less_than_the_connections(
    tmp_path: Path, floor: int, connections: int, expected: int
) -> None:
    lines = f"    connections: {connections}\nsupervisor:\n  rate: {{floor: {floor}}}\n"
    assert rendered(tmp_path, lines).floor == expected


RELAYED = """    pacing: relay
    relay-port: 15001
    connections: 3
    backup-host: second.example
"""


def test_an_account_that_the_relay_paces_has_one_link_and_the_parking_link(tmp_path: Path) -> None:
    account = rendered(tmp_path, RELAYED, a=12)  # a rate that was learnt before is none of the link's
    assert account.relayed
    assert [(link.admin_id, link.host, link.port, link.throughput) for link in account.links] == [
        ("a-1", "127.0.0.1", 15001, None),
        ("a-park", "127.0.0.1", 1, None),
    ]
    assert (account.ceiling, account.connections, account.standby_ids) == (30, 1, ())
    spec = load(tmp_path / "spec.yaml", {})
    assert accounts(spec, InForce(sides={"a": "backup"}))[0].side == "primary"


LINK = [
    ("", {"max-pending-submits": "70"}),  # two seconds of 30 a second, and ten
    ("    max-pending-submits: 40\n", {"max-pending-submits": "40"}),
    ("    throughput: 1\n", {"max-pending-submits": "12", "throughput": None}),
    ("    throughput: 0.1\n", {"max-pending-submits": "3", "throughput": None}),  # what leaves before wait-ack is over
    ("    throughput: 500\n", {"max-pending-submits": "1010"}),
    ("    throughput: 500\n    connections: 3\n    max-pending-submits: 50\n", {"max-pending-submits": "150"}),
    ("    throughput: 100000\n", {"max-pending-submits": "10000"}),
    ("    use-ssl: true\n    our-host: 10.0.0.1\n", {"use-ssl": None, "our-host": None}),
    ("    wait-ack: 30\n    system-type: ISO\n", {"wait-ack": "30", "system-type": "ISO"}),
    ("    reconnect-delay: 60\n", {"reconnect-delay": "1"}),
]


@pytest.mark.parametrize("throughput", ["", "0.5", "30", "334", "1000", "3000"])
@pytest.mark.parametrize("connections", [1, 4])
@pytest.mark.parametrize("delay", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("provider", ["    provider: smsc.ru\n", ""])
def test_no_window_that_nobody_wrote_keeps_a_flow_below_its_ceiling(
    tmp_path: Path, throughput: str, connections: int, delay: float, provider: str
) -> None:
    account = ACCOUNT.replace("    provider: smsc.ru\n", provider)
    written = f"    throughput: {throughput}\n" if throughput else ""
    (tmp_path / "spec.yaml").write_text(f"{account}{written}    pacing: relay\n    connections: {connections}\n")
    (paced,) = load(tmp_path / "spec.yaml", {}).smpp_accounts
    windows = relay_windows(paced)
    for window in (windows.bearerbox, windows.provider * connections):
        assert window / delay >= (paced.ceiling or 300)


def test_what_accounts_of_one_slow_rate_hold_together_leaves_before_wait_ack_is_over(tmp_path: Path) -> None:
    entry = ACCOUNT.replace("\nsmsc:\n", "") + "    pacing: relay\n    account-group: all\n    throughput: 2.5\n"
    entries = [entry.replace("smsc-id: a", f"smsc-id: a{number}") for number in range(10)]
    (tmp_path / "spec.yaml").write_text("smsc:\n" + "".join(entries))
    spec = load(tmp_path / "spec.yaml", {})
    text = kannel_conf(spec, made={name: str(20000 + each) for each, name in enumerate(spec.to_make())})
    windows = [int(line.split()[-1]) for line in text.split("\n") if line.startswith("max-pending-submits")]
    assert windows == [6] * 10
    assert relay_windows(spec.smpp_accounts[0]).bearerbox == 15


def test_a_window_in_a_profile_of_the_users_own_is_the_providers(tmp_path: Path) -> None:
    profile = '[[brand]]\nname = "acme"\nhost = "smpp.acme.example"\n[[setting]]\ndirective = "%s"\nvalue = "20"\n'
    (tmp_path / "acme.toml").write_text(profile % "max-pending-submits")
    account = ACCOUNT.replace("provider: smsc.ru", "provider: acme").replace("    host: primary.example\n", "")
    written = "    throughput: 50\n    pacing: relay\n    connections: 2\n"
    (tmp_path / "spec.yaml").write_text(f"providers: [acme.toml]\n{account}{written}")
    (paced,) = load(tmp_path / "spec.yaml", {}).smpp_accounts
    assert relay_windows(paced) == (40, 20)


@pytest.mark.parametrize(("lines", "values"), LINK, ids=[lines.strip() or "nothing" for lines, _ in LINK])
def test_a_link_to_the_relay_has_nothing_of_the_provider_but_what_is_said_in_a_bind(
    tmp_path: Path, lines: str, values: dict[str, str | None]
) -> None:
    (tmp_path / "spec.yaml").write_text(f"{ACCOUNT}    pacing: relay\n    relay-port: 15001\n{lines}")
    spec = load(tmp_path / "spec.yaml", {})
    text = kannel_conf(spec, made=dict.fromkeys(spec.to_make(), "made-for-this"))
    link = next(group.values for group in read(text)[0] if group.values.get("smsc-admin-id") == "a-1")
    common = {
        "host": "127.0.0.1",
        "port": "15001",
        "smsc-username": "a",
        "smsc-password": "made-for",
        "throughput": None,
    }
    assert {name: link.get(name) for name in common | values} == common | values
