"""The Chroma connector against Chroma's own server: the checks of the stand-in, and the application's real queries."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncIterator

import httpx
import pytest

from bot.connectors.chroma import Settings
from bot.connectors.conformance import PROMISES, Case, Promise, name_of, timeout_for
from bot.connectors.contract import Effect
from bot.connectors.vectors_restrict import Documents
from tests.connectors.vectors_system import (
    FIRST,
    LIBRARY,
    SECOND,
    THIRD,
    ChromaShelf,
    Library,
    case,
    library,
    restrict,
    updates,
)
from tests.integration.conftest import Elsewhere
from tests.integration.systems.chroma import Chroma

E = Effect
COUNT = itertools.count()
QUERY = """
import chromadb
client = chromadb.HttpClient(host=given["host"], port=given["port"])
found = client.get_collection(given["collection"]).query(
    query_embeddings=[given["near"]], n_results=4, where={"quarantined": {"$ne": True}}, include=[]
)
print(json.dumps(found["ids"][0]))
"""
"""An application's retrieval, with the vendor's own client."""


@contextlib.asynccontextmanager
async def opened(chroma: Chroma, seconds: float = 4.0) -> AsyncIterator[tuple[Documents, Library]]:
    """A collection of this test's own. Embeddings are given: no model is downloaded."""
    name = f"kb-{next(COUNT)}"
    async with httpx.AsyncClient(verify=False) as http:
        shelf = ChromaShelf(http, chroma.url, name)
        (await http.post(shelf.place, json={"name": name})).raise_for_status()
        ids = list(LIBRARY)
        metadatas = [LIBRARY[one] or None for one in ids]
        embeddings = [[float(at), 1.0] for at, _ in enumerate(ids)]
        await shelf.post("add", {"ids": ids, "embeddings": embeddings, "metadatas": metadatas, "documents": ids})
        given = {"collections": [name], "timeout_seconds": seconds}
        async with library(chroma.url, shelf, Settings, is_order=updates, yes=b"{}", **given) as both:
            yield both


@pytest.mark.parametrize("promise", PROMISES, ids=name_of)
async def test_it_keeps_its_promises(chroma: Chroma, promise: Promise) -> None:
    async with opened(chroma, timeout_for(promise)) as both:
        one: Case = case(*both)
        await promise(one)


async def test_the_query_that_returned_the_documents_no_longer_does_and_does_again(
    chroma: Chroma, elsewhere: Elsewhere
) -> None:
    async with opened(chroma) as (connector, system):
        assert isinstance(system.shelf, ChromaShelf)
        url = httpx.URL(chroma.url)
        asked = {"host": url.host, "port": url.port, "collection": system.shelf.name, "near": [0.0, 1.0]}
        before = await system.state()
        assert elsewhere(QUERY, **asked)[:2] == [FIRST, SECOND]
        captured = await connector.snapshot(restrict())
        assert (await connector.apply(restrict())).effect is E.APPLIED
        assert (await connector.verify(restrict())).effect is E.VERIFIED
        returned = elsewhere(QUERY, **asked)
        assert returned[0] == THIRD and not {FIRST, SECOND} & set(returned)
        assert (await connector.revert(restrict(), captured.snapshot)).effect is E.APPLIED
        assert (await connector.verify_revert(restrict())).effect is E.REVERTED
        assert elsewhere(QUERY, **asked)[:2] == [FIRST, SECOND]
        assert await system.state() == before


async def test_six_hundred_pieces_of_one_document_are_marked_and_put_back(chroma: Chroma) -> None:
    async with opened(chroma) as (connector, system):
        assert isinstance(system.shelf, ChromaShelf)
        ids = [f"piece-{number}" for number in range(600)]
        many = {"ids": ids, "embeddings": [[1.0, 0.0]] * 600, "metadatas": [{"source": "long.pdf", "page": 1}] * 600}
        await system.shelf.post("add", many)
        before, order = await system.state(), restrict("long.pdf")
        assert (await connector.apply(order)).detail == "library marked 600 documents."
        assert (await connector.verify(order)).effect is E.VERIFIED
        assert (await connector.revert(order, None)).effect is E.APPLIED
        assert await system.state() == before
