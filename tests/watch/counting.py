"""Rules that are small enough to know by heart what they must find, and unforgiving: one event twice, and they are wrong."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bot.detection.compiled import Compiled, Timed
from bot.detection.event import Event, Kind, Seen
from bot.detection.finding import Finding
from bot.detection.keys import moment
from bot.detection.rule import RuleBase


class Tally(Timed, array_like=True):
    count: int = 0
    sum: int = 0


class EveryThird(Compiled[Tally]):
    """Fires at each third event of a user. The id of its finding says what was counted."""

    idle_after = 60.0

    def __init__(self, rule_id: str, kind: Kind = Kind.LLM_CALL) -> None:
        super().__init__(rule_id, rule_id, RuleBase(key=("user",), events=(kind,)))

    def key_of(self, seen: Seen) -> str | None:
        return seen.event.user_id

    def fresh(self) -> Tally:
        return Tally()

    def step(self, state: Tally, seen: Seen) -> Finding | None:
        state.count += 1
        state.sum += seen.event.tokens or 0
        state.newest = max(state.newest, moment(seen))
        if state.count % 3:
            return None
        user = seen.event.user_id
        return Finding(
            trigger=self.id,
            subject_kind="user",
            subject_id=user,
            app=None,
            session_id=None,
            id=f"{self.id}:{user}:{state.count}:{state.sum}",
            first=state.count == 3,
            started_at=seen.event.at,
            completed_at=seen.event.at,
            counts={"events": state.count, "tokens": state.sum},
            window_seconds=0,
            event_ids=(),
        )

    def unpack(self, packed: bytes) -> Tally:
        return msgspec.msgpack.decode(packed, type=Tally)


def rules() -> list[EveryThird]:
    return [EveryThird("calls"), EveryThird("calls_again"), EveryThird("queries", Kind.DATA_QUERY)]


def call(number: int, at: float = 1_790_000_000.0) -> Seen:
    """The number says all of the event: its id, its user, its kind, and what is summed up."""
    event = Event(
        kind=(Kind.LLM_CALL, Kind.DATA_QUERY)[number // 2 % 2],
        occurred_at=at,
        source="test",
        source_event_id=str(number),
        user_id=("mallory", "alice")[number % 2],
        tokens=number,
    )
    return Seen(event=event, arrived=at)


def in_one_process(seen: Sequence[Seen]) -> list[str]:
    """The ids of what must be found: every event once, in this order."""
    states: dict[tuple[str, str], Tally] = {}
    known: set[str | None] = set()
    found = []
    for one in seen:
        if one.event.source_event_id in known:
            continue
        known.add(one.event.source_event_id)
        for rule in rules():
            if (key := rule.key(one)) is not None:
                finding = rule.step(states.setdefault((rule.id, key), rule.fresh()), one)
                found += [finding.id] if finding else []
    return found
