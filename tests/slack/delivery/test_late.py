"""A room whose messages are late is told so once, and never flooded."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import col, update

from bot.incident.outward import Intent, IntentKind, SurfaceKind
from bot.practice.server import PracticeWorkspace
from bot.store.resync import resync

from .conftest import Work, texts

NOTICE = "late: Slack slowed Firsthour down"


async def say(work: Work, number: int, *keys: str, late: float = 0) -> None:
    """Posts that were wanted so many seconds ago."""
    async with work.store.unit() as unit:
        incident = await unit.incident(number)
        for key in keys:
            await unit.intend(IntentKind.POST, key, incident=incident, args={"message": "update_due"})
        await unit.flush()
        wanted = unit.now - timedelta(seconds=late)
        await unit.session.exec(update(Intent).where(col(Intent.key).in_(keys)).values(not_before=wanted))
    await work.settled()


def notices(work: Work, number: int) -> int:
    return texts(work.posted(number)).count(NOTICE)


async def test_the_first_late_message_says_how_late_and_the_others_do_not(work: Work) -> None:
    number, _ = await work.opened()
    await say(work, number, "a", "b", "c", late=42)
    assert notices(work, number) == 1
    assert "This message is 42 seconds late" in texts(work.posted(number)) or "43 seconds" in texts(work.posted(number))
    first = next(m for m in work.posted(number) if NOTICE in m.plain())
    assert "an update for stakeholders" in first.plain(), "it is no message of its own"


async def test_a_message_on_time_says_nothing_and_is_not_the_end_of_the_spell(work: Work) -> None:
    number, _ = await work.opened()
    await say(work, number, "a")
    assert notices(work, number) == 0
    await say(work, number, "b", late=130)
    assert notices(work, number) == 1 and "2 minutes late" in texts(work.posted(number))
    await say(work, number, "c")
    await say(work, number, "d", late=20)
    assert notices(work, number) == 1, "one that caught up in between does not have the room told again"


async def test_a_spell_ends_ten_minutes_after_the_room_was_told(work: Work) -> None:
    number, _ = await work.opened()
    await say(work, number, "a", late=20)
    async with work.store.unit() as unit:
        (await unit.incident(number)).late_told_at = unit.now - timedelta(hours=1)
    await say(work, number, "b", late=20)
    assert notices(work, number) == 2


async def test_slack_limiting_us_is_told_once(idle: Work, ws: PracticeWorkspace) -> None:
    ws.faults.add(method="chat.postMessage", kind="ratelimited", retry_after=11, times=1)
    idle.start()
    number = await idle.declare()
    await say(idle, number, *(f"k{n}" for n in range(3)))
    assert notices(idle, number) == 1


async def test_a_resync_posts_a_deleted_message_again_and_repairs_a_changed_one(work: Work) -> None:
    number, room = await work.opened()
    card, panel = await work.surface(number, SurfaceKind.CARD), await work.surface(number, SurfaceKind.PANEL)
    assert card.ts is not None and panel.ts is not None
    room.messages[card.ts].deleted = True
    room.messages[panel.ts].text, room.messages[panel.ts].blocks = "vandalised", []
    before = len(work.posted(number))
    async with work.store.unit() as unit:
        await resync(unit, number)
    await work.settled()
    assert len(work.posted(number)) == before + 1
    assert (await work.surface(number, SurfaceKind.CARD)).ts != card.ts
    assert "vandalised" not in texts(work.posted(number))
