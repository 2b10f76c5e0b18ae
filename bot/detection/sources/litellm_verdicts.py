"""The guardrails of one LiteLLM record: what each did, and whether it judged the prompt or the answer.

Decides what is a block: a mask is none, and a provider's error is none.
"""

from __future__ import annotations

from typing import Protocol

from bot.detection.event import Outcome, Verdict
from bot.detection.sources.fields import Record, first, name, number, record, records
from bot.detection.sources.guardrails import LITELLM, counted, own
from bot.detection.sources.times import read

AFTER = frozenset({"post_call", "logging_only", "during_call_output"})
MOST = 50
"""Verdicts of one call."""


class Judged(Protocol):
    @property
    def succeeded(self) -> bool | None: ...
    @property
    def status_fields(self) -> object: ...
    @property
    def metadata(self) -> object: ...
    @property
    def guardrail_information(self) -> object: ...


def verdicts(call: Judged, answered: float | None) -> tuple[tuple[Verdict, ...], tuple[Verdict, ...]]:
    """Those on the prompt and those on the answer. `answered`: when the model had answered, where it did."""
    before: list[Verdict] = []
    after: list[Verdict] = []
    told = records(call.guardrail_information)[:MOST]
    for entry in told:
        guardrail = name(entry.get("guardrail_name")) or "unknown"
        outcome = _outcome(entry, call.succeeded)
        if outcome is not None:
            (after if _after(entry, answered) else before).append(_verdict(entry, guardrail, outcome))
    if not told and record(call.status_fields).get("guardrail_status") == "guardrail_intervened":
        before += _untold(call)
    return tuple(before), tuple(after)


def _outcome(entry: Record, succeeded: bool | None) -> Outcome | None:
    outcome = LITELLM.get(str(entry.get("guardrail_status")))
    if outcome is Outcome.ALLOW and counted(entry.get("masked_entity_count")):
        return Outcome.MASK
    if outcome is Outcome.BLOCK and succeeded and "BLOCK" not in _actions(entry):
        return Outcome.MASK  # it changed what was said, and the call went on
    return outcome


def _actions(entry: Record) -> set[str]:
    """What it says that it did, in the two places where guardrails say it."""
    matches = [*records(entry.get("guardrail_response")), *records(entry.get("match_details"))]
    return {str(match.get("action") or match.get("action_taken")).upper() for match in matches}


def _after(entry: Record, answered: float | None) -> bool:
    """A guardrail lists all its modes with every verdict: with several, the time tells. Unknown counts as the prompt's."""
    mode = entry.get("guardrail_mode")
    modes = {str(each) for each in mode} if isinstance(mode, list) else {str(mode)}
    if len(modes) == 1:
        return bool(modes & AFTER)
    started = read(entry.get("start_time"))
    return answered is not None and started is not None and started >= answered


def _verdict(entry: Record, guardrail: str, outcome: Outcome) -> Verdict:
    matches = [*records(entry.get("match_details")), *records(entry.get("guardrail_response"))]
    listed = entry.get("violation_categories")
    named = [*(listed if isinstance(listed, list) else ()), *(match.get("category") for match in matches)]
    kinds = named if any(named) else [match.get("type") for match in matches]
    categories = tuple(dict.fromkeys(found for kind in kinds if (found := name(kind)) is not None))[:10]
    score = number(entry.get("confidence_score"))
    return Verdict(guardrail=guardrail, outcome=outcome, categories=categories, score=score)


def _untold(call: Judged) -> list[Verdict]:
    """An older record says that a guardrail stepped in and not which."""
    applied = record(call.metadata).get("applied_guardrails")
    named = [found for each in applied if (found := name(each)) is not None] if isinstance(applied, list) else []
    if call.succeeded:
        return []
    guardrail = next((each for each in named if not own(each)), first(*named) or "unknown")
    return [Verdict(guardrail=guardrail, outcome=Outcome.BLOCK)]
