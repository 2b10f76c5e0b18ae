"""What Prometheus is told of the watch.

Decides names and labels. Every label has a fixed set of values: nothing that a sender writes becomes one.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bot.watch.laps import Stage

LAG_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
STAGE_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)
COMMIT_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30)


class WatchMetrics:
    """On the registry of the process (`bot.ingress.metrics`)."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._events = Counter(
            "firsthour_events", "Events by the route they came, and what became of them.", ["source", "outcome"],
            registry=registry,
        )  # fmt: skip
        self._findings = Counter(
            "firsthour_findings", "Findings by trigger and what became of them.", ["trigger", "outcome"],
            registry=registry,
        )  # fmt: skip
        self._lag = Histogram(
            "firsthour_event_lag_seconds", "From an event to its arrival; one event of each batch.",
            buckets=LAG_SECONDS, registry=registry,
        )  # fmt: skip
        self._committed = Histogram(
            "firsthour_finding_commit_seconds", "From a finding to its commit.", buckets=COMMIT_SECONDS,
            registry=registry,
        )  # fmt: skip
        self._stages = Histogram(
            "firsthour_watch_stage_seconds", "Seconds of one step of a batch, of one write of the log, of one commit.", ["stage"],
            buckets=STAGE_SECONDS, registry=registry,
        )  # fmt: skip
        self._matcher = Gauge(
            "firsthour_watch_matcher", "1 for the matcher that scans texts.", ["matcher"], registry=registry
        )
        self._snapshots = Counter(
            "firsthour_watch_snapshots", "Snapshots of the state, by what became of them.", ["outcome"],
            registry=registry,
        )  # fmt: skip

    def events(self, source: str, outcome: str, count: int) -> None:
        """`source`: the route's name. `outcome`: accepted, duplicate, rejected, late or dropped; late ones are accepted."""
        if count:
            self._events.labels(source, outcome).inc(count)

    def finding(self, trigger: str, outcome: str, count: int = 1) -> None:
        """`trigger`: of the playbook. `outcome`: of `bot.cases.finding`, or suppressed, shadow, failed, dropped."""
        self._findings.labels(trigger, outcome).inc(count)

    def lag(self, seconds: float) -> None:
        self._lag.observe(max(0.0, seconds))

    def committed(self, seconds: float) -> None:
        self._committed.observe(seconds)

    def stage(self, stage: Stage, seconds: float) -> None:
        self._stages.labels(stage).observe(seconds)

    def matcher(self, name: str) -> None:
        self._matcher.clear()
        self._matcher.labels(name).set(1)

    def snapshot(self, outcome: str) -> None:
        """`written` or `failed`."""
        self._snapshots.labels(outcome).inc()

    def watch(self, gauges: dict[str, Callable[[], float]]) -> None:
        """Asked at every scrape: the names of GAUGES."""
        for name, ask in gauges.items():
            Gauge(f"firsthour_watch_{name}", GAUGES[name], registry=self._registry).set_function(ask)


GAUGES = {
    "keys": "Keys of which something is counted; -1 where that is not known.",
    "evictions": "Keys dropped because there were too many, since the start.",
    "log_bytes": "Bytes of the log of seen events.",
    "log_failing": "1 while the log cannot be written.",
    "unlogged_events": "Events that were counted and are in no log, since the start.",
    "snapshot_age_seconds": "Age of the newest snapshot of the state; -1 without one.",
    "findings_waiting": "Findings that are not committed yet.",
    "events_waiting": "Events that wait for Valkey to be back.",
    "valkey_away": "1 while Valkey does not answer, so that events wait.",
    "valkey_races": "Keys that another replica wrote in between, so that they were counted once more, since the start.",
    "valkey_known": "Events, by key, that had been counted before, since the start.",
    "valkey_begun": "Keys of which Valkey held nothing, since the start: new ones, or all of them where it forgot.",
    "valkey_unreadable": "Keys that another version had written and that began anew, since the start.",
    "streams_evicted": "Answers in pieces that were forgotten because there were too many, since the start.",
    "texts_cut_short": "Texts with more identifiers than are looked up, since the start.",
}
