"""One event of which every condition holds: a tool ran unauthorised, a delivered answer was judged to break policy.

Decides that the same call is one hit, however often it is told. What a condition means is `where`'s.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bot.detection.compiled import VERDICTS
from bot.detection.event import Mark, Seen
from bot.detection.keys import event_name, moment, number
from bot.detection.rule import MatchRule
from bot.detection.single import Hit, Single, nobody
from bot.detection.where import Conditions


class Match(Single):
    def __init__(self, trigger: str, rule_id: str, rule: MatchRule, *, without: Sequence[str] = ()) -> None:
        """Raises ValueError for a pattern that cannot run in linear time."""
        super().__init__(trigger, rule_id, rule, without=without)
        self.hears_user = False
        self._wheres = [
            Conditions(where, allowed_categories=rule.allowed_categories) for where in (rule.where, *rule.or_where)
        ]
        stages = {where.stage for where in self._wheres}
        self._stages = () if None in stages else tuple(stages)
        self.facets = VERDICTS if all(where.needs_verdict for where in self._wheres) else 0

    def concerns(self, mark: Mark) -> bool:
        return False

    def key_of(self, seen: Seen) -> str | None:
        event = seen.event
        if self._stages and event.stage not in self._stages:
            return None
        for where in self._wheres:
            if where.of(event) is not None:
                return None if event.user_id in self.exempt else self.subject_key(seen) or nobody(event)
        return None

    def hit(self, seen: Seen, said: Collection[int]) -> Hit | None:
        event = seen.event
        for where in self._wheres:
            held = where.of(event)
            if held is not None:
                at = moment(seen)
                call = (event.tool and event.tool.call_id) or event.call_id or event_name(event) or repr(at)
                return Hit({number(call): at}, {"events": 1}, (), (held.guardrail,) if held.guardrail else ())
        return None
