from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from bot.connectors.conformance import HOSTILE, PROMISES, Promise, name_of, timeout_for
from bot.connectors.conformance.proxy import Asked
from bot.connectors.contract import Effect
from bot.connectors.qdrant import Settings
from bot.connectors.vectors_restrict import Documents
from tests.connectors.behind import serving
from tests.connectors.vectors_standins import TOKEN, Fields, Qdrant
from tests.connectors.vectors_system import LIBRARY, SAID, Library, case, library, restrict

E = Effect
YES = b'{"result": {"operation_id": 7, "status": "completed"}, "status": "ok", "time": 0.001}'


class Shelf:
    """The rows of the stand-in, through its own HTTP."""

    def __init__(self, http: httpx.AsyncClient, root: str) -> None:
        self.http, self.place = http, f"{root}/collections/kb-main/points"

    async def all(self, *, visible: bool = False) -> dict[str, Fields]:
        hidden = {"must_not": [{"key": "quarantined", "match": {"value": True}}]} if visible else {}
        answer = await self.http.post(
            f"{self.place}/scroll", json={"filter": hidden, "limit": 1000, "with_payload": True}
        )
        return {str(one["id"]): one["payload"] or {} for one in answer.json()["result"]["points"]}

    async def merge(self, one: str, fields: Fields) -> None:
        await self.http.post(f"{self.place}/payload?wait=true", json={"payload": fields, "points": [one]})

    async def remove(self, one: str) -> None:
        raise AssertionError


def orders(asked: Asked) -> bool:
    return "/points/payload" in asked.path or "/points/batch" in asked.path


@contextlib.asynccontextmanager
async def opened(server: Qdrant, **given: Any) -> AsyncIterator[tuple[Documents, Library]]:
    server.rows |= {one: dict(fields) for one, fields in LIBRARY.items()}
    async with serving(server.app()) as root, httpx.AsyncClient(verify=False, headers={"api-key": TOKEN}) as http:
        given = {"api_key_env": "LIBRARY_TOKEN", "collections": ["kb-main"], "source_fields": ["source"]} | given
        async with library(root, Shelf(http, root), Settings, is_order=orders, yes=YES, **given) as both:
            yield both


@pytest.fixture
def server() -> Qdrant:
    return Qdrant()


@pytest.fixture
async def connector(server: Qdrant) -> AsyncIterator[Documents]:
    async with opened(server, source_fields=["source", "metadata.source"]) as (made, _):
        yield made


@pytest.mark.parametrize("promise", PROMISES, ids=name_of)
async def test_it_keeps_its_promises(server: Qdrant, promise: Promise) -> None:
    async with opened(server, timeout_seconds=timeout_for(promise)) as both:
        await promise(case(*both))


async def test_the_payload_is_merged_and_put_back_and_never_written_over(server: Qdrant, connector: Documents) -> None:
    captured = await connector.snapshot(restrict())
    assert (await connector.apply(restrict())).effect is E.APPLIED
    assert SAID in str(server.rows)
    assert (await connector.revert(restrict(), captured.snapshot)).effect is E.APPLIED
    assert server.rows == LIBRARY
    assert not any(one.startswith("PUT") for one in server.asked)


async def test_a_nested_source_and_numbers_as_ids_are_found(server: Qdrant, connector: Documents) -> None:
    server.rows |= {7: {"metadata": {"source": "wiki/nested.md"}}, 2**64 - 1: {"note": "a number as its id"}}
    for scope_id in ("wiki/nested.md", str(2**64 - 1)):
        assert (await connector.apply(restrict(scope_id))).detail == "library marked 1 document."
        assert (await connector.verify(restrict(scope_id))).effect is E.VERIFIED
    assert (await connector.apply(restrict(str(2**64)))).effect is E.FAILED


async def test_hostile_ids_mean_themselves_only(server: Qdrant, connector: Documents) -> None:
    for number, scope_id in enumerate(HOSTILE):
        server.rows[number] = {"source": scope_id}
        assert (await connector.apply(restrict(scope_id))).detail == "library marked 1 document."
        assert (await connector.verify(restrict(scope_id))).effect is E.VERIFIED
    assert sum(fields.get("quarantined") is True for fields in server.rows.values()) == len(HOSTILE)


async def test_what_was_taken_and_is_not_said_to_be_done_is_unknown(server: Qdrant, connector: Documents) -> None:
    server.acknowledge = True
    assert (await connector.apply(restrict("wiki/alice.md"))).effect is E.UNKNOWN
    assert (await connector.verify(restrict("wiki/alice.md"))).effect is E.VERIFIED


async def test_many_points_are_read_page_by_page(server: Qdrant, connector: Documents) -> None:
    server.rows |= {number: {"source": "many"} for number in range(250)}
    assert (await connector.apply(restrict("many"))).detail == "library marked 250 documents."
    assert sum("scroll" in one for one in server.asked) == 3 + 1  # and once for the other key of a source
