"""One Unleash flag in one environment: how it stands, who of Firsthour's actions is in it, and the calls that change it.

Decides the mark by which an action knows its own strategy again, and which context field singles out a subject. What is
switched, and when, is `unleash`'s.

An action is one strategy of the flag with a title of its own. A flag that contains while it is on gets a strategy that
hits the subject; one that contains while it is off gets a disabled strategy, which hits nobody and says who switched it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from bot.connectors.contract import Order
from bot.incident.columns import Json
from bot.incident.words import ScopeKind

FIELDS = {
    ScopeKind.USER: "userId",
    ScopeKind.SESSION: "sessionId",
    ScopeKind.IP: "remoteAddress",
    ScopeKind.API_KEY: "apiKey",
    ScopeKind.ENDPOINT: "endpoint",
    ScopeKind.APPLICATION: "appName",
}
"""Unleash's context fields. `apiKey` and `endpoint` are fields of your own: applications send them as properties."""
SOMEBODY_ELSE = "firsthour-probe-other"
ADDRESS_OF_NOBODY = "192.0.2.77"
"""Reserved for documentation (RFC 5737)."""
MARK = re.compile(r"Firsthour INC-\d+ \((?P<key>[0-9a-f]{12})\), was (?P<was>on|off)")
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._~-]{0,99}$")]


class Flag(BaseModel):
    """One flag, and what it says. `contained: off` is for flags that mean a service, such as `ai-tools`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    flag: Name
    contained: bool = True
    """True: containment is in force where the flag is on. False: where it is off; then for everybody only."""


class Strategy(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)

    id: str
    name: str
    title: str | None = None
    disabled: bool = False
    constraints: tuple[Mapping[str, Any], ...] = ()

    @property
    def was_on(self) -> bool | None:
        """For a mark: whether the flag was on before Firsthour touched it. None for a strategy that is not ours."""
        found = MARK.fullmatch(self.title or "")
        return None if found is None else found["was"] == "on"

    def is_of(self, order: Order) -> bool:
        """By the key alone: a later incident on the same target comes under the key of the first."""
        found = MARK.fullmatch(self.title or "")
        return found is not None and found["key"] == _digest(order)

    @property
    def digest(self) -> str:
        """Of everything that a person may have edited."""
        content = self.model_dump_json(exclude={"id"})
        return hashlib.sha256(json.dumps(json.loads(content), sort_keys=True).encode()).hexdigest()[:16]


class State(BaseModel):
    """The flag in the environment."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    enabled: bool
    strategies: tuple[Strategy, ...] = Field(default=())

    @property
    def foreign(self) -> dict[str, str]:
        """Digests of the strategies that are not Firsthour's, by id."""
        return {one.id: one.digest for one in self.strategies if one.was_on is None}

    @property
    def marks(self) -> Sequence[Strategy]:
        return [one for one in self.strategies if one.was_on is not None]

    def contains(self, flag: Flag) -> bool:
        """Whether it contains anybody at all."""
        if not flag.contained:
            return not self.enabled
        return self.enabled and (not self.strategies or any(not one.disabled for one in self.strategies))

    def own(self, order: Order) -> Sequence[Strategy]:
        """The order's own: more than one only where two attempts ran at once."""
        return [one for one in self.strategies if one.is_of(order)]

    def active_besides(self, order: Order) -> bool:
        """Whether another strategy hits somebody."""
        own = {one.id for one in self.own(order)}
        return any(not one.disabled and one.id not in own for one in self.strategies)


def wanted(order: Order, state: State, *, hits: bool) -> dict[str, object]:
    """The order's own strategy as Unleash takes it. `hits`: it is evaluated; otherwise it is a mark only."""
    before = any(one.was_on for one in state.marks) if state.marks else state.enabled
    return {
        "name": "default",
        "title": f"Firsthour {order.incident} ({_digest(order)}), was {word(before)}",
        "disabled": not hits,
        "constraints": _constraints(order),
        "parameters": {},
    }


def edited(own: Strategy, order: Order, *, hits: bool) -> bool:
    """Whether somebody changed the order's own strategy since. What Unleash adds of itself is no change."""
    plain = ("contextName", "operator", "values")
    constraints = [{key: one.get(key) for key in plain} for one in own.constraints]
    negated = any(one.get("inverted") for one in own.constraints)
    segments = bool((own.model_extra or {}).get("segments"))
    return own.disabled is hits or own.name != "default" or constraints != _constraints(order) or negated or segments


def context_of(order: Order) -> dict[str, str]:
    field = FIELDS.get(order.scope_kind)
    return _context(field, order.scope_id) if field else _context("userId", SOMEBODY_ELSE)


def somebody_else(order: Order) -> dict[str, str]:
    """A context that differs from the subject's in the field that singles it out."""
    field = FIELDS.get(order.scope_kind, "userId")
    return _context(field, ADDRESS_OF_NOBODY if order.scope_kind is ScopeKind.IP else SOMEBODY_ELSE)


def _context(field: str, value: str) -> dict[str, str]:
    return {f"properties[{field}]" if field in {"apiKey", "endpoint"} else field: value}


def _constraints(order: Order) -> list[dict[str, object]]:
    field = FIELDS.get(order.scope_kind)
    return [{"contextName": field, "operator": "IN", "values": [order.scope_id]}] if field else []


def _digest(order: Order) -> str:
    """Of the order's key: it holds a scope id, which comes from outside and has no place in a title."""
    return hashlib.sha256(order.key.encode()).hexdigest()[:12]


def word(on: bool) -> str:
    return "on" if on else "off"


def refused(flag: Flag, order: Order, state: State) -> str | None:
    """Why applying would touch more, or less, than what was approved; None where it may go on."""
    if order.scope_kind not in FIELDS:
        return None
    if not flag.contained:
        return f"to switch {flag.flag} off would hit everybody. Use a flag that is on where the subject is contained."
    if state.enabled and not state.active_besides(order) and not state.own(order):
        return f"{flag.flag} is on for everybody already, and a strategy for one subject would end that."
    if not state.enabled and state.active_besides(order):
        return (
            f"{flag.flag} has strategies that would hit others as soon as it is on. Remove or disable them there first."
        )
    return None


def changed(flag: Flag, order: Order, state: State, snapshot: Json) -> str | None:
    """What a person did since that undoing would overwrite; None where nothing is in the way."""
    if any(edited(own, order, hits=flag.contained) for own in state.own(order)):
        return f"somebody changed the strategy that this action put into {flag.flag}."
    if flag.contained or not back(flag, order, state):
        return None
    if snapshot.get("strategies", state.foreign) != state.foreign:
        return f"somebody changed the strategies of {flag.flag} since, so switching it on would not restore it."
    return None


def back(flag: Flag, order: Order, state: State) -> bool:
    """Whether taking out this action's strategy also means to switch the flag back.

    A flag that is on without any strategy is on for everybody: the last one out switches it off.
    """
    own = state.own(order)
    if not own or state.enabled is not flag.contained:
        return False
    if flag.contained:
        return not state.active_besides(order)
    return bool(own[0].was_on) and len(state.marks) == len(own)
