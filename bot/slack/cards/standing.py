"""How an action stands, in one sentence: who decided, when, what came of it. Used by the panel and by messages.

Decides the words of each state. Which states there are is `bot.incident.words`'.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from bot.incident.approval import counting
from bot.incident.words import ActionState, Decision
from bot.incident.work import Action
from bot.slack.cards.scene import Scene
from bot.slack.text import Md, join, md, mention, safe, when, who

S = ActionState
RESULT_CHARS = 400
ATTESTED = re.compile(r"Attested by <@([UW][A-Z0-9]{2,20})>: ")
MARKS = {
    S.PROPOSED: "🖐",
    S.APPROVED: "⏳",
    S.EXECUTING: "⏳",
    S.VERIFIED: "✅",
    S.FAILED: "❌",
    S.UNKNOWN: "❔",
    S.REVERTED: "↩️",
    S.DECLINED: "🚫",
    S.EXPIRED: "⌛",
}


def waits_for_a_person(action: Action) -> bool:
    """Somebody has to carry it out, or undo it, by hand; `action.result` says what. A connector in hand says nothing yet."""
    by_hand = action.connector == "manual"
    if action.state is S.EXECUTING:
        return by_hand or bool(action.result)
    return action.state is S.UNKNOWN or (action.state is S.VERIFIED and action.revert_asked_at is not None and by_hand)


def standing(scene: Scene, action: Action) -> Md:
    return md("{} {}", MARKS[action.state], SENTENCES[action.state](scene, action))


def proposed(scene: Scene, action: Action) -> Md:
    expires = [md("expires {}", when(action.expires_at))] if action.expires_at is not None else []
    return join(" · ", [who_may(scene, action), *expires])


def who_may(scene: Scene, action: Action) -> Md:
    """How many have signed, and who may sign next: `1 of 2 signed · @alice; another person must sign too`."""
    signed = counting(action, scene.file.signed(action))
    count = md("{} of {} signed", len(signed), action.signatures)
    if signed:
        second = [scene.role_title(role) for role in scene.playbook.policy.second_person.roles]
        other = " or ".join(second) if second else "person"
        return md("{} · {}; another {} must sign too", count, join(", ", [who(one.person) for one in signed]), other)
    approvers = scene.playbook.actions[action.kind].approvers_for(scene.incident.severity)
    titles = " or ".join(scene.role_title(role) for role in approvers)
    return md("{} · waits for the {}", count, titles[:1].lower() + titles[1:])


def verdict(scene: Scene, action: Action) -> Md:
    """Who decided and when, without what came of it: that is said in the room."""
    if action.state in {S.PROPOSED, S.DECLINED, S.EXPIRED}:
        return SENTENCES[action.state](scene, action)
    return _by(scene, action)


def _approved(scene: Scene, action: Action) -> Md:
    return md("{}. It runs next.", _by(scene, action))


def _executing(scene: Scene, action: Action) -> Md:
    if waits_for_a_person(action):
        return md("{}. *A person has to do it:* {}", _by(scene, action), _result(action))
    return md("{}. Being carried out by {}.", _by(scene, action), action.connector)


def _verified(scene: Scene, action: Action) -> Md:
    line = md("*In force*, verified {}. {} {}", _at(action.verified_at), _result(action), _by(scene, action))
    if action.revert_asked_at is None:
        return line
    by = who(action.revert_asked_by) if action.revert_asked_by else Md("somebody")
    how = Md("A person has to undo it by hand") if waits_for_a_person(action) else Md("Reverting")
    return md("{}. {}, asked by {} at {}.", line, how, by, when(action.revert_asked_at))


def _failed(scene: Scene, action: Action) -> Md:
    return md("*Failed.* {} {}. Propose it again or choose another.", _result(action), _by(scene, action))


def _unknown(scene: Scene, action: Action) -> Md:
    return md("*Outcome not known.* {} {}. Look at the system itself.", _result(action), _by(scene, action))


def _reverted(scene: Scene, action: Action) -> Md:
    by = md(" by {}", who(action.revert_asked_by)) if action.revert_asked_by else Md("")
    return md("Reverted{} {}. {}", by, _at(action.reverted_at), _result(action))


def _declined(scene: Scene, action: Action) -> Md:
    said = next((one for one in scene.file.signed(action) if one.decision is Decision.DECLINE), None)
    if said is None:
        return md("Declined {}.", _at(action.decided_at))
    reason = md(": {}", said.reason) if said.reason else Md("")
    return md("Declined by {} at {}{}", who(said.person), when(said.at), reason)


def _expired(scene: Scene, action: Action) -> Md:
    again = "" if scene.ended else " Propose it again if it is still needed."
    return md("Expired {} before anybody decided.{}", _at(action.expires_at), again)


def _by(scene: Scene, action: Action) -> Md:
    approvals = scene.file.signed(action)
    if (broken := scene.file.glass_broken(action)) is not None:
        why = safe(broken.reason or "no reason is stored", RESULT_CHARS)
        return md("*Break-glass* by {} {}: {} (the review looks at it)", who(broken.person), _at(broken.at), why)
    if signed := [who(one.person) for one in counting(action, approvals)]:
        return md("Approved by {} {}", join(" and ", signed), _at(action.decided_at))
    return Md("Started by itself, as the trigger allows") if action.auto else Md("Approved")


def _result(action: Action) -> Md:
    """Attested results name the person in Slack's own form; that one form is kept, anything after it is inert."""
    result = action.result or ""
    if (said := ATTESTED.match(result)) is not None:
        return md("Attested by {}: {}", mention(said.group(1)), safe(result[said.end() :], RESULT_CHARS))
    return safe(result, RESULT_CHARS)


def _at(moment: datetime | None) -> Md:
    return md("at {}", when(moment)) if moment is not None else Md("at a time that is not known")


SENTENCES: dict[ActionState, Callable[[Scene, Action], Md]] = {
    S.PROPOSED: proposed,
    S.APPROVED: _approved,
    S.EXECUTING: _executing,
    S.VERIFIED: _verified,
    S.FAILED: _failed,
    S.UNKNOWN: _unknown,
    S.REVERTED: _reverted,
    S.DECLINED: _declined,
    S.EXPIRED: _expired,
}
