"""The metrics of a gateway: valid in the eyes of Prometheus's own tools, each from the table and documented."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from kannelkit.gateway.status import GatewayStatus
from kannelkit.health.exposition import Exposition, Written
from kannelkit.health.metrics import METRICS, Names, read
from kannelkit.health.metrics_exporter import add_exporter
from kannelkit.health.metrics_gateway import add_gateway
from kannelkit.health.metrics_rows import Seen
from kannelkit.health.metrics_totals import Totals
from kannelkit.throttle.lines import BindRefused, SubmitRefused
from tests.health.gateway import ACCOUNTS, ONE, link, paced, seen, status, with_sent

HOUSE = Path(__file__).parents[2]
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def written(of: Seen, totals: Totals, names: Names = "kannelkit") -> str:
    text = Exposition()
    if names == "kannelkit":
        add_gateway(text, of, totals, "0.1.0")
    else:
        add_exporter(text, of, totals)
    return text.octets().decode()


def series(text: str) -> Series:
    """Return what Prometheus's own reader makes of a text; each series stands in it once."""
    found: Series = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found
            found[key] = sample.value
    return found


def value(of: Series, name: str, **labels: str) -> float | None:
    return of.get((name, frozenset(labels.items())))


def everything() -> Totals:
    """Return totals in which something of every kind was counted."""
    totals = Totals()
    totals.begin(["one", "two"])
    totals.status(status(), seen(status()).rows)
    totals.status(status(with_sent(140)), seen(status(with_sent(140))).rows)
    totals.logged([SubmitRefused("one", 0x58, 7, 1, 2), SubmitRefused("one", 0x401, 7, 1, 2)])
    totals.logged([BindRefused("two", 0x0D, 7, 1, 2)])
    change = {"kind": "rate", "account": "one", "direction": "lower", "links_away_ms": 120}
    move = {"kind": "failover", "account": "one", "to": "backup"}
    for event in (change, change, move, {"kind": "note", "account": "one", "doubted": 2}):
        totals.happened(event)
    totals.add("kannelkit_discarded_total", ("one",), 3)
    totals.add("kannelkit_log_read_bytes_total", ("bearerbox.log",), 4096)
    totals.add("kannelkit_log_lines_unparsed_total", ("bearerbox.log",), 1)
    return totals


ALL = written(paced(seen(status())), everything())


def test_every_metric_of_the_table_is_given_with_its_labels_and_no_other() -> None:
    for names, text in (
        ("kannelkit", ALL),
        ("kannel_exporter", written(seen(status()), everything(), "kannel_exporter")),
    ):
        found = {re.sub(r"_(sum|count)$", "", name): {label for label, _ in labels} for name, labels in series(text)}
        table = {row.name: set(row.labels) for row in METRICS.values() if row.names == names}
        assert found == table


