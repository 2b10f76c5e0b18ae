"""What people are asked about an incident: the review's questions, its sections that people fill, the legal clocks.

Decides the list, its order and the words. Answers are stored by `bot.cases.questions` and printed by the review.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.incident.errors import Invalid

if TYPE_CHECKING:
    from bot.playbook.playbook import Playbook

FACTORS, LUCKY, VECTORS = "factors", "lucky", "vectors"
CLOCK = "clock."


@dataclass(frozen=True, slots=True)
class AskedOf:
    """One thing that people are asked: `id` is `ReviewAnswer.question`."""

    id: str
    text: str
    hint: str


def about_attack(playbook: Playbook) -> tuple[AskedOf, ...]:
    """Root cause, factors, gaps, what went well, what to improve, luck: in the order in which a form asks."""
    review = playbook.review
    people = (section for section in review.sections if section.fill == "people")
    return (
        AskedOf(VECTORS, "How did the attack come in?", "The vectors: which input, document, tool or access"),
        *(AskedOf(one.id, one.text, one.hint) for one in review.questions),
        AskedOf(FACTORS, "Which factors contributed?", "Conditions that made it possible or worse, not people"),
        *(AskedOf(one.id, one.title, one.hint) for one in people),
        AskedOf(LUCKY, "Where did we get lucky?", "What would have made it worse, and did not by chance alone"),
    )


def about_clocks(playbook: Playbook) -> tuple[AskedOf, ...]:
    """One for each legal clock that is switched on: what counsel decided, what was due, what was filed."""
    return tuple(
        AskedOf(f"{CLOCK}{one.id}", f"{one.regime}, {one.article}", f"Applies if: {one.applies_if}")
        for one in playbook.clocks.values()
        if one.enabled
    )


def find(playbook: Playbook, question: str) -> AskedOf:
    """By its id. A clock that is switched off may be answered too. Raises Invalid naming the nearest."""
    off = (AskedOf(f"{CLOCK}{one}", clock.regime, clock.applies_if) for one, clock in playbook.clocks.items())
    known = {one.id: one for one in (*off, *about_clocks(playbook), *about_attack(playbook))}
    wanted = question.strip().casefold().replace("-", "_")
    if wanted in known:
        return known[wanted]
    near = difflib.get_close_matches(wanted[:80], known, n=1)
    listed = ", ".join(f"`{one.id}`" for one in about_attack(playbook))
    hint = f"Did you mean `{near[0]}`?" if near else f"There are {listed}, and `{CLOCK}gdpr` for a legal clock."
    raise Invalid(
        f"Nobody asks that. {hint}", example="/incident answer why the canary was in the prompt", field="question"
    )
