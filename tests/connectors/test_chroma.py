from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from bot.connectors.chroma import Settings
from bot.connectors.conformance import HOSTILE, PROMISES, Promise, name_of, timeout_for
from bot.connectors.contract import Effect
from bot.connectors.vectors import MOST
from bot.connectors.vectors_restrict import Documents
from bot.incident.words import ActionKind, ScopeKind
from tests.connectors import vectors_standins
from tests.connectors.behind import serving
from tests.connectors.vectors_standins import TOKEN, Chroma
from tests.connectors.vectors_system import (
    FIRST,
    FOURTH,
    LIBRARY,
    SAID,
    SECOND,
    ChromaShelf,
    Library,
    case,
    library,
    restrict,
    updates,
)

E = Effect


@contextlib.asynccontextmanager
async def opened(server: Chroma, **given: Any) -> AsyncIterator[tuple[Documents, Library]]:
    server.rows |= {one: dict(fields) for one, fields in LIBRARY.items()}
    async with (
        serving(server.app()) as root,
        httpx.AsyncClient(verify=False, headers={"authorization": f"Bearer {TOKEN}"}) as http,
    ):
        shelf = ChromaShelf(http, root, "kb-main")
        given = {"token_env": "LIBRARY_TOKEN", "collections": ["kb-main"]} | given
        async with library(root, shelf, Settings, is_order=updates, yes=b"{}", **given) as both:
            yield both


@pytest.fixture
def server() -> Chroma:
    return Chroma()


@pytest.fixture
async def connector(server: Chroma) -> AsyncIterator[Documents]:
    async with opened(server, applications={"support-bot": ["kb-main"], "other-bot": ["kb-other"]}) as (made, _):
        yield made


@pytest.mark.parametrize("promise", PROMISES, ids=name_of)
async def test_it_keeps_its_promises(server: Chroma, promise: Promise) -> None:
    async with opened(server, timeout_seconds=timeout_for(promise)) as both:
        await promise(case(*both))


async def test_every_piece_of_a_document_is_marked_and_put_back_exactly(server: Chroma, connector: Documents) -> None:
    before = {one: dict(fields) for one, fields in server.rows.items()}
    captured = await connector.snapshot(restrict())
    assert (await connector.apply(restrict())).detail == "library marked 2 documents."
    assert [one for one, fields in server.rows.items() if fields.get("quarantined") is True] == [FIRST, SECOND]
    assert server.rows[FIRST]["text"] == SAID  # merged, not written over
    assert (await connector.revert(restrict(), captured.snapshot)).effect is E.APPLIED
    assert server.rows == before  # false where it was false, nothing where there was nothing


async def test_a_document_is_found_by_its_own_id_too(server: Chroma, connector: Documents) -> None:
    assert (await connector.apply(restrict(FOURTH))).effect is E.APPLIED
    assert (await connector.verify(restrict(FOURTH))).effect is E.VERIFIED
    assert [one for one, fields in server.rows.items() if fields.get("quarantined") is True] == [FOURTH]
    assert (await connector.revert(restrict(FOURTH), None)).effect is E.APPLIED
    assert server.rows[FOURTH] == {}


async def test_hostile_ids_mean_themselves_only(server: Chroma, connector: Documents) -> None:
    for number, scope_id in enumerate(HOSTILE):
        server.rows[f"h-{number}"] = {"source": scope_id}
        assert (await connector.apply(restrict(scope_id))).detail == "library marked 1 document."
        assert (await connector.verify(restrict(scope_id))).effect is E.VERIFIED
    assert sum(fields.get("quarantined") is True for fields in server.rows.values()) == len(HOSTILE)


async def test_an_application_is_its_collections_and_unknown_ones_are_refused(
    server: Chroma, connector: Documents
) -> None:
    order = restrict("support-bot", ScopeKind.APPLICATION)
    assert "Every document of application support-bot" in (await connector.plan(order)).sentence
    assert (await connector.apply(order)).detail == "library marked 4 documents."
    assert (await connector.verify(order)).effect is E.VERIFIED
    assert (await connector.revert(order, None)).effect is E.APPLIED
    for unknown in ("other-bot", "../kb-main", "*"):
        refused = await connector.apply(restrict(unknown, ScopeKind.APPLICATION))
        assert refused.effect is E.FAILED and "no collections of that application" in refused.detail
    assert (await connector.apply(restrict("mallory", ScopeKind.USER))).effect is E.FAILED


async def test_pieces_that_are_written_anew_are_found_out_and_marked_by_the_next_attempt(
    server: Chroma, connector: Documents
) -> None:
    await connector.apply(restrict())
    server.rows[FIRST] = {"source": "wiki/mallory.md"}  # re-ingested while in quarantine
    seen = await connector.verify(restrict())
    assert seen.effect is E.NOT_IN_FORCE and "1 of 2 documents" in seen.detail
    await connector.apply(restrict())
    assert (await connector.verify(restrict())).effect is E.VERIFIED


