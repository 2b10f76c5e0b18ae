"""Questions asked while people wait find what is open, in force or due by an index: what has ended costs them nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from bot.cases import actions, finding, reached, revert, shared, storm
from bot.cases.alert import AlertIn
from bot.cases.context import Context
from bot.gate import rules
from bot.incident.incident import Incident
from bot.incident.outward import IntentKind
from bot.incident.words import ActionKind, ScopeKind, Severity
from bot.incident.work import Action
from bot.store import Store, Unit, firings, items, reminders, waiting
from bot.store.counts import counts
from tests.conftest import START
from tests.opened import context, opened

LEAK = "credential_leakage_confirmed"
Ask = Callable[[Context, Unit, Incident, Action], Awaitable[object]]
ASKED: dict[str, tuple[Ask, set[str]]] = {
    "a person's open risks": (
        lambda ctx, unit, incident, action: items.risks_owned(unit.session, "U0ALICE"),
        {"ix_risk_owner_closed_at"},
    ),
    "containment that reaches a test's identity": (
        lambda ctx, unit, incident, action: reached.reached(unit.session, incident, "eve", since=START),
        {"ix_action_state_scope_id", "ix_action_reverted_at"},
    ),
    "what else holds the target": (
        lambda ctx, unit, incident, action: shared.others(unit, action),
        {"ix_action_state_scope_id"},
    ),
    "how often an action was to be reverted": (
        lambda ctx, unit, incident, action: revert._times(unit, action),
        {"ix_intent_incident_kind"},
    ),
    "whether an action is being carried out": (
        lambda ctx, unit, incident, action: actions.in_hand(unit, action, IntentKind.EXECUTE),
        {"ix_intent_incident_kind"},
    ),
    "what a finding was about within the cool-down": (
        lambda ctx, unit, incident, action: finding._cooling(ctx, unit, _alert()),
        {"ix_incident_declared_at"},
    ),
    "the storm that an alert belongs to": (
        lambda ctx, unit, incident, action: storm.beside(
            ctx, unit, ctx.playbook.triggers[LEAK], app="shop", severity=Severity.SEV1
        ),
        {"ix_incident_ended_at_trigger_app"},
    ),
    "the rules of a gate that starts": (
        lambda ctx, unit, incident, action: rules.changes(unit.session, None),
        {"ix_gate_rule_in_force"},
    ),
    "the rules on one target": (
        lambda ctx, unit, incident, action: rules.holding(unit.session, ActionKind.BLOCK_USER, ScopeKind.USER, "eve"),
        {"ix_gate_rule_target_removed_at"},
    ),
    "inbound acts to forget": (
        lambda ctx, unit, incident, action: reminders.forget_inbound(unit, START),
        {"ix_inbound_key_at"},
    ),
    "bytes to forget": (
        lambda ctx, unit, incident, action: waiting.forget(unit, "0" * 64),
        {"ix_waiting_bytes_at"},
    ),
    "what a trigger did in a day": (
        lambda ctx, unit, incident, action: firings.firings(
            unit.session, "native", LEAK, START, START + timedelta(days=1)
        ),
        {"ix_alert_trigger_received_at"},
    ),
}


def _alert() -> AlertIn:
    subject = {"kind": "user", "id": "eve"}
    return AlertIn.model_validate({"trigger": LEAK, "title": "A key was in an answer", "subject": subject})


@pytest.mark.parametrize("name", ASKED)
async def test_what_has_ended_is_not_read(store: Store, name: str) -> None:
    ask, indexes = ASKED[name]
    used = "\n".join(await _used(store, ask))
    if store.sqlite:
        assert "SCAN" not in used and all(f"INDEX {index} (" in used for index in indexes), used
    else:  # of several indexes that would do it takes any while there is nothing to read
        assert "Seq Scan" not in used and "Index" in used, used


async def _used(store: Store, ask: Ask) -> list[str]:
    """The plans of what is asked. PostgreSQL would read a table this small whole: it is told not to."""
    ctx = context(store)
    number = await opened(ctx, user="eve", app="shop")
    asked: list[tuple[str, Any]] = []

    def listen(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if statement.split()[0] in {"SELECT", "UPDATE", "DELETE"}:
            asked.append((statement, parameters))

    async with store.unit() as unit:
        incident = await unit.incident(number)
        action = (await actions.every(unit, incident))[0]
        event.listen(store.engine.sync_engine, "before_cursor_execute", listen)
        await ask(ctx, unit, incident, action)
        event.remove(store.engine.sync_engine, "before_cursor_execute", listen)
    async with store.engine.connect() as connection:
        if not store.sqlite:
            await connection.execute(text("SET enable_seqscan = off"))
        explain = "EXPLAIN QUERY PLAN" if store.sqlite else "EXPLAIN"
        plans = [(await connection.exec_driver_sql(f"{explain} {one}", given)).all() for one, given in asked]
    return ["\n".join(str(row[-1]) for row in plan) for plan in plans]


async def test_an_action_is_not_in_hand_because_one_with_a_longer_number_is(store: Store) -> None:
    ctx = context(store)
    number = await opened(ctx, user="eve", app="shop")
    async with store.unit() as unit:
        incident = await unit.incident(number)
        action = (await actions.every(unit, incident))[0]
        assert action.index == 1
        await unit.intend(IntentKind.EXECUTE, f"execute:{number}:10", incident=incident)
        await unit.flush()
        assert not await actions.in_hand(unit, action, IntentKind.EXECUTE)
        await unit.intend(IntentKind.EXECUTE, f"execute:{number}:1", incident=incident)
        await unit.intend(IntentKind.REVERT, f"revert:{number}:1:2", incident=incident)
        await unit.flush()
        assert await actions.in_hand(unit, action, IntentKind.EXECUTE)
        assert await actions.in_hand(unit, action, IntentKind.REVERT)
        assert not await actions.in_hand(unit, action, IntentKind.EXECUTE, leased=True)


async def test_a_scrape_asks_no_approval_how_often_glass_was_broken(sqlite_store: Store) -> None:
    asked: list[str] = []

    def listen(*given: Any) -> None:
        asked.append(given[2])

    event.listen(sqlite_store.engine.sync_engine, "before_cursor_execute", listen)
    async with sqlite_store.read() as session:
        assert (await counts(session, START)).glass_broken == 0
    event.remove(sqlite_store.engine.sync_engine, "before_cursor_execute", listen)
    assert asked and not any("FROM approval" in statement for statement in asked)
