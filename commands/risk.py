"""`/incident risk`: the risk register of a room, or the risks that are yours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from slack_sdk.models.blocks import Block

from bot.cases.context import Context
from bot.incident.learning import Risk
from bot.slack.buttons import Button, value
from bot.slack.cards.items import risk_line
from bot.slack.feature import Asked, Feature, Shown
from bot.slack.kit import actions, button, section
from bot.slack.text import Md, md
from bot.store import items
from commands.room import Verb, details

MOST = 30


class Risks(Verb):
    pass


async def run(ctx: Context, asked: Asked, form: Risks) -> Shown:
    which = form.incident or asked.incident
    if which is None:
        async with ctx.store.read() as session:
            mine = await items.risks_owned(session, asked.user)
        title = Md("*Risks that are yours*") if mine else Md("No open risk is yours. In a room, this lists the room's.")
        return Shown(title, [section(title), *_blocks(mine, ctx.store.now(), incident=True)])
    case = await details(ctx, asked, which)
    async with ctx.store.read() as session:
        found = await items.risks_of(session, which)
    title = md("*Risks of {}*", case.incident.name) if found else md("{} has entered no risks.", case.incident.name)
    more = actions(button("Enter a risk", Button.RISK_ADD, value(which)))
    return Shown(title, [section(title), *_blocks(found, ctx.store.now()), more])


def _blocks(risks: Sequence[Risk], now: datetime, *, incident: bool = False) -> list[Block]:
    """The open ones first."""
    ordered = sorted(risks, key=lambda risk: (risk.closed_at is not None, risk.id or 0))
    blocks: list[Block] = [_block(risk, now, incident=incident) for risk in ordered[:MOST]]
    return [*blocks, section(md("… and {} more.", len(ordered) - MOST))] if len(ordered) > MOST else blocks


def _block(risk: Risk, now: datetime, *, incident: bool) -> Block:
    about = value(risk.incident, risk.id or 0)
    edit = button("Change", Button.RISK_CHANGE, about, says=f"Change risk {risk.id}")
    return section(risk_line(risk, now, incident=incident), accessory=None if risk.closed_at else edit)


FEATURE: Feature[Context] = Feature(
    verb="risk",
    summary="Risk register of this room, or your risks.",
    model=Risks,
    examples=("/incident risk", "/incident risk INC-12"),
    run=run,
)
