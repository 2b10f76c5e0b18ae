"""Inviting people to the room: roster roles and single people, in batches; whoever cannot come is named once (law 15).

Decides how names become invitations. Who is to be invited is the intent's: `{"roles": […]}`, `{"people": […]}` or both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.incident.outward import IntentKind
from bot.slack.client import Slack
from bot.slack.delivery.desk import Desk, outcome
from bot.slack.delivery.people import Found, Nobody, People
from bot.slack.failures import PERMANENT, Failure
from bot.slack.messages.asked import strings
from bot.store import Unit
from bot.store.intents import Claim
from bot.store.runner import Done, Outcome

BATCH = 100
FINE = frozenset({"already_in_channel", "cant_invite_self"})
OF_THE_ROOM = frozenset({"channel_not_found", "not_in_channel", "is_archived", "missing_scope", "restricted_action"})
"""Refusals that are nobody's in particular: asking for each person alone would change nothing."""


async def invite(desk: Desk, people: People, claim: Claim) -> Outcome:
    channel = (await desk.incident(claim)).channel_id
    if channel is None:
        return await desk.no_room(claim)
    wanted = await _wanted(desk, people, claim)
    if isinstance(wanted, Failure):
        return outcome(claim, wanted)
    missing = list(wanted.missing)
    for start in range(0, len(wanted.ids), BATCH):
        refused = await _batch(desk.slack, channel, wanted.ids[start : start + BATCH])
        if isinstance(refused, Failure):
            return outcome(claim, refused)
        missing += refused
    return Done() if not missing else _said(claim, missing)


async def _wanted(desk: Desk, people: People, claim: Claim) -> Found | Failure:
    entries = [desk.org.roster[role] for role in strings(claim.args, "roles") if role in desk.org.roster]
    names = [*strings(claim.args, "people"), *(name for entry in entries for name in entry.people)]
    groups = await people.groups([name for entry in entries for name in entry.usergroups])
    if isinstance(groups, Failure):
        return groups
    found = [await people.people(names), *[await people.members(group) for group in groups.ids]]
    failed = next((one for one in found if isinstance(one, Failure)), None)
    if failed is not None:
        return failed
    known = [one for one in found if isinstance(one, Found)]
    ids = dict.fromkeys(user for one in known for user in one.ids)
    return Found(tuple(ids), (*groups.missing, *(nobody for one in known for nobody in one.missing)))


async def _batch(slack: Slack, channel: str, users: Sequence[str]) -> list[Nobody] | Failure:
    """Whom Slack refused. `force` invites the others all the same."""
    answer = await slack.call("conversations.invite", channel=channel, users=",".join(users), force=True)
    if isinstance(answer, Failure):
        if not answer.permanent or answer.error in OF_THE_ROOM:
            return answer
        if "errors" not in answer.data:
            return [Nobody(users[0], answer.why)] if len(users) == 1 else await _one_by_one(slack, channel, users)
    return _refused(answer.data.get("errors", []))


async def _one_by_one(slack: Slack, channel: str, users: Sequence[str]) -> list[Nobody] | Failure:
    refused: list[Nobody] = []
    for user in users:
        one = await _batch(slack, channel, [user])
        if isinstance(one, Failure):
            return one
        refused += one
    return refused


def _refused(errors: Sequence[Any]) -> list[Nobody]:
    given = [(str(one.get("user", "?")), str(one.get("error", ""))) for one in errors if isinstance(one, dict)]
    return [
        Nobody(user, PERMANENT.get(error, f"Slack refused it ({error})")) for user, error in given if error not in FINE
    ]


def _said(claim: Claim, missing: Sequence[Nobody]) -> Done:
    async def record(unit: Unit) -> None:
        assert claim.incident is not None
        incident = await unit.incident(claim.incident)
        failures = [{"who": one.who, "why": one.why} for one in missing]
        args = {"message": "invite_failed", "failures": failures}
        await unit.intend(IntentKind.POST, f"post:invite_failed:{claim.id}", incident=incident, args=args)

    return Done(record)
