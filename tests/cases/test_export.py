"""An incident as a document that proves itself: who approved what, with the digests, without the store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.__main__ import app as command_line
from bot.cases import decide
from bot.incident.errors import ChainBroken, Invalid, NotFound
from bot.store import Store
from bot.store.export import export, proven
from tests import opened as case
from tests.cases import containing
from tests.cases.containing import ALICE, Room


@pytest.fixture
async def room(store: Store) -> AsyncIterator[Room]:
    async with containing.room(store) as room:
        yield room


async def exported(room: Room) -> dict[str, Any]:
    async with room.store.read() as session:
        return json.loads(json.dumps(await export(session, room.number, room.store.now())))


async def test_approvals_stand_in_it_with_the_digest_of_what_was_shown(room: Room) -> None:
    index = await room.propose()
    await decide.approve(room.ctx, ALICE, room.number, index=index)
    document = await exported(room)
    [action] = [one for one in document["actions"] if one["index"] == index]
    [approval] = [one for one in document["approvals"] if one["action"] == action["id"]]
    assert (approval["person"], approval["digest"]) == (ALICE.actor.id, action["digest"])
    said = [entry["data"]["digest"] for entry in document["timeline"] if entry["kind"] == "action_approved"]
    assert said == [action["digest"]]
    assert proven(document) == len(document["timeline"]) > 2


async def test_what_was_changed_cut_or_added_afterwards_is_named(room: Room) -> None:
    document = await exported(room)
    changed = json.loads(json.dumps(document))
    changed["timeline"][1]["actor"] = "U0MALLORY"
    with pytest.raises(ChainBroken, match="entry 2: its content does not match its hash"):
        proven(changed)
    with pytest.raises(ChainBroken, match="are missing at the end"):
        proven(document | {"timeline": document["timeline"][:-1]})


@pytest.mark.parametrize("nonsense", [{}, [], "text", {"format": "firsthour-export/1", "incident": {}, "timeline": 3}])
def test_what_is_no_export_is_refused_in_words(nonsense: Any) -> None:
    with pytest.raises(Invalid, match="not an export"):
        proven(nonsense)


async def test_an_incident_that_is_not_there_is_named(room: Room) -> None:
    async with room.store.read() as session:
        with pytest.raises(NotFound, match="There is no INC-99"):
            await export(session, 99, room.store.now())


async def test_the_command_line_proves_a_file_without_the_store(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "incident.json"
    path.write_text(json.dumps(await exported(room)))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    proved = CliRunner().invoke(command_line, ["verify", str(path)])
    assert proved.exit_code == 0 and "the chain is unbroken" in proved.output
    path.write_text("not JSON")
    refused = CliRunner().invoke(command_line, ["verify", str(path)])
    assert refused.exit_code == 1 and "is not JSON" in refused.output


def test_the_command_line_writes_a_file_for_its_owner_alone(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    out = tmp_path / "incident.json"
    nothing = CliRunner().invoke(command_line, ["export", "INC-1", "--out", str(out)])
    assert nothing.exit_code == 1 and "There is no INC-1" in nothing.output and not out.exists()
    asyncio.run(opened(sqlite_url))
    written = CliRunner().invoke(command_line, ["export", "INC-1", "--out", str(out)])
    assert written.exit_code == 0 and "entries" in written.output
    assert out.stat().st_mode & 0o077 == 0
    assert CliRunner().invoke(command_line, ["verify", str(out)]).exit_code == 0


async def opened(url: str) -> None:
    store = Store(url)
    try:
        await case.opened(case.context(store))
    finally:
        await store.close()
