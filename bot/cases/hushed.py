"""Findings about the identity that an attack is replayed as open nothing while the replay lasts: it is us.

Decides for how long. It is a suppression like every other: logged, counted, listed, and lifted by anybody who may.
"""

from __future__ import annotations

from datetime import timedelta

from bot.cases.context import Context
from bot.incident.registered import Suppression
from bot.incident.validation import ValidationRun
from bot.store import Unit, suppressions
from bot.store.registered import changed

LASTS = timedelta(hours=12)
"""While a run goes on. Its end shortens it."""
AFTER = timedelta(minutes=10)
"""Events of a system come late, and so do findings."""


async def hush(ctx: Context, unit: Unit, run: ValidationRun) -> None:
    """The run has its number."""
    target = ctx.org.targets.get(run.target)
    if target is None:
        return
    made = Suppression(
        subject_kind="user",
        subject_id=target.user,
        reason=f"validation {run.id} of INC-{run.incident} replays an attack as this user",
        starts_at=unit.now,
        ends_at=unit.now + LASTS,
        made_by=run.started_by,
        made_at=unit.now,
    )
    run.report = {**run.report, "suppression": await suppressions.add(unit, made)}


async def listen(unit: Unit, run: ValidationRun) -> None:
    """The run ended, or was stopped. One that somebody lifted stays as it is."""
    number = run.report.get("suppression")
    found = await unit.session.get(Suppression, number, with_for_update=True) if isinstance(number, int) else None
    if found is not None and found.over_at is None:
        found.ends_at = min(found.ends_at, unit.now + AFTER)
        await changed(unit)
