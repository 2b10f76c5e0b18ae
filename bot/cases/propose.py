"""Containment is proposed: by the playbook when an incident opens, by a person at any time (design laws 8 and 9).

Decides what is refused, and that nothing of a plan is dropped silently. What is written of a proposal is `proposal`'s.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlmodel import select

from bot.cases import actions, blast, proposal, stakes
from bot.cases.ask_commander import ask_commander
from bot.cases.context import Context
from bot.cases.people import member
from bot.cases.proposal import EVERYONE, Wanted
from bot.incident.caller import Caller
from bot.incident.errors import Invalid, Refused
from bot.incident.incident import SYSTEM, Incident
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened, TimelineEntry
from bot.incident.words import ActionKind, ActionState, ScopeKind
from bot.incident.work import Action
from bot.playbook.action import Proposal
from bot.store import Unit

S = ActionState
LIVE = {
    S.PROPOSED: "waits for a decision",
    S.APPROVED: "is approved and about to be carried out",
    S.EXECUTING: "is being carried out",
    S.VERIFIED: "is in force",
}
"""States in which the same action on the same target is not proposed twice."""


async def propose(
    ctx: Context, caller: Caller, number: int, *, kind: ActionKind, scope_kind: ScopeKind, scope_id: str, why: str
) -> str:
    """Raises Refused for a guest, an ended incident or a repeat (naming the first); Invalid for a scope that cannot be."""
    member(caller)
    asked = _asked(ctx, kind, scope_kind, scope_id, why)
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        actions.refuse_after_end(incident)
        existing = await actions.every(unit, incident)
        _refuse_repeat(existing, asked)
        action = proposal.write(ctx, unit, incident, caller.actor, of=asked, index=len(existing) + 1)
        await proposal.offer(ctx, unit, incident, action, alone=False)
        await ask_commander(unit, incident, new=action.index)
        await blast.ask(ctx, unit, incident, [action], alone=())
        people = "Two people must approve it." if action.signatures > 1 else "It waits for approval in the panel."
        return unit.answer(f"{actions.words(action)} is proposed. {people}")


async def plan(ctx: Context, unit: Unit, incident: Incident) -> None:
    """Write the playbook's proposals for the incident as it is now, but for those it has had, whatever became of them.

    Called in the transaction that changes its severity, or brings evidence that asks for more.
    """
    existing = await actions.every(unit, incident)
    proposed, untold = await _write(ctx, unit, incident, existing, await stakes.at_stake(unit, incident))
    if proposed and existing:  # at the opening nobody has command yet
        await ask_commander(unit, incident, new=proposed[0].index)
    if untold and not await _said(unit, incident, untold):
        unit.record(incident, Happened.NOTE, SYSTEM, text=untold)


async def first_plan(ctx: Context, unit: Unit, incident: Incident, at_stake: Collection[str]) -> None:
    """The same for an incident that opens: it has nothing yet, so the store is asked nothing. `at_stake`: `stakes.at_stake`
    once its evidence is written."""
    _, untold = await _write(ctx, unit, incident, (), at_stake)
    if untold:
        unit.record(incident, Happened.NOTE, SYSTEM, text=untold)


async def _write(
    ctx: Context, unit: Unit, incident: Incident, existing: Sequence[Action], at_stake: Collection[str]
) -> tuple[Sequence[Action], str]:
    """Returns the proposals, and what the room is told of those whose target is not known."""
    had = {(action.kind, action.scope_kind, action.scope_id) for action in existing}
    index, untold = len(existing), []
    proposed: list[Action] = []
    alone: list[Action] = []
    for entry in _entries(ctx, incident, at_stake):
        wanted = proposal.wanted(ctx, incident, entry)
        if wanted is None:
            untold.append(f"{entry.action.value.replace('_', ' ')} ({entry.scope.value.replace('_', ' ')})")
        elif wanted.same not in had:
            had.add(wanted.same)
            index += 1
            action = proposal.write(ctx, unit, incident, SYSTEM, of=wanted, index=index)
            proposed.append(action)
            if await proposal.offer(ctx, unit, incident, action, alone=wanted.alone):
                alone.append(action)
    await blast.ask(ctx, unit, incident, proposed, alone=alone)
    return proposed, _named(untold)


async def run_what_waits(ctx: Context, unit: Unit, incident: Incident) -> None:
    """The incident became one of a trigger that lets actions run by themselves: those that wait for a decision do so now.

    Not those that somebody has signed, and not on an API key: how many users are behind it is asked when it is proposed.
    """
    waiting: dict[tuple[ActionKind, ScopeKind, str], Action] = {
        (one.kind, one.scope_kind, one.scope_id): one
        for one in await actions.every(unit, incident)
        if one.state is S.PROPOSED and one.scope_kind is not ScopeKind.API_KEY
    }
    for entry in _entries(ctx, incident, await stakes.at_stake(unit, incident)):
        wanted = proposal.wanted(ctx, incident, entry)
        action = waiting.pop(wanted.same, None) if wanted is not None and wanted.alone else None
        if action is not None and proposal.may_run_alone(ctx, action) and not await actions.signatures(unit, action):
            await proposal.run_alone(unit, incident, action)


def _entries(ctx: Context, incident: Incident, at_stake: Collection[str]) -> Sequence[Proposal]:
    """What the playbook offers, by all that is known: severity, trigger, kind of attack, and what the evidence holds."""
    return ctx.playbook.proposals(
        incident.severity,
        incident.trigger,
        incident.subject_kind,
        category=incident.category,
        evidence=at_stake,
        auto_contain=ctx.org.auto_contain_triggers.get(incident.trigger or ""),
    )


def _asked(ctx: Context, kind: ActionKind, scope_kind: ScopeKind, scope_id: str, why: str) -> Wanted:
    allowed = ctx.playbook.actions[kind].scopes
    if scope_kind not in allowed:
        title, names = kind.value.replace("_", " "), ", ".join(scope.value for scope in allowed)
        raise Invalid(f"“{title}” works on one of these: {names}.", field="scope_kind")
    target = EVERYONE if scope_kind is ScopeKind.EVERYONE else scope_id.strip()
    if problem := proposal.unusable(scope_kind, target):
        raise Invalid(problem, field="scope_id")
    if not why.strip():
        raise Invalid("Say why, in a few words: whoever approves reads it.", field="why")
    return Wanted(kind, scope_kind, target, clip(redact(why.strip()), 500))


def _refuse_repeat(existing: Sequence[Action], asked: Wanted) -> None:
    for other in existing:
        if (other.kind, other.scope_kind, other.scope_id) == asked.same and other.state in LIVE:
            raise Refused(f"{actions.words(other)} on the same target {LIVE[other.state]}. See the containment panel.")


def _named(untold: Sequence[str]) -> str:
    """A plan is never silently shorter than the playbook's: what has no known target is said, once."""
    if not untold:
        return ""
    listed = ", ".join(dict.fromkeys(untold))
    return f"Not proposed, because its target is not known: {listed}. Name the target with `/incident contain propose`."


async def _said(unit: Unit, incident: Incident, text: str) -> bool:
    said = select(TimelineEntry).where(
        TimelineEntry.incident == incident.number,
        TimelineEntry.kind == Happened.NOTE,
        TimelineEntry.actor == SYSTEM.id,
    )
    return any(entry.data.get("text") == text for entry in (await unit.session.exec(said)).all())
