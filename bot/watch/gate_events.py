"""What an event makes of a decision of our own gate.

Decides the words: a refusal is a block by the guardrail `firsthour`, which the rules leave out (`own_guardrails`), and a gate
that did not know its rules is no verdict but an error. Ids only: the gate keeps nothing of what was said.
"""

from __future__ import annotations

from bot.detection.event import Event, Kind, Outcome, Stage, UserKind, Verdict
from bot.detection.sources.fields import LONGEST_APP, name
from bot.detection.sources.guardrails import OWN
from bot.gate.caller import Caller
from bot.gate.caller import Stage as Asked
from bot.gate.gate import Decided
from bot.gate.verdict import Outcome as Decision
from bot.gate.verdict import Verdict as Decreed
from bot.incident.words import ScopeKind

SOURCE = "gate"
USERS = {
    ScopeKind.USER: UserKind.END_USER,
    ScopeKind.API_KEY: UserKind.API_KEY,
    ScopeKind.IP: UserKind.IP,
}
"""The first of these that the caller has is who it is (reference: domain.md §4.1)."""


def event_of(decided: Decided) -> Event:
    """Each decision is an event of its own: it has no id, and is told once."""
    caller, verdict = decided.caller, decided.verdict
    user, kind = _user(caller)
    return Event(
        kind=Kind.GUARDRAIL,
        occurred_at=decided.at,
        source=SOURCE,
        user_id=user,
        user_kind=kind,
        session_id=name(_first(caller, ScopeKind.SESSION)),
        app=name(_first(caller, ScopeKind.APPLICATION), LONGEST_APP),
        endpoint=name(_first(caller, ScopeKind.ENDPOINT)),
        stage=Stage.INPUT if caller.stage is Asked.REQUEST else Stage.OUTPUT,
        delivered=None if verdict.allowed else False,
        verdicts=(Verdict(guardrail=OWN, outcome=_outcome(verdict), rule_id=verdict.reference),),
    )


def _outcome(verdict: Decreed) -> Outcome:
    if verdict.outcome is Decision.UNKNOWN:
        return Outcome.ERROR
    if not verdict.allowed:
        return Outcome.BLOCK
    return Outcome.ALLOW if verdict.answer is None else Outcome.MASK


def _user(caller: Caller) -> tuple[str | None, UserKind]:
    for scope, kind in USERS.items():
        if (found := name(_first(caller, scope))) is not None:
            return found, kind
    return None, UserKind.UNKNOWN


def _first(caller: Caller, kind: ScopeKind) -> str | None:
    return next((target for has, target in caller.targets if has is kind), None)
