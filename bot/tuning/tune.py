"""`firsthour tune`: one trigger, the log of seen events, and what really happened, brought together.

Decides where each comes from, and that a store that cannot be read makes the rest no less true. It changes nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.cases.finding_words import SOURCE
from bot.detection.rule import Rule
from bot.incident.errors import FirsthourError, Invalid, NotFound
from bot.playbook import Playbook
from bot.playbook.trigger import Trigger
from bot.store import Store
from bot.store.firings import Firings, firings
from bot.tuning.replay import replay, warm_up
from bot.tuning.report import Report
from bot.tuning.thresholds import Number, grid, rules, setting
from bot.watch.read import read_fired, read_log
from bot.watch.segments import segments

DAY = 86400.0
LONGEST = 366


@dataclass(frozen=True)
class Asked:
    trigger: str
    days: float
    thresholds: Sequence[Number] = ()
    """None named: a grid around the one in force."""
    app: str | None = None


async def tune(
    playbook: Playbook,
    folder: Path,
    store: Store,
    asked: Asked,
    now: datetime,
    *,
    progress: Callable[[float], None] = lambda _: None,
) -> Report:
    """`folder`: of the watch. `progress` is told how much is done, 0 to 1.

    Raises NotFound for a trigger that the playbook does not have, Invalid for a threshold that its rule does not allow.
    """
    trigger = trigger_of(playbook, asked.trigger)
    if not 0 < asked.days <= LONGEST:
        raise Invalid(f"--days is more than 0 and at most {LONGEST}.", example=f"firsthour tune {trigger.id} --days 7")
    until = now.timestamp()
    since = until - asked.days * DAY
    rule = trigger.rule.for_app(asked.app)
    trials = rules(rule, [*(asked.thresholds or grid(rule)), *_in_force(rule)])
    replayed = replay(
        lambda: read_log(folder, since - warm_up(rule), until),
        rule,
        trials,
        since=since,
        until=until,
        app=asked.app,
        progress=progress,
    )
    really = await _really(store, asked, since, until)
    there = segments(folder)
    return Report(
        trigger=trigger.id,
        app=asked.app,
        setting=setting(rule),
        since=since,
        until=until,
        begins=there[0].began_ms / 1000 if there else None,
        replayed=replayed,
        really=really,
        shadow=rule.shadow,
        learns=rule.primitive == "drift",
        suppressed=_suppressed(folder, asked, since),
    )


def trigger_of(playbook: Playbook, name: str) -> Trigger:
    """Raises NotFound, with the name that was probably meant."""
    found = playbook.triggers.get(name)
    if found is not None:
        return found
    near = difflib.get_close_matches(name.casefold().replace("-", "_"), playbook.triggers, n=1, cutoff=0.5)
    meant = f"Did you mean {near[0]}? " if near else ""
    raise NotFound(f"There is no trigger of this name. {meant}There are: {', '.join(sorted(playbook.triggers))}.")


def _in_force(rule: Rule) -> list[Number]:
    of = setting(rule)
    return [] if of is None else [of.value]


async def _really(store: Store, asked: Asked, since: float, until: float) -> Firings | None:
    """None where the store is not there or does not answer: that is unknown, not nothing."""
    if not store.exists():
        return None
    try:
        async with store.read() as session:
            span = datetime.fromtimestamp(since, UTC), datetime.fromtimestamp(until, UTC)
            return await firings(session, SOURCE, asked.trigger, *span, app=asked.app)
    except FirsthourError:
        return None


def _suppressed(folder: Path, asked: Asked, since: float) -> int:
    """Different findings that would have opened an incident, had nothing suppressed them."""
    return len(
        {
            fired.finding.id
            for fired in read_fired(folder, since)
            if fired.by is not None
            and fired.finding.first
            and fired.finding.trigger == asked.trigger
            and asked.app in {None, fired.finding.app}
        }
    )
