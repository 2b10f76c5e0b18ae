"""Who stands behind the roster, asked of a real workspace: believed briefly, and nobody where Slack does not say."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.practice.server import PracticeWorkspace
from bot.settings import RosterEntry
from bot.slack import membership
from bot.slack.client import Slack, slack_client, slack_session
from bot.slack.membership import FRESH, Membership
from bot.slack.pace import Pace

ROSTER = {
    "ciso": RosterEntry(people=("carol@practice.example", "U0DAVE")),
    "security_team_lead": RosterEntry(usergroups=("@ai-security",)),
    "engineering_lead": RosterEntry(usergroups=("@gone",), people=("nobody@practice.example",)),
}
MEMBERS = "usergroups.users.list"


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def ws() -> AsyncIterator[PracticeWorkspace]:
    async with PracticeWorkspace() as workspace:
        yield workspace


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
async def known(ws: PracticeWorkspace, seconds: Seconds) -> AsyncIterator[Membership]:
    async with slack_session() as session:
        yield Membership(Slack(slack_client(ws.bot_token, ws.api_url, session), Pace()), ROSTER, now=seconds)


async def test_ids_addresses_and_usergroups_all_lead_to_their_people(ws: PracticeWorkspace, known: Membership) -> None:
    carol, alice, bob = (ws.person(name).id for name in ("carol", "alice", "bob"))
    roles = ["ciso", "security_team_lead"]
    assert (await known.roles_of(carol, roles)).roles == {"ciso", "security_team_lead"}
    assert (await known.roles_of("U0DAVE", roles)).roles == {"ciso"}
    assert (await known.roles_of(alice, roles)).roles == {"security_team_lead"}
    assert (await known.roles_of(bob, roles)) == membership.OnRoster()
    assert (await known.roles_of(carol, ["no_such_role"])).roles == frozenset()


async def test_who_was_taken_out_of_a_usergroup_has_no_role_by_it_a_minute_later(
    ws: PracticeWorkspace, known: Membership, seconds: Seconds
) -> None:
    alice, group = ws.person("alice").id, next(g for g in ws.world.groups.values() if g.handle == "ai-security")
    for _ in range(3):
        assert (await known.roles_of(alice, ["security_team_lead"])).roles
    assert len(ws.record.calls(MEMBERS)) == 1
    group.users.remove(alice)
    seconds.now += FRESH + 1
    assert not (await known.roles_of(alice, ["security_team_lead"])).roles


@pytest.mark.parametrize("kind", ["reset", "ratelimited", "status", "error"])
async def test_where_slack_does_not_answer_nobody_has_the_role_and_the_reason_is_said(
    ws: PracticeWorkspace, known: Membership, kind: str
) -> None:
    ws.faults.add(method=MEMBERS, kind=kind, times=None)  # type: ignore[arg-type]
    found = await known.roles_of(ws.person("alice").id, ["security_team_lead"])
    assert not found.roles
    assert (
        "Slack" in found.unsure["security_team_lead"] and "try again in a moment" in found.unsure["security_team_lead"]
    )


async def test_a_slow_slack_is_not_waited_for(
    ws: PracticeWorkspace, known: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership, "PATIENCE", 0.1)
    ws.faults.add(method=MEMBERS, kind="delay", seconds=2, times=None)
    found = await known.roles_of(ws.person("alice").id, ["security_team_lead", "ciso"])
    assert found.unsure == {"security_team_lead": "Slack did not answer in time; try again in a moment"}


async def test_a_group_that_is_not_there_is_named_and_an_address_that_leads_to_nobody_is_nobody(
    ws: PracticeWorkspace, known: Membership
) -> None:
    found = await known.roles_of(ws.person("alice").id, ["engineering_lead"])
    assert not found.roles
    assert found.unsure == {"engineering_lead": "@gone: there is no such user group"}


async def test_who_alone_stands_behind_a_role_is_found_and_nobody_where_it_is_not_certain(
    ws: PracticeWorkspace, seconds: Seconds
) -> None:
    roster = ROSTER | {
        "security_team": RosterEntry(people=("carol@practice.example",)),
        "legal": RosterEntry(usergroups=("@legal",)),
    }
    async with slack_session() as session:
        client = slack_client(ws.bot_token, ws.api_url, session)
        asked = Membership(Slack(client, Pace()), roster, now=seconds)
        found = await asked.only_person([*roster, "no_such_role"])
    assert found == {"security_team": "U0CAROL", "legal": "U0ERIN"}
