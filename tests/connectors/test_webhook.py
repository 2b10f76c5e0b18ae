from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from bot.connectors.conformance import PROMISES, Case, Promise, name_of, timeout_for
from bot.connectors.conformance.proxy import Proxy, proxy
from bot.connectors.contract import Effect, Order
from bot.connectors.http import BODY_LIMIT
from bot.connectors.webhook import Addresses, Webhook
from bot.incident.words import ActionKind, ScopeKind
from tests.connectors.conformance import BehindProxy, block
from tests.connectors.receiver import SECRET, Receiver, receiving


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


def webhook(
    root: str,
    *,
    method: str = "POST",
    verify: bool = True,
    revert: bool = True,
    plan: str | None = None,
    **more: object,
) -> Webhook:
    looks, undoes = (f"{root}/verify?tenant=a" if verify else None), (f"{root}/revert" if revert else None)
    addresses = Addresses(f"{root}/apply", looks, method, undoes, plan)
    settings: dict[str, object] = {"secret": SecretStr(SECRET), "expect_status": (200, 202), "seconds": 5.0} | more
    return Webhook(name="soar", addresses=addresses, **settings)  # type: ignore[arg-type]


@pytest.fixture(params=["POST", "GET"])
async def connector(receiver: Receiver, request: pytest.FixtureRequest) -> AsyncIterator[Webhook]:
    made = webhook(receiver.url, method=request.param)
    yield made
    await made.close()


class Far(BehindProxy):
    def __init__(self, receiver: Receiver, between: Proxy) -> None:
        super().__init__(between, (SECRET,))
        self.receiver = receiver

    async def behaves_blocked(self, order: Order) -> bool:
        return _scope(order) in self.receiver.in_force

    async def state(self) -> object:
        held = {scope: tuple(keys) for scope, keys in self.receiver.in_force.items()}
        return held, frozenset(self.receiver.changed)

    async def carried_out(self, order: Order) -> int:
        return self.receiver.done[order.key]

    async def meddle(self, order: Order) -> bool:
        self.receiver.changed.add(_scope(order))
        return True


def _scope(order: Order) -> tuple[str, str, str]:
    return order.kind.value, order.scope_kind.value, order.scope_id


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("promise", PROMISES, ids=name_of)
async def test_it_keeps_the_promises_of_every_connector(receiver: Receiver, promise: Promise, method: str) -> None:
    async with proxy(receiver.url, is_order=lambda asked: not asked.path.startswith("/verify")) as between:
        made = webhook(between.url, method=method, seconds=timeout_for(promise))
        await promise(Case(made, block("mallory"), block("alice"), Far(receiver, between)))
        await made.close()


async def test_every_request_is_signed_and_holds_ids_only(receiver: Receiver, connector: Webhook) -> None:
    await connector.apply(block())
    await connector.verify(block())
    await connector.revert(block(), None)
    assert receiver.refused == 0
    path, body, headers = receiver.asked[0]
    assert (path, headers["Idempotency-Key"]) == ("/apply", block().key)
    assert body == {
        "do": "apply",
        "incident": "INC-12",
        "key": block().key,
        "action": "block_user",
        "scope": {"kind": "user", "id": "mallory"},
    }
    assert receiver.asked[-1][2]["Idempotency-Key"] == f"{block().key}:revert", "an apply's answer must not be replayed"


async def test_with_the_wrong_secret_nothing_is_changed(receiver: Receiver) -> None:
    wrong = webhook(receiver.url, secret=SecretStr("another"))
    applied = await wrong.apply(block())
    assert applied.effect is Effect.FAILED
    assert "does not accept the credentials (401)" in applied.detail
    assert (await wrong.verify(block())).effect is Effect.UNKNOWN
    assert not receiver.in_force
    await wrong.close()


@pytest.mark.parametrize(
    ("fault", "effect"),
    [
        ("error_after", Effect.UNKNOWN),
        ("error_before", Effect.UNKNOWN),
        ("reset_after", Effect.UNKNOWN),
        ("teapot", Effect.UNKNOWN),
        ("redirect", Effect.FAILED),
        ("refuse", Effect.FAILED),
        ("lie", Effect.APPLIED),
    ],
)
async def test_what_an_answer_means(receiver: Receiver, connector: Webhook, fault: str, effect: Effect) -> None:
    receiver.faults.append(fault)
    applied = await connector.apply(block())
    assert applied.effect is effect
    assert SECRET not in applied.detail, "an answer's body is never shown"
    assert len(receiver.asked) == 1, "a redirect is not followed, a failure is not repeated blindly"