async def test_a_document_that_somebody_released_is_not_touched(server: Chroma, connector: Documents) -> None:
    captured = await connector.snapshot(restrict())
    await connector.apply(restrict())
    server.rows[FIRST]["quarantined"] = False
    before = {one: dict(fields) for one, fields in server.rows.items()}
    refused = await connector.revert(restrict(), captured.snapshot)
    assert refused.effect is E.FAILED and "Somebody changed 1 document since" in refused.detail
    assert server.rows == before


async def test_a_document_that_lost_its_mark_or_was_given_another_source_is_named_and_a_deleted_one_is_no_matter(
    server: Chroma, connector: Documents
) -> None:
    captured = await connector.snapshot(restrict())
    await connector.apply(restrict())
    moved = server.rows[FIRST]
    server.rows[FIRST] = moved | {"source": "wiki/elsewhere.md"}
    assert (await connector.revert(restrict(), captured.snapshot)).effect is E.FAILED
    del server.rows[FIRST]
    assert (await connector.revert(restrict(), captured.snapshot)).detail == "library put back 1 document."
    assert server.rows[SECOND] == LIBRARY[SECOND]


async def test_two_orders_on_one_document_hold_until_both_are_reverted(server: Chroma, connector: Documents) -> None:
    first, second = restrict(), replace(restrict(), incident="INC-99", key="INC-99:1:document/x")
    for order in (first, second):
        assert (await connector.apply(order)).effect is E.APPLIED
        assert (await connector.verify(order)).effect is E.VERIFIED
    assert (await connector.revert(first, None)).effect is E.APPLIED
    assert (await connector.verify_revert(first)).effect is E.REVERTED
    assert (await connector.verify(second)).effect is E.VERIFIED
    assert (await connector.revert(second, None)).effect is E.APPLIED
    assert server.rows == LIBRARY


async def test_when_nothing_at_all_is_returned_any_more_nobody_says_verified(
    server: Chroma, connector: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    await connector.apply(restrict())
    matches = vectors_standins._chroma_matches
    monkeypatch.setattr(
        vectors_standins, "_chroma_matches", lambda fields, where: "$ne" not in str(where) and matches(fields, where)
    )
    assert (await connector.verify(restrict())).effect is E.UNKNOWN


async def test_more_documents_than_anybody_meant_are_refused(server: Chroma, connector: Documents) -> None:
    server.rows |= {f"d-{number}": {"source": "everything"} for number in range(MOST + 1)}
    refused = await connector.apply(restrict("everything"))
    assert refused.effect is E.FAILED and "more than 1,000" in refused.detail
    del server.rows["d-0"]
    assert (await connector.apply(restrict("everything"))).detail == "library marked 1000 documents."
    assert (await connector.verify(restrict("everything"))).effect is E.VERIFIED


async def test_nothing_found_is_never_called_contained(connector: Documents) -> None:
    assert (await connector.snapshot(restrict("nothing"))).effect is E.FAILED
    applied = await connector.apply(restrict("nothing"))
    assert applied.effect is E.FAILED and "Nothing was changed" in applied.detail
    assert (await connector.verify(restrict("nothing"))).effect is E.NOT_IN_FORCE


async def test_a_snapshot_and_the_log_hold_no_text_and_no_secret(
    connector: Documents, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    captured = await connector.snapshot(restrict())
    assert captured.snapshot is not None
    first, second = captured.snapshot["metadata"]
    assert first["metadata"]["page"] == 1 and first["metadata"]["text"].keys() == {"sha256", "characters"}
    assert "[redacted" in second["metadata"]["owner"]
    for word in (json.dumps(captured.snapshot), caplog.text):
        assert not any(secret in word for secret in (SAID, TOKEN, "AKIAIOSFODNN7EXAMPLE"))


async def test_ids_never_stand_in_a_path(server: Chroma, connector: Documents) -> None:
    await connector.apply(restrict("../../admin"))
    await connector.apply(restrict())
    assert {one.rpartition("/")[2] for one in server.asked} == {"kb-main", "get", "update"}


def test_a_file_that_cannot_work_is_refused() -> None:
    assert Settings.enforces == {ActionKind.RESTRICT_RAG}
    for wrong in ({"collections": []}, {"collections": ["a"], "field": "a.b"}, {"collections": ["a"], "token": "x"}):
        with pytest.raises(ValidationError):
            Settings.model_validate({"kind": "chroma", "url": "http://localhost:8000"} | wrong)


async def test_an_order_of_another_kind_is_refused_in_words(connector: Documents) -> None:
    order = replace(restrict(), kind=ActionKind.BLOCK_USER)
    assert "will refuse" in connector.effect_of(order.kind, order.scope_kind, order.scope_id)
    refused = await connector.apply(order)
    assert refused.effect is E.FAILED and "does not block user" in refused.detail
