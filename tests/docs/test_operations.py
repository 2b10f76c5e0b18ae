"""Dashboard, alert rules and the page about operations name only what exists."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import yaml
from prometheus_client import CollectorRegistry

from bot.incident.outward import IntentState
from bot.ingress import Metrics
from bot.ingress.measured import Measuring
from bot.watch.metrics import GAUGES, WatchMetrics

ROOT = Path(__file__).resolve().parents[2]
NAME = re.compile(r"\bfirsthour_[a-z_]+")


def metrics() -> dict[str, set[str]]:
    """Every series that Prometheus can scrape, and its labels."""
    registry = Metrics(CollectorRegistry()).registry
    WatchMetrics(registry).watch(dict.fromkeys(GAUGES, lambda: 0.0))
    Measuring(registry, asyncio.Future)
    found: dict[str, set[str]] = {}
    for collector in list(registry._collector_to_names):
        labels = set(getattr(collector, "_labelnames", ()))
        for name in registry._collector_to_names[collector]:
            found[name] = labels | ({"le"} if name.endswith("_bucket") else set())
    return found


def dashboard() -> Iterator[str]:
    board = json.loads((ROOT / "docs/grafana/firsthour.json").read_text(encoding="utf-8"))
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def rules() -> list[dict[str, object]]:
    groups = yaml.safe_load((ROOT / "docs/prometheus/alerts.yaml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions() -> list[str]:
    return [*dashboard(), *(str(rule["expr"]) for rule in rules())]


def test_every_metric_that_is_named_exists() -> None:
    known = metrics()
    named = {name for expression in expressions() for name in NAME.findall(expression)}
    assert named and named <= set(known), named - set(known)


def test_every_label_that_is_used_is_one_of_the_metric() -> None:
    known = metrics()
    for expression in expressions():
        labels = {label for names in NAME.findall(expression) for label in known[names]}
        used = {one.strip() for by in re.findall(r"by \(([^)]*)\)", expression) for one in by.split(",")}
        used |= set(re.findall(r"[{,]\s*(\w+)\s*=", expression))
        assert used <= labels, expression


def test_every_metric_is_on_the_dashboard_and_in_the_page() -> None:
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    shown = {name for expression in dashboard() for name in NAME.findall(expression)}
    for name in {re.sub(r"_(total|created|bucket|count|sum)$", "", name) for name in metrics()}:
        assert any(one.startswith(name) for one in shown), f"{name} is on no panel"
        assert f"`{name}" in page, f"docs/operations.md does not tell of {name}"


def test_the_page_names_no_metric_that_does_not_exist() -> None:
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    known = metrics()
    assert {name for name in NAME.findall(page) if name != "firsthour_intent"} <= set(known)


def test_every_rule_says_what_to_do() -> None:
    assert len({rule["alert"] for rule in rules()}) == len(rules()) >= 8
    for rule in rules():
        assert {"summary", "what_to_do"} <= set(rule["annotations"]), rule  # type: ignore[call-overload]


def test_the_states_of_intents_are_explained() -> None:
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    for state in IntentState:
        assert state is IntentState.DONE or f"`{state}`" in page
