from __future__ import annotations

import pytest

from bot.detection.event import Kind, Outcome, Stage, UserKind
from bot.gate.caller import Caller
from bot.gate.caller import Stage as Asked
from bot.gate.gate import Decided
from bot.gate.verdict import Outcome as Decision
from bot.gate.verdict import Verdict
from bot.incident.words import ActionKind, ScopeKind
from bot.watch.gate_events import event_of

MALLORY = Caller(
    (
        (ScopeKind.API_KEY, "k-1"), (ScopeKind.USER, "mallory"), (ScopeKind.USER, "owner-of-the-key"),
        (ScopeKind.SESSION, "s-1"), (ScopeKind.APPLICATION, "shop"), (ScopeKind.ENDPOINT, "/chat"),
    ),
    Asked.RESPONSE,
)  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "outcome", "delivered"),
    [
        (Verdict(), Outcome.ALLOW, None),
        (Verdict(answer="Please call support.", measures=(ActionKind.ENABLE_SAFE_MODE,)), Outcome.MASK, None),
        (Verdict(Decision.REFUSED, incident=12), Outcome.BLOCK, False),
        (Verdict(Decision.LIMITED, incident=12), Outcome.BLOCK, False),
        (Verdict(Decision.UNKNOWN), Outcome.ERROR, False),
    ],
)
def test_a_decision_is_a_verdict_of_the_guardrail_that_the_rules_leave_out(
    verdict: Verdict, outcome: Outcome, delivered: bool | None
) -> None:
    event = event_of(Decided(1_795_320_000.0, MALLORY, verdict, 0.001))
    (told,) = event.verdicts
    assert (event.kind, event.source, told.guardrail, told.outcome) == (Kind.GUARDRAIL, "gate", "firsthour", outcome)
    assert event.delivered is delivered and told.rule_id == ("INC-12" if verdict.incident else None)


def test_a_decision_names_the_user_before_the_key() -> None:
    event = event_of(Decided(1_795_320_000.0, MALLORY, Verdict(), 0.001))
    assert (event.user_id, event.user_kind, event.session_id) == ("mallory", UserKind.END_USER, "s-1")
    assert (event.app, event.endpoint, event.stage) == ("shop", "/chat", Stage.OUTPUT)
    stranger = event_of(Decided(0.0, Caller(()), Verdict(), 0.001))
    assert (stranger.user_id, stranger.user_kind, stranger.stage) == (None, UserKind.UNKNOWN, Stage.INPUT)
