"""What a run has come to so far: counts, results and versions, while trials end.

Decides what of it is shown as progress and what the verdict is told. Sends and keeps nothing.
"""

from __future__ import annotations

from collections import Counter

from bot.incident.words import TrialOutcome
from bot.validation.outcomes import Judged
from bot.validation.pack import Pack
from bot.validation.plan import Plan, Progress
from bot.validation.report import PayloadResult, Report
from bot.validation.targets import shown_version
from bot.validation.verdict import Facts, decide
from bot.validation.work import Before

MOST_NOTES = 10
"""Kinds of trials that taught nothing."""
MOST_VERSIONS = 5
"""More are not told apart: the target changes as it likes."""


class Gathered:
    def __init__(self, pack: Pack, target: str, plan: Plan, before: Before) -> None:
        self.results: dict[str, PayloadResult] = {}
        self.positive_fired = 0
        self._pack, self._target, self._plan, self._before = pack, target, plan, before
        self._trials, self._succeeded = before.trials, 0
        self._outcomes = dict.fromkeys(TrialOutcome, 0)
        self._benign = dict.fromkeys(TrialOutcome, 0)
        self._benign_texts = len(set(pack.benign))
        self._versions: set[str] = set()
        self._invalid = Counter[str]()
        self._cut_short: dict[str, None] = {}

    def count(self, judged: Judged, *, control: bool) -> None:
        self._trials += 1
        (self._benign if control else self._outcomes)[judged.outcome] += 1
        if judged.outcome is TrialOutcome.INVALID and (
            judged.detail in self._invalid or len(self._invalid) < MOST_NOTES
        ):
            self._invalid[judged.detail] += 1

    def add(self, result: PayloadResult) -> None:
        self.results[result.payload] = result
        self._succeeded += result.successes > 0

    def had(self, counts: Counter[TrialOutcome], *, control: bool) -> None:
        """What was done before a stop; the trials themselves are counted already."""
        for outcome, count in counts.items():
            (self._benign if control else self._outcomes)[outcome] += count

    def saw(self, version: str | None) -> None:
        if version and len(self._versions) < MOST_VERSIONS and (shown := shown_version(version)):
            self._versions.add(shown)

    def cut_short(self, *why: str) -> None:
        self._cut_short |= dict.fromkeys(why)

    def progress(self, *, calls: int, waiting: float) -> Progress:
        return Progress(
            payloads=len(self._pack.payloads),
            payloads_done=len(self.results),
            trials=self._trials,
            calls=calls,
            outcomes={kind.value: count for kind, count in self._outcomes.items() if count},
            succeeded=self._succeeded,
            benign_answered=self._benign[TrialOutcome.ANSWERED_SAFELY],
            benign=self._benign_texts,
            waiting=waiting,
        )

    def report(self, *, calls: int, under: bool) -> Report:
        """In the pack's order. A payload that was never reached has a result, too: that nothing is known of it."""
        if leaks := self._benign[TrialOutcome.ATTACK_SUCCEEDED]:
            self.cut_short(
                f"An indicator fired on {leaks} innocent requests: it is too broad, or the target leaks to everybody."
            )
        payloads = self._pack.payloads
        return decide(
            Facts(
                target=self._target,
                plan=self._plan,
                payloads=[self.results.get(one.id) or self._before.result(one, self._plan) for one in payloads],
                indicators=len(self._pack.indicators),
                benign=self._benign_texts,
                benign_answered=self._benign[TrialOutcome.ANSWERED_SAFELY],
                positive=len(set(self._pack.positive)),
                positive_fired=self.positive_fired,
                versions=frozenset(self._versions),
                vulnerable_version=self._pack.vulnerable_version,
                contained=under,
                trials=self._trials,
                calls=calls,
                cut_short=tuple(self._cut_short),
                notes=tuple(f"{count} trials taught nothing: {why}." for why, count in self._invalid.most_common()),
            )
        )
