"""The commander is asked in a direct message: once for each batch, and whoever takes command later is asked too."""

from __future__ import annotations

from bot.cases import decide, finish, roles, severity
from bot.incident.outward import IntentKind, SurfaceKind
from bot.incident.words import ActionKind, ActionState, Role, ScopeKind, Severity
from bot.store import Store, queries
from tests import opened as case
from tests.cases.containing import ALICE, Room, room


async def asked(inc: Room) -> list[str]:
    async with inc.store.read() as session:
        file = await queries.case_file(session, inc.number, inc.store.now())
    return [surface.part for surface in file.surfaces if surface.kind is SurfaceKind.DECISIONS]


async def first_waiting(inc: Room) -> int:
    return next(a.index for a in await inc.actions() if a.state is ActionState.PROPOSED)


async def test_whoever_takes_command_is_asked_about_what_waits(store: Store) -> None:
    async with room(store, commander=False) as inc:
        assert await asked(inc) == []
        await inc.propose()
        assert await asked(inc) == [], "nobody has command: whoever takes it is asked then"
        first = await first_waiting(inc)
        await roles.assign(inc.ctx, ALICE, inc.number, role=Role.COMMANDER, person="U0ALICE")
        assert await asked(inc) == [f"U0ALICE:{first}"]
        await roles.assign(inc.ctx, ALICE, inc.number, role=Role.SCRIBE, person="U0CAROL")
        await roles.assign(inc.ctx, ALICE, inc.number, role=Role.COMMANDER, person="U0BOB")
        assert await asked(inc) == [f"U0ALICE:{first}", f"U0BOB:{first}"]


async def test_a_further_proposal_joins_the_message_and_a_later_batch_gets_one_of_its_own(store: Store) -> None:
    async with room(store) as inc:
        first = await first_waiting(inc)
        await inc.propose(target="eve-1")
        assert await asked(inc) == [f"U0ALICE:{first}"], "one message, kept current"
        await inc.decline_the_rest()
        later = await inc.propose(target="eve-2")
        assert await asked(inc) == [f"U0ALICE:{first}", f"U0ALICE:{later}"], "an update would not be noticed"


async def test_where_nothing_waits_nobody_is_asked(store: Store) -> None:
    async with room(store, severity=Severity.SEV4) as inc:
        assert await asked(inc) == []
        await severity.change(inc.ctx, ALICE, inc.number, severity=Severity.SEV1, reason="it spreads")
        assert await asked(inc) == [f"U0ALICE:{await first_waiting(inc)}"], "the plan of the severity waits now"


async def test_the_message_is_shown_once_there_is_a_room(store: Store) -> None:
    async with room(store) as inc:
        [part] = await asked(inc)
        key = f"show:{inc.number}:decisions:{part}"
        assert key not in {row.key for row in await case.intents(store, inc.number, IntentKind.SHOW)}
        async with store.unit() as unit:
            incident = await unit.incident(inc.number)
            incident.channel_id = "C0ROOM"
            await unit.open_surfaces(incident)
        assert key in {row.key for row in await case.intents(store, inc.number, IntentKind.SHOW)}


async def test_nothing_new_is_asked_after_the_end(store: Store) -> None:
    async with room(store) as inc:
        index = await inc.propose(ActionKind.BLOCK_USER, ScopeKind.USER, "eve")
        await decide.approve(inc.ctx, ALICE, inc.number, index=index)
        before = await asked(inc)
        await finish.false_positive(inc.ctx, ALICE, inc.number, reason="it was a test")
        assert await asked(inc) == before
