"""A proposal that is no longer what would be proposed today is stated anew, and decided about anew (design law 8).

Decides when that is so: another connector or effect, undoing or signatures changed, another severity. Signatures are
bound to the digest of what was shown, so earlier ones no longer count. What an approver then presses is `decide`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.cases import actions
from bot.cases.context import Context
from bot.incident.incident import SYSTEM, Incident
from bot.incident.timeline import Happened
from bot.incident.words import ActionKind, ActionState, ScopeKind
from bot.incident.work import Action
from bot.store import Unit


@dataclass(frozen=True)
class Terms:
    """What playbook, organisation and connector say of an action on a target now."""

    connector: str
    effect: str
    reversible: bool
    signatures: int


def terms(ctx: Context, kind: ActionKind, scope_kind: ScopeKind, scope_id: str, *, drill: bool) -> Terms:
    second = ctx.playbook.policy.second_person
    name = ctx.connectors.name_for(kind, drill=drill)
    connector = ctx.connectors.named(name)
    reversible = ctx.playbook.actions[kind].reversible and connector.can_revert(kind)
    two = (second.system_wide and scope_kind.system_wide) or (second.irreversible and not reversible)
    effect = connector.effect_of(kind, scope_kind, scope_id)
    return Terms(name, effect, reversible, 2 if two else 1)


def outdated(ctx: Context, unit: Unit, incident: Incident, action: Action) -> str | None:
    """State it anew where its terms are others now. Returns what changed, in words; None where nothing did."""
    now = terms(ctx, action.kind, action.scope_kind, action.scope_id, drill=incident.drill)
    changed = [
        words
        for words, before, after in (
            (f"it would be carried out by “{now.connector}”", action.connector, now.connector),
            ("what it reaches is another", action.effect, now.effect),
            (f"it can{'' if now.reversible else 'not'} be undone", action.reversible, now.reversible),
            (f"{now.signatures} must sign it", action.signatures, now.signatures),
        )
        if before != after
    ]
    if not changed:
        return None
    action.connector, action.effect = now.connector, now.effect
    action.reversible, action.signatures = now.reversible, now.signatures
    why = ", ".join(changed)
    _record(unit, incident, [action], why)
    return why


async def for_severity(unit: Unit, incident: Incident) -> None:
    """Who may decide depends on the severity: what waits for a decision is stated anew after it changed."""
    waiting = [one for one in await actions.every(unit, incident) if one.state is ActionState.PROPOSED]
    if waiting:
        _record(unit, incident, waiting, f"the severity is {incident.severity.label} now")


def _record(unit: Unit, incident: Incident, restated: Sequence[Action], why: str) -> None:
    for action in restated:
        action.edition += 1
    digests = {str(action.index): action.digest for action in restated}
    indexes = [action.index for action in restated]
    unit.record(incident, Happened.ACTION_RESTATED, SYSTEM, actions=indexes, reason=why, digests=digests)
