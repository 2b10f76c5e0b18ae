"""The gate's connector against a gate that runs: on a real store, asked over HTTP."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from bot.app import Firsthour
from bot.connectors import gate as gate_module
from bot.connectors.conformance import Case, Promise, name_of, promises
from bot.connectors.conformance.under_faults import no_answer_in_time_is_unknown
from bot.connectors.contract import Effect, Nature, Order
from bot.connectors.gate import Gate
from bot.connectors.gate_rule import beyond
from bot.environment import read_settings
from bot.gate.caller import Caller, Stage, targets_of
from bot.incident.policy import MEASURES, GateReplica
from bot.incident.words import ActionKind, ScopeKind
from bot.store import Store
from tests.connectors.conformance import order
from tests.connectors.gate_system import TOKEN, GateSystem, connected, gate_running
from tests.gate.policy import change_by_hand
from tests.store.test_runner import until

A, S, E = ActionKind, ScopeKind, Effect
MALLORY = order(A.BLOCK_USER, S.USER, "mallory", 3)


def of(incident: int, one: Order) -> Order:
    """The same order of another incident."""
    return Order(
        f"INC-{incident}", one.key.replace("INC-12", f"INC-{incident}"), one.kind, one.scope_kind, one.scope_id
    )


@pytest.fixture
async def on_both(store: Store) -> AsyncIterator[tuple[GateSystem, Gate]]:
    """Following differs between the databases; the connector's own rules do not."""
    async with gate_running(store) as running, connected(system := GateSystem(store, running)) as made:
        yield system, made


@pytest.fixture
async def system(sqlite_store: Store) -> AsyncIterator[GateSystem]:
    async with gate_running(sqlite_store) as running:
        yield GateSystem(sqlite_store, running)


@pytest.fixture
async def gate(system: GateSystem) -> AsyncIterator[Gate]:
    async with connected(system) as made:
        yield made


@pytest.mark.parametrize("promise", promises(GateSystem.faults), ids=name_of)
async def test_it_keeps_its_promises(sqlite_store: Store, promise: Promise) -> None:
    seconds = 0.3 if promise is no_answer_in_time_is_unknown else 4.0
    async with gate_running(sqlite_store) as running:
        system = GateSystem(sqlite_store, running)
        async with connected(system, seconds=seconds) as made:
            await promise(Case(made, MALLORY, order(A.BLOCK_USER, S.USER, "alice", 4), system))


SCOPED = [
    (A.BLOCK_USER, S.SESSION, "s-1"),
    (A.BLOCK_USER, S.API_KEY, "key-1"),
    (A.BLOCK_USER, S.IP, "203.0.113.9"),
    (A.BLOCK_USER, S.APPLICATION, "shop"),
    (A.RATE_LIMIT, S.USER, "mallory"),
    (A.RATE_LIMIT, S.ENDPOINT, "/chat"),
    (A.RATE_LIMIT, S.EVERYONE, "*"),
    (A.ENABLE_SAFE_MODE, S.USER, "mallory"),
    (A.ENABLE_SAFE_MODE, S.EVERYONE, "*"),
    (A.DISABLE_TOOLS, S.APPLICATION, "shop"),
    (A.DISABLE_ENDPOINT, S.ENDPOINT, "/chat"),
    (A.RESTRICT_RAG, S.DOCUMENT, "kb/42"),
    (A.RESTRICT_RAG, S.USER, "mallory"),
]


@pytest.mark.parametrize(("kind", "scope", "name"), SCOPED)
async def test_every_measure_is_verified_by_behaviour_and_undone(
    sqlite_store: Store, kind: ActionKind, scope: ScopeKind, name: str
) -> None:
    one = order(kind, scope, name)
    async with gate_running(sqlite_store) as running, connected(GateSystem(sqlite_store, running)) as gate:
        assert (await gate.verify(one)).effect is E.NOT_IN_FORCE
        assert (await gate.apply(one)).effect is E.APPLIED
        seen = await gate.verify(one)
        assert seen.effect is E.VERIFIED, seen.detail
        assert "Held by 1 of 1 gates" in seen.detail
        assert (await gate.verify(one)).effect is E.VERIFIED, "asking used nothing up"
        assert (await gate.verify_revert(one)).effect is E.VERIFIED
        assert (await gate.revert(one, None)).effect is E.APPLIED
        back = await gate.verify_revert(one)
        assert back.effect is E.REVERTED, back.detail


async def test_a_probe_takes_nothing_from_the_subjects_own_allowance(gate: Gate, system: GateSystem) -> None:
    limited = order(A.RATE_LIMIT, S.USER, "mallory")
    await gate.apply(limited)
    assert (await gate.verify(limited)).effect is E.VERIFIED
    caller = Caller(targets_of([(S.USER, "mallory")]))
    assert [(await system.running.gate.decide(caller)).allowed for _ in range(2)] == [True, False]


# Two incidents, one target


