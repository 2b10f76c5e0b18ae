"""More than so many blocks within a window, while too many attempts got through: a campaign, of one user or of a fleet.

Decides when it fires. What a block and a bypass are is `says`'s. An attempt is a call: several verdicts on one call are one,
and the same text counts once a minute (of each who sends it). How attempts are kept is `attempts`'s.

It fires at once when it holds over what is known. A block that comes late can complete it, but not take it back: that it
fires does not depend on the order of events, when it does may.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bot.detection.attempts import BLOCKED, Attempts, Bounds
from bot.detection.compiled import AGAIN, EVIDENCE, MEMBERS, NEVER, SIGNALS, VERDICTS, Begin, Compiled, Count, Known
from bot.detection.event import Seen
from bot.detection.finding import Finding
from bot.detection.keys import ALL, LATENESS, MOST_NAME, digest, event_name, moment, short, subject
from bot.detection.rule import RatioRule
from bot.detection.says import Says
from bot.detection.signals import enough, remember, signals_of
from bot.detection.tally import Tally, tallies, tally

MINUTE = 60.0
"""Seconds. The same text counts once in each minute of the clock."""
MOST, MOST_MEMBERS = 1_000, 1_000
"""Attempts of one key, and members of one fleet, that are kept: of whoever is busier, the latest."""


class Ratio(Compiled[Attempts]):
    facets = VERDICTS

    def __init__(self, trigger: str, rule_id: str, rule: RatioRule, *, without: Sequence[str] = ()) -> None:
        super().__init__(trigger, rule_id, rule, without=without)
        self._rule = rule
        self._more_than, self._ratio = rule.more_than, rule.bypass_ratio_more_than
        self.window = rule.window_minutes * 60.0
        self.idle_after = max(self.window, self.cool_down) + 2 * LATENESS
        self._bounds = Bounds(
            self.window, max(MOST, 4 * self._more_than), max(MOST_MEMBERS, 2 * rule.subjects_at_least)
        )
        self._from_here = self._more_than - EVIDENCE
        """Ids of events are kept when there are more attempts."""
        self._says = Says(rule)
        self._fleet = "fleet" in rule.key or rule.subjects_at_least > 1
        if self.require_signals > 1:
            self.facets = VERDICTS | SIGNALS
        self._decode = msgspec.msgpack.Decoder(Attempts).decode

    def fresh(self) -> Attempts:
        return Attempts()

    def unpack(self, packed: bytes) -> Attempts:
        return self._decode(packed)

    def key_of(self, seen: Seen) -> str | None:
        event = seen.event
        if self.require_signals <= 1 and not self._says.of(event):
            return None
        if self.exempt and event.user_id in self.exempt:
            return None
        return self.subject_key(seen)

    def step(self, state: Attempts, seen: Seen) -> Finding | None:
        return self._count(state, seen, self._says.of(seen.event))

    def counter(self, known: Known[Attempts], begin: Begin[Attempts]) -> Count:
        """What an event says of its call is read once."""
        if self.require_signals > 1:
            return super().counter(known, begin)
        told_by, subject_key, exempt, count_told = self._says.of, self.subject_key, self.exempt, self._count

        def count(seen: Seen) -> Finding | None:
            event = seen.event
            told = told_by(event)
            if not told or (exempt and event.user_id in exempt):
                return None
            key = subject_key(seen)
            if key is None:
                return None
            arrived = seen.arrived
            state = known(key)
            if state is None:
                state = begin(key, arrived)
            elif not state.used:
                state.used = True
            state.touched = arrived
            return count_told(state, seen, told)

        return count

    def _count(self, state: Attempts, seen: Seen, told: int) -> Finding | None:
        at = seen.event.occurred_at
        if at.__class__ is not float or at > seen.arrived:
            at = moment(seen)
        newest = state.newest
        if at < newest - LATENESS:
            self.late.tell(seen)
            return None
        more = told > 0 and self._attempt(state, seen, told, at)
        if self.require_signals > 1:
            more = self._signalled(state, seen, at) or more
        if at > newest:
            state.newest = at
        if not more or state.blocks <= self._more_than or abs(at - state.told) < AGAIN:
            return None
        return self._weigh(state, seen, at, in_order=at >= newest)

    def _signalled(self, state: Attempts, seen: Seen, at: float) -> bool:
        """What the rule counts itself is no other signal, nor is what our own gate holds back."""
        names = signals_of(seen, self._says.not_beside(seen.event))
        rest = state.rest()
        rest.signals = remember(rest.signals, names, at)
        return bool(names)

    def _attempt(self, state: Attempts, seen: Seen, told: int, at: float) -> bool:
        """Count it. True where the window may now hold more than before."""
        event = seen.event
        who = subject(event, ALL) if self._fleet else None
        if who is not None:
            state.joined(who, at, self._bounds)
        call = event.call_id or event_name(event) or repr(at)
        if len(call) > MOST_NAME:
            call = short(call)
        if seen.text_id:
            told_as = "block" if told & BLOCKED else "flag"
            minute = str(at // MINUTE)
            call = state.same(call, digest(*(who or ()), seen.text_id, minute, told_as))
        calls = state.calls
        name = event.event_id or event.source_event_id or event.call_id
        if name and (state.first is not None if calls is None else len(calls)) > self._from_here:
            rest = state.rest()
            ids = rest.event_ids
            if ids is None:
                ids = rest.event_ids = []
            ids.append(name)
            if len(ids) > 2 * EVIDENCE:  # up to twice as much as is told, so that it is seldom cut
                del ids[:EVIDENCE]
        return state.tell(call, told, at, self._bounds)

    def _weigh(self, state: Attempts, seen: Seen, at: float, *, in_order: bool) -> Finding | None:
        known = self._rule.up_to_ratio is not None and state.flags
        if not (state.bypasses or self._rule.fires_on_unknown_bypass or known):
            return None
        windows = [tally(state, at, self.window)] if in_order else tallies(state, at, self.window)
        held_back: Tally | None = None
        for each in windows:
            if self._many(each, state):
                if self._over(each):
                    first = self.tells(state, at)
                    return None if first is None else self._finding(state, seen, each, first=first)
                held_back = each if each.flags else held_back
        return self._held_back(state, seen, held_back, at) if held_back is not None and known else None

    def _many(self, window: Tally, state: Attempts) -> bool:
        """Enough blocks, of enough users, and signals beside them."""
        if window.blocks <= self._more_than:
            return False
        since = window.end - self.window
        if not enough(self.require_signals, state.rest().signals, since):
            return False
        wanted = self._rule.subjects_at_least
        return wanted <= 1 or len(state.members(since, window.end)) >= wanted

    def _over(self, window: Tally) -> bool:
        if window.flags:
            return window.bypasses / (window.blocks + window.bypasses) > self._ratio
        return self._rule.fires_on_unknown_bypass

    def _held_back(self, state: Attempts, seen: Seen, window: Tally, at: float) -> Finding | None:
        """Of the other trigger, which has a cool-down of its own."""
        told, fired = state.rest().held_back or (NEVER, NEVER)
        if abs(at - told) < AGAIN:
            return None
        first = abs(at - fired) >= self.cool_down
        state.rest().held_back = (at, at if first else fired)
        return self._finding(state, seen, window, first=first, trigger=self._rule.up_to_ratio)

    def _finding(
        self, state: Attempts, seen: Seen, window: Tally, *, first: bool, trigger: str | None = None
    ) -> Finding:
        counts: dict[str, float] = {"blocks": window.blocks}
        if window.flags:
            share = 100 * window.bypasses / (window.blocks + window.bypasses)
            counts |= {"bypasses": window.bypasses, "bypass rate, %": round(share, 1)}
        members = state.members(window.end - self.window, window.end)
        if members:
            counts["users"] = len(members)
        return self.finding(
            seen,
            first=first,
            started=window.started,
            counts=counts,
            window=self.window,
            event_ids=state.rest().event_ids or (),
            subjects=members[:MEMBERS],
            trigger=trigger,
        )
