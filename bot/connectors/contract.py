"""The contract that every connector keeps, and the frozen values that cross it.

A connector decides how an action is carried out, verified and reverted on one real system. Whether it may be is decided
by the people who approve; what is recorded is the use case's.

The order of one action: `plan` (blast radius) → `snapshot` (evidence and prior values) → `apply` → `verify` → perhaps
`revert` → `verify_revert`. `docs/connectors.md` tells how to write one; `bot.connectors.conformance` checks it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, Field

from bot.incident.columns import Json
from bot.incident.words import ActionKind, ScopeKind
from bot.incident.work import Action

MANUAL = "manual"
"""The connector that always exists: a person does it."""


class Nature(StrEnum):
    """What stands behind a connector. A drill never reaches a real system."""

    SYSTEM = "system"
    PRACTICE = "practice"
    BY_HAND = "by_hand"
    """A person carries it out and attests to it."""


class Effect(StrEnum):
    """What is known after an attempt. `unknown` is not a failure: it is settled by verifying."""

    CAPTURED = "captured"
    """The snapshot was taken; nothing was changed."""

    APPLIED = "applied"
    """The system said yes. Not yet believed: `verify` decides (design law 10)."""
    VERIFIED = "verified"
    NOT_IN_FORCE = "not_in_force"
    """The system was asked and behaves as if nothing had been done."""
    REVERTED = "reverted"
    FAILED = "failed"
    UNKNOWN = "unknown"
    ATTEST = "attest"
    """A person has to do it, and says so."""


@dataclass(frozen=True)
class Order:
    """One approved action as a connector sees it: ids only, no hostile text, no secrets."""

    incident: str
    """`INC-12`"""
    key: str
    """The idempotency key: applying the same key again is a no-op."""
    kind: ActionKind
    scope_kind: ScopeKind
    scope_id: str

    @classmethod
    def of(cls, action: Action) -> Order:
        return cls(f"INC-{action.incident}", action.key, action.kind, action.scope_kind, action.scope_id)


@dataclass(frozen=True)
class Result:
    effect: Effect
    detail: str
    """In words for the room: what was done or seen. Never a payload, a token or a URL with a secret."""
    snapshot: Json | None = None
    """What `revert` needs: prior values, never secrets."""


@dataclass(frozen=True)
class Plan:
    """The blast radius of an order before anybody approves it."""

    sentence: str
    """What it would do and on whom, in words for the panel."""
    calls: int | None = None
    """Requests of the last hour that it would have touched. None: not known, which is shown as unknown, never as zero."""
    subjects: int | None = None
    """How many different subjects are among them."""
    source: str = ""
    """Where the figures come from, in words: “the gate's decisions of the last hour”. Empty where there are none."""


class Connector(Protocol):
    """Every method ends within its own time-out and answers with a value; it raises nothing."""

    name: str
    nature: Nature

    def can_revert(self, kind: ActionKind) -> bool:
        """False where nothing leads back through this connector: the action then needs a second person."""
        ...

    def effect_of(self, kind: ActionKind, scope_kind: ScopeKind, scope_id: str) -> str:
        """What it would do and on whom, in one sentence for the panel: the blast radius."""
        ...

    async def plan(self, order: Order) -> Plan:
        """`effect_of`, with the figures where the system knows them. Changes nothing; no answer means None figures."""
        ...

    async def snapshot(self, order: Order) -> Result:
        """CAPTURED with prior values where the system tells them, FAILED where it should and does not. Changes nothing."""
        ...

    async def apply(self, order: Order) -> Result:
        """APPLIED, FAILED (certainly not done), UNKNOWN (may be done) or ATTEST. The same key again is a no-op."""
        ...

    async def verify(self, order: Order) -> Result:
        """By behaviour: ask the system again as the blocked subject and as another one.

        VERIFIED, NOT_IN_FORCE, UNKNOWN (ask again), or ATTEST where only a person can look.
        """
        ...

    async def revert(self, order: Order, snapshot: Json | None) -> Result:
        """APPLIED, FAILED (certainly still in force), UNKNOWN or ATTEST. Not believed before `verify_revert`.

        FAILED in words where somebody changed the value since `apply`: their change is never overwritten.
        """
        ...

    async def verify_revert(self, order: Order) -> Result:
        """REVERTED, VERIFIED (the action is still in force), UNKNOWN, or ATTEST where only a person can look."""
        ...

    async def health(self) -> Result:
        """VERIFIED where the system answers, FAILED in words where it does not. Changes nothing."""
        ...

    async def close(self) -> None: ...


class ConnectorSettings(BaseModel, ABC):
    """One connector of the organisation's file. Each kind is a subclass named `Settings` in a module of its own.

    A kind declares `kind: Literal["…"]` and its own keys, and is found by an entry point of the group
    `firsthour.connectors`. Secrets never stand in the file: a key that ends in `_env` names an environment variable.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    enforces: ClassVar[frozenset[ActionKind]] = frozenset(ActionKind)
    """What connectors of this kind can carry out: to claim anything else is refused at the start."""

    actions: tuple[str, ...] = ()
    """The actions that this connector carries out; an action that none claims is the gate's or `manual`."""
    timeout_seconds: float = Field(default=5.0, gt=0, le=10)
    """For one exchange with the system."""

    @abstractmethod
    def connect(self, name: str, env: Mapping[str, str]) -> Connector:
        """The connector, without talking to its system yet.

        Raises Misconfigured naming `connectors.<name>.<key>` and the fix.
        """


@dataclass(frozen=True)
class HandedIn:
    """A connector that `bot.app` makes itself, because it needs a room that the file cannot name (the gate's policy)."""

    connector: Connector
    enforces: frozenset[ActionKind]
    """It takes each of these that the organisation's file does not claim (design §8)."""


class Connectors:
    """Which connector carries out which action. An action that none claims is `manual` (design §8)."""

    def __init__(self, by_name: Mapping[str, Connector], by_action: Mapping[ActionKind, str]) -> None:
        self.by_name, self._by_action = by_name, by_action

    def name_for(self, kind: ActionKind, *, drill: bool = False) -> str:
        """The connector of an action. In a drill only a practice connector or a person: no real system is touched."""
        name = self._by_action.get(kind, MANUAL)
        if not drill or self.by_name[name].nature is not Nature.SYSTEM:
            return name
        practice = sorted(n for n, connector in self.by_name.items() if connector.nature is Nature.PRACTICE)
        return practice[0] if practice else MANUAL

    def named(self, name: str) -> Connector:
        """Raises KeyError where the organisation's file no longer has the connector that a proposal names."""
        return self.by_name[name]

    async def close(self) -> None:
        for connector in self.by_name.values():
            await connector.close()
