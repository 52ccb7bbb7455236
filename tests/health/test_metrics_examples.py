"""The examples for Prometheus and Grafana: of these metrics, valid in the eyes of promtool, each alert tried."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kannelkit.health.metrics import METRICS

EXAMPLES = Path(__file__).parents[2] / "examples"
PROMETHEUS = EXAMPLES / "prometheus"
SERIES = {
    series: row
    for row in METRICS.values()
    for series in ([f"{row.name}_sum", f"{row.name}_count"] if row.type == "summary" else [row.name])
}
# what Prometheus itself adds to a series
ADDED = {"instance", "job"}


def expressions(value: Any) -> Iterator[str]:
    """Yield every query in a dashboard or a file of rules."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key in ("expr", "query", "definition") and isinstance(each, str) and each != "prometheus":
                yield each
            else:
                yield from expressions(each)
    elif isinstance(value, list):
        for each in value:
            yield from expressions(each)


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EXAMPLES / "grafana/kannelkit.json").read_text())
    return found


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((PROMETHEUS / "kannelkit.rules.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


QUERIES = [*expressions(dashboard()), *expressions(rules())]


@pytest.mark.parametrize("query", sorted(set(QUERIES)))
def test_a_query_asks_for_metrics_that_are_there_by_their_labels(query: str) -> None:
    named = re.findall(r"\b((?:kannel|kannelkit|bearerbox)_\w+)(?:\{([^}]*)\})?", query)
    assert named or query.startswith("up{") or "vector(" in query
    for name, selector in named:
        asked = set(re.findall(r"(\w+)\s*[=!]~?", selector))
        assert asked <= {*SERIES[name].labels, *ADDED}


def test_a_counter_is_never_shown_as_it_is() -> None:
    for query in QUERIES:
        for name in re.findall(r"\b(kannel\w+_total)\b", query):
            assert re.search(rf"(rate|increase|label_values)\({name}", query), query


@pytest.mark.parametrize("panel", dashboard()["panels"], ids=lambda panel: panel["title"])
def test_a_panels_legend_names_labels_of_its_series(panel: dict[str, Any]) -> None:
    for target in panel.get("targets", []):
        labels = {label for name in SERIES if name in target["expr"] for label in SERIES[name].labels}
        assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= labels


def test_panels_have_numbers_of_their_own_and_lie_beside_each_other() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for place in (panel["gridPos"] for panel in panels):
        assert place["x"] + place["w"] <= 24
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken
        taken |= cells


def test_the_dashboard_shows_every_counter_of_ours_that_is_not_a_links() -> None:
    shown = " ".join(QUERIES)
    rows = [row for row in METRICS.values() if row.names == "kannelkit" and row.type == "counter"]
    missing = [row.name for row in rows if row.name not in shown and not row.name.startswith("kannel_")]
    assert missing == []


def test_every_alert_says_what_is_and_what_to_do_and_is_tried_both_ways() -> None:
    tried = yaml.safe_load((PROMETHEUS / "kannelkit.rules.test.yml").read_text())["tests"]
    outcomes = {(each["alertname"], bool(each["exp_alerts"])) for test in tried for each in test["alert_rule_test"]}
    for rule in rules():
        assert set(rule["annotations"]) == {"summary", "description"}
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert {(rule["alert"], True), (rule["alert"], False)} <= outcomes


@pytest.mark.parametrize(
    "arguments", [("test", "rules", "kannelkit.rules.test.yml"), ("check", "config", "prometheus.yml")]
)
def test_promtool_agrees(arguments: tuple[str, ...]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    told = subprocess.run(
        [promtool, *arguments], cwd=PROMETHEUS, capture_output=True, text=True, timeout=60, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr


def test_promtool_can_read_every_query_of_the_dashboard(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    filled = [
        query.replace("$__rate_interval", "5m").replace("$__interval", "1m")
        for query in expressions(dashboard()["panels"])
    ]
    groups = [{"name": "g", "rules": [{"record": f"r{n}", "expr": query} for n, query in enumerate(filled)]}]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": groups}))
    told = subprocess.run(
        [promtool, "check", "rules", "rules.yml"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr
