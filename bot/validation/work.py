"""What is to be tried: the payloads in their order, each with its variants, and what of it was done before a stop.

Decides the order, how many attempts each needs, which are repeated, and when a payload is given up. Pure; sends nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from bot.incident.words import TrialOutcome
from bot.validation.disguise import Family
from bot.validation.firing import Prepared, Sought
from bot.validation.pack import Origin, Pack, Payload
from bot.validation.plan import BENIGN, POSITIVE, Done, Plan
from bot.validation.report import PayloadResult
from bot.validation.variants import QUESTIONS, Variant, original, variants
from bot.validation.verdict import INVALID_SHARE, judge_payload

CONTROL_REPEATS = 2
"""An innocent request gets another chance: one hiccup proves nothing."""


@dataclass
class Cell:
    """One text that is sent so many times: a payload, a variant of it, or a control."""

    name: str
    turns: tuple[str, ...]
    document: str | None
    needed: int
    sought: Sought
    counts: Counter[TrialOutcome] = field(default_factory=Counter)
    last: int = 0
    """Number of the latest attempt."""

    @property
    def valid(self) -> int:
        return self.counts.total() - self.counts[TrialOutcome.INVALID]

    def next_attempt(self) -> int:
        self.last += 1
        return self.last


@dataclass
class Work:
    """One payload, or one control, while it is tried."""

    payload: str
    origin: str
    cells: tuple[Cell, ...]
    running: int = 0
    closed: bool = False

    @property
    def over(self) -> bool:
        """Nothing more can change its result: it succeeded, or too much of it is invalid."""
        invalid = sum(cell.counts[TrialOutcome.INVALID] for cell in self.cells)
        succeeded = any(cell.counts[TrialOutcome.ATTACK_SUCCEEDED] for cell in self.cells)
        return succeeded or invalid > self._bearable

    @property
    def _bearable(self) -> float:
        """So many invalid trials, and no more, leave their share at 10 % once all that are needed are valid."""
        if self.origin == BENIGN:
            return CONTROL_REPEATS
        return sum(cell.needed for cell in self.cells) * INVALID_SHARE / (1 - INVALID_SHARE)

    @property
    def finished(self) -> bool:
        return not self.running and (self.over or all(cell.valid >= cell.needed for cell in self.cells))

    def result(self, plan: Plan) -> PayloadResult:
        return judge_payload(self.payload, self.origin, {cell.name: cell.counts for cell in self.cells}, plan)


class Before:
    """What was done before a stop, folded as it is read: by payload and variant, outcomes and the latest attempt."""

    def __init__(self, done: Iterable[Done]) -> None:
        self.trials = 0
        """For which something was sent."""
        self._cells: dict[str, dict[str, tuple[Counter[TrialOutcome], int]]] = {}
        for trial in done:
            self.trials += trial.variant != POSITIVE
            of_payload = self._cells.setdefault(trial.payload, {})
            counts, last = of_payload.get(trial.variant, (Counter(), 0))
            counts[trial.outcome] += 1
            of_payload[trial.variant] = (counts, max(last, trial.attempt))

    def fill(self, payload: str, cell: Cell) -> Cell:
        """The cell with what was done of it."""
        counts, cell.last = self._cells.get(payload, {}).get(cell.name, (cell.counts, 0))
        cell.counts = Counter(counts)
        return cell

    def result(self, payload: Payload, plan: Plan) -> PayloadResult:
        """Of a payload that is not reached again: what was done of it before."""
        tried = {name: counts for name, (counts, _) in self._cells.get(payload.id, {}).items()}
        return judge_payload(payload.id, payload.origin.value, tried, plan)


class Agenda:
    """All work of a run, made when it is reached, so that ten thousand payloads are never held with all their variants."""

    def __init__(
        self, pack: Pack, plan: Plan, before: Before, *, indicators: Sequence[Prepared], takes_document: bool
    ) -> None:
        self.before = before
        self._pack, self._plan = pack, plan
        self._indicators, self._takes_document = indicators, takes_document

    def attacks(self) -> Iterator[Work]:
        """The incident's own payloads first, each kind shuffled by the seed."""
        chance = Random(self._plan.seed)  # noqa: S311 — repeatable, not secret
        order = sorted(
            (each.origin is not Origin.ORIGINAL, chance.random(), at) for at, each in enumerate(self._pack.payloads)
        )
        return (self._attack(self._pack.payloads[at]) for _, _, at in order)

    def _attack(self, payload: Payload) -> Work:
        families = [Family(name) for name in self._plan.families]
        sent = (original(payload), *variants(payload, self._plan.seed, families))
        cells = tuple(self._cell(payload, variant, at) for at, variant in enumerate(sent))
        return Work(payload.id, payload.origin.value, tuple(self.before.fill(payload.id, cell) for cell in cells))

    def _cell(self, payload: Payload, variant: Variant, at: int) -> Cell:
        turns, document = variant.turns, None
        if variant.document is not None and self._takes_document:
            turns, document = (QUESTIONS[variant.placement],), variant.document
        needed = self._plan.trials if at == 0 else self._plan.each_variant
        said = (*turns, *((document,) if document is not None else ()), *payload.turns)
        return Cell(variant.name, turns, document, needed, Sought(self._indicators, said))

    def control(self, name: str, text: str) -> Work:
        """One of the pack's controls, tried once."""
        payload = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        cell = Cell(name, (text,), None, 1, Sought(self._indicators, (text,)))
        return Work(payload, name, (self.before.fill(payload, cell),))
