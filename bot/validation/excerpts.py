"""What of a trial is kept to be read: words, and the beginning of the answer without secrets and leaked canaries.

Decides how much. The whole answer is known by its SHA-256 alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from bot.incident.redact import clip, redact
from bot.validation.answers import Answer, Trouble
from bot.validation.outcomes import Judged
from bot.validation.pack import Indicator, IndicatorKind
from bot.validation.plan import Tried
from bot.validation.work import Cell, Work

LOOKED_AT, KEPT = 4000, 300
"""Characters. What is redacted is longer than what is kept, so that no half of a secret is left at its end."""


REMEMBERED = 256
"""Texts: guardrails and models refuse in the same words again and again."""


class Excerpts:
    def __init__(self, indicators: Sequence[Indicator]) -> None:
        canaries = [re.escape(one.value) for one in indicators if one.kind is IndicatorKind.CANARY]
        self._canaries = (
            re.compile("|".join(sorted(canaries, key=len, reverse=True)), re.IGNORECASE) if canaries else None
        )
        self._shown = lru_cache(maxsize=REMEMBERED)(self._of)
        self._told = lru_cache(maxsize=REMEMBERED)(lambda detail: clip(redact(detail), KEPT))

    def of(self, text: str) -> str:
        """At most 300 characters."""
        return self._shown(text[:LOOKED_AT])

    def _of(self, beginning: str) -> str:
        if self._canaries is not None:
            beginning = self._canaries.sub("[canary]", beginning)
        return clip(redact(beginning).strip(), KEPT)

    def tried(self, work: Work, cell: Cell, judged: Judged, reply: Answer | Trouble | None, *, at: datetime) -> Tried:
        """A trial as it is stored. Nothing was sent for a recorded answer: it has no reply."""
        shown = "" if reply is None else reply.text if isinstance(reply, Answer) else reply.seen
        return Tried(
            payload=work.payload,
            variant=cell.name,
            attempt=cell.next_attempt(),
            outcome=judged.outcome,
            detail=self._told(judged.detail),
            excerpt=self.of(shown),
            answer_sha256=reply.digest or None if reply is not None else None,
            milliseconds=reply.milliseconds if reply is not None else None,
            at=at,
        )
