"""What a person may see on their Home tab is decided in one place, on both databases."""

from __future__ import annotations

from datetime import timedelta

from bot.incident.incident import RoleHeld
from bot.incident.learning import ActionItem, Risk
from bot.incident.words import ActionState, ItemKind, Level, Role, Severity, Treatment
from bot.store import Store
from bot.store.home_file import home_file
from tests.conftest import START, open_incident
from tests.slack.casefiles import action

APPROVERS = ("commander",)


async def test_rooms_and_roles_open_an_incident_and_everything_else_is_outside(store: Store) -> None:
    later = START + timedelta(hours=1)
    async with store.unit() as unit:
        for severity, room in ((Severity.SEV3, "C0IN"), (Severity.SEV1, "C0OUT"), (Severity.SEV2, "C0HELD")):
            await open_incident(unit, severity=severity, channel_id=room)
        ended = await open_incident(unit, channel_id="C0IN", ended_at=unit.now)
        unit.add(RoleHeld(incident=3, role=Role.COMMANDER, person="U0ME", since=unit.now, by="U0ME"))
        unit.add(RoleHeld(incident=ended.number, role=Role.COMMANDER, person="U0ME", since=unit.now, by="U0ME"))
        for number in (1, 2, 3):
            unit.add(action(1, id=None, incident=number, key=f"a{number}", expires_at=later))
        unit.add(action(2, ActionState.DECLINED, id=None, incident=3, key="b", expires_at=later))
        unit.add(action(3, id=None, incident=3, key="c", expires_at=START - timedelta(1)))
        for days, owner in ((-1, "U0ME"), (1, "U0ME"), (-1, "U0YOU")):
            due = START + timedelta(days)
            unit.add(
                ActionItem(incident=2, text="x", kind=ItemKind.PREVENT, owner=owner, due_at=due, created_at=unit.now)
            )
        unit.add(
            Risk(
                incident=2, text="x", likelihood=Level.LOW, impact=Level.LOW, treatment=Treatment.ACCEPT, owner="U0ME",
                review_at=START - timedelta(1), created_by="U0ME", created_at=unit.now,
            )
        )  # fmt: skip
    async with store.read() as session:
        mine = await home_file(session, "U0ME", START, rooms={"C0IN"}, approvers=APPROVERS)
        everybodys = await home_file(session, "U0YOU", START, rooms=None, approvers=APPROVERS)
    assert [one.number for one in mine.inside] == [3, 1] and [one.number for one in mine.outside] == [2]
    assert (mine.running, mine.item_count, mine.overdue, mine.overdue_all, len(mine.risks)) == (3, 2, 1, 2, 1)
    assert [(incident.number, one.index) for incident, one in mine.waiting] == [(3, 1)]
    assert len(everybodys.inside) == 3 and everybodys.waiting == [] and everybodys.overdue == 1