async def test_what_another_incident_holds_too_stays_in_force_and_is_said(on_both: tuple[GateSystem, Gate]) -> None:
    system, gate = on_both
    ours, theirs = MALLORY, of(13, MALLORY)
    await gate.apply(theirs)
    captured = await gate.snapshot(ours)
    assert "INC-13 holds the same" in captured.detail
    assert captured.snapshot == {"before": [{"key": theirs.key, "scope": "user", "per_minute": 1, "text": None}]}
    await gate.apply(ours)
    assert (await gate.revert(ours, captured.snapshot)).effect is E.APPLIED
    seen = await gate.verify_revert(ours)
    assert seen.effect is E.REVERTED
    assert "nothing changes yet: INC-13 holds the same" in seen.detail
    assert await system.behaves_blocked(theirs)
    assert (await gate.verify(theirs)).effect is E.VERIFIED


async def test_a_rule_that_another_incident_took_over_is_not_removed(on_both: tuple[GateSystem, Gate]) -> None:
    system, gate = on_both
    await gate.apply(MALLORY)
    await change_by_hand(system.store, MALLORY.key, incident=13)
    refused = await gate.revert(MALLORY, {"before": []})
    assert refused.effect is E.FAILED
    assert refused.detail.startswith("INC-13 changed this rule after it was put.")
    assert await system.behaves_blocked(MALLORY)
    await change_by_hand(system.store, MALLORY.key, incident=12)
    assert (await gate.revert(MALLORY, None)).detail.startswith("Somebody changed this rule")


async def test_a_milder_measure_behind_a_stricter_one_is_in_force_and_gone_again(gate: Gate) -> None:
    safe = order(A.ENABLE_SAFE_MODE, S.USER, "mallory")
    await gate.apply(of(13, MALLORY))
    await gate.apply(safe)
    seen = await gate.verify(safe)
    assert seen.effect is E.VERIFIED
    assert "A stricter rule (INC-13) stands before it" in seen.detail
    await gate.revert(safe, None)
    assert (await gate.verify_revert(safe)).effect is E.REVERTED


async def test_a_late_repetition_after_the_revert_blocks_nobody_again(gate: Gate, system: GateSystem) -> None:
    await gate.apply(MALLORY)
    await gate.revert(MALLORY, None)
    late = await gate.apply(MALLORY)
    assert late.effect is E.FAILED
    assert "Propose it again" in late.detail
    assert not await system.behaves_blocked(MALLORY)


# Gates that do not do what the policy says


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_module, "SETTLES", 0.2)


@pytest.mark.usefixtures("hurried")
async def test_a_gate_that_is_alive_and_behind_keeps_it_from_being_verified(gate: Gate, sqlite_store: Store) -> None:
    async with sqlite_store.unit() as unit:
        seen_at = unit.now - timedelta(seconds=10)
        unit.add(GateReplica(id="other", address="10.0.0.8:8081", version=0, seen_at=seen_at))
        unit.add(GateReplica(id="dead", address="10.0.0.9:8081", version=0, seen_at=seen_at - timedelta(minutes=1)))
    await gate.apply(MALLORY)
    seen = await gate.verify(MALLORY)
    assert seen.effect is E.UNKNOWN
    assert "Only 1 of 2 gates hold this version of the policy; 10.0.0.8:8081 does not yet" in seen.detail


async def test_two_gates_hold_it_before_it_is_verified(on_both: tuple[GateSystem, Gate]) -> None:
    system, gate = on_both
    async with gate_running(system.store) as second:
        await until(lambda: _alive(gate, 2))
        await gate.apply(MALLORY)
        seen = await gate.verify(MALLORY)
        assert seen.effect is E.VERIFIED and seen.detail.endswith("Held by 2 of 2 gates."), seen.detail
        assert not (await second.gate.decide(Caller(targets_of([(S.USER, "mallory")])))).allowed


ALLOWED = {"allow": True, "outcome": "allowed", "incident": None, "answer": None, "tools": True, "retrieval": True,
           "withheld": []}  # fmt: skip
BLOCKED = ALLOWED | {"allow": False, "outcome": "refused", "incident": "INC-12"}


@contextlib.asynccontextmanager
async def instead(answer: web.Response | dict[str, object]) -> AsyncIterator[str]:
    """Something else at the gate's address, that gives everybody this answer."""

    async def handle(_: web.Request) -> web.Response:
        if isinstance(answer, web.Response):
            return web.Response(status=answer.status, body=answer.body, headers=answer.headers)
        return web.json_response(answer)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(
    ("answer", "effect", "words"),
    [
        (ALLOWED, E.NOT_IN_FORCE, "as if nothing had been done"),
        (BLOCKED, E.UNKNOWN, "Nobody but the subject should meet this"),
        (BLOCKED | {"outcome": "unknown"}, E.UNKNOWN, "does not know its rules"),
        ({"allow": "no"}, E.UNKNOWN, "not a gate's"),
        (web.Response(status=500, text=TOKEN), E.UNKNOWN, "it answered 500"),
        (web.Response(status=307, headers={"Location": "http://localhost:9/"}), E.UNKNOWN, "it answered 307"),
        (web.Response(status=401), E.UNKNOWN, "it refuses our credentials (401)"),
    ],
    ids=lambda value: value.value if isinstance(value, Effect) else None,
)
async def test_what_answers_at_the_gates_address_is_not_believed_blindly(
    sqlite_store: Store, answer: web.Response | dict[str, object], effect: Effect, words: str
) -> None:
    async with gate_running(sqlite_store) as running, connected(GateSystem(sqlite_store, running)) as gate:
        await gate.apply(MALLORY)
        async with instead(answer) as url:
            gate.asking.url = lambda: url
            await GateSystem(sqlite_store, running).followed()
            seen = await gate.verify(MALLORY)
            assert seen.effect is effect and words in seen.detail
            await gate.revert(MALLORY, None)
            back = await gate.verify_revert(MALLORY)
            assert back.effect is not E.REVERTED or answer is ALLOWED
            assert (await gate.health()).effect is (
                E.VERIFIED if isinstance(answer, dict) and len(answer) > 1 else E.FAILED
            )
            assert TOKEN not in f"{seen}{back}"


