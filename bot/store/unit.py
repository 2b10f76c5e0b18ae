"""The unit of work: what a use case writes, and the promise that it commits together or not at all (design law 2).

Decides that every timeline entry is chained, and that a changed incident's surfaces are shown anew.
What a use case writes is the use case's.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, insert, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.incident.columns import Json
from bot.incident.errors import NotFound
from bot.incident.evidence import Fingerprint, WaitingBytes
from bot.incident.incident import GLASS_BROKEN, Actor, Counter, Incident
from bot.incident.outward import (
    IN_THE_ROOM,
    PRIORITY,
    ROOM_AWAITED,
    ROOM_WAIT,
    SURFACE_ORDER,
    InboundKey,
    Intent,
    IntentKind,
    IntentState,
    Planned,
    Reminder,
    ReminderState,
    Surface,
    SurfaceKind,
)
from bot.incident.timeline import Happened, TimelineEntry, link
from bot.incident.work import Step
from bot.store import months

Key = tuple[Any, ...]
UNIQUE: dict[type[SQLModel], tuple[str, ...]] = {
    Intent: ("key",),
    Reminder: ("key",),
    Surface: ("incident", "kind", "part"),
    Step: ("incident", "step_id"),
    Fingerprint: ("incident", "value"),
    WaitingBytes: ("sha256",),
}
"""What makes a row the same one: a second wish for it changes nothing."""
SPACING = timedelta(seconds=1)
"""A surface is updated at most this often: many changes in a second become one `chat.update`."""


class Unit:
    """One transaction. Made by `Store.unit`; `now` is one instant for everything in it."""

    def __init__(self, session: AsyncSession, now: datetime, *, postgres: bool) -> None:
        self.session = session
        self.now = now
        self._postgres = postgres
        self.wakes = False
        """True once something must happen outside."""
        self._changed: set[int] = set()
        self._new: set[int] = set()
        """Incidents that open here: nothing of theirs can have been shown yet."""
        self._measured_anew: set[tuple[str, int]] = set()
        """Month and number of incidents of which metrics know something that is no longer so."""
        self._answer = ""
        self._entries: list[Json] = []
        """Of the timeline, to be written in one statement: thousands of rows as objects would hold the loop."""
        self._pending: dict[type[SQLModel], dict[Key, Json]] = {}

    def add(self, *nouns: SQLModel) -> None:
        self.session.add_all(nouns)
        self._new |= {noun.number for noun in nouns if isinstance(noun, Incident)}

    def opens(self, incident: Incident) -> bool:
        """It is written by this unit for the first time: before it, the store had nothing of it."""
        return incident.number in self._new

    async def flush(self) -> None:
        """Send what was added to the database now: a broken constraint raises here instead of at the end."""
        await self.session.flush()
        pending, self._pending = self._pending, {}
        entries, self._entries = self._entries, []
        connection = await self.session.connection()
        if entries:
            await connection.execute(insert(TimelineEntry), entries)
        for noun, rows in pending.items():
            await connection.execute(
                self._insert(noun).on_conflict_do_nothing(index_elements=UNIQUE[noun]), list(rows.values())
            )

    def _insert(self, noun: type[SQLModel]) -> Any:
        return (postgresql if self._postgres else sqlite).insert(noun)

    def want(self, noun: type[SQLModel], row: Json) -> None:
        """A row to insert where its key is not there yet, every row with the same columns. All of a unit go in one statement."""
        key = tuple(row[name] for name in UNIQUE[noun])
        self._pending.setdefault(noun, {}).setdefault(key, row)

    def wanted(self, noun: type[SQLModel]) -> Collection[Json]:
        """Rows of this kind that wait for the flush."""
        return self._pending.get(noun, {}).values()

    def answer(self, text: str) -> str:
        """What the person or sender is told; a second delivery of the same act is told the same (design law 4)."""
        self._answer = text
        return text

    async def incident(self, number: int) -> Incident:
        """The incident, locked until the unit ends: two use cases on one incident happen one after the other."""
        wanted = select(Incident).where(Incident.number == number).with_for_update()
        # What this unit read before it had the lock may be stale by now: the locked row is loaded anew.
        found = await self.session.exec(wanted.execution_options(populate_existing=True))
        incident = found.one_or_none()
        if incident is None:
            raise NotFound(f"There is no INC-{number}. `/incident list` shows the open ones.")
        self._ended(incident)  # it may be about to be reopened
        return incident

    async def lock(self, number: int) -> None:
        """Lock an incident without reading it; one that was deleted is no error. Whoever touches an incident's intents takes
        this lock first, as every use case does: so no two transactions wait for each other."""
        if self._postgres:  # SQLite has one writer
            await self.session.exec(select(Incident.number).where(Incident.number == number).with_for_update())

    async def one_opens(self) -> bool:
        """From here to the end of this unit no other one opens an incident: what is counted now stays true.

        True where another one may have opened since this unit began: look again. SQLite has one writer.
        """
        if self._postgres:
            await self._count("incident", 0)
        return self._postgres

    async def next_number(self) -> int:
        """The next incident number. Without gaps: a rollback gives it back."""
        return await self._count("incident", 1)

    async def count_glass_broken(self) -> None:
        """Once more an action is carried out by break-glass: counting all of them at every scrape grows for ever."""
        await self._count(GLASS_BROKEN, 1)

    async def _count(self, name: str, more: int) -> int:
        """Count up, and hold the counter."""
        held = self._insert(Counter).values(name=name, value=more)
        counted = held.on_conflict_do_update(index_elements=["name"], set_={"value": Counter.value + more})
        return int((await self.session.exec(counted.returning(col(Counter.value)))).scalar_one())

    def record(self, incident: Incident, kind: Happened, actor: Actor, /, **data: Any) -> None:
        """Append to the timeline, chained to the entry before. The incident must be locked by this unit or new in it."""
        entry: Json = {
            "incident": incident.number,
            "seq": incident.head_seq + 1,
            "at": self.now,
            "kind": kind,
            "actor_kind": actor.kind,
            "actor": actor.id,
            "data": data,
            "prev_hash": incident.head_hash,
        }
        entry["hash"] = link(entry)
        incident.head_seq, incident.head_hash = entry["seq"], entry["hash"]
        self._entries.append(entry)
        self._ended(incident)
        self.refresh(incident)

    def _ended(self, incident: Incident) -> None:
        if incident.ended_at is not None:
            self.measure_anew(incident)

    def measure_anew(self, incident: Incident) -> None:
        """Metrics are to read the incident again, though nothing was recorded."""
        self._measured_anew.add((months.month_of(incident.declared_at), incident.number))

    def refresh(self, incident: Incident) -> None:
        """Have the incident's surfaces rendered again at the end of this unit, though nothing was recorded."""
        self._changed.add(incident.number)
        if incident.announced_by is not None:
            self._changed.add(incident.announced_by)

    async def intend(
        self,
        kind: IntentKind,
        key: str,
        *,
        incident: Incident | None = None,
        args: Json | None = None,
        order: int = 0,
        due_at: datetime | None = None,
    ) -> None:
        """Write down an outward act. A key that is there already is left as it is: the act happens once.

        What needs the room waits for it from the beginning, under the reason by which opening it hurries it."""
        severity = int(incident.severity) if incident is not None else 4
        waits = kind in IN_THE_ROOM and incident is not None and incident.channel_id is None
        row = {
            "key": key,
            "kind": kind,
            "incident": incident.number if incident is not None else None,
            "args": args or {},
            "priority": (PRIORITY[kind] + order) * 10 + severity,
            "state": IntentState.PENDING,
            "generation": 1,
            "attempts": 0,
            "uncertain": False,
            "created_at": self.now,
            "due_at": due_at or (self.now + ROOM_WAIT if waits else self.now),
            "not_before": self.now,
            "error": ROOM_AWAITED if waits else None,
        }
        self.want(Intent, row)
        self.wakes = True

    async def show(self, incident: Incident, kind: SurfaceKind, part: str = "") -> None:
        """Want a surface. A surface of the room waits until the room is open: `open_surfaces` shows all that are wanted."""
        self.want(Surface, {"incident": incident.number, "kind": kind, "part": part})
        if kind is SurfaceKind.ANNOUNCEMENT or incident.channel_id is not None:
            key = f"show:{incident.number}:{kind}:{part}"
            args = {"surface": str(kind), "part": part}
            await self.intend(IntentKind.SHOW, key, incident=incident, args=args, order=SURFACE_ORDER[kind])

    async def open_surfaces(self, incident: Incident) -> None:
        """Show every surface that was wanted before the room was open."""
        await self.flush()
        wanted = await self.session.exec(select(Surface).where(Surface.incident == incident.number))
        for surface in wanted.all():
            await self.show(incident, surface.kind, surface.part)

    async def remind(self, *reminders: Planned) -> None:
        """Write down reminders; one that exists under its key is left as it is."""
        for one in reminders:
            row = {
                "key": one.key,
                "incident": one.incident,
                "kind": one.kind,
                "args": one.args,
                "due_at": one.due_at,
                "state": ReminderState.PENDING,
                "fired_at": None,
            }
            self.want(Reminder, row)

    async def stop_reminders(self, incident: Incident, *, where: Sequence[Any] = ()) -> None:
        """Stop what is still pending for the incident, or the part of it that `where` names."""
        await self.flush()
        await self.session.exec(
            update(Reminder)
            .where(col(Reminder.incident) == incident.number, col(Reminder.state) == ReminderState.PENDING, *where)
            .values(state=ReminderState.STOPPED)
        )

    async def finish(self, inbound: str | None) -> None:
        """The last writes before the commit: surfaces to show anew, and the answer kept for a second delivery."""
        await self.flush()
        await months.changed(self.session, self._measured_anew, postgres=self._postgres)
        self.wakes = self.wakes or bool(self._changed)
        if shown := self._changed - self._new:
            await self.session.exec(rearm(self.now, col(Intent.incident).in_(sorted(shown))))
        if inbound is not None:
            answered = update(InboundKey).where(col(InboundKey.key) == inbound).values(answer=self._answer)
            await self.session.exec(answered)


def rearm(now: datetime, *where: Any) -> Any:
    """The statement that has surfaces shown again: whatever is being sent is sent once more after it, nothing twice."""
    idle = col(Intent.state).in_([IntentState.DONE, IntentState.GIVEN_UP])
    # What lies further ahead than the spacing was written before the clock was set back.
    spaced = col(Intent.not_before).between(now, now + SPACING)
    return (
        update(Intent)
        .where(col(Intent.kind) == IntentKind.SHOW, *where)
        .values(
            generation=Intent.generation + 1,
            state=case((idle, IntentState.PENDING), else_=col(Intent.state)),
            attempts=case((idle, 0), else_=col(Intent.attempts)),
            due_at=case((idle & spaced, col(Intent.not_before)), (idle, now), else_=col(Intent.due_at)),
        )
        .execution_options(synchronize_session=False)
    )
