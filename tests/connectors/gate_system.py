"""A running gate behind its connector: the real one, on a real store, and a policy that can be made to misbehave."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import TypeVar

from pydantic import SecretStr
from sqlmodel import col, select

from bot.connectors.conformance import Fault
from bot.connectors.contract import Order
from bot.connectors.gate import Gate
from bot.connectors.gate_probe import Asking
from bot.connectors.gate_rule import Terms
from bot.gate.caller import Caller, targets_of
from bot.gate.process import RunningGate
from bot.gate.rules import StoredPolicy
from bot.incident.errors import Busy
from bot.incident.policy import GateReplica, Rule, Wanted
from bot.incident.words import ActionKind, ScopeKind
from bot.settings import GateSettings, Settings
from bot.store import Store
from tests.gate.policy import change_by_hand
from tests.store.test_runner import until

TOKEN = "token-of-the-gate-000"
T = TypeVar("T")


class FaultyPolicy:
    """The store's policy, with the faults of a store."""

    def __init__(self, store: Store) -> None:
        self.real = StoredPolicy(store)
        self.fault: Fault | None = None
        self.over = asyncio.Event()

    async def put(self, wanted: Wanted) -> Rule:
        if self.fault is Fault.YES_WITHOUT_DOING:
            now = self.real._store.now()
            return Rule(**wanted.__dict__, version=1, added_version=1, added_at=now)
        return await self._write(self.real.put(wanted))

    async def remove(self, key: str) -> Rule | None:
        if self.fault is Fault.YES_WITHOUT_DOING:
            rule = await self.real.get(key)
            assert rule is not None
            rule.removed_at = rule.added_at
            return rule
        return await self._write(self.real.remove(key))

    async def get(self, key: str) -> Rule | None:
        return await self._read(self.real.get(key))

    async def holding(self, kind: ActionKind, scope_kind: ScopeKind, scope_id: str) -> Sequence[Rule]:
        return await self._read(self.real.holding(kind, scope_kind, scope_id))

    async def gates(self) -> Sequence[GateReplica]:
        return await self._read(self.real.gates())

    async def _write(self, done: Awaitable[T]) -> T:
        result = await self._read(done)
        if self.fault is Fault.ERROR_AFTER_DOING:
            raise Busy(unknown=True)
        return result

    async def _read(self, done: Awaitable[T]) -> T:
        if self.fault is Fault.DOWN:
            asyncio.ensure_future(done).cancel()
            raise Busy
        result = await done
        if self.fault is Fault.SLOW:
            await self.over.wait()
        return result


class GateSystem:
    """`System` of the conformance suite."""

    secrets = (TOKEN,)
    faults = frozenset({Fault.DOWN, Fault.SLOW, Fault.ERROR_AFTER_DOING, Fault.YES_WITHOUT_DOING})
    """Those of the store, where orders go; how wrong credentials and redirects of a gate are met is tested apart."""

    def __init__(self, store: Store, running: RunningGate) -> None:
        self.store, self.running, self.policy = store, running, FaultyPolicy(store)

    @property
    def url(self) -> str:
        return "http://127.0.0.1:9" if self.policy.fault is Fault.DOWN else f"http://127.0.0.1:{self.running.port}"

    async def behaves_blocked(self, order: Order) -> bool:
        await self.followed()
        caller = Caller(targets_of([(order.scope_kind, order.scope_id)]), probe=True)
        return not (await self.running.gate.decide(caller)).allowed

    async def followed(self) -> None:
        async def same() -> bool:
            return all(rule.version <= (self.running.book.version or 0) for rule in await self._rules())

        await until(same)

    async def state(self) -> object:
        return {(rule.key, rule.incident, rule.per_minute) for rule in await self._rules() if rule.removed_at is None}

    async def carried_out(self, order: Order) -> int | None:
        return len([rule for rule in await self._rules() if rule.key == order.key])

    async def meddle(self, order: Order) -> bool:
        await change_by_hand(self.store, order.key, incident=13)
        return True

    @contextlib.asynccontextmanager
    async def having(self, fault: Fault) -> AsyncIterator[None]:
        self.policy.fault, self.policy.over = fault, asyncio.Event()
        try:
            yield
        finally:
            self.policy.fault = None
            self.policy.over.set()

    def strayed(self) -> int:
        return 0

    async def _rules(self) -> Sequence[Rule]:
        async with self.store.read() as session:
            return (await session.exec(select(Rule).order_by(col(Rule.version)))).all()


@contextlib.asynccontextmanager
async def gate_running(store: Store) -> AsyncIterator[RunningGate]:
    settings = Settings.model_validate({"FIRSTHOUR_GATE": "127.0.0.1:0", "FIRSTHOUR_GATE_TOKEN": TOKEN})
    running = RunningGate(store, settings, GateSettings())
    await running.start()
    try:
        yield running
    finally:
        await running.stop()


@contextlib.asynccontextmanager
async def connected(system: GateSystem, *, seconds: float = 4.0, token: str = TOKEN) -> AsyncIterator[Gate]:
    asking = Asking(lambda: system.url, SecretStr(token))
    made = Gate(system.policy, asking, Terms("Please call us."), seconds=seconds)
    try:
        yield made
    finally:
        await made.close()
