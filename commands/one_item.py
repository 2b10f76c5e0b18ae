"""What the verbs about one action item or risk share: its number, how dates are written, the item that a button names.

Decides that a date's form is checked before a form closes, and that an item is read by whoever may change it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bot.cases.context import Context
from bot.cases.insiders import insider
from bot.cases.items import LONGEST
from bot.incident.due import end_of, when_due, written
from bot.incident.errors import Invalid
from bot.incident.learning import ActionItem, Risk
from bot.slack.feature import Asked
from bot.store import items, queries


def _shaped(text: str) -> str:
    written(text)
    return text


Day = Annotated[str, AfterValidator(_shaped)]
"""`2026-12-01`, `10d`, `2w`."""
Number = Annotated[int, Field(ge=1, le=2_000_000_000)]
Words = Annotated[str, Field(min_length=1, max_length=LONGEST)]


class About(BaseModel):
    """What every verb about one of them reads."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


def due(ctx: Context, text: str | None, field: str) -> datetime | None:
    """The end of the date that was written. Raises Invalid where it is over or too far ahead."""
    if text is None:
        return None
    try:
        return when_due(text, ctx.store.now())
    except ValueError as error:
        raise Invalid(str(error), field=field) from None


def same(text: str | None, before: datetime | None) -> bool:
    """The date was left as it stands: what is over may be edited without a new one."""
    day = written(text) if text is not None and before is not None else None
    return day is not None and not isinstance(day, timedelta) and end_of(day) == before


def pressed(asked: Asked) -> int:
    """The number that a button carries besides its incident. Raises Invalid for a button that is not ours."""
    number = asked.value.partition("|")[0]
    if not (number.isascii() and number.isdecimal() and len(number) < 11):
        raise Invalid("This button names nothing. Ask for the list again.", example="/incident action")
    return int(number)


async def readable_item(ctx: Context, asked: Asked, number: int) -> ActionItem:
    """The item, where this person may change it and so may read it. Raises Refused or NotFound."""
    async with ctx.store.read() as session:
        item = await items.item(session, number)
        incident = await queries.incident(session, item.incident)
        await insider(session, incident, asked.caller, room=asked.channel, owner=item.owner)
    return item


async def readable_risk(ctx: Context, asked: Asked, number: int) -> Risk:
    """As `readable_item`."""
    async with ctx.store.read() as session:
        risk = await items.risk(session, number)
        incident = await queries.incident(session, risk.incident)
        await insider(session, incident, asked.caller, room=asked.channel, owner=risk.owner)
    return risk
