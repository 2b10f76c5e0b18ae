"""More than so many blocks within a window, while too many attempts got through: a campaign, of one user or of a fleet.

Decides what a block and a bypass are, and when it fires. An attempt is a call: several verdicts on one call are one, and the
same text counts once a minute (of each who sends it). How attempts are kept is `attempts`'.

It fires at once when it holds over what is known. A block that comes late can complete it, but not take it back: that it
fires does not depend on the order of events, when it does may.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bot.detection.attempts import BLOCKED, DELIVERED, FLAGGED, REFUSED, Attempts, Bounds, Tally, tallies, tally
from bot.detection.compiled import AGAIN, EVIDENCE, MEMBERS, SIGNALS, VERDICTS, Compiled
from bot.detection.event import Event, Outcome, Seen, Verdict
from bot.detection.finding import Finding
from bot.detection.keys import ALL, LATENESS, digest, event_name, moment, short, subject
from bot.detection.rule import RatioRule
from bot.detection.signals import enough, remember, signals_of

MINUTE = 60.0
"""Seconds. The same text counts once in each minute of the clock."""
MOST, MOST_MEMBERS = 1_000, 1_000
"""Attempts of one key, and members of one fleet, that are kept: of whoever is busier, the latest."""
BLOCK, FLAG = Outcome.BLOCK, Outcome.FLAG


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
        self._own = rule.own_guardrails
        self._allowed = frozenset(rule.allowed_categories)
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
        if self.require_signals <= 1:
            for verdict in event.verdicts:
                if (verdict.outcome is BLOCK or verdict.outcome is FLAG) and self._counts(verdict):
                    break
            else:
                return None
        if self.exempt and event.user_id in self.exempt:
            return None
        return self.subject_key(seen)

    def _counts(self, verdict: Verdict) -> bool:
        """Not our own gate's, and not of a category that is allowed here."""
        if verdict.guardrail.startswith(self._own):
            return False
        categories = verdict.categories
        return not (self._allowed and categories and self._allowed.issuperset(categories))

    def step(self, state: Attempts, seen: Seen) -> Finding | None:
        at = moment(seen)
        if at < state.newest - LATENESS:
            self.late.tell(seen)
            return None
        told = self._told(seen.event)
        more = told > 0 and self._attempt(state, seen, told, at)
        if self.require_signals > 1:
            more = self._signalled(state, seen, at) or more
        in_order = at >= state.newest
        if at > state.newest:
            state.newest = at
        if not more or state.size() <= self._more_than:
            return None
        return self._weigh(state, seen, at, in_order=in_order)

    def _told(self, event: Event) -> int:
        """What the event says of its call; 0 where it is no attempt."""
        told = 0
        for verdict in event.verdicts:
            if verdict.outcome is BLOCK and self._counts(verdict):
                told |= BLOCKED
            elif verdict.outcome is FLAG and self._counts(verdict):
                told |= FLAGGED
        if told:
            told |= (DELIVERED if event.delivered is True else 0) | (REFUSED if event.refused is True else 0)
        return told

    def _signalled(self, state: Attempts, seen: Seen, at: float) -> bool:
        counted = [v.guardrail for v in seen.event.verdicts if v.outcome in (BLOCK, FLAG) and self._counts(v)]
        names = signals_of(seen, counted)
        state.signals = remember(state.signals, names, at)
        return bool(names)

    def _attempt(self, state: Attempts, seen: Seen, told: int, at: float) -> bool:
        """Count it. True where the window may now hold more than before."""
        event = seen.event
        who = subject(event, ALL) if self._fleet else None
        if who is not None:
            state.joined(who, at, self._bounds)
        call = short(event.call_id or event_name(event) or repr(at))
        if seen.text_id:
            told_as = "block" if told & BLOCKED else "flag"
            minute = str(at // MINUTE)
            call = state.same(call, digest(*(who or ()), seen.text_id, minute, told_as))
        if state.size() > self._more_than - EVIDENCE:
            self._keep(state, event)
        return state.tell(call, told, at, self._bounds)

    def _keep(self, state: Attempts, event: Event) -> None:
        """The latest of the evidence: up to twice as much as is told, so that it is seldom cut."""
        name = event_name(event)
        if name:
            if state.event_ids is None:
                state.event_ids = []
            state.event_ids.append(name)
            if len(state.event_ids) > 2 * EVIDENCE:
                del state.event_ids[:EVIDENCE]

    def _weigh(self, state: Attempts, seen: Seen, at: float, *, in_order: bool) -> Finding | None:
        if abs(at - state.told) < AGAIN or not (state.bypasses or self._rule.fires_on_unknown_bypass):
            return None
        windows = [tally(state, at, self.window)] if in_order else tallies(state, at, self.window)
        for each in windows:
            if self._holds(each, state):
                first = self.tells(state, at)
                return None if first is None else self._finding(state, seen, each, first=first)
        return None

    def _holds(self, window: Tally, state: Attempts) -> bool:
        if window.blocks <= self._more_than:
            return False
        if window.flags:
            over = window.bypasses / (window.blocks + window.bypasses) > self._ratio
        else:
            over = self._rule.fires_on_unknown_bypass
        since = window.end - self.window
        wanted = self._rule.subjects_at_least
        many = wanted <= 1 or len(state.members(since, window.end)) >= wanted
        return over and many and enough(self.require_signals, state.signals, since)

    def _finding(self, state: Attempts, seen: Seen, window: Tally, *, first: bool) -> Finding:
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
            event_ids=state.event_ids or (),
            subjects=members[:MEMBERS],
        )
