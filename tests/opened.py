"""What tests about a running incident share: a context, an incident that an alert opened, and what was written about it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlmodel import col, select

from bot.cases import finish
from bot.cases.context import Context
from bot.cases.receive import AlertIn, receive
from bot.cases.recovery import Decided
from bot.connectors import Connectors
from bot.connectors.manual import Manual
from bot.incident.caller import Caller
from bot.incident.deadlines import BusinessCalendar
from bot.incident.incident import Incident, person
from bot.incident.outward import Intent, IntentKind, Reminder, ReminderKind, ReminderState
from bot.incident.words import Severity
from bot.playbook import DEFAULT_PATH, Playbook, load
from bot.settings import Organisation, RosterEntry
from bot.store import Store

ROSTER = {
    "on_call": RosterEntry(people=("U0ONCALL",)),
    "engineering_lead": RosterEntry(people=("U0ENG",)),
    "security_team_lead": RosterEntry(people=("U0SEC",), usergroups=("@security-leads",)),
    "ciso": RosterEntry(people=("U0CISO",)),
}
ALICE = Caller(person("U0ALICE"))


@cache
def playbook() -> Playbook:
    return load(DEFAULT_PATH)


def context(store: Store, *, speed: float = 1.0, **org: Any) -> Context:
    return Context(
        store=store,
        playbook=playbook(),
        org=Organisation(**{"roster": ROSTER} | org),
        connectors=Connectors({"manual": Manual()}, {}),
        calendar=BusinessCalendar(),
        speed=speed,
    )


async def opened(ctx: Context, severity: Severity = Severity.SEV1, *, user: str = "mallory", app: str = "chat") -> int:
    alert = AlertIn.model_validate(
        {
            "trigger": "credential_leakage_confirmed",
            "title": "A canary key was in an answer",
            "severity": int(severity),
            "subject": {"kind": "user", "id": user},
            "app": app,
        }
    )
    received = await receive(ctx, "native", alert)
    assert received.status == "opened"
    return int(received.incident.removeprefix("INC-"))


WAIVER = "there is no attack to replay"


async def resolve(ctx: Context, caller: Caller, number: int, *, reason: str, decided: Decided = finish.NOTHING) -> str:
    """For tests that are about something else than the proof of a fix."""
    return await finish.resolve(ctx, caller, number, reason=reason, decided=decided, waiver=WAIVER)


async def incident(store: Store, number: int) -> Incident:
    async with store.read() as session:
        found = await session.get(Incident, number)
        assert found is not None
        return found


async def reminders(store: Store, number: int, *kinds: ReminderKind) -> Sequence[Reminder]:
    """Pending ones, in the order in which they are due."""
    async with store.read() as session:
        wanted = select(Reminder).where(Reminder.incident == number, Reminder.state == ReminderState.PENDING)
        rows = (await session.exec(wanted.order_by(col(Reminder.due_at), col(Reminder.id)))).all()
        return [row for row in rows if not kinds or row.kind in kinds]


async def intents(store: Store, number: int, *kinds: IntentKind) -> Sequence[Intent]:
    async with store.read() as session:
        rows = (await session.exec(select(Intent).where(Intent.incident == number).order_by(col(Intent.id)))).all()
        return [row for row in rows if not kinds or row.kind in kinds]


async def posts(store: Store, number: int) -> list[dict[str, Any]]:
    """What reminders had posted so far: the arguments of each message."""
    found = await intents(store, number, IntentKind.POST)
    return [row.args for row in found if row.key.startswith("post:reminder:")]
