"""One proposal: its target, its row, and whether it runs by itself (design laws 8 and 9).

Decides which targets are usable, how many must sign, what is bound. Who asks for it is `propose`'s.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.cases import actions
from bot.cases.context import Context
from bot.cases.restate import terms
from bot.connectors import Nature
from bot.detection.scan import NAMED
from bot.incident.incident import SYSTEM, Actor, Incident
from bot.incident.outward import Planned, ReminderKind
from bot.incident.redact import redact
from bot.incident.timeline import Happened
from bot.incident.words import ActionKind, ScopeKind, SubjectKind
from bot.incident.work import Action
from bot.playbook.action import Proposal
from bot.store import Unit

EVERYONE = "*"
LAST_PART = 4
"""When the last quarter of its life begins, a proposal that nobody decided about is brought up, once."""
LONGEST_TARGET = 160
"""Its name stands in the idempotency key; a longer one would be cut somewhere on its way, and then be another."""
OF_SUBJECT = {
    ScopeKind.USER: SubjectKind.USER,
    ScopeKind.SESSION: SubjectKind.SESSION,
    ScopeKind.API_KEY: SubjectKind.API_KEY,
    ScopeKind.IP: SubjectKind.IP,
    ScopeKind.DOCUMENT: SubjectKind.DOCUMENT,
    ScopeKind.CREDENTIAL: SubjectKind.CREDENTIAL,
    ScopeKind.ENDPOINT: SubjectKind.ENDPOINT,
    ScopeKind.APPLICATION: SubjectKind.APPLICATION,
}


@dataclass(frozen=True)
class Wanted:
    kind: ActionKind
    scope_kind: ScopeKind
    scope_id: str
    why: str
    alternative_to: ActionKind | None = None
    alone: bool = False
    """The playbook lets it run by itself."""

    @property
    def same(self) -> tuple[ActionKind, ScopeKind, str]:
        return self.kind, self.scope_kind, self.scope_id


def unusable(scope_kind: ScopeKind, scope_id: str) -> str | None:
    """Why this cannot be a target, in words for whoever typed it; None where it can."""
    if scope_kind is ScopeKind.EVERYONE:
        return None
    if not scope_id.strip():
        return f"Name the {scope_kind.value.replace('_', ' ')}."
    if set(scope_id.strip()) <= {"*", "%"}:
        return "A wildcard is not one subject. To contain everyone, choose the scope “everyone”: two people approve it."
    if not scope_id.isprintable():
        return "The target holds invisible characters, so nobody could see what is approved. Type it again."
    if len(scope_id) > LONGEST_TARGET:
        return f"The target has {len(scope_id)} characters, {LONGEST_TARGET} fit. Name it by its id."
    if NAMED.fullmatch(scope_id):
        return "No system knows anybody by this name: it stands for a credential, which is kept nowhere. Revoke that instead."
    if redact(scope_id) != scope_id:
        return "The target looks like a secret. Name it by its id or alias: it is shown in the room."
    return None


def wanted(ctx: Context, incident: Incident, proposal: Proposal) -> Wanted | None:
    """The proposal with its target; None where the incident does not know one.

    Where the endpoint is not known but its application is, the application is the smallest scope there is to offer.
    """
    scope, why = proposal.scope, proposal.why
    target = _target(incident, scope)
    if target is None and scope is ScopeKind.ENDPOINT:
        scope, target = ScopeKind.APPLICATION, incident.app
        why = f"{why} The endpoint is not known, so this is for the whole application."
    if target is None or scope not in ctx.playbook.actions[proposal.action].scopes or unusable(scope, target):
        return None
    return Wanted(proposal.action, scope, target, why, proposal.alternative_to, proposal.auto)


def _target(incident: Incident, scope: ScopeKind) -> str | None:
    if scope is ScopeKind.EVERYONE:
        return EVERYONE
    if OF_SUBJECT[scope] is incident.subject_kind:
        return incident.subject_id
    if scope is ScopeKind.SESSION:
        return incident.session_id
    if scope is ScopeKind.CREDENTIAL:  # what leaked is never stored: whoever rotates finds it in the evidence
        return f"exposed in {incident.name}"
    return incident.app if scope is ScopeKind.APPLICATION else None


def write(ctx: Context, unit: Unit, incident: Incident, actor: Actor, *, of: Wanted, index: int) -> Action:
    """The row and its timeline entry. What an approver is shown is bound by its digest."""
    policy = ctx.playbook.actions[of.kind]
    now = terms(ctx, of.kind, of.scope_kind, of.scope_id, drill=incident.drill)
    action = Action(
        incident=incident.number,
        index=index,
        kind=of.kind,
        scope_kind=of.scope_kind,
        scope_id=of.scope_id,
        connector=now.connector,
        why=of.why,
        effect=now.effect,
        reversible=now.reversible,
        signatures=now.signatures,
        alternative_to=of.alternative_to,
        proposed_by=actor.id,
        proposed_at=unit.now,
        expires_at=unit.now + ctx.minutes(policy.expires_minutes),
    )
    unit.add(action)
    said = {"reason": action.why, "effect": action.effect, "connector": now.connector, "digest": action.digest}
    unit.record(incident, Happened.ACTION_PROPOSED, actor, **actions.facts(action), **said)
    return action


async def offer(ctx: Context, unit: Unit, incident: Incident, action: Action, *, alone: bool) -> bool:
    """Let it run by itself where law 9 allows that; otherwise let it wait for a person until it expires.

    True: it would run by itself, but many users may be behind an API key. `blast` lets it run once it knows of one.
    """
    alone = alone and may_run_alone(ctx, action)
    if alone and action.scope_kind is not ScopeKind.API_KEY:
        await run_alone(unit, incident, action, waited=False)
        return False
    assert action.expires_at is not None
    soon, until = action.expires_at - (action.expires_at - unit.now) / LAST_PART, action.expires_at.isoformat()
    await unit.remind(
        Planned(
            key=actions.expiry_key(action),
            incident=incident.number,
            kind=ReminderKind.ACTION_EXPIRY,
            args={"action": action.index},
            due_at=action.expires_at,
        ),
        Planned(  # one for all that were proposed together
            key=f"expiring:{incident.number}:{until}",
            incident=incident.number,
            kind=ReminderKind.ACTION_EXPIRING,
            args={"until": until},
            due_at=soon,
        ),
    )
    return alone


async def run_alone(unit: Unit, incident: Incident, action: Action, *, waited: bool = True) -> None:
    """Visibly, and with Revert beside it once it is in force. `waited`: for a decision, of which people are reminded."""
    action.auto = True
    said = {**actions.facts(action), "auto": True, "digest": action.digest}
    unit.record(incident, Happened.ACTION_APPROVED, SYSTEM, **said)
    await actions.carry_out(unit, incident, action, waited=waited)


def may_run_alone(ctx: Context, action: Action) -> bool:
    """Reversible, one subject, a system that does it: never by hand, never where a second person is needed."""
    return (
        ctx.org.auto_contain == "single_subject"
        and action.reversible
        and action.signatures == 1
        and not action.scope_kind.system_wide
        and ctx.connectors.named(action.connector).nature is not Nature.BY_HAND
    )
