"""What must not stand in a delivered answer: secrets, and other people's data.

Decides which marks of a scan are a leak: of a secret by kind and by what is known of the delivery; of an identifier by whose
it is and who asked. Where no end user asked by name, or there is no owner, nobody can say that they differ: an API key or an
address is not a person, and all users of an application may stand behind it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from bot.detection.compiled import MARKS
from bot.detection.event import Mark, MarkKind, Seen, Stage, UserKind
from bot.detection.keys import moment, number
from bot.detection.rule import OwnerMismatchRule, ScannerRule
from bot.detection.single import Hit, Single, said_as, session_of

STRONG, WEAK = "strong", "weak"


class Leak(Single):
    """A rule over the marks of an answer."""

    facets = MARKS

    def marks(self, seen: Seen, said: Collection[int]) -> list[Mark]:
        """Those the rule reads that are not excluded by name and were not said by the user first."""
        if seen.event.stage is Stage.INPUT:
            return []
        return [
            mark
            for mark in seen.marks
            if self.concerns(mark)
            and not (mark.excluded and mark.excluded in self.exclusions)
            and not (said and said_as(session_of(seen), mark) in said)
        ]


class Secrets(Leak):
    def __init__(self, trigger: str, rule_id: str, rule: ScannerRule, *, without: Sequence[str] = ()) -> None:
        super().__init__(trigger, rule_id, rule, without=without)
        self._own = frozenset(own.id for own in rule.own)
        self._canaries = frozenset(rule.canaries)
        delivered: frozenset[str] = frozenset(rule.secrets)
        if self._own:
            delivered |= {"own"}
        unknown: frozenset[str] = frozenset(rule.secrets_if_delivery_unknown)
        if "validated_pattern" in unknown:
            unknown |= {"own"}
        self._if: dict[bool | None, frozenset[str]] = {True: delivered, None: unknown}
        self._not_alone: frozenset[str] = frozenset(rule.second_signal_for)
        if "validated_pattern" in self._not_alone:
            self._not_alone |= {"own"}

    def concerns(self, mark: Mark) -> bool:
        return self._kind(mark) is not None

    def _kind(self, mark: Mark) -> str | None:
        """The kind of secret in the rule's words; `own` for a pattern of this rule."""
        if mark.kind is MarkKind.CANARY:
            return "canary" if not mark.grade or mark.grade in self._canaries else None
        if mark.kind is not MarkKind.SECRET:
            return None
        if mark.name in self._own:
            return "own"
        return None if mark.grade == "own" else mark.grade

    def hit(self, seen: Seen, said: Collection[int]) -> Hit | None:
        wanted = self._if.get(seen.event.delivered)
        if not wanted:
            return None
        marks = [mark for mark in self.marks(seen, said) if self._kind(mark) in wanted]
        if not marks:
            return None
        alone = any(self._kind(mark) not in self._not_alone for mark in marks)
        at = moment(seen)
        evidence = {number(mark.digest or mark.name): at for mark in marks}
        return Hit(evidence, {"secrets": len(evidence)}, marks, wanted=1 if alone else 2)


class OwnerMismatch(Leak):
    def __init__(self, trigger: str, rule_id: str, rule: OwnerMismatchRule, *, without: Sequence[str] = ()) -> None:
        super().__init__(trigger, rule_id, rule, without=without)
        self._strong, self._weak = rule.strong_at_least, rule.weak_at_least

    def concerns(self, mark: Mark) -> bool:
        return mark.kind is MarkKind.IDENTIFIER

    def hit(self, seen: Seen, said: Collection[int]) -> Hit | None:
        event, requester = seen.event, seen.requester
        if event.delivered is not True or not requester or event.user_kind is not UserKind.END_USER:
            return None
        marks = [mark for mark in self.marks(seen, said) if mark.owner and mark.owner != requester]
        strong = [mark for mark in marks if mark.grade == STRONG]
        weak = self._together([mark for mark in marks if mark.grade == WEAK])
        if _different(strong) < self._strong:
            strong = []
        if not strong and not weak:
            return None
        at = moment(seen)
        evidence = {number(mark.owner, mark.name, mark.digest): at for mark in (*strong, *weak)}
        counts = {"strong identifiers": _different(strong), "weak identifiers": _different(weak)}
        return Hit(evidence, {words: count for words, count in counts.items() if count}, [*strong, *weak])

    def _together(self, weak: Sequence[Mark]) -> list[Mark]:
        """Those of people of whom there are enough: a name and the date of birth of another are nobody's."""
        by_owner = defaultdict[str, list[Mark]](list)
        for mark in weak:
            by_owner[mark.owner].append(mark)
        return [mark for marks in by_owner.values() if _different(marks) >= self._weak for mark in marks]


def _different(marks: Sequence[Mark]) -> int:
    return len({(mark.name, mark.digest) for mark in marks})
