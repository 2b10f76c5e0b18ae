"""From the room: the review as files and as the channel's canvas; a summary that only a person lets go."""

from __future__ import annotations

import hashlib

from bot.incident.timeline import Happened
from bot.practice.state import Channel, File
from bot.store import queries
from tests.endtoend.conftest import Scene


def files(scene: Scene, room: Channel, word: str) -> list[File]:
    world = scene.workspace.world
    found = [world.files[one] for message in scene.workspace.messages(room) for one in message.files]
    return [one for one in found if word in one.name]


async def written(scene: Scene, kind: Happened) -> set[str]:
    async with scene.house.store.read() as session:
        entries = await queries.timeline(session, 1)
    return {str(entry.data["sha256"]) for entry in entries if entry.kind is kind}


async def test_the_review_comes_into_the_room_and_a_summary_leaves_by_a_persons_release(scene: Scene) -> None:
    room = await scene.led()
    await scene.asks(scene.alice, "review INC-1", "shown in its room only")
    await scene.asks(scene.alice, "review", "is being written", room)
    review = await scene.until(lambda: files(scene, room, "review"))
    names = sorted(one.name.rpartition(".")[2] for one in [*review, *files(scene, room, "timeline")])
    assert names == ["csv", "html", "json", "md"]
    page = next(one.content or b"" for one in review if one.name.endswith(".md"))
    assert b"NOT PROVIDED" in page and b"Credential leak confirmed" in page
    assert hashlib.sha256(page).hexdigest() in await written(scene, Happened.DOCUMENT_WRITTEN)
    await scene.until(lambda: room.canvas == page.decode())

    await scene.alice.slash(room, "/incident share")
    await scene.fills(scene.alice, "Anonymised summary", {"text": "mallory got in; filter what is retrieved"})
    [draft] = await scene.until(lambda: files(scene, room, "draft"))
    digest = hashlib.sha256(draft.content or b"").hexdigest()
    assert b"mallory" not in (draft.content or b"") and b"filter what is retrieved" in (draft.content or b"")
    await scene.press(scene.alice, room, "release", "1|share|")
    released = await scene.until(lambda: [one for one in files(scene, room, "shared-summary") if one is not draft])
    assert released[0].content == draft.content
    assert await written(scene, Happened.DOCUMENT_RELEASED) == {digest}
