"""A replay that goes on is stopped and resumed, and what the next one needs is added.

Decides who may, and what is told. How a run is started is `validation`'s.
"""

from __future__ import annotations

import asyncio

from bot.cases import evidence, replay
from bot.cases.context import Context
from bot.cases.hushed import hush, listen
from bot.cases.people import member
from bot.cases.replay import Given, Part
from bot.cases.targets import target_of
from bot.cases.validation import open_one, refuse_second
from bot.incident.caller import Caller
from bot.incident.errors import Refused
from bot.incident.narrative import so_many
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened
from bot.incident.words import RunState
from bot.store import validations
from bot.validation import imports
from bot.validation.pack import Origin, made

MOST_PROBLEMS = 3


async def add(ctx: Context, caller: Caller, number: int, given: Given) -> str:
    """One part more for the next replay. Raises Invalid where it is blank or too long."""
    member(caller)
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        piece = await replay.add(unit, incident, caller.actor, given)
        return unit.answer(
            f"Kept as evidence {piece.id} of {incident.name}, as {replay.SPOKEN[given.part]}. `/incident validate` replays it."
        )


async def take_file(ctx: Context, caller: Caller, number: int, evidence_id: int, *, origin: Origin) -> str:
    """Payloads out of a file that is evidence: of garak, PyRIT, promptfoo, deepteam, CSV, JSONL, text, or a pack.

    Raises Refused where nothing can be had of it, with the first places and why.
    """
    member(caller)
    content = await evidence.read(ctx, caller.actor, number, evidence_id, via="validation")
    called = f"evidence {evidence_id}"
    found = await asyncio.to_thread(imports.read, called, content, origin)
    problems = "; ".join(str(one) for one in found.problems[:MOST_PROBLEMS])
    if not found.payloads:
        raise Refused(f"Nothing to replay was found in {called}. {problems}")
    pack = found.pack or made(payloads=found.payloads)
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        await replay.add(unit, incident, caller.actor, Given(Part.PACK, pack.to_bytes().decode()))
        piece = await evidence.find(unit, incident, evidence_id)
        piece.origin = {**piece.origin, "replay": Part.FILE.value}
        left = f" {len(found.problems)} entries could not be used: {problems}." if found.problems else ""
        return unit.answer(
            f"Into the next replay: {so_many(len(found.payloads), 'payload')} of {called} ({found.format}).{left}"
        )


async def stop(ctx: Context, caller: Caller, number: int, *, reason: str | None = None) -> str:
    """What is kept stays kept. Raises Refused where nothing goes on."""
    member(caller)
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        run = await validations.going_on(unit.session, number)
        if run is None:
            raise Refused(f"No validation of {incident.name} goes on.")
        run.state, run.lease_until = RunState.STOPPED, None
        await listen(unit, run)
        why = clip(redact(reason.strip()), 1000) if reason and reason.strip() else None
        unit.record(incident, Happened.VALIDATION_STOPPED, caller.actor, run=run.id, reason=why)
        return unit.answer(f"Validation {run.id} is stopped. `/incident validate resume` goes on where it was.")


async def resume(ctx: Context, caller: Caller, number: int, *, run_id: int | None = None) -> str:
    """Go on with the run that was stopped, the last one where none is named; no trial that was kept is sent again."""
    member(caller)
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await open_one(unit, number)
        await refuse_second(unit, incident)
        stopped = [r for r in await validations.of_incident(unit.session, number) if r.state is RunState.STOPPED]
        run = next((r for r in reversed(stopped) if run_id in {None, r.id}), None)
        if run is None:
            raise Refused(f"No validation of {incident.name} was stopped. `/incident validate` begins one.")
        target_of(ctx, run.target)
        run.state, run.lease_owner, run.lease_until = RunState.QUEUED, None, None
        await hush(ctx, unit, run)
        said = {"run": run.id, "target": run.target, "version": run.target_version, "resumed": True}
        unit.record(incident, Happened.VALIDATION_STARTED, caller.actor, **said)
        return unit.answer(f"Validation {run.id} goes on.")
