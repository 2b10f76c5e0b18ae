"""Somebody has findings suppressed for a while, or lifts that again; and its end is noted when it has come.

Decides what must be said (why, and for how long), that everybody's findings are suppressed on purpose only, and that the
stakeholders' channel is told where that hides the worst. What a suppression covers is `suppressed`'s.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

import structlog
from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.cases.context import Context
from bot.cases.declare import known_trigger
from bot.cases.people import member
from bot.incident.caller import Caller
from bot.incident.errors import Invalid, Refused
from bot.incident.outward import IntentKind
from bot.incident.redact import clip, redact
from bot.incident.registered import LONGEST_SUPPRESSION, Suppression
from bot.incident.words import Severity
from bot.store import Store, Unit, suppressions
from bot.store.registered import changed

log = structlog.get_logger()

LONGEST = int(LONGEST_SUPPRESSION.total_seconds()) // 60
"""Minutes."""
GOOD_REASON = 10
"""Characters that a reason must be longer than where it hides SEV-1 or SEV-2 findings of everybody."""
SUBJECTS = ("user", "session", "api_key", "ip")
"""Fields that name a subject of that kind."""


class Wanted(BaseModel):
    """What a person says. All that is named must hold of a finding."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    time: int = Field(ge=1, le=LONGEST)
    """Minutes."""
    reason: str = Field(min_length=1, max_length=500)
    user: str | None = Field(default=None, min_length=1, max_length=300)
    session: str | None = Field(default=None, min_length=1, max_length=300)
    api_key: str | None = Field(default=None, min_length=1, max_length=300)
    ip: str | None = Field(default=None, min_length=1, max_length=300)
    tenant: str | None = Field(default=None, min_length=1, max_length=300)
    app: str | None = Field(default=None, min_length=1, max_length=120)
    trigger: str | None = Field(default=None, min_length=1, max_length=80)
    everybody: bool = False
    """Said on purpose where nobody is named."""
    starts: datetime | None = None
    """None: now."""

    @model_validator(mode="after")
    def _of_somebody(self) -> Self:
        named = [name for name in SUBJECTS if getattr(self, name) is not None]
        if len(named) > 1:
            raise ValueError(
                "Name one subject: a user, a session, an API key or an IP address. Others get a suppression of their own."
            )
        nobody = not named and self.tenant is None and self.app is None
        if nobody and not self.everybody:
            raise ValueError(
                "Say whose findings: --user, --session, --api-key, --ip, --tenant or --app. For a maintenance window over "
                "all of them add --everybody."
            )
        if self.everybody and not nobody:
            raise ValueError("Either somebody is named, or it is --everybody.")
        return self

    @property
    def subject(self) -> tuple[str, str] | tuple[None, None]:
        found = ((name, str(getattr(self, name))) for name in SUBJECTS if getattr(self, name) is not None)
        return next(found, (None, None))


async def suppress(ctx: Context, caller: Caller, wanted: Wanted) -> str:
    """Findings open nothing for a while. Raises Refused for a guest; Invalid for a trigger that is not there, a time that is
    over or too far ahead, and a poor reason where everybody's are hidden."""
    user = member(caller)
    known_trigger(ctx, wanted.trigger)
    worst = wanted.everybody and _severe(ctx, wanted.trigger)
    if worst and len(wanted.reason) <= GOOD_REASON:
        raise Invalid(
            "This hides SEV-1 and SEV-2 findings of everybody: say why, in more than one or two words.",
            example="/incident suppress 2h --everybody load test of all applications, ticket 4711",
            field="reason",
        )
    kind, subject = wanted.subject
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        starts = _from(wanted, unit.now)
        made = Suppression(
            subject_kind=kind,
            subject_id=subject,
            tenant=wanted.tenant,
            app=wanted.app,
            trigger=wanted.trigger,
            reason=clip(redact(wanted.reason), 500),
            starts_at=starts,
            ends_at=starts + timedelta(minutes=wanted.time),
            made_by=user,
            made_at=unit.now,
        )
        number = await suppressions.add(unit, made)
        if worst:
            await _tell(unit, number, "made")
        log.info(
            "suppression.made", suppression=number, by=user, until=made.ends_at.isoformat(), everybody=made.everybody
        )
        return unit.answer(
            f"Suppression {number} runs {_spoken(made, unit.now)}. What it covers is still logged and counted, and opens "
            f"nothing. `/incident unsuppress {number}` lifts it{'; the incidents channel is told' if worst else ''}."
        )


async def lift(ctx: Context, caller: Caller, number: int) -> str:
    """Anybody who may suppress may lift. Raises NotFound, and Refused for a guest or where it is over."""
    user = member(caller)
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        found = await suppressions.find(unit, number)
        if found.over_at is not None or found.ends_at <= unit.now:
            over = found.over_at or found.ends_at
            by = f", lifted by <@{found.lifted_by}>" if found.lifted_by else ""
            raise Refused(f"Suppression {number} is over since {over:%Y-%m-%d %H:%M} UTC{by}.")
        found.over_at, found.lifted_by = unit.now, user
        await changed(unit)
        if found.everybody and _severe(ctx, found.trigger):
            await _tell(unit, number, "lifted")
        log.info("suppression.lifted", suppression=number, by=user)
        return unit.answer(f"Suppression {number} is lifted. Findings open incidents again within seconds.")


async def expire(store: Store) -> int:
    """Note the end of those that are over; returns how many. Nothing waits for it: an end applies by itself."""
    async with store.unit() as unit:
        ended = await suppressions.expired(unit)
        for one in ended:
            one.over_at = one.ends_at
    for one in ended:
        log.info("suppression.expired", suppression=one.id, made_by=one.made_by)
    return len(ended)


def _from(wanted: Wanted, now: datetime) -> datetime:
    """Raises Invalid."""
    starts = wanted.starts or now
    if starts < now:
        raise Invalid("It cannot start in the past: what was found then is open already.", field="starts")
    if starts + timedelta(minutes=wanted.time) > now + LONGEST_SUPPRESSION:
        raise Invalid(f"It must be over within {LONGEST_SUPPRESSION.days} days from now.", field="time")
    return starts


def _severe(ctx: Context, trigger: str | None) -> bool:
    """Of SEV-1 or SEV-2, or of every severity where no trigger is named."""
    known = ctx.playbook.triggers.get(trigger) if trigger else None
    return known is None or known.severity <= Severity.SEV2


async def _tell(unit: Unit, number: int, what: str) -> None:
    args = {"notice": f"suppression_{what}", "suppression": number}
    await unit.intend(IntentKind.NOTICE, f"notice:suppression:{number}:{what}", args=args)


def _spoken(made: Suppression, now: datetime) -> str:
    until = f"until {made.ends_at:%Y-%m-%d %H:%M} UTC"
    return until if made.starts_at <= now else f"from {made.starts_at:%Y-%m-%d %H:%M} {until}"
