"""The gate as its users run it: `firsthour gate`, a process of its own, on a database that the test writes the policy to.

Decides how a test has an action carried out (by the `gate` connector, verified) and undone. What it really does, the test
looks at through whatever real system stands before the gate.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from bot.connectors.contract import Connector, Effect, Order, Result
from bot.connectors.gate import Gate as GateConnector
from bot.connectors.gate_probe import Asking
from bot.connectors.gate_rule import Terms
from bot.gate.rules import StoredPolicy
from bot.incident.words import ActionKind, ScopeKind
from bot.store import Store
from tests.integration.systems.process import Process, started
from tests.ports import free_port
from tests.process import ROOT

ANSWER = "Please call support."
"""What safe mode answers."""
TOKEN = "gate-token-of-the-integration"
WITHIN = 30.0
"""Seconds for a change to be seen everywhere: one that was killed counts as alive for a while. How fast it is, is measured."""


class Gate:
    """One address. The gate behind it can be stopped, killed and started again."""

    def __init__(self, home: Path, database_url: str, **env: str) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self._home, self._database_url, self._env = home, database_url, env
        self._running: contextlib.ExitStack | None = None
        self._process: Process | None = None

    def start(self) -> None:
        """Returns once it knows its rules."""
        self.spawn()
        assert self._process is not None
        self._process.wait_for_http(f"{self.url}/readyz")

    def spawn(self) -> None:
        """Begin to start, and no more."""
        env = {
            "DATABASE_URL": self._database_url,
            "FIRSTHOUR_GATE": self.url.removeprefix("http://"),
            "FIRSTHOUR_GATE_TOKEN": TOKEN,
            "FIRSTHOUR_LOG": "json",
            "PYTHONPATH": str(ROOT),
            **self._env,
        }
        self._running = contextlib.ExitStack()
        command = [sys.executable, "-m", "bot", "gate"]
        self._process = self._running.enter_context(started("gate", command, self._home, env))

    def close(self) -> None:
        self.stop()

    def stop(self) -> None:
        """As a deployment ends it: SIGTERM."""
        if self._running is not None:
            self._running.close()
            self._running = None

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self.stop()


@dataclass
class Policy:
    """The `gate` connector, for an incident of one test; everything that it applied is reverted at the end."""

    stored: StoredPolicy
    connector: Connector
    incident: int
    in_force: list[Order] = field(default_factory=list)

    async def put(self, kind: ActionKind, scope_kind: ScopeKind, scope_id: str) -> Order:
        """Returns once the gate is seen to enforce it."""
        number = len(self.in_force) + 1
        key = f"INC-{self.incident}:{number}:{scope_kind.value}/{scope_id}"
        order = Order(f"INC-{self.incident}", key, kind, scope_kind, scope_id)
        self.in_force.append(order)
        applied = await self.connector.apply(order)
        assert applied.effect is Effect.APPLIED, applied
        await self._until(Effect.VERIFIED, lambda: self.connector.verify(order))
        return order

    async def revert(self, order: Order) -> None:
        """Returns once the gate is seen to enforce it no more."""
        self.in_force.remove(order)
        reverted = await self.connector.revert(order, None)
        assert reverted.effect is Effect.APPLIED, reverted
        await self._until(Effect.REVERTED, lambda: self.connector.verify_revert(order))

    async def _until(self, wanted: Effect, ask: Callable[[], Awaitable[Result]]) -> None:
        """A gate that was just started is not yet known to all: its sign of life comes a moment later."""
        until = time.monotonic() + WITHIN
        while (result := await ask()).effect is not wanted:
            assert time.monotonic() < until, result


@contextlib.asynccontextmanager
async def policy_of(gate: Gate, database_url: str, incident: int) -> AsyncIterator[Policy]:
    store = Store(database_url)
    stored = StoredPolicy(store)
    connector = GateConnector(stored, Asking(lambda: gate.url, SecretStr(TOKEN)), Terms(answer=ANSWER))
    policy = Policy(stored, connector, incident)
    try:
        yield policy
        for order in tuple(policy.in_force):
            await policy.revert(order)
    finally:
        await connector.close()
        await store.close()
