"""The log of seen events once more, through the real engine, with one trigger under several thresholds.

Decides what "would have fired" means: findings that are the first of their cool-down, for one subject and application, that
were completed within the time that was asked about. What came before it (a window and a cool-down long) is counted but not
reported, so that the beginning is not told too low.

The log is read twice and never held: first with the lowest threshold alone, then with all of them, but only what belongs to
keys that fired there. Whoever stays below the lowest threshold stays below the others, and that is nearly everybody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from bot.detection.engine import Engine
from bot.detection.event import Seen
from bot.detection.finding import Finding
from bot.detection.rule import Rule, TriggerRule
from bot.tuning.suspects import Suspects

TOGETHER = 1000
"""Events of one step."""
MOST_KEYS = 200_000
"""Of one threshold: keys of which something is held."""
MOST_SUBJECTS = 20_000
"""Of one threshold; further ones are counted together."""
GAP = 3600.0
"""Seconds without any event from which on the log is said to have a gap."""
TRIAL = "at "
IN_FORCE = "in force"


class Subject(NamedTuple):
    """Ids only."""

    kind: str
    id: str | None
    app: str | None


@dataclass
class Fired:
    """What one threshold would have done."""

    incidents: int = 0
    """Findings that would have opened an incident or attached to an open one of another trigger."""
    findings: int = 0
    """With more evidence within the cool-down."""
    subjects: Counter[Subject] = field(default_factory=Counter)
    others: int = 0
    """Incidents of subjects that are not in `subjects`."""

    def add(self, finding: Finding) -> None:
        self.findings += 1
        if not finding.first:
            return
        self.incidents += 1
        subject = Subject(finding.subject_kind, finding.subject_id, finding.app)
        if subject in self.subjects or len(self.subjects) < MOST_SUBJECTS:
            self.subjects[subject] += 1
        else:
            self.others += 1


@dataclass
class Coverage:
    """How much of the time that was asked about the log holds."""

    events: int = 0
    first: float | None = None
    """When its first event came, Unix seconds; None where there is none."""
    last: float | None = None
    gaps: float = 0.0
    """Seconds in stretches of more than an hour without any event between the first and the last."""

    def add(self, arrivals: Iterable[float]) -> None:
        for arrived in arrivals:
            self.events += 1
            if self.last is not None and arrived - self.last > GAP:
                self.gaps += arrived - self.last
            self.first = arrived if self.first is None else self.first
            self.last = arrived


@dataclass
class Replayed:
    in_force: Fired
    trials: Mapping[int | float, Fired]
    coverage: Coverage
    evictions: int
    """Keys that were dropped for want of room: with any, the counts may be too low."""


def replay(
    log: Callable[[], Iterable[Seen]],
    rule: Rule,
    trials: Mapping[int | float, Rule],
    *,
    since: float,
    until: float,
    app: str | None = None,
    most_keys: int = MOST_KEYS,
    progress: Callable[[float], None] = lambda _: None,
) -> Replayed:
    """`log`: asked once or twice; in the order in which it came, from some time before `since` up to `until`. `trials` hold
    the threshold in force too. `progress` is told how much is done, 0 to 1."""
    rules = [
        TriggerRule(IN_FORCE, rule),
        *(TriggerRule(f"{TRIAL}{value}", one) for value, one in sorted(trials.items())),
    ]
    coverage = Coverage()
    passes = 2 if trials and rule.primitive != "drift" else 1

    def parts(which: int) -> Iterator[list[Seen]]:
        for some in _parts(log()):
            if which == 1:
                coverage.add(seen.arrived for seen in some if seen.arrived >= since)
            yield some if app is None else [seen for seen in some if seen.event.app == app]
            progress((which - 1 + min(1.0, max(0.0, (some[-1].arrived - since) / (until - since)))) / passes)

    among = None
    if passes == 2:
        among = Suspects(rules[0 if rule.overrides else 1 : 2], most_keys)
        for some in parts(1):
            among.take(some)
    fired: dict[str, Fired] = {IN_FORCE: Fired(), **{f"{TRIAL}{value}": Fired() for value in trials}}
    engine = Engine(rules, most_keys=most_keys * len(rules))
    for some in parts(passes):
        for finding in engine.take(some if among is None else [seen for seen in some if among.has(seen)]):
            # What it fires of another trigger (`up_to_ratio`) was not asked about.
            if finding.completed_at >= since and finding.trigger in fired:
                fired[finding.trigger].add(finding)
    by_value = {value: fired[f"{TRIAL}{value}"] for value in trials}
    return Replayed(fired[IN_FORCE], by_value, coverage, engine.evictions + (among.evictions if among else 0))


def warm_up(rule: Rule) -> float:
    """Seconds before the time that is asked about, from which on the log is read."""
    if rule.primitive == "drift":
        return 28 * 86400.0
    return 60.0 * (getattr(rule, "window_minutes", 24 * 60) + rule.cool_down_minutes)


def _parts(log: Iterable[Seen]) -> Iterator[list[Seen]]:
    rest = iter(log)
    while some := list(islice(rest, TOGETHER)):
        yield some