EXPECTED = [
    ("kannel_up", {}, 1),
    ("kannel_info", {"version": "1.4.5"}, 1),
    ("kannel_state", {"state": "running"}, 1),
    ("kannel_state", {"state": "suspended"}, 0),
    ("kannel_sms_sent_total", {}, 1000),
    ("kannel_box_connections", {"box": "smsbox"}, 2),
    ("kannel_box_queued_messages", {"box": "smsbox", "id": 'a "box"\\', "host": "127.0.0.1"}, 6),
    ("kannel_box_queued_messages", {"box": "wapbox", "id": "", "host": "127.0.0.1"}, None),
    ("kannel_link_online", {"account": "one", "link": "one-1", "host": "smpp.example.net"}, 1),
    ("kannel_link_online", {"account": "one", "link": "one-2", "host": "smpp.example.net"}, 0),
    ("kannel_link_online", {"account": "one", "link": "one-backup-1", "host": "smpp2.example.net"}, None),
    ("kannel_link_online", {"account": "one", "link": "one-park", "host": "127.0.0.1"}, None),
    ("kannel_link_online", {"account": "gsm", "link": "modem", "host": ""}, 0),
    ("kannel_link_dead", {"account": "gsm", "link": "modem", "host": ""}, 1),
    ("kannel_link_sms_sent_total", {"account": "one", "link": "one-1", "host": "smpp.example.net"}, 40),
    ("kannelkit_relay_rate", {"account": "one"}, 29.75),
    ("kannelkit_relay_held_seconds", {"account": "one"}, 0.4),
    ("kannelkit_relay_maybe_doubled_total", {"account": "one"}, 4),
    ("kannelkit_relay_rate", {"account": "two"}, None),
    ("kannelkit_relay_response_seconds", {"account": "one", "quantile": "0.5"}, 0.055),
    ("kannelkit_relay_response_seconds", {"account": "one", "quantile": "0.99"}, 0.31),
    ("kannelkit_relay_response_seconds_sum", {"account": "one"}, 60.5),
    ("kannelkit_relay_response_seconds_count", {"account": "one"}, 1005),
    ("kannelkit_accepted_total", {"account": "one"}, 40),
    ("kannelkit_refused_total", {"account": "one", "command_status": "ESME_RTHROTTLED"}, 1),
    ("kannelkit_refused_total", {"account": "two", "command_status": "ESME_RTHROTTLED"}, 0),
    ("kannelkit_refused_total", {"account": "one", "command_status": "vendor status 0x00000401"}, 1),
    ("kannelkit_binds_refused_total", {"account": "two", "command_status": "ESME_RBINDFAIL"}, 1),
    ("kannelkit_throughput_changes_total", {"account": "one", "direction": "lower"}, 2),
    ("kannelkit_throughput_changes_total", {"account": "one", "direction": "raise"}, 0),
    ("kannelkit_throughput_change_seconds_count", {"account": "one"}, 2),
    ("kannelkit_throughput_change_seconds_sum", {"account": "one"}, 0.24),
    ("kannelkit_failovers_total", {"account": "one", "side": "backup"}, 1),
    ("kannelkit_account_sending", {"account": "one"}, 1),
    ("kannelkit_account_sending", {"account": "two"}, 0),
    ("kannelkit_account_side", {"account": "one", "side": "primary"}, 1),
    ("kannelkit_account_links_online", {"account": "one"}, 1),
    ("kannelkit_account_queued_messages", {"account": "one"}, 5),
    ("kannelkit_account_drain_seconds", {"account": "one"}, 1.8),
    ("kannelkit_throughput", {"account": "one"}, 30),
    ("kannelkit_throughput", {"account": "two"}, None),
    ("kannelkit_link_throughput", {"account": "one", "link": "one-1", "host": "smpp.example.net"}, 15),
    ("kannelkit_throughput_changing", {"account": "one"}, 1),
    ("kannelkit_throughput_paused", {"account": "two"}, 1),
    ("kannelkit_check_status", {"check": "queue", "account": "", "link": ""}, 1),
    ("kannelkit_check_status", {"check": "sending", "account": "two", "link": ""}, 2),
    ("kannelkit_supervised", {}, 1),
    ("kannelkit_series_left_out", {}, 0),
]


@pytest.mark.parametrize(("name", "labels", "expected"), EXPECTED)
def test_a_metric_says_what_was_seen(name: str, labels: dict[str, str], expected: float | None) -> None:
    assert value(series(ALL), name, **labels) == expected


def test_what_was_written_before_changes_no_text() -> None:
    before: Written = {}
    counted = everything()
    for of in (seen(status()), seen(None), seen(status(with_sent(200))), seen(status()), seen(status())):
        if of.status is not None:
            counted.status(of.status, of.rows)
        kept, fresh = Exposition(before), Exposition()
        for text in (kept, fresh):
            add_gateway(text, of, counted, "0.1.0")
            add_exporter(text, of, counted)
        assert kept.octets() == fresh.octets()


def test_what_is_queued_and_does_not_move_lasts_for_ever() -> None:
    waits = status((link("two-1", "two", queued=3),))
    assert value(series(written(seen(waits), Totals())), "kannelkit_account_drain_seconds", account="two") == float(
        "inf"
    )


def test_a_bearerbox_that_is_silent_is_down_and_nothing_is_said_of_its_links() -> None:
    silent = series(written(seen(None), everything()))
    assert value(silent, "kannel_up") == 0
    assert not [name for name, _ in silent if name in ("kannel_link_online", "kannel_sms_sent_total")]
    # counters stay: one that goes away and comes back looks like a reset
    assert value(silent, "kannelkit_accepted_total", account="one") == 40
    assert value(silent, "kannelkit_throughput_ceiling", account="one") == 30


def test_a_floor_is_told_of_those_accounts_that_have_one() -> None:
    found = series(written(paced(seen(status())), Totals()))
    floors = [dict(labels)["account"] for name, labels in found if name == "kannelkit_throughput_floor"]
    assert floors == ["two"]


