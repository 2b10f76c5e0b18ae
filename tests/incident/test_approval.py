"""Who may decide about containment, by value. Every refusal says why, and who and when where somebody was first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.incident.approval import (
    DECIDED,
    OnRoster,
    check_shown,
    complete,
    counting,
    glass_broken,
    refuse_second_time,
    refuse_unless_open,
    signing_role,
)
from bot.incident.errors import Refused
from bot.incident.words import ActionKind, ActionState, Decision, Role, ScopeKind
from bot.incident.work import Action, Approval

NOW = datetime(2026, 3, 2, 9, 42, tzinfo=UTC)


def action(**changed: object) -> Action:
    values: dict[str, object] = {
        "id": 7,
        "incident": 12,
        "index": 3,
        "kind": ActionKind.BLOCK_USER,
        "scope_kind": ScopeKind.USER,
        "scope_id": "mallory",
        "connector": "gate",
        "why": "it is the subject",
        "effect": "mallory is refused",
        "reversible": True,
        "proposed_by": "firsthour",
        "proposed_at": NOW,
        "expires_at": NOW + timedelta(minutes=30),
    }
    return Action(**{**values, **changed})


def signature(
    of: Action, person: str = "U1", decision: Decision = Decision.APPROVE, digest: str | None = None
) -> Approval:
    return Approval(
        incident=12,
        action=of.id,
        decision=decision,
        person=person,
        role=Role.COMMANDER,
        digest=digest or of.digest,
        at=NOW,
    )


def sign(on: Action, *before: Approval, person: str = "U1", digest: str | None = None, known: bool = True) -> None:
    check_shown(on, before, digest or on.digest, NOW, known=known)
    refuse_second_time(on, before, person)


def test_a_known_approver_may_sign_what_was_shown() -> None:
    sign(action())


def test_an_unknown_approver_is_refused_before_anything_else() -> None:
    with pytest.raises(Refused, match="does not know you as a full member"):
        sign(action(state=ActionState.DECLINED), known=False)


def test_an_action_that_changed_after_it_was_shown_is_refused() -> None:
    shown = action()
    changed = action(scope_id="everyone-in-eu")
    assert shown.digest != changed.digest
    with pytest.raises(Refused, match="changed after it was shown"):
        sign(changed, digest=shown.digest)


@pytest.mark.parametrize(
    "change",
    [
        {"incident": 13},
        {"index": 4},
        {"kind": ActionKind.RATE_LIMIT},
        {"scope_kind": ScopeKind.SESSION},
        {"scope_id": "Mallory"},
        {"connector": "webhook"},
        {"effect": "everybody is refused"},
        {"reversible": False},
        {"signatures": 2},
        {"edition": 2},
    ],
)
def test_the_digest_covers_everything_that_an_approver_is_shown(change: dict[str, object]) -> None:
    assert action(**change).digest != action().digest


def test_the_second_signature_comes_from_another_person() -> None:
    two = action(signatures=2)
    first = signature(two, "U1")
    with pytest.raises(Refused, match="You have signed action 3 already"):
        sign(two, first, person="U1")
    sign(two, first, person="U2")


def test_who_signed_what_it_was_before_signs_what_it_is_now() -> None:
    before, now = action(signatures=2), action(signatures=2, edition=2)
    stale = signature(before, "U1")
    sign(now, stale, person="U1")
    assert not counting(now, [stale])
    assert not complete(now, [stale, signature(now, "U2")])


@pytest.mark.parametrize("state", [ActionState.DECLINED, ActionState.EXPIRED, ActionState.FAILED, ActionState.REVERTED])
def test_what_was_proposed_again_is_named_to_whoever_presses_the_old_one(state: ActionState) -> None:
    old, again, other = action(state=state), action(id=9, index=7), action(id=8, index=6, scope_id="somebody else")
    with pytest.raises(Refused, match=r"proposed again as action 7: decide about that one"):
        refuse_unless_open(old, [], NOW, others=[old, other, again])
    with pytest.raises(Refused, match="Propose it again if it is still needed"):
        refuse_unless_open(old, [], NOW, others=[old, other])


def test_an_expired_proposal_is_refused_with_its_time() -> None:
    with pytest.raises(Refused, match=r"expired at 09:42 UTC\. Propose it again"):
        sign(action(expires_at=NOW))


@pytest.mark.parametrize("state", [state for state in ActionState if state is not ActionState.PROPOSED])
def test_a_decided_action_says_who_decided_and_when(state: ActionState) -> None:
    decided = action(state=state)
    with pytest.raises(Refused) as refused:
        refuse_unless_open(decided, [signature(decided, "U9")], NOW)
    assert f"Action 3 {DECIDED[state]} by <@U9> at 09:42 UTC" in str(refused.value)


def test_a_decision_without_a_signature_is_still_refused() -> None:
    with pytest.raises(Refused, match=r"Action 3 was approved and is in force\."):
        refuse_unless_open(action(state=ActionState.VERIFIED), [], NOW)


def test_the_role_by_which_somebody_decides_is_one_that_approves() -> None:
    holders = {Role.SCRIBE: "U1", Role.COMMANDER: "U1", Role.LEGAL: "U2"}
    assert signing_role("U1", holders, ["commander"]) == Role.COMMANDER
    assert signing_role("U2", holders, ["commander", "legal"]) == Role.LEGAL
    assert signing_role("U9", holders, ["commander", "ciso"], OnRoster(frozenset({"ciso"}))) == "ciso"


def test_a_roster_that_cannot_be_read_refuses_and_says_so() -> None:
    dark = OnRoster(unsure={"ciso": "Slack did not say who is in @ciso"})
    with pytest.raises(Refused, match=r"Whether you are the ciso is not known: Slack did not say who is in @ciso"):
        signing_role("U3", {Role.COMMANDER: "U1"}, ["commander", "ciso"], dark)
    assert signing_role("U1", {Role.COMMANDER: "U1"}, ["commander", "ciso"], dark) == "commander"


def test_who_may_not_decide_is_told_who_may() -> None:
    with pytest.raises(Refused, match=r"Only the commander or technical lead .* That is <@U1> now\."):
        signing_role("U3", {Role.COMMANDER: "U1", Role.SCRIBE: "U3"}, ["commander", "technical_lead"])


def test_without_a_commander_everybody_is_told_to_take_command() -> None:
    with pytest.raises(Refused, match=r"Nobody has taken command yet"):
        signing_role("U3", {}, ["commander"])


def test_two_signatures_need_two_persons_who_approved_what_is_stored_now() -> None:
    two = action(signatures=2)
    one = signature(two, "U1")
    assert not complete(two, [one])
    assert not complete(two, [one, signature(two, "U1")])
    assert not complete(two, [one, signature(two, "U2", Decision.DECLINE)])
    assert not complete(two, [one, signature(two, "U2", digest="of something else")])
    assert not complete(two, [one, signature(action(id=8), "U2")])
    assert complete(two, [one, signature(two, "U2")])


def test_break_glass_stands_for_all_signatures_of_exactly_what_it_was_broken_for() -> None:
    two = action(signatures=2)
    broken = signature(two, "U5", Decision.BREAK_GLASS)
    assert complete(two, [broken]) and glass_broken(two, [broken]) is broken
    assert not complete(two, [signature(two, "U5", Decision.BREAK_GLASS, digest="of something else")])
    assert not complete(two, [signature(action(id=8), "U5", Decision.BREAK_GLASS)])
    assert glass_broken(two, [signature(two, "U1")]) is None
