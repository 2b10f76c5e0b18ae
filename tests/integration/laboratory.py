"""What ran and what did not: every system by name, and at the end of the session the whole list, never only the good part.

Decides when "not run" is a failure: `FIRSTHOUR_MUST_RUN` names systems (or `all`) that may not be missing.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

from tests.integration.systems.process import Missing

MUST_RUN = "FIRSTHOUR_MUST_RUN"
NOT_RUN, MISSED = "NOT RUN ", "MISSED  "
"""How a line of the list begins. What is missed had to run: the session fails."""
T = TypeVar("T")

SYSTEMS = {
    "litellm": "LiteLLM proxy",
    "valkey": "Valkey",
    "valkey_cluster": "Valkey as a cluster",
    "postgres": "PostgreSQL",
    "nginx": "nginx",
    "alertmanager": "Prometheus Alertmanager",
    "unleash": "Unleash",
    "chroma": "Chroma",
    "moto": "AWS by moto",
    "scim": "SCIM server",
    "promptfoo": "promptfoo",
}
"""Fixture → the system that it starts. All of them come from package registries."""

NEVER = {
    "LiteLLM's admin API (/key, /model, /customer)": "its database engine is downloaded from outside the package registries;"
    " the connector's requests are checked against the running proxy's OpenAPI",
    "Qdrant": "no server in the package registries; checked against recorded shapes",
    "Envoy": "no server in the package registries; it asks `GET /auth` as nginx does",
    "Okta, Entra ID": "services; they speak SCIM as the server that ran",
}
"""Real systems that no machine can start from packages: always listed as not run."""


@dataclass
class Laboratory:
    """One a session."""

    home: Path
    running: dict[str, float] = field(default_factory=dict)
    """System → seconds until it was ready."""
    missing: dict[str, str] = field(default_factory=dict)

    @contextlib.contextmanager
    def start(self, name: str, running: Callable[[Path], contextlib.AbstractContextManager[T]]) -> Iterator[T]:
        """The system as its file starts it, its log in `home/name`. Skips what asks for a system that is missing."""
        begun = time.monotonic()
        with contextlib.ExitStack() as stack:
            try:
                system = stack.enter_context(running(self.home / name))
            except Missing as error:
                self.missing[name] = str(error)
                (pytest.fail if name in must_run() else pytest.skip)(f"{SYSTEMS[name]} did not run: {error}")
            self.running[name] = time.monotonic() - begun
            yield system

    def told(self) -> Iterator[str]:
        """A line for each system: those that ran, then those that did not, then those that never can."""
        for name, seconds in self.running.items():
            yield f"ran      {SYSTEMS[name]}, ready in {seconds:.1f} s"
        for name in (name for name in SYSTEMS if name not in self.running):
            word = MISSED if name in must_run() else NOT_RUN
            yield f"{word} {SYSTEMS[name]}: {self.missing.get(name, 'no test that was selected asks for it')}"
        for title, why in NEVER.items():
            yield f"{NOT_RUN} {title}: {why}"

    def logs(self, names: set[str]) -> Iterator[Path]:
        for name in sorted(names):
            yield from sorted((self.home / name).glob("*.log"))


def must_run() -> set[str]:
    """Raises UsageError for a name that is no system: a mistyped one would demand nothing."""
    named = set(os.environ.get(MUST_RUN, "").replace(",", " ").split())
    if named == {"all"}:
        return set(SYSTEMS)
    if unknown := named - set(SYSTEMS):
        raise pytest.UsageError(f"{MUST_RUN} names {sorted(unknown)}; the systems are {', '.join(SYSTEMS)}, or `all`")
    return named
