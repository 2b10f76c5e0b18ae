"""Evidence that the playbook wants of an incident, and what happens where it is missing: somebody says why.

Decides that nothing is held up by it but what cannot be undone. Containment settles by itself once it is verified, so there
the room is asked afterwards, once; approving an irreversible action asks before. Break-glass has its own reason.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.cases import actions
from bot.cases.context import Context
from bot.cases.people import member
from bot.incident.caller import Caller
from bot.incident.errors import Invalid, NotFound, Refused
from bot.incident.evidence import Evidence
from bot.incident.incident import Actor, Incident
from bot.incident.outward import IntentKind
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened, TimelineEntry
from bot.incident.words import EvidenceKind, EvidenceState
from bot.incident.work import Action
from bot.playbook import Playbook
from bot.store import Unit

LONGEST = 1000


def wanted(playbook: Playbook, incident: Incident) -> tuple[EvidenceKind, ...]:
    """By its severity and its trigger, in the order of the words."""
    return playbook.evidence_wanted(incident.severity, incident.trigger)


async def missing(playbook: Playbook, session: AsyncSession, incident: Incident) -> tuple[EvidenceKind, ...]:
    """What is wanted, is not there, and nobody has said why not."""
    asked = wanted(playbook, incident)
    if not asked:
        return ()
    there = select(Evidence.kind).where(Evidence.incident == incident.number, Evidence.state != EvidenceState.LOST)
    said = select(TimelineEntry.data).where(
        TimelineEntry.incident == incident.number, col(TimelineEntry.kind) == Happened.EVIDENCE_WAIVED
    )
    waived = {str(kind) for data in (await session.exec(said)).all() for kind in data.get("missing") or ()}
    held = {*(await session.exec(there.distinct())).all()}
    return tuple(kind for kind in asked if kind not in held and kind.value not in waived)


def named(kinds: Sequence[EvidenceKind]) -> str:
    """`logs, model state`."""
    return ", ".join(kind.value.replace("_", " ") for kind in kinds)


async def ask(ctx: Context, unit: Unit, incident: Incident) -> None:
    """The incident is contained: the room is told once what is missing, and asked to add it or to say why not."""
    await unit.flush()
    if lacking := await missing(ctx.playbook, unit.session, incident):
        args = {"message": "evidence_wanted", "missing": [kind.value for kind in lacking]}
        await unit.intend(IntentKind.POST, f"post:evidence_wanted:{incident.number}", incident=incident, args=args)


async def before_undoable(ctx: Context, number: int, index: int) -> tuple[EvidenceKind, ...]:
    """What an approval of this action would have to give a reason for. Empty where it can be undone or nothing is missing."""
    async with ctx.store.read() as session:
        incident = await session.get(Incident, number)
        action = (await session.exec(select(Action).where(Action.incident == number, Action.index == index))).first()
        if incident is None or action is None:
            raise NotFound(f"INC-{number} has no action {index}. Its containment panel shows the numbers.")
        return () if action.reversible else await missing(ctx.playbook, session, incident)


async def refuse_unless_said(
    ctx: Context, unit: Unit, incident: Incident, action: Action, by: Actor, reason: str | None
) -> None:
    """Before somebody signs what cannot be undone. Raises Invalid naming what is missing, where no reason is given."""
    if action.reversible:
        return
    await unit.flush()
    lacking = await missing(ctx.playbook, unit.session, incident)
    if not lacking:
        return
    if not (reason or "").strip():
        raise Invalid(
            f"{actions.words(action)} cannot be undone, and evidence that the playbook wants is missing: {named(lacking)}. "
            "Add it with `/incident evidence`, or approve it with a reason.",
            example=f"/incident contain approve {action.index} the key is being used right now",
            field="reason",
        )
    _waive(unit, incident, by, lacking, actions.words(action), reason or "")


async def waive(ctx: Context, caller: Caller, number: int, *, reason: str) -> str:
    """Somebody says why the incident goes on without it. Raises Refused for a guest, and where nothing is missing."""
    member(caller)
    if not reason.strip():
        raise Invalid("Say why, in a few words: the review prints it.", field="reason")
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        lacking = await missing(ctx.playbook, unit.session, incident)
        if not lacking:
            raise Refused(f"{incident.name} lacks no evidence that the playbook wants.")
        _waive(unit, incident, caller.actor, lacking, incident.status.value.replace("_", " "), reason)
        return unit.answer(f"It is on the timeline why {incident.name} goes on without: {named(lacking)}.")


def _waive(
    unit: Unit, incident: Incident, by: Actor, lacking: Sequence[EvidenceKind], before: str, reason: str
) -> None:
    kinds, why = [kind.value for kind in lacking], clip(redact(reason.strip()), LONGEST)
    unit.record(incident, Happened.EVIDENCE_WAIVED, by, missing=kinds, before=before, reason=why)
