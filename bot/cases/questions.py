"""What people answer about an incident: root cause, factors, gaps, what went well, luck, decisions on legal clocks.

Decides how an answer is stored: redacted, the last one counts, and each stays in the timeline with who gave it. Which
questions there are is the playbook's (`bot.playbook.asked`). Answers are taken after the end too: that is when they are known.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlmodel import col, select

from bot.cases.context import Context
from bot.cases.people import member
from bot.incident.caller import Caller
from bot.incident.errors import Invalid
from bot.incident.incident import Actor, Incident
from bot.incident.learning import ReviewAnswer
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened
from bot.playbook import asked
from bot.store import Unit

LONGEST = 3000
"""Characters of one answer; Slack's form takes no more."""


async def answer(ctx: Context, caller: Caller, number: int, answers: Mapping[str, str]) -> str:
    """Question id → text; blank ones are left. Raises Invalid for a question that nobody asks, and without any text."""
    member(caller)
    given = {asked.find(ctx.playbook, name).id: stated(text) for name, text in answers.items() if text.strip()}
    if not given:
        raise Invalid("There is no answer.", example="/incident answer why the canary was in the prompt", field="text")
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        changed = await store(unit, incident, caller.actor, given)
        if not changed:
            return unit.answer(f"That is the answer of {incident.name} already.")
        count = "Your answer is" if len(changed) == 1 else f"{len(changed)} answers are"
        return unit.answer(f"{count} kept for the review of {incident.name}.")


def stated(text: str) -> str:
    """The text as it is stored. Raises Invalid where it is too long: nothing is cut silently from what a review prints."""
    if len(text.strip()) > LONGEST:
        raise Invalid(
            f"The answer has {len(text.strip())} characters, {LONGEST} fit. Add the rest as a note.", field="text"
        )
    return clip(redact(text.strip()), LONGEST)


async def store(unit: Unit, incident: Incident, actor: Actor, answers: Mapping[str, str]) -> list[str]:
    """Keep answers that say something new, in the caller's transaction. Returns their questions."""
    mine = select(ReviewAnswer).where(
        ReviewAnswer.incident == incident.number, col(ReviewAnswer.question).in_(list(answers))
    )
    kept = {row.question: row for row in (await unit.session.exec(mine)).all()} if answers else {}
    changed = []
    for question, text in answers.items():
        row = kept.get(question)
        if row is not None and row.text == text:
            continue
        if row is None:
            row = ReviewAnswer(incident=incident.number, question=question, text=text, by=actor.id, at=unit.now)
        row.text, row.by, row.at = text, actor.id, unit.now
        unit.add(row)
        unit.record(incident, Happened.QUESTION_ANSWERED, actor, question=question, text=text)
        changed.append(question)
    return changed
