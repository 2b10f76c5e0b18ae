"""The gate's rules in the store: put once per key, removed, read. Each change takes the next version and is announced.

Decides what one change of the policy is. Following it is `bot.gate.feed`'s; what it does to a call is the book's.
Rules of several incidents on one target stand side by side: removing one leaves the others in force.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import cast

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import ColumnElement, Table, and_, or_, text
from sqlalchemy import select as select_rows
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.incident.errors import Busy
from bot.incident.incident import Counter
from bot.incident.policy import LIVE, MEASURES, VERSIONS, GateReplica, Rule, Wanted
from bot.incident.words import ActionKind, ScopeKind
from bot.store import Store, Unit

AWAY: tuple[type[Exception], ...] = (
    Busy, DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, sqlite3.Error, OSError,
    TimeoutError,
)  # fmt: skip
"""What a store that is away raises, by whichever way it is asked."""
CHANNEL = "firsthour_gate"
"""Where PostgreSQL tells the gates that the policy changed, with the new version, as the change commits."""

PAGE = 1000
"""Rules read at once: less than 10 ms of work."""
TABLE = cast("Table", Rule.__table__)  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Changes:
    """What a gate that holds an older version has to take over."""

    version: int
    rules: Sequence[Rule]
    """In the order of their versions; those with `removed_at` are no longer in force."""
    whole: bool
    """True where these are all rules in force, to be taken in place of everything that is held."""


async def put(unit: Unit, wanted: Wanted) -> Rule:
    """Put a rule in force. Returns the row under its key: a key that was put before is left as it is, removed ones too.

    A late repetition of an order that was reverted meanwhile therefore blocks nobody again. Raises ValueError for an
    action that no gate enforces.
    """
    if wanted.kind not in MEASURES:
        raise ValueError(f"no gate enforces {wanted.kind}")
    counter = await _policy(unit)
    there = await unit.session.get(Rule, wanted.key)
    if there is not None:
        return there
    version = await _next(unit, counter)
    rule = Rule(**asdict(wanted), version=version, added_version=version, added_at=unit.now)
    unit.add(rule)
    return rule


async def remove(unit: Unit, key: str) -> Rule | None:
    """Take a rule out of force. Returns its row, still in force where somebody changed it since; None for an unknown key."""
    counter = await _policy(unit)
    rule = await unit.session.get(Rule, key, populate_existing=True)
    if rule is None or rule.removed_at is not None or rule.changed_since:
        return rule
    rule.version, rule.removed_at = await _next(unit, counter), unit.now
    return rule


async def changes(session: AsyncSession, held: int | None) -> Changes | None:
    """What came after the version that is held; None where nothing did.

    Everything where none is held, and where the store is older than that: it was restored from a copy.
    """
    version = await current(session)
    if held == version:
        return None
    if held is not None and held < version:
        return Changes(version, await _read(session, after=held), whole=False)
    return Changes(version, await _read(session, col(Rule.removed_at).is_(None)), whole=True)


async def current(session: AsyncSession) -> int:
    """The version of the policy; 0 before its first rule."""
    return (await session.exec(select(Counter.value).where(Counter.name == VERSIONS))).one()


async def holding(session: AsyncSession, kind: ActionKind, scope_kind: ScopeKind, scope_id: str) -> Sequence[Rule]:
    """The rules in force that do the same to the same, oldest first: those on the target itself and those for everyone."""
    same = and_(col(Rule.scope_kind) == scope_kind, col(Rule.scope_id) == scope_id)
    touches = or_(col(Rule.scope_kind) == ScopeKind.EVERYONE, same)
    wanted = select(Rule).where(Rule.kind == kind, col(Rule.removed_at).is_(None), touches)
    return (await session.exec(wanted.order_by(col(Rule.added_version)))).all()


class StoredPolicy:
    """The policy as the `gate` connector is handed it. Every method raises Busy where the store does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, wanted: Wanted) -> Rule:
        async with self._store.unit() as unit:
            return await put(unit, wanted)

    async def remove(self, key: str) -> Rule | None:
        async with self._store.unit() as unit:
            return await remove(unit, key)

    async def get(self, key: str) -> Rule | None:
        async with self._store.read() as session:
            return await session.get(Rule, key)

    async def holding(self, kind: ActionKind, scope_kind: ScopeKind, scope_id: str) -> Sequence[Rule]:
        async with self._store.read() as session:
            return await holding(session, kind, scope_kind, scope_id)

    async def gates(self) -> Sequence[GateReplica]:
        """Those that are alive, by the store's clock."""
        alive = select(GateReplica).where(GateReplica.seen_at > self._store.now() - LIVE)
        async with self._store.read() as session:
            return (await session.exec(alive.order_by(col(GateReplica.id)))).all()


async def _read(session: AsyncSession, *where: ColumnElement[bool], after: int = 0) -> list[Rule]:
    """In pages, so that a hundred thousand do not hold the loop; each change has a version for itself. As rows, which
    carry the names of the noun: objects cost four times as much."""
    found: list[Rule] = []
    connection = await session.connection()
    while True:
        newer = select_rows(TABLE).where(col(Rule.version) > after, *where).order_by(col(Rule.version)).limit(PAGE)
        page = cast("list[Rule]", (await connection.execute(newer)).all())
        found += page
        if len(page) < PAGE:
            return found
        after = page[-1].version


async def _policy(unit: Unit) -> Counter:
    """The policy, locked until the unit ends: changes get their versions in the order in which they are seen."""
    locked = select(Counter).where(Counter.name == VERSIONS).with_for_update()
    return (await unit.session.exec(locked.execution_options(populate_existing=True))).one()


async def _next(unit: Unit, counter: Counter) -> int:
    counter.value += 1
    connection = await unit.session.connection()
    if connection.dialect.name == "postgresql":
        announced = text("SELECT pg_notify(:channel, :version)")
        await connection.execute(announced, {"channel": CHANNEL, "version": str(counter.value)})
    return counter.value
