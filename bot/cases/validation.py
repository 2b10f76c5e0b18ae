"""A fix is validated: a run is started. One at a time for each incident; who comes second is told.

Decides what a run is asked for and who may ask. What is replayed is `replay`'s, stopping and resuming `validation_control`'s,
who carries it out is `bot.validating`'s, and what follows from its end is `validated`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.cases import evidence, replay
from bot.cases.assemble import Made, assemble, record_reading
from bot.cases.context import Context
from bot.cases.people import member
from bot.cases.reached import reached
from bot.cases.replay import Given, Material
from bot.cases.runs import excerpts, planned, queue
from bot.cases.targets import target_of
from bot.incident.caller import Caller
from bot.incident.errors import Invalid, Refused, Repeated
from bot.incident.incident import Incident
from bot.incident.narrative import so_many
from bot.incident.outward import InboundKey
from bot.incident.timeline import Happened
from bot.incident.validation import ValidationRun
from bot.incident.words import EvidenceKind, Verdict
from bot.incident.work import Action
from bot.store import Unit, validations

EXAMPLE = "/incident validate add the text that the attacker sent"


@dataclass(frozen=True)
class Asked:
    """What somebody wants replayed."""

    target: str | None = None
    """None: the only one there is."""
    vulnerable: str | None = None
    """The version on which the attack worked; None: what an earlier run learnt."""
    given: tuple[Given, ...] = ()
    """Parts that are added with it."""
    contained: bool = False
    """Also where containment reaches the test identity."""


@dataclass(frozen=True)
class Started:
    run: int
    words: str


@dataclass(frozen=True)
class Reached:
    """Nothing was started: containment reaches the test identity. Lift it, or ask for it all the same."""

    identity: str
    actions: Sequence[Action] = field(default_factory=tuple)


async def start(ctx: Context, caller: Caller, number: int, asked: Asked) -> Started | Reached:
    """Put a run in the queue. Raises Refused where one goes on, where there is no such target, or where nothing is there to
    be replayed, with what to add. Raises Repeated for the same act again."""
    member(caller)
    await _refuse_repeated(ctx, caller)
    name, target = target_of(ctx, asked.target)
    async with ctx.store.unit() as unit:
        incident = await open_one(unit, number)
        await refuse_second(unit, incident)
        for given in asked.given:
            await replay.add(unit, incident, caller.actor, given)
        await unit.flush()
        found = await replay.material(unit.session, number)
        holding = await reached(unit.session, incident, target.user)
        if holding and not asked.contained:
            return Reached(target.user, holding)
        await _refuse_nothing(ctx, incident, found)
        pieces = [piece for some in found.pieces.values() for piece in some]
        record_reading(unit, incident, caller.actor, pieces)
        vulnerable = asked.vulnerable or await _known_vulnerable(unit, number, name)
    made = await assemble(ctx, incident, found, vulnerable)
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await open_one(unit, number)
        await refuse_second(unit, incident)
        run = await _queue(ctx, unit, incident, caller, made, name, contained=bool(holding))
        return Started(run, unit.answer(_begins(run, name, made, found)))


async def _refuse_repeated(ctx: Context, caller: Caller) -> None:
    """Two transactions make one start, and only the second counts the act: whoever delivers it again gets its answer."""
    async with ctx.store.read() as session:
        first = await session.get(InboundKey, caller.inbound) if caller.inbound is not None else None
    if first is not None:
        raise Repeated(first.answer)


async def open_one(unit: Unit, number: int) -> Incident:
    """Raises Refused where the incident has ended: the calendar replays those."""
    incident = await unit.incident(number)
    if incident.ended_at is not None:
        raise Refused(
            f"{incident.name} has ended. Reopen it to validate a fix: `/incident close --reopen`, with a reason."
        )
    return incident


async def refuse_second(unit: Unit, incident: Incident) -> None:
    if (other := await validations.going_on(unit.session, incident.number)) is not None:
        raise Refused(
            f"Validation {other.id} of {incident.name} goes on already: <@{other.started_by}> began it at "
            f"{other.started_at:%H:%M} UTC. Its message in the room shows how far it is."
        )


async def _refuse_nothing(ctx: Context, incident: Incident, found: Material) -> None:
    canaries = await ctx.canaries.values(incident.app) if ctx.canaries is not None else ()
    if missing := replay.lacking(found, len(canaries)):
        gone = f" Of {found.gone} attack inputs only the digest is known." if found.gone else ""
        raise Invalid(
            f"There is nothing to replay yet. Missing: {' and '.join(missing)}.{gone} Add it in the form that `/incident "
            "validate` opens, save a message as evidence of kind adversarial input, or add it here.",
            example=EXAMPLE,
        )


async def _known_vulnerable(unit: Unit, number: int, target: str) -> str | None:
    """The version on which an attack was seen to work, or that somebody named last."""
    runs = [run for run in await validations.of_incident(unit.session, number) if run.target == target]
    seen = [run.target_version for run in runs if run.verdict is Verdict.INCOMPLETE and run.target_version]
    named = [run.vulnerable_version for run in runs if run.vulnerable_version]
    return next(reversed(seen), None) or next(reversed(named), None)


async def _queue(
    ctx: Context, unit: Unit, incident: Incident, caller: Caller, made: Made, target: str, *, contained: bool
) -> int:
    """The pack as evidence, the run, its message. Returns the run's number."""
    content = made.pack.to_bytes()
    kept = await evidence.add(
        unit,
        incident,
        caller.actor,
        evidence.New(
            EvidenceKind.PACK,
            "pack.json",
            content,
            source="validation",
            media_type="application/json",
            excerpt=f"{so_many(len(made.pack.payloads), 'payload')}, {so_many(len(made.pack.indicators), 'indicator')}",
        ),
    )
    plan = planned(ctx, incident.severity)
    run = ValidationRun(
        incident=incident.number,
        target=target,
        pack=kept.sha256,
        plan=plan.as_json(),
        vulnerable_version=made.pack.vulnerable_version,
        contained_meanwhile=contained,
        started_by=caller.actor.id,
        started_at=unit.now,
        report={"payloads_total": len(made.pack.payloads), "excerpts": excerpts(made.pack)},
    )
    await queue(ctx, unit, incident, run)
    unit.record(
        incident,
        Happened.VALIDATION_STARTED,
        caller.actor,
        run=run.id,
        target=target,
        pack=kept.sha256,
        payloads=len(made.pack.payloads),
    )
    return run.id or 0


def _begins(run: int, target: str, made: Made, found: Material) -> str:
    """Plain words; nothing of a payload."""
    payloads = so_many(len(made.pack.payloads), "payload")
    said = [f"Validation {run} against {target} begins: {payloads}. Its message shows how far it is."]
    if not made.pack.positive:
        said.append("No answer is recorded from when the attack worked: without one it cannot come to VERIFIED.")
    if made.pack.vulnerable_version is None:
        said.append("The vulnerable version is not known: name it with `--vulnerable`, or replay once before the fix.")
    if made.left_out:
        said.append(f"Left out: {'; '.join(made.left_out)}.")
    if found.gone:
        said.append(f"Of {found.gone} attack inputs only the digest is known.")
    return " ".join(said)
