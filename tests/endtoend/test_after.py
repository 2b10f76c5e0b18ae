"""The weeks after an incident, from the room and the Home tab: action items, their issues, and that it comes back."""

from __future__ import annotations

from pathlib import Path

from bot.practice.state import Button
from tests.endtoend.conftest import Scene, arranged
from tests.trackers.standins import standing_in

ORGANISATION = """
roster: {{on_call: {{people: [U0ALICE]}}, security_team: {{people: [U0BOB]}}}}
tracker: {{kind: jira, url: "{url}", project: SEC, token_env: FIRSTHOUR_INGEST_TOKEN}}
"""


def home_button(scene: Scene, action_id: str) -> Button | None:
    home = scene.bob.home
    return next((one for one in home.buttons() if one.action_id == action_id), None) if home is not None else None


async def test_items_are_filled_in_finished_at_home_and_tracked_and_what_comes_back_is_recognised(
    tmp_path: Path,
) -> None:
    async with standing_in() as jira, arranged(tmp_path, ORGANISATION.format(url=jira.url)) as scene:
        room = await scene.led()
        await scene.press(scene.alice, room, "acknowledge")
        await scene.press(scene.alice, room, "resolve")
        await scene.fills(scene.alice, "Resolve", {"reason": "the prompt filter is live", "waive": "nothing to replay"})
        await scene.shows(room, "card", "*Resolved*")
        listed = await scene.asks(scene.alice, "action", "Action items of INC-1", room)
        assert sum(one.action_id == "item_edit" for one in listed.buttons()) == 5

        await scene.bob.open_home()
        done = await scene.until(lambda: home_button(scene, "item_done"))
        assert scene.bob.home is not None and "2 pending" in scene.bob.home.plain()
        await scene.bob.press(None, scene.bob.home, "item_done", done.value)
        await scene.until(lambda: scene.bob.home is not None and "1 pending" in scene.bob.home.plain())
        assert not scene.bob.ephemerals(), "the tab itself is the answer"

        await scene.asks(scene.alice, "action track 2", "is being opened", room)
        await scene.until(lambda: jira.opened == 1)
        await scene.quiet()
        await scene.asks(scene.alice, "action", "browse/SEC-1", room)

        await scene.asks(scene.alice, "close", "INC-1 is closed", room)
        again = await scene.opened()
        await scene.shown(again, "Recurrence of *INC-1*, closed 0 days ago")
        await scene.shown(room, "INC-1 came back as *INC-2*")
