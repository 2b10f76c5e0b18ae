"""The suite passes an honest connector and catches liars: each liar breaks one promise, and is told which."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from bot.connectors.conformance import PROMISES, Broken, Case, Fault, conforms, promises, timeout_for
from bot.connectors.conformance.proxy import Proxy, proxy
from bot.connectors.contract import Connector, Effect, Order, Plan, Result
from bot.connectors.manual import Manual
from bot.connectors.webhook import Webhook
from bot.incident.columns import Json
from tests.connectors.conformance import block
from tests.connectors.receiver import SECRET, Receiver, receiving
from tests.connectors.test_webhook import Far, webhook

E = Effect


@dataclasses.dataclass
class Liar(Webhook):
    """A webhook that knows the system behind it, and so could cheat."""

    receiver: Receiver | None = None
    counted: itertools.count[int] = dataclasses.field(default_factory=itertools.count)

    @property
    def far(self) -> Receiver:
        assert self.receiver is not None
        return self.receiver

    def hold(self, scope_id: str) -> None:
        self.far.in_force.setdefault(("block_user", "user", scope_id), []).append("liar")


class BelievesItself(Liar):
    async def verify(self, order: Order) -> Result:
        return Result(E.VERIFIED, "It was told to, so it is.")


class AppliesTwice(Liar):
    async def apply(self, order: Order) -> Result:
        return await super().apply(dataclasses.replace(order, key=f"{order.key}:{next(self.counted)}"))


class TellsItsSecret(Liar):
    async def apply(self, order: Order) -> Result:
        done = await super().apply(order)
        return Result(done.effect, f"{done.detail} Signed with {SECRET}.")


class KeepsASecretInTheSnapshot(Liar):
    async def snapshot(self, order: Order) -> Result:
        return Result(E.CAPTURED, "All there is.", {"authorization": SECRET})


class PrintsItsSecret(Liar):
    def __repr__(self) -> str:
        return f"Liar({self.secret.get_secret_value()})"


class FollowsRedirects(Liar):
    def __init__(self, **values: Any) -> None:
        trusting = httpx.AsyncClient(follow_redirects=True, trust_env=False, headers={"Authorization": SECRET})
        super().__init__(**values | {"http": trusting})

    async def apply(self, order: Order) -> Result:
        await super().apply(order)
        return Result(E.FAILED, "It answered with a redirect, which is not followed.")

    async def revert(self, order: Order, snapshot: Json | None) -> Result:
        return await self.apply(order)


class RevertsOverSomebodysChange(Liar):
    async def revert(self, order: Order, snapshot: Json | None) -> Result:
        self.far.in_force.clear()
        return Result(E.APPLIED, "All is as it was.")


class RevertsWhatWasSoBefore(RevertsOverSomebodysChange):
    pass


class RevertsNothing(Liar):
    async def revert(self, order: Order, snapshot: Json | None) -> Result:
        return Result(E.APPLIED, "All is as it was.")


class ChangesWhatItLooksAt(Liar):
    async def snapshot(self, order: Order) -> Result:
        await super().apply(dataclasses.replace(order, key="looked"))
        return Result(E.CAPTURED, "Looked at.")


class PastesIds(Liar):
    async def apply(self, order: Order) -> Result:
        if order.scope_id == "*":
            self.hold("alice")
        return await super().apply(order)


class TouchesOthers(Liar):
    async def apply(self, order: Order) -> Result:
        self.hold("alice")
        return await super().apply(order)


class CallsSilenceAFailure(Liar):
    async def apply(self, order: Order) -> Result:
        done = await super().apply(order)
        return Result(E.FAILED, "Not done.") if done.effect is E.UNKNOWN else done


class NamesNoCredentials(Liar):
    async def apply(self, order: Order) -> Result:
        done = await super().apply(order)
        return Result(done.effect, "No.") if done.effect is E.FAILED else done


class IsAlwaysWell(Liar):
    async def health(self) -> Result:
        return Result(E.VERIFIED, "Never better.")


class Raises(Liar):
    async def plan(self, order: Order) -> Plan:
        raise KeyError(order.scope_id)


class NeverEnds(Liar):
    async def plan(self, order: Order) -> Plan:
        await asyncio.Event().wait()
        raise AssertionError


class MakesFiguresUp(Liar):
    async def plan(self, order: Order) -> Plan:
        return Plan(f"Blocks {order.scope_id}.", calls=12)


class ShowsAddresses(Liar):
    async def apply(self, order: Order) -> Result:
        return Result((await super().apply(order)).effect, f"POST {self.addresses.apply}")


LIARS: dict[type[Liar], tuple[str, str]] = {
    BelievesItself: ("a_yes_without_the_deed_is_found_out", "verify answers not_in_force here: it said verified"),
    AppliesTwice: ("applying_again_is_once", "applying the same key again changes nothing"),
    TellsItsSecret: ("what_was_applied_is_in_force_and_verified", "apply tells no secret"),
    KeepsASecretInTheSnapshot: ("looking_changes_nothing", "snapshot tells no secret"),
    PrintsItsSecret: ("no_secret_is_in_how_it_prints", "does not print its secrets"),
    FollowsRedirects: ("a_redirect_is_never_followed", "nothing is sent to the host that a redirect names"),
    RevertsOverSomebodysChange: ("somebodys_change_is_not_overwritten", "revert answers failed here: it said applied"),
    RevertsWhatWasSoBefore: ("what_was_so_before_stays_so", "leaves in force what was so before"),
    RevertsNothing: ("reverting_restores_what_was", "verify_revert answers reverted here: it said verified"),
    ChangesWhatItLooksAt: ("looking_changes_nothing", "verify answers not_in_force here"),
    PastesIds: ("a_hostile_id_means_nothing_else", "an order on '*' touches nobody but them"),
    TouchesOthers: ("somebody_else_is_not_touched", "another subject behaves as before"),
    CallsSilenceAFailure: ("an_error_after_the_deed_is_unknown_until_verified", "FAILED means certainly not done"),
    NamesNoCredentials: ("refused_credentials_are_named", "the words say that it is the credentials"),
    IsAlwaysWell: ("where_nothing_listens_nothing_is_claimed", "health answers failed here"),
    Raises: ("it_says_what_it_would_do_and_on_whom", "plan raises nothing: it raised KeyError"),
    NeverEnds: ("it_says_what_it_would_do_and_on_whom", "plan ends within its own time-out"),
    MakesFiguresUp: ("it_says_what_it_would_do_and_on_whom", "figures of a plan come with their source"),
    ShowsAddresses: ("what_was_applied_is_in_force_and_verified", "shows no address"),
}


@asynccontextmanager
async def case_of(make: Callable[[Receiver, Proxy], Connector], *, patience: float = 10) -> AsyncIterator[Case]:
    async with (
        receiving() as receiver,
        proxy(receiver.url, is_order=lambda asked: not asked.path.startswith("/verify")) as between,
    ):
        made = make(receiver, between)
        yield Case(made, block("mallory"), block("alice"), Far(receiver, between), patience)
        await made.close()


@pytest.mark.parametrize("liar", LIARS, ids=lambda liar: liar.__name__)
async def test_a_liar_is_caught(liar: type[Liar]) -> None:
    name, words = LIARS[liar]
    promise = next(promise for promise in PROMISES if promise.__name__ == name)  # type: ignore[attr-defined]

    def lying(receiver: Receiver, between: Proxy) -> Liar:
        honest = webhook(between.url, seconds=timeout_for(promise))
        values = {field.name: getattr(honest, field.name) for field in dataclasses.fields(Webhook)}
        return liar(**values, receiver=receiver)

    async with case_of(lying, patience=0.5 if liar is NeverEnds else 10) as case:
        with pytest.raises(Broken) as broken:
            await promise(case)
        assert words in str(broken.value)


async def test_an_honest_connector_keeps_every_promise() -> None:
    @asynccontextmanager
    async def fresh(seconds: float) -> AsyncIterator[Case]:
        async with case_of(lambda receiver, between: webhook(between.url, seconds=seconds)) as case:
            yield case

    await conforms(fresh)


async def test_all_promises_that_are_not_kept_are_named() -> None:
    @asynccontextmanager
    async def fresh(seconds: float) -> AsyncIterator[Case]:
        async with case_of(lambda receiver, between: Manual("by-hand")) as case:
            case.system.faults = frozenset()
            yield case

    with pytest.raises(Broken) as broken:
        await conforms(fresh)
    assert "looking changes nothing: verify answers not_in_force here: it said attest" in str(broken.value)
    assert "applying again is once" in str(broken.value)


def test_what_a_system_cannot_have_is_not_asked_of_it() -> None:
    assert set(promises(frozenset(Fault))) == set(PROMISES)
    left = [promise for promise in PROMISES if promise not in promises(frozenset({Fault.DOWN}))]
    assert len(left) == len(Fault) - 1
