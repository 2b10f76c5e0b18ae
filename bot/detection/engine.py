"""The engine: events in, findings out, with the states of all rules in this process.

Decides which rules an event is put to, how many keys are kept, and what a dump holds. What is counted and when it fires is
each rule's (`compiled`), and the engine is no more than a dict over what those offer; another store can be the same. Pure: no
clock, no I/O, and the same findings for the same events, however they are cut into batches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from bot.detection.compile import compiled
from bot.detection.compiled import MARKS, SIGNALS, VERDICTS, Compiled, Count, Kept
from bot.detection.event import Seen
from bot.detection.finding import Finding
from bot.detection.index import Index
from bot.detection.late import Late
from bot.detection.room import EACH, Room
from bot.detection.rule import TriggerRule

Entry = tuple[str, str, bytes]
"""Rule id, key, packed state."""
NOTHING: Final = ()
"""Of this there is one in the process, so that asking for it by `is` is right, and quicker than its length. Were it not, a rule
would be asked about an event that it is not about, which it says."""


class Engine:
    def __init__(self, rules: Sequence[TriggerRule], *, most_keys: int) -> None:
        """`most_keys`: states of all rules together. Raises ValueError for a pattern that cannot run in linear time."""
        self.rules = compiled(rules)
        self._late = Late()
        for rule in self.rules:
            rule.late = self._late
        self.most_keys = most_keys
        self.keys = 0
        """States kept now."""
        self.evictions = 0
        """States that went for want of room: their counts began anew."""
        self.findings: Counter[str] = Counter()
        """By trigger, those of the cool-down too."""
        self._rooms: dict[str, Room] = {}
        for rule in self.rules:
            room = self._rooms.setdefault(rule.id, Room(rule))
            room.idle_after = max(room.idle_after, rule.idle_after)
        self._index = Index(self.rules, lambda rule: self._counter(rule, self._rooms[rule.id], dumping=False))
        self._index_dumping = Index(self.rules, lambda rule: self._counter(rule, self._rooms[rule.id], dumping=True))
        self._epoch = 0
        """Of the latest dump."""
        self._dumping = False
        self._before: list[Entry] = []
        """States as they were, of keys that changed before the dump came to them."""

    @property
    def late(self) -> int:
        """Events that came too late for the window of a rule that read them; each once."""
        return self._late.count

    def take(self, seen: Sequence[Seen]) -> list[Finding]:
        """In the order of the events that completed them, and of the rules."""
        findings: list[Finding] = []
        self._late.begin()
        index = self._index_dumping if self._dumping else self._index
        named, others = index.named, index.others
        for one in seen:
            event = one.event
            facets = 0 if event.verdicts is NOTHING else VERDICTS
            if one.marks is not NOTHING:
                facets |= MARKS
            if event.signals is not NOTHING:
                facets |= SIGNALS
            table = named.get(event.app, others) if named else others
            for count in table[event.kind][facets]:
                finding = count(one)
                if finding is not None:
                    findings.append(finding)
                    self.findings[finding.trigger] += 1
        return findings

    def _counter(self, rule: Compiled[Any], room: Room, *, dumping: bool) -> Count:
        """How a rule counts. `dumping`: a state that changes before the dump comes to it is kept as it was."""

        def begin(key: str, now: float) -> Any:
            return self._put(room, key, fresh(), now)

        def known_before(key: str) -> Any:
            state = room.states.get(key)
            if state is not None and state.epoch != self._epoch:
                self._keep_as_it_was(room, key, state)
            return state

        fresh = rule.fresh
        return rule.counter(known_before if dumping else room.states.get, begin)

    def _put(self, room: Room, key: str, state: Any, now: float) -> Any:
        state.epoch = self._epoch
        room.states[key] = state
        room.queue.append(key)
        self.keys += 1
        if not len(room.queue) & EACH:
            for idle, old in room.idle(now):
                self._gone(room, idle, old)
        if self.keys > self.most_keys:
            self._make_room()
        return state

    def _make_room(self) -> None:
        """At the cost of the rule that has most keys: a flood of users on one rule does not empty the others."""
        fullest = max(self._rooms.values(), key=lambda room: len(room.states))
        for _ in range(1 + self.most_keys // 4096):
            if fullest.states:
                self._gone(fullest, *fullest.evict())
                self.evictions += 1

    def _gone(self, room: Room, key: str, state: Kept) -> None:
        if self._dumping and state.epoch != self._epoch:
            self._keep_as_it_was(room, key, state)
        self.keys -= 1

    def _keep_as_it_was(self, room: Room, key: str, state: Kept) -> None:
        state.epoch = self._epoch
        self._before.append((room.rule.id, key, room.rule.pack(state)))

    def dump(self) -> Iterator[Entry]:
        """Every state as it is at the first step of the iterator, whatever is taken between its steps. One at a time: a
        dump that begins ends the one before it, which raises RuntimeError."""
        self._epoch += 1
        self._dumping, self._before = True, []
        epoch = self._epoch
        try:
            for room in self._rooms.values():
                for key in list(room.queue):
                    state = room.states.get(key)
                    if state is not None and state.epoch != epoch:
                        self._keep_as_it_was(room, key, state)
                    while self._before:
                        yield self._before.pop()
                        if self._epoch != epoch:
                            raise RuntimeError("Another dump has begun: of this one nothing more can be told.")
        finally:
            if self._epoch == epoch:
                self._dumping = False

    def load(self, entries: Iterable[Entry]) -> None:
        """What a dump held, into an engine that has taken nothing yet: from here on it finds what the dumped one would.
        States of rules that are no more are left out. Raises msgspec.DecodeError for a state that cannot be read."""
        for rule_id, key, packed in entries:
            room = self._rooms.get(rule_id)
            if room is not None and key not in room.states:
                state: Any = room.rule.unpack(packed)
                self._put(room, key, state, state.touched)
