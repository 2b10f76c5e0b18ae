"""Who may ask for what, beyond containment (which `bot.incident.approval` decides)."""

from __future__ import annotations

from bot.cases.context import Context
from bot.incident.approval import OnRoster
from bot.incident.caller import Caller
from bot.incident.errors import Refused
from bot.incident.incident import Incident
from bot.incident.words import ActorKind, Role
from bot.store import Unit, queries


def member(caller: Caller) -> str:
    """The Slack user id of a full member. Raises Refused for a guest, a bot, or somebody the workspace does not know."""
    if caller.actor.kind is not ActorKind.PERSON:
        raise Refused("Only a person can do this.")
    if not caller.full_member:
        raise Refused("Firsthour does not know you as a full member of this workspace. Ask a member to do it for you.")
    return caller.actor.id


async def on_roster(ctx: Context, user: str) -> OnRoster:
    """Which roles that may approve containment this person has on the roster. It may ask Slack: never call it in a unit."""
    policies, second = ctx.playbook.actions.values(), ctx.playbook.policy.second_person.roles
    approving = {
        role for one in policies for role in (*one.approvers, *(r for at in one.approvers_at for r in at.roles))
    }
    wanted = sorted(role for role in approving | set(second) if role in ctx.org.roster)
    if ctx.membership is not None and wanted:
        return await ctx.membership.roles_of(user, wanted)
    return OnRoster(frozenset(role for role in wanted if user in ctx.org.roster[role].people))


async def holder_of(unit: Unit, incident: Incident, caller: Caller, *roles: Role) -> Role:
    """The role by which this person may act. Raises Refused naming who could."""
    user = member(caller)
    held = await queries.holders(unit.session, incident.number)
    for role in roles:
        if role in held and held[role].person == user:
            return role
    names = " or ".join(role.value.replace("_", " ") for role in roles)
    now = ", ".join(f"<@{held[role].person}>" for role in roles if role in held)
    hint = f"That is {now} now." if now else "Nobody has taken command yet: press *Take command* first."
    raise Refused(f"Only the {names} of {incident.name} may do this. {hint}")
