"""What tests about containment share: an incident with a real receiving end behind its connector, people, and a worker."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from pydantic import SecretStr
from sqlmodel import col, select

from bot.cases import actions, decide, execute, propose, roles
from bot.cases.context import Context
from bot.cases.gave_up import gave_up
from bot.connectors import Connectors
from bot.connectors.contract import Connector
from bot.connectors.manual import Manual
from bot.connectors.webhook import Addresses, Webhook
from bot.incident.caller import Caller
from bot.incident.incident import Incident, person
from bot.incident.outward import Intent, IntentKind
from bot.incident.timeline import Happened, TimelineEntry
from bot.incident.words import ActionKind, ActionState, Role, ScopeKind, Severity
from bot.incident.work import Action, Approval
from bot.store import Store, intents, queries
from bot.store.intents import Claim
from bot.store.runner import Outcome, Runner
from tests import opened as case
from tests.connectors.receiver import SECRET, Receiver, receiving

ALICE, BOB, CAROL = (Caller(person(user)) for user in ("U0ALICE", "U0BOB", "U0CAROL"))
GUEST = Caller(person("U0GUEST"), full_member=False)
CONTAINMENT = (IntentKind.EXECUTE, IntentKind.REVERT)


def webhook(
    root: str, *, verify: bool = True, revert: bool = True, secret: str = SECRET, seconds: float = 5
) -> Webhook:
    addresses = Addresses(
        f"{root}/apply", f"{root}/verify" if verify else None, "POST", f"{root}/revert" if revert else None
    )
    return Webhook("soar", addresses, SecretStr(secret), (200,), seconds)


def with_connector(ctx: Context, connector: Connector | None) -> Context:
    """The same context where this connector carries out all eight actions; None for by hand."""
    if connector is None:
        return dataclasses.replace(ctx, connectors=Connectors({"manual": Manual()}, {}))
    by_action = dict.fromkeys(ActionKind, connector.name)
    return dataclasses.replace(ctx, connectors=Connectors({"manual": Manual(), connector.name: connector}, by_action))


@dataclass
class Room:
    """One incident, its connector's receiving end, and a worker that carries intents out when it is told to."""

    ctx: Context
    far: Receiver
    number: int

    @property
    def store(self) -> Store:
        return self.ctx.store

    async def propose(
        self, kind: ActionKind = ActionKind.BLOCK_USER, scope: ScopeKind = ScopeKind.USER, target: str = "eve"
    ) -> int:
        """A fresh action; returns its index."""
        await propose.propose(
            self.ctx, CAROL, self.number, kind=kind, scope_kind=scope, scope_id=target, why="it is harmful"
        )
        return (await self.actions())[-1].index

    async def actions(self) -> Sequence[Action]:
        async with self.store.read() as session:
            wanted = select(Action).where(Action.incident == self.number).order_by(col(Action.index))
            return (await session.exec(wanted)).all()

    async def action(self, index: int) -> Action:
        return next(action for action in await self.actions() if action.index == index)

    async def decline_the_rest(self) -> None:
        """Decide about everything that still waits: what nobody decided keeps an incident from being contained."""
        for action in await self.actions():
            if action.state is ActionState.PROPOSED:
                await decide.decline(self.ctx, ALICE, self.number, index=action.index, reason="not needed")

    async def tamper(self, index: int, **values: object) -> None:
        """Change an action past the use cases, as somebody with the database's password could."""
        async with self.store.unit() as unit:
            action = await actions.find(unit, await unit.incident(self.number), index)
            for name, value in values.items():
                setattr(action, name, value)

    async def incident(self) -> Incident:
        return await case.incident(self.store, self.number)

    async def approvals(self) -> Sequence[Approval]:
        async with self.store.read() as session:
            return (await session.exec(select(Approval).where(Approval.incident == self.number))).all()

    async def timeline(self, *kinds: Happened) -> list[TimelineEntry]:
        async with self.store.read() as session:
            await queries.verify_timeline(session, self.number)
            entries = await queries.timeline(session, self.number)
        return [entry for entry in entries if not kinds or entry.kind in kinds]

    async def told(self) -> list[str]:
        """Keys of the messages about results that the room is to get, without their common beginning."""
        start = f"post:action_result:{self.number}:"
        rows = await case.intents(self.store, self.number, IntentKind.POST)
        return sorted(row.key.removeprefix(start) for row in rows if row.key.startswith(start))

    async def claims(self, owner: str = "w1") -> list[Claim]:
        return await intents.claim(self.store, owner, limit=10, kinds=CONTAINMENT)

    async def work(self, owner: str = "w1") -> list[Outcome]:
        """Carry out every containment intent that is due now, and settle it."""
        handlers, outcomes = execute.handlers(self.ctx), []
        runner = Runner(self.store, handlers, owner=owner, gave_up=gave_up)
        for claim in await self.claims(owner):
            outcomes.append(await handlers[claim.kind](claim))
            await runner.settle(claim, outcomes[-1])
        return outcomes

    async def pending(self) -> list[Intent]:
        return [row for row in await case.intents(self.store, self.number, *CONTAINMENT) if row.settled_at is None]


@contextlib.asynccontextmanager
async def room(
    store: Store,
    *,
    severity: Severity = Severity.SEV1,
    user: str = "mallory",
    by_hand: bool = False,
    commander: bool = True,
    auto_contain: str = "off",
    verify: bool = True,
    revert: bool = True,
    secret: str = SECRET,
    seconds: float = 5,
) -> AsyncIterator[Room]:
    """An incident that an alert opened; Alice commands it unless `commander` is false."""
    async with receiving() as far:
        connector = webhook(far.url, verify=verify, revert=revert, secret=secret, seconds=seconds)
        ctx = with_connector(case.context(store, auto_contain=auto_contain), None if by_hand else connector)
        number = await case.opened(ctx, severity, user=user)
        if commander:
            await roles.assign(ctx, ALICE, number, role=Role.COMMANDER, person=ALICE.actor.id)
        try:
            yield Room(ctx, far, number)
        finally:
            await connector.close()
