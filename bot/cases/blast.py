"""How far a proposed action reaches: its connector is asked, outside of any transaction, and the answer is kept with it.

Decides that what nobody knows is unknown, never zero, and that an action on a shared key runs by itself only where exactly
one user is behind it (design law 9). Figures are information that moves: no approval is bound to them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from bot.cases import actions, proposal
from bot.cases.attempt import BUDGET
from bot.cases.context import Context
from bot.connectors import Connector, Nature, Order, Plan
from bot.incident.incident import SYSTEM, Incident
from bot.incident.outward import IntentKind
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened
from bot.incident.words import ActionState
from bot.incident.work import Action
from bot.store import Unit
from bot.store.intents import Claim
from bot.store.runner import Done, Outcome

ONE_USER = 1
SOURCE_CHARS = 200


async def ask(
    ctx: Context, unit: Unit, incident: Incident, proposed: Sequence[Action], *, alone: Sequence[Action]
) -> None:
    """Have the connectors of actions that were proposed together asked. By hand nobody counts, so nobody is asked.

    `alone` run by themselves where it turns out that one user is behind them.
    """
    asked = [one for one in proposed if ctx.connectors.named(one.connector).nature is not Nature.BY_HAND]
    if asked:
        key = f"plan:{incident.number}:{asked[0].index}"
        args = {"actions": [one.index for one in asked], "alone": [one.index for one in alone]}
        await unit.intend(IntentKind.PLAN, key, incident=incident, args=args)


async def carry_out(ctx: Context, claim: Claim) -> Outcome:
    """Ask for all of them at once. Whoever does not answer in time is not asked again: it is not known, and a person decides."""
    assert claim.incident is not None
    number = claim.incident
    async with ctx.store.unit() as unit:
        incident = await unit.incident(number)
        waiting = [await actions.find(unit, incident, index) for index in claim.args["actions"]]
        orders = {one.index: (ctx.connectors.by_name.get(one.connector), Order.of(one)) for one in waiting}
    plans = await asyncio.gather(*(_told(connector, order) for connector, order in orders.values()))
    told = dict(zip(orders, plans, strict=True))

    async def write(unit: Unit) -> None:
        incident = await unit.incident(number)
        for index, plan in told.items():
            _keep(unit, incident, await actions.find(unit, incident, index), plan)
        await _run_alone(ctx, unit, incident, claim.args["alone"], told)

    return Done(write)


async def _told(connector: Connector | None, order: Order) -> Plan | None:
    if connector is None:
        return None
    try:
        async with asyncio.timeout(BUDGET):
            return await connector.plan(order)
    except TimeoutError:
        return None


def _keep(unit: Unit, incident: Incident, action: Action, plan: Plan | None) -> None:
    """The panel is shown anew only where something became known: until then it says that nothing is."""
    before = action.blast_calls, action.blast_subjects
    action.blast_calls = _count(plan.calls) if plan else None
    action.blast_subjects = _count(plan.subjects) if plan else None
    action.blast_source = clip(redact(plan.source), SOURCE_CHARS) if plan and plan.source else None
    action.blast_at = unit.now
    if before != (action.blast_calls, action.blast_subjects):
        unit.refresh(incident)


def _count(said: int | None) -> int | None:
    return said if said is not None and said >= 0 else None


async def _run_alone(
    ctx: Context, unit: Unit, incident: Incident, waiting: Sequence[int], told: Mapping[int, Plan | None]
) -> None:
    """What was to run by itself once its reach is known: it does where that is one user, and else says why it does not."""
    for index in waiting:
        action = await actions.find(unit, incident, index)
        expired = action.expires_at is not None and action.expires_at <= unit.now
        if action.state is not ActionState.PROPOSED or expired or incident.ended_at is not None:
            continue
        if await actions.signatures(unit, action):
            continue  # a person is deciding
        if action.blast_subjects == ONE_USER and proposal.may_run_alone(ctx, action):
            await proposal.run_alone(unit, incident, action)
            continue
        users = action.blast_subjects
        why = "how many users share the key is not known" if users is None else f"{users} users were behind the key"
        text = f"{actions.words(action)} did not run by itself: {why} in the last hour. It waits for a person."
        unit.record(incident, Happened.NOTE, SYSTEM, text=text)