def test_two_accounts_with_one_smsc_id_are_one_in_the_metrics() -> None:
    twin = replace(ONE, links=tuple(replace(each, admin_id=f"{each.admin_id}-twin") for each in ONE.links))
    found = series(written(seen(status(), (ONE, twin)), Totals()))
    assert value(found, "kannelkit_throughput", account="one") == 60
    assert value(found, "kannelkit_throughput_ceiling", account="one") == 30


EXPORTER = [
    ("bearerbox_up", {}, 1),
    ("bearerbox_build_info", {"version": "1.4.5"}, 1),
    ("bearerbox_uptime_seconds", {}, 100),
    ("bearerbox_sms_storesize", {}, 20),
    ("bearerbox_box_connections", {"type": "smsbox"}, 2),
    ("bearerbox_box_connections", {"type": "wapbox"}, 1),
    ("bearerbox_box_queue", {"type": "smsbox", "id": 'a "box"\\', "ipaddr": "127.0.0.1"}, 6),
    ("bearerbox_smsc_connections", {}, 5),
    ("bearerbox_smsc_online_connections", {"smsc_id": "one"}, 1),
    ("bearerbox_smsc_offline_connections", {"smsc_id": "one"}, 1),
    ("bearerbox_smsc_sent_sms_total", {"smsc_id": "one"}, 40),
    ("bearerbox_smsc_queued_messages", {"smsc_id": "one"}, 5),
    ("bearerbox_smsc_uptime_seconds", {"smsc_id": "two"}, 60),
]


@pytest.mark.parametrize(("name", "labels", "expected"), EXPORTER)
def test_dashboards_of_kannel_exporter_find_their_names(name: str, labels: dict[str, str], expected: float) -> None:
    found = series(written(seen(status()), everything(), "kannel_exporter"))
    assert value(found, name, **labels) == expected


def test_kannel_exporters_names_say_a_silent_bearerbox_is_down() -> None:
    assert series(written(seen(None), everything(), "kannel_exporter")) == {("bearerbox_up", frozenset()): 0}


def test_prometheus_own_checker_finds_nothing() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    for names in ("kannelkit", "kannel_exporter"):
        text = written(paced(seen(status())), everything(), names)
        checked = subprocess.run(
            [promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60, check=False
        )
        assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


names = st.text(st.characters(codec="utf-8", exclude_categories=()), max_size=12)
links = st.lists(
    st.builds(link, st.sampled_from(["one-1", "one-park", "x"]) | names, names, st.integers(0, 10**18), names),
    max_size=6,
)


@given(links, st.sampled_from(["kannelkit", "kannel_exporter"]))
def test_whatever_kannel_says_the_text_can_be_read(of: list[object], choice: Names) -> None:
    says: GatewayStatus = status([each for each in of if not isinstance(each, str)])  # type: ignore[misc] # all links
    totals = Totals()
    totals.status(says, seen(says).rows)
    assert series(written(seen(says), totals, choice))


# -- the table itself


def table_rows(text: str) -> Iterator[str]:
    yield from re.findall(r"^\| `([a-z_]+)", text, re.MULTILINE)


def test_docs_tell_of_every_metric_and_of_no_other() -> None:
    text = (HOUSE / "docs/metrics.md").read_text()
    assert sorted(table_rows(text)) == sorted(METRICS)
    for row in METRICS.values():
        labels = ", ".join(row.labels) or "-"
        assert f"| `{row.name}` | {row.type} | {labels} | {row.help}" in text


@pytest.mark.parametrize("row", METRICS.values(), ids=lambda row: row.name)
def test_a_row_follows_prometheus_conventions(row: object) -> None:
    metric = METRICS[getattr(row, "name", "")]
    assert (metric.type == "counter") == metric.name.endswith("_total")
    assert metric.unit in ("", "seconds", "bytes")
    assert metric.unit in metric.name
    assert metric.source in ("status.xml", "state", "logs", "history", "files", "checks", "daemon")
    assert not re.search(r"milli|minute|_ms\b|percent", metric.name)
    if metric.names == "kannelkit":
        assert metric.help.endswith(".")
        assert metric.name.startswith(("kannel_", "kannelkit_"))


@pytest.mark.parametrize("text", ["[a]\ntype = 'gauge'", "[a]\ntype = 'gauge'\nhelp = ''\nsource = ''\nlabel = []"])
def test_a_row_with_a_column_too_few_or_too_many_is_refused(text: str) -> None:
    with pytest.raises(TypeError):
        read(text)


def test_the_accounts_of_these_tests_have_every_role() -> None:
    assert {each.role for account in ACCOUNTS for each in account.links} == {"primary", "backup", "park"}
