"""What Prometheus is told. Other rooms are handed the small methods of `Metrics` and never see the library.

Decides names and labels. Every label has a fixed set of values: nothing that a sender writes becomes one.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bot.incident.words import Severity
from bot.store import Store
from bot.store.counts import counts

ACK_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 3)
"""Slack gives 3 s (design law 5); the bars of design §9 are 20 and 100 ms."""
LATE_SECONDS = (0.05, 0.1, 0.25, 0.4, 1, 5, 30, 90, 600)


class Metrics:
    """One a process, on a registry of its own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._alerts = Counter("firsthour_alerts", "Alerts received.", ["source", "status"], registry=registry)
        self._calls = Counter(
            "firsthour_slack_calls", "Calls of Slack's Web API.", ["method", "outcome"], registry=registry
        )
        self._limited = Counter("firsthour_slack_rate_limited", "Answers 429 of Slack.", ["method"], registry=registry)
        self._acks = Histogram(
            "firsthour_ack_seconds", "From an envelope to its acknowledgement.", buckets=ACK_SECONDS, registry=registry
        )
        self._late = Histogram(
            "firsthour_reminder_late_seconds",
            "How late reminders were decided.",
            buckets=LATE_SECONDS,
            registry=registry,
        )
        self._intents = Gauge(
            "firsthour_intents", "Outward acts that are not done.", ["kind", "state"], registry=registry
        )
        self._open = Gauge("firsthour_open_incidents", "Running incidents, no drills.", ["severity"], registry=registry)
        self._oldest = Gauge("firsthour_oldest_due_intent_seconds", "Age of the oldest due act.", registry=registry)

        self._broken = Gauge(
            "firsthour_break_glass", "Actions carried out by break-glass, no drills.", registry=registry
        )
        self._gave_up = Counter("firsthour_gave_up", "Outward acts that were given up.", ["kind"], registry=registry)
        self._reconnects = Counter(
            "firsthour_socket_reconnects", "Socket Mode connections made anew.", registry=registry
        )
        self._sockets = Gauge("firsthour_socket_connections", "Socket Mode connections that stand.", registry=registry)
        self._on_scrape: Callable[[], None] | None = None

    def alert(self, source: str, status: str) -> None:
        """`source` is `native` or the name of a source in the playbook."""
        self._alerts.labels(source, status).inc()

    def slack_called(self, method: str, outcome: str) -> None:
        """`outcome` as in `bot.slack.client.Called`."""
        self._calls.labels(method, outcome).inc()
        if outcome == "limited":
            self._limited.labels(method).inc()

    def gave_up(self, kind: str) -> None:
        self._gave_up.labels(kind).inc()

    def socket_reconnected(self) -> None:
        self._reconnects.inc()

    def watch_sockets(self, connected: Callable[[], int]) -> None:
        """Asked at every scrape."""
        self._sockets.set_function(connected)

    def on_scrape(self, wake: Callable[[], None]) -> None:
        """Called now and at every scrape; a scrape does not wait for what it begins (`bot.ingress.measured`)."""
        self._on_scrape = wake
        wake()

    def acked(self, seconds: float) -> None:
        self._acks.observe(seconds)

    def reminded(self, late_seconds: float) -> None:
        self._late.observe(late_seconds)

    async def expose(self, store: Store) -> bytes:
        """The text for Prometheus, with what the store says now."""
        if self._on_scrape is not None:
            self._on_scrape()
        now = store.now()
        async with store.read() as session:
            found = await counts(session, now)
        self._intents.clear()
        for (kind, state), count in found.intents.items():
            self._intents.labels(kind.value, state.value).set(count)
        for severity in Severity:
            self._open.labels(severity.label).set(found.open_incidents.get(severity, 0))
        self._oldest.set((now - found.oldest_due).total_seconds() if found.oldest_due else 0)
        self._broken.set(found.glass_broken)
        return generate_latest(self.registry)