@pytest.mark.parametrize("fault", ["slow", "slow_before"])
async def test_no_answer_in_time_is_unknown(receiver: Receiver, fault: str) -> None:
    impatient = webhook(receiver.url, seconds=0.1)
    receiver.faults.append(fault)
    applied = await impatient.apply(block())
    assert applied.effect is Effect.UNKNOWN
    assert "0.1 s" in applied.detail
    await impatient.close()


async def test_a_certificate_that_is_not_there_is_a_failure_before_sending(receiver: Receiver) -> None:
    made = webhook(receiver.url.replace("http://", "https://"))
    assert (await made.apply(block())).effect is Effect.FAILED
    assert not receiver.asked
    await made.close()


@pytest.mark.parametrize(
    "answer",
    [
        {"in_force": "true"},
        {"in_force": 1},
        {"in_force": None},
        {},
        [True],
        b"in_force: true",
        b"",
        b'{"in_force": true' + b" " * BODY_LIMIT + b"}",
        b"[" * 60_000,
        500,
        302,
        404,
    ],
)
async def test_only_an_explicit_true_verifies(receiver: Receiver, connector: Webhook, answer: object) -> None:
    await connector.apply(block())
    receiver.verify_answers.append(answer)
    assert (await connector.verify(block())).effect is Effect.UNKNOWN
    receiver.verify_answers.append(answer)
    assert (await connector.verify_revert(block())).effect is Effect.UNKNOWN


async def test_without_an_address_to_verify_at_a_person_has_to_look(receiver: Receiver) -> None:
    blind = webhook(receiver.url, verify=False)
    assert (await blind.apply(block())).effect is Effect.APPLIED
    seen = await blind.verify(block())
    assert seen.effect is Effect.ATTEST
    assert "A person has to look" in seen.detail
    assert "has to look and attest" in blind.effect_of(ActionKind.BLOCK_USER, ScopeKind.USER, "mallory")
    await blind.close()


async def test_without_an_address_to_revert_at_it_cannot_be_undone_and_says_so(receiver: Receiver) -> None:
    oneway = webhook(receiver.url, revert=False)
    assert not oneway.can_revert(ActionKind.BLOCK_USER)
    assert "cannot be undone" in oneway.effect_of(ActionKind.BLOCK_USER, ScopeKind.USER, "mallory")
    assert (await oneway.revert(block(), None)).effect is Effect.FAILED
    await oneway.close()


@pytest.mark.parametrize(
    ("said", "plan"),
    [
        ({"calls": 120, "subjects": 3, "source": "the gateway's log"}, (120, 3, "the gateway's log")),
        ({"calls": 0}, (0, None, "soar, of the last hour")),
        ({"calls": 5, "source": "x" * 500}, (5, None, "x" * 119 + "…")),
        ({}, (None, None, "")),
        ({"calls": -1, "subjects": 3}, (None, None, "")),
        ({"calls": "many"}, (None, None, "")),
        (["calls"], (None, None, "")),
        (None, (None, None, "")),
    ],
)
async def test_a_receiver_may_tell_how_much_an_action_would_touch(
    receiver: Receiver, said: object, plan: tuple[object, ...]
) -> None:
    receiver.radius = said
    asking = webhook(receiver.url, plan=f"{receiver.url}/plan")
    told = await asking.plan(block())
    assert (told.calls, told.subjects, told.source) == plan
    assert "mallory" in told.sentence
    assert receiver.refused == 0
    await asking.close()


async def test_a_plan_that_gets_no_answer_has_no_figures() -> None:
    asking = webhook("http://127.0.0.1:9", plan="http://127.0.0.1:9/plan")
    assert (await asking.plan(block())).calls is None
    await asking.close()


async def test_a_receiver_may_refuse_to_revert_over_somebodys_change(receiver: Receiver, connector: Webhook) -> None:
    await connector.apply(block())
    receiver.changed.add(_scope(block()))
    undone = await connector.revert(block(), None)
    assert undone.effect is Effect.FAILED
    assert "somebody changed it since" in undone.detail
    assert receiver.in_force


async def test_secrets_stay_out_of_the_log(
    receiver: Receiver, connector: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await connector.apply(block())
        await connector.verify(block())
    assert SECRET not in caplog.text
