"""What a connector promises while its system is down, slow, lying or in other hands.

Decides the promises. A system says which faults it can be made to have, and only those are checked.
"""

from __future__ import annotations

import asyncio

from bot.connectors.conformance.case import Case, Fault, Promise
from bot.connectors.conformance.watched import promised
from bot.connectors.contract import Effect

E = Effect


async def where_nothing_listens_nothing_is_claimed(case: Case) -> None:
    connector, before = case.watched(), await case.system.state()
    async with case.system.having(Fault.DOWN):
        await connector.plan(case.order)
        await connector.expect("snapshot", case.order, E.CAPTURED, E.FAILED)
        await connector.expect("apply", case.order, E.FAILED, E.UNKNOWN)
        await connector.expect("verify", case.order, E.UNKNOWN)
        await connector.revert(case.order, None, E.FAILED, E.UNKNOWN)
        await connector.expect("verify_revert", case.order, E.UNKNOWN)
        await connector.health(E.FAILED)
    promised(await case.system.state() == before, "nothing was changed")


async def no_answer_in_time_is_unknown(case: Case) -> None:
    connector = case.watched()
    async with case.system.having(Fault.SLOW):
        applied, *_ = await asyncio.gather(
            connector.expect("apply", case.order, E.UNKNOWN, E.FAILED),
            connector.expect("verify", case.order, E.UNKNOWN),
            connector.expect("verify_revert", case.order, E.UNKNOWN),
            connector.health(E.FAILED),
        )
    held = await case.system.behaves_blocked(case.order)
    promised(not (held and applied.effect is E.FAILED), "FAILED means certainly not done; what may be done is UNKNOWN")
    await connector.expect("verify", case.order, E.VERIFIED if held else E.NOT_IN_FORCE)
    await connector.expect("apply", case.order, E.APPLIED)
    promised(await case.system.carried_out(case.order) in {None, 1}, "the same key is carried out once")


async def an_error_after_the_deed_is_unknown_until_verified(case: Case) -> None:
    connector = case.watched()
    captured = await connector.expect("snapshot", case.order, E.CAPTURED)
    async with case.system.having(Fault.ERROR_AFTER_DOING):
        applied = await connector.expect("apply", case.order, E.UNKNOWN, E.APPLIED, E.FAILED)
    held = await case.system.behaves_blocked(case.order)
    promised(not (held and applied.effect is E.FAILED), "FAILED means certainly not done; what may be done is UNKNOWN")
    await connector.expect("verify", case.order, E.VERIFIED if held else E.NOT_IN_FORCE)
    if held and case.connector.can_revert(case.order.kind):
        async with case.system.having(Fault.ERROR_AFTER_DOING):
            await connector.revert(case.order, captured, E.UNKNOWN, E.APPLIED)
        held = await case.system.behaves_blocked(case.order)
        await connector.expect("verify_revert", case.order, E.VERIFIED if held else E.REVERTED)


async def a_yes_without_the_deed_is_found_out(case: Case) -> None:
    connector = case.watched()
    captured = await connector.expect("snapshot", case.order, E.CAPTURED)
    async with case.system.having(Fault.YES_WITHOUT_DOING):
        await connector.expect("apply", case.order, E.APPLIED, E.UNKNOWN, E.FAILED)
    await connector.expect("verify", case.order, E.NOT_IN_FORCE)
    await connector.expect("apply", case.order, E.APPLIED)
    if case.connector.can_revert(case.order.kind):
        async with case.system.having(Fault.YES_WITHOUT_DOING):
            await connector.revert(case.order, captured, E.APPLIED, E.UNKNOWN, E.FAILED)
        await connector.expect("verify_revert", case.order, E.VERIFIED)


async def a_redirect_is_never_followed(case: Case) -> None:
    connector, before = case.watched(), await case.system.state()
    async with case.system.having(Fault.REDIRECT):
        await connector.plan(case.order)
        await connector.expect("snapshot", case.order, E.CAPTURED, E.FAILED)
        await connector.expect("apply", case.order, E.FAILED, E.UNKNOWN)
        await connector.expect("verify", case.order, E.UNKNOWN)
        await connector.revert(case.order, None, E.FAILED, E.UNKNOWN)
        await connector.expect("verify_revert", case.order, E.UNKNOWN)
    promised(case.system.strayed() == 0, "nothing is sent to the host that a redirect names")
    promised(await case.system.state() == before, "nothing was changed")


async def refused_credentials_are_named(case: Case) -> None:
    connector, before = case.watched(), await case.system.state()
    async with case.system.having(Fault.REFUSED):
        applied = await connector.expect("apply", case.order, E.FAILED)
        promised("credentials" in applied.detail, f"the words say that it is the credentials: {applied.detail}")
        await connector.expect("verify", case.order, E.UNKNOWN)
        await connector.expect("verify_revert", case.order, E.UNKNOWN)
        health = await connector.health(E.FAILED)
        promised("credentials" in health.detail, f"the words say that it is the credentials: {health.detail}")
    promised(await case.system.state() == before, "nothing was changed")


UNDER_FAULTS: dict[Fault, Promise] = {
    Fault.DOWN: where_nothing_listens_nothing_is_claimed,
    Fault.SLOW: no_answer_in_time_is_unknown,
    Fault.ERROR_AFTER_DOING: an_error_after_the_deed_is_unknown_until_verified,
    Fault.YES_WITHOUT_DOING: a_yes_without_the_deed_is_found_out,
    Fault.REDIRECT: a_redirect_is_never_followed,
    Fault.REFUSED: refused_credentials_are_named,
}
