"""What a connector promises while its system is well.

Decides the promises. How a call is watched is `watched`'s; the promises under faults are `under_faults`'.
"""

from __future__ import annotations

from dataclasses import replace

from bot.connectors.conformance.case import Case, Promise
from bot.connectors.conformance.watched import promised
from bot.connectors.contract import Effect, Nature, Order

E = Effect
HOSTILE = (
    "*",
    "%",
    "../../admin",
    "quo\"te's; --",
    "new\r\nX-Injected: yes",
    "per%20cent?kind=everyone&id=*#x",
    '{"$ne": null}',
    "雪 snow\u202e",
    "a" * 160,
)
"""Ids that would mean something else where they are pasted instead of quoted."""


async def it_says_what_it_would_do_and_on_whom(case: Case) -> None:
    plan = await case.watched().plan(case.order)
    panel = case.connector.effect_of(case.order.kind, case.order.scope_kind, case.order.scope_id)
    promised(case.order.scope_id in panel, f"effect_of names the subject: {panel}")
    promised(case.order.scope_id in plan.sentence, f"the plan names the subject: {plan.sentence}")
    figures = [figure for figure in (plan.calls, plan.subjects) if figure is not None]
    promised(not figures or bool(plan.source), "figures of a plan come with their source in words")
    promised(all(figure >= 0 for figure in figures), "figures of a plan are counts; what is not known is None")


async def looking_changes_nothing(case: Case) -> None:
    connector, before = case.watched(), await case.system.state()
    await connector.plan(case.order)
    await connector.expect("snapshot", case.order, E.CAPTURED)
    await connector.expect("verify", case.order, E.NOT_IN_FORCE)
    await connector.expect("verify_revert", case.order, E.REVERTED)
    await connector.health(E.VERIFIED)
    promised(case.connector.nature is not Nature.BY_HAND, "what reaches a system does not say that a person does it")
    promised(await case.system.state() == before, "plan, snapshot, verify and health change nothing")


async def what_was_applied_is_in_force_and_verified(case: Case) -> None:
    connector = case.watched()
    await connector.expect("apply", case.order, E.APPLIED)
    promised(await case.system.behaves_blocked(case.order), "what was applied is in force")
    await connector.expect("verify", case.order, E.VERIFIED)
    await connector.expect("verify_revert", case.order, E.VERIFIED)


async def applying_again_is_once(case: Case) -> None:
    connector = case.watched()
    await connector.expect("apply", case.order, E.APPLIED)
    once = await case.system.state()
    for _ in range(2):
        await connector.expect("apply", case.order, E.APPLIED)
    promised(await case.system.state() == once, "applying the same key again changes nothing")
    promised(await case.system.carried_out(case.order) in {None, 1}, "the same key is carried out once")
    await connector.expect("verify", case.order, E.VERIFIED)


async def somebody_else_is_not_touched(case: Case) -> None:
    connector = case.watched()
    await connector.expect("apply", case.order, E.APPLIED)
    promised(not await case.system.behaves_blocked(case.other), "another subject behaves as before")
    await connector.expect("verify", case.other, E.NOT_IN_FORCE)


async def reverting_restores_what_was(case: Case) -> None:
    connector, before = case.watched(), await case.system.state()
    captured = await connector.expect("snapshot", case.order, E.CAPTURED)
    await connector.expect("apply", case.order, E.APPLIED)
    if not case.connector.can_revert(case.order.kind):
        await connector.revert(case.order, captured, E.FAILED)
        return
    await connector.revert(case.order, captured, E.APPLIED)
    await connector.expect("verify_revert", case.order, E.REVERTED)
    promised(not await case.system.behaves_blocked(case.order), "what was reverted is no longer in force")
    promised(await case.system.state() == before, "a revert restores the earlier state")
    await connector.revert(case.order, captured, E.APPLIED, E.FAILED)
    promised(await case.system.state() == before, "reverting again changes nothing")


async def what_was_so_before_stays_so(case: Case) -> None:
    """Two incidents, one subject: the second one's revert leaves the first one's action in force."""
    connector, second = case.watched(), replace(case.order, incident="INC-99", key=f"{case.order.key}:second")
    await connector.expect("apply", case.order, E.APPLIED)
    captured = await connector.expect("snapshot", second, E.CAPTURED)
    await connector.expect("apply", second, E.APPLIED)
    if case.connector.can_revert(case.order.kind):
        await connector.revert(second, captured, E.APPLIED, E.FAILED)
        promised(await case.system.behaves_blocked(case.order), "a revert leaves in force what was so before")


async def somebodys_change_is_not_overwritten(case: Case) -> None:
    connector = case.watched()
    captured = await connector.expect("snapshot", case.order, E.CAPTURED)
    await connector.expect("apply", case.order, E.APPLIED)
    if not case.connector.can_revert(case.order.kind) or not await case.system.meddle(case.order):
        return
    changed, held = await case.system.state(), await case.system.behaves_blocked(case.order)
    # Where their change ended it already, there is nothing left to refuse: then a yes is true as well.
    await connector.revert(case.order, captured, *([E.FAILED] if held else [E.FAILED, E.APPLIED]))
    promised(await case.system.state() == changed, "a revert leaves what somebody changed since")


async def a_hostile_id_means_nothing_else(case: Case) -> None:
    connector, before = case.watched(), await case.system.state()
    for scope_id in HOSTILE:
        order = replace(case.order, key=f"INC-12:9:hostile/{scope_id}", scope_id=scope_id)
        await connector.plan(order)
        captured = await connector.expect("snapshot", order, E.CAPTURED, E.FAILED)
        applied = await connector.expect("apply", order, E.APPLIED, E.FAILED, E.ATTEST)
        if applied.effect is not E.APPLIED:
            continue
        await _only(order, case)
        await connector.expect("verify", order, E.VERIFIED, E.ATTEST)
        if case.connector.can_revert(order.kind):
            await connector.revert(order, captured, E.APPLIED)
    if case.connector.can_revert(case.order.kind):
        promised(await case.system.state() == before, "what FAILED or was reverted has changed nothing")
    await _only(case.order, case)


async def _only(order: Order, case: Case) -> None:
    for one in (case.order, case.other):
        touched = await case.system.behaves_blocked(one)
        promised(not touched, f"an order on {order.scope_id!r} touches nobody but them")


async def no_secret_is_in_how_it_prints(case: Case) -> None:
    """Every other check looks for secrets in each answer that it gets."""
    for said in (repr(case.connector), str(case.connector)):
        promised(not any(secret in said for secret in case.system.secrets), "a connector does not print its secrets")


CALM: tuple[Promise, ...] = (
    it_says_what_it_would_do_and_on_whom,
    looking_changes_nothing,
    what_was_applied_is_in_force_and_verified,
    applying_again_is_once,
    somebody_else_is_not_touched,
    reverting_restores_what_was,
    what_was_so_before_stays_so,
    somebodys_change_is_not_overwritten,
    a_hostile_id_means_nothing_else,
    no_secret_is_in_how_it_prints,
)
