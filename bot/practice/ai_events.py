"""What the practice AI app tells of itself: the native events of one question, from the prompt to the answer.

Decides what its own parts know: the input guardrail what it blocked or flagged, the output classifier what it judged, the
data layer what it returned, the tools what was authorised. What any of it means is decided by who takes the events.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.practice.ai_containment import Caller
from bot.practice.ai_model import REFUSAL, Answer
from bot.practice.shapes import Json

GUARDRAIL, CLASSIFIER = "input-guardrail", "output-classifier"
ACTS = "transfer_funds"
"""The tool that changes something. The other one only reads: of it the data layer tells."""


@dataclass(frozen=True)
class Told:
    """One question and what came of it. Times are Unix seconds."""

    id: str
    """Never the same twice."""
    caller: Caller
    question: str
    answer: Answer
    delivered: bool
    """The answer left the house. What the gate held back did not."""
    asked_at: float
    answered_at: float


def events_of(told: Told) -> Iterator[Json]:
    """In the order in which it happened."""
    blocked = told.answer.text == REFUSAL
    yield _event(
        told, "llm_call", "input", at=told.asked_at, stage="input", text=told.question,
        delivered=told.delivered and not blocked, verdicts=list(_of_the_guardrail(told.answer)),
    )  # fmt: skip
    if blocked:
        return  # the user is told so in the guardrail's words: there is no answer
    yield from _read(told)
    yield from _acted(told)
    yield _event(
        told, "llm_call", "output", stage="output", text=told.answer.text, delivered=told.delivered,
        verdicts=list(_of_the_classifier(told.answer)),
    )  # fmt: skip


def _of_the_guardrail(answer: Answer) -> Iterator[Json]:
    if "injection" in answer.traits:
        outcome = "block" if answer.text == REFUSAL else "flag"
        yield {"guardrail": GUARDRAIL, "outcome": outcome, "categories": ["prompt_injection"]}


def _of_the_classifier(answer: Answer) -> Iterator[Json]:
    """It judges, and holds nothing back."""
    if "jailbreak" in answer.traits:
        yield {"guardrail": CLASSIFIER, "outcome": "flag", "categories": ["unsafe_content"], "score": 0.93}


def _read(told: Told) -> Iterator[Json]:
    """One event for each text that the data layer returned."""
    kind = "retrieval" if told.answer.documents else "data_query"
    for number, text in enumerate(told.answer.found, start=1):
        data = {"result_sha256": _sha256(text), "rows": 1, "ok": True}
        yield _event(told, kind, f"data:{number}", data=data)


def _acted(told: Told) -> Iterator[Json]:
    for number, call in enumerate(told.answer.tools, start=1):
        if call["name"] == ACTS:
            tool = {
                "name": ACTS, "call_id": f"{told.id}:tool:{number}", "args_sha256": _sha256(json.dumps(call, sort_keys=True)),
                "authorized": "over_limit" not in told.answer.traits, "completed": True, "side_effect": True,
            }  # fmt: skip
            yield _event(told, "tool_call", f"tool:{number}", stage="tool", tool=tool)


def _event(told: Told, kind: str, part: str, *, at: float | None = None, **more: object) -> Json:
    moment = datetime.fromtimestamp(told.answered_at if at is None else at, UTC)
    caller = told.caller
    return {
        "kind": kind, "occurred_at": moment.isoformat(), "source": caller.application,
        "source_event_id": f"{told.id}:{part}", "app": caller.application, "endpoint": caller.endpoint,
        "user_id": caller.user, "session_id": caller.session, "call_id": told.id, **more,
    }  # fmt: skip


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