@pytest.mark.usefixtures("hurried")
async def test_a_gate_that_is_down_leaves_it_unknown_and_the_rule_in_the_policy(gate: Gate, system: GateSystem) -> None:
    await system.running.stop()
    assert (await gate.apply(MALLORY)).effect is E.APPLIED, "it holds once a gate is back"
    seen = await gate.verify(MALLORY)
    assert seen.effect is E.UNKNOWN
    assert "could not be reached" in seen.detail
    assert (await gate.health()).effect is E.FAILED


async def test_with_a_wrong_token_it_says_which_setting_to_compare(system: GateSystem) -> None:
    async with connected(system, token="another") as gate:
        health = await gate.health()
        assert health.effect is E.FAILED
        assert "credentials (401): compare FIRSTHOUR_GATE_TOKEN" in health.detail
        assert (await gate.plan(MALLORY)).calls is None


async def test_where_there_is_a_token_the_gate_takes_what_it_can_enforce_and_the_file_leaves_it(tmp_path: Path) -> None:
    (tmp_path / "org.yaml").write_text("connectors: {desk: {kind: manual, actions: [disable_tools]}}\n")
    env = {
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_APP_TOKEN": "xapp-1",
        "DATABASE_URL": f"sqlite:///{tmp_path}/x.db",
        "FIRSTHOUR_CONFIG": f"{tmp_path}/org.yaml",
    }
    for token, gates in (({}, frozenset[ActionKind]()), ({"FIRSTHOUR_GATE_TOKEN": TOKEN}, MEASURES)):
        house = Firsthour(read_settings(env | token), env=env)
        names = {kind: house.ctx.connectors.name_for(kind) for kind in ActionKind}
        assert {kind for kind, name in names.items() if name == "gate"} == gates - {A.DISABLE_TOOLS}
        assert names[A.DISABLE_TOOLS] == "desk"
        assert house.ctx.connectors.name_for(A.BLOCK_USER, drill=True) == "manual", "a drill touches no gate"
        await house.stop()
        await house.store.close()


# What is said before anybody approves


async def test_the_plan_tells_what_it_would_have_touched_in_the_last_hour(gate: Gate, system: GateSystem) -> None:
    for user in ("mallory", "mallory", "alice"):
        await system.running.gate.decide(Caller(targets_of([(S.USER, user), (S.ENDPOINT, "/chat")])))
        answer = Caller(targets_of([(S.USER, user), (S.ENDPOINT, "/chat")]), Stage.RESPONSE)
        await system.running.gate.decide(answer)
    await until(lambda: _alive(gate))
    plan = await gate.plan(MALLORY)
    assert (plan.calls, plan.subjects) == (2, 1)
    assert plan.source == "the gate's decisions of the last 1 min, since it started"
    wide = await gate.plan(order(A.DISABLE_ENDPOINT, S.ENDPOINT, "/chat"))
    assert (wide.calls, wide.subjects) == (3, 2)


async def _alive(gate: Gate, count: int = 1) -> bool:
    return len(await gate.policy.gates()) == count


def test_what_no_gate_can_enforce_is_said_and_refused() -> None:
    for kind in ActionKind:
        for scope in ScopeKind:
            can = kind in MEASURES and scope is not S.CREDENTIAL and (scope is not S.DOCUMENT or kind is A.RESTRICT_RAG)
            assert (beyond(order(kind, scope, "x")) is None) is can, (kind, scope)


@pytest.mark.parametrize(
    "one",
    [order(A.ROTATE_CREDENTIALS, S.CREDENTIAL, "k"), order(A.BLOCK_USER, S.USER, "x" * 301),
     order(A.BLOCK_USER, S.USER, "a\0b"), order(A.BLOCK_USER, S.DOCUMENT, "kb/1")],
)  # fmt: skip
async def test_what_no_gate_can_enforce_changes_nothing(gate: Gate, system: GateSystem, one: Order) -> None:
    applied = await gate.apply(one)
    assert applied.effect is E.FAILED
    assert "Nothing was changed" in applied.detail
    assert "cannot do this" in gate.effect_of(one.kind, one.scope_kind, one.scope_id)
    assert await system.state() == set()
    assert gate.nature is Nature.SYSTEM and gate.can_revert(one.kind)
