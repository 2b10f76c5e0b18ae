"""The real systems as fixtures, one of each a session, started when the first test asks for it.

Decides what a test gets of a system, and what the end of the run says: which systems ran, which did not, and why.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import json
import shutil
import subprocess
import textwrap
import uuid
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import httpx
import pytest

from tests.conftest import database_of, postgres_database
from tests.integration.calls import Client
from tests.integration.gate import TOKEN, Gate, Policy, policy_of
from tests.integration.laboratory import MISSED, NOT_RUN, SYSTEMS, Laboratory, must_run
from tests.integration.systems import (
    aws,
    chroma,
    litellm,
    nginx,
    promptfoo,
    scim,
    unleash,
    upstream,
    valkey,
    valkey_cluster,
)
from tests.integration.systems.installed import python
from tests.integration.systems.process import TAIL

T = TypeVar("T")
LABORATORY = pytest.StashKey[Laboratory]()


@pytest.fixture(scope="session")
def laboratory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    found = request.config.stash[LABORATORY] = Laboratory(tmp_path_factory.mktemp("systems"))
    return found


def plain(name: str, running: Callable[[Path], contextlib.AbstractContextManager[T]]) -> Any:
    """The fixture of a system that needs nothing of the others."""

    @pytest.fixture(scope="session", name=name)
    def fixture(laboratory: Laboratory) -> Iterator[T]:
        with laboratory.start(name, running) as system:
            yield system

    return fixture


_valkey = plain("valkey", valkey.running)
_valkey_cluster = plain("valkey_cluster", valkey_cluster.running)
_chroma = plain("chroma", chroma.running)
_moto = plain("moto", aws.running)
_scim = plain("scim", scim.running)
_promptfoo = plain("promptfoo", promptfoo.running)


@pytest.fixture(scope="session")
def postgres(laboratory: Laboratory, postgres_server: str) -> Iterator[str]:
    """The URL of the PostgreSQL that every test uses anyway, as the administrator."""
    with laboratory.start("postgres", lambda _: contextlib.nullcontext(postgres_server)) as system:
        yield system


@pytest.fixture
async def empty_postgres_url(postgres: str) -> AsyncIterator[str]:
    """An empty database of this test's own: `postgresql://postgres:@/name?host=/folder/of/the/socket`."""
    async with postgres_database(postgres, "template0") as url:
        yield url


@pytest.fixture(scope="session", name="unleash")
def _unleash(laboratory: Laboratory, postgres: str) -> Iterator[unleash.Unleash]:
    asyncio.run(_create_database(postgres, "unleash"))
    running = functools.partial(unleash.running, database_url=database_of(postgres, "unleash"))
    with laboratory.start("unleash", running) as system:
        yield system


async def _create_database(server: str, name: str) -> None:
    admin = await asyncpg.connect(server)
    await admin.execute(f"CREATE DATABASE {name}")
    await admin.close()


@pytest.fixture(scope="session", name="upstream")
def _upstream(laboratory: Laboratory) -> Iterator[upstream.Upstream]:
    with upstream.running(laboratory.home / "upstream") as provider:
        yield provider


@pytest.fixture(scope="session")
def gate_database(sqlite_template: Path, laboratory: Laboratory) -> str:
    path = laboratory.home / "gate.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def gate(laboratory: Laboratory, gate_database: str) -> Iterator[Gate]:
    """One gate for the whole session; a test that takes it down brings it back up."""
    running = Gate(laboratory.home / "gate", gate_database)
    with contextlib.closing(running):
        running.start()
        yield running


_incidents = itertools.count(101)


@pytest.fixture
async def policy(gate: Gate, gate_database: str) -> AsyncIterator[Policy]:
    """The `gate` connector on this gate, for an incident of this test's own."""
    async with policy_of(gate, gate_database, next(_incidents)) as given:
        yield given


@pytest.fixture(scope="session", name="nginx")
def _nginx(laboratory: Laboratory, upstream: upstream.Upstream, gate: Gate) -> Iterator[nginx.Nginx]:
    """Asks the gate about every call, and hands it on to the model provider if it may pass. `X-User` is who calls."""
    server = nginx.asking_the_gate(gate.url, TOKEN, upstream.url)
    with laboratory.start("nginx", functools.partial(nginx.running, server=server)) as system:
        yield system


@pytest.fixture(scope="session", name="litellm")
def _litellm(laboratory: Laboratory, upstream: upstream.Upstream, gate: Gate) -> Iterator[litellm.LiteLLM]:
    """One proxy: calls that name a guardrail are asked about at the gate, others are not."""
    running = functools.partial(litellm.running, upstream_url=upstream.url, gate_url=gate.url, gate_token=TOKEN)
    with laboratory.start("litellm", running) as system:
        yield system


@pytest.fixture
async def client(litellm: litellm.LiteLLM) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {litellm.key}"}
    async with httpx.AsyncClient(base_url=litellm.url, headers=headers, timeout=30, trust_env=False) as http:
        yield Client(http)


@pytest.fixture
def user() -> str:
    return f"mallory-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def other() -> str:
    return f"alice-{uuid.uuid4().hex[:8]}"


Elsewhere = Callable[..., Any]


@pytest.fixture(scope="session")
def elsewhere() -> Elsewhere:
    """`elsewhere(source, name=value, …)`: runs Python where the systems' own client libraries are, and gives what it prints.

    The script finds what is given as the dictionary `given`, and prints one JSON value as its last line.
    """

    def run(source: str, **given: Any) -> Any:
        script = f"import json, sys\ngiven = json.load(sys.stdin)\n{textwrap.dedent(source)}"
        done = subprocess.run(
            [python(), "-c", script], input=json.dumps(given), capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])

    return run


def pytest_sessionstart() -> None:
    must_run()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A system that must run and was not even asked for is a failure, too: a test that is gone proves nothing."""
    found = session.config.stash.get(LABORATORY, None)
    if must_run() - (set(found.running) if found else set()):
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """A failed test shows the end of the logs of the systems that it used."""
    outcome = yield
    report: pytest.TestReport = outcome.get_result()
    found = item.config.stash.get(LABORATORY, None)
    if report.failed and found is not None and isinstance(item, pytest.Function):
        for log in found.logs(SYSTEMS.keys() & set(item.fixturenames)):
            report.sections.append((str(log), log.read_text(errors="replace")[-TAIL:]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.stash.get(LABORATORY, None)
    terminalreporter.section("real systems")
    for line in (found or Laboratory(Path())).told():
        terminalreporter.write_line(line, red=line.startswith(MISSED), yellow=line.startswith(NOT_RUN))
