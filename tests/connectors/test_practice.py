from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from bot.connectors.conformance import PROMISES, Case, Promise, name_of, timeout_for
from bot.connectors.conformance.proxy import Proxy, proxy
from bot.connectors.contract import Effect, Order
from bot.connectors.practice import Practice
from bot.connectors.practice_users import Users
from bot.incident.words import ActionKind, ScopeKind
from bot.practice.ai_app import PracticeAiApp
from tests.connectors.conformance import BehindProxy, block, order

K, C = ActionKind, ScopeKind


@pytest.fixture
async def app() -> AsyncIterator[PracticeAiApp]:
    async with PracticeAiApp() as app:
        yield app


def practice(app: PracticeAiApp, *, root: str | None = None, seconds: float = 5.0) -> Practice:
    users = Users(root or app.url, SecretStr(app.chat_token), SecretStr(app.credential))
    return Practice("practice", root=root or app.url, token=SecretStr(app.admin_token), users=users, seconds=seconds)


@pytest.fixture
async def connector(app: PracticeAiApp) -> AsyncIterator[Practice]:
    made = practice(app)
    yield made
    await made.close()


class Far(BehindProxy):
    def __init__(self, app: PracticeAiApp, between: Proxy) -> None:
        super().__init__(between, (app.admin_token, app.chat_token, app.credential, app.canary))
        self.app = app

    async def behaves_blocked(self, order: Order) -> bool:
        status, _ = await self.app.ask("hello", user=order.scope_id, session=f"session-{order.scope_id}")
        return status == 403

    async def state(self) -> object:
        return sorted(self.app.containment.active)

    async def carried_out(self, order: Order) -> int:
        return self.app.containment.executions[order.key]


@pytest.mark.parametrize("promise", PROMISES, ids=name_of)
async def test_it_keeps_the_promises_of_every_connector(app: PracticeAiApp, promise: Promise) -> None:
    async with proxy(app.url) as between:
        made = practice(app, root=between.url, seconds=timeout_for(promise))
        await promise(Case(made, block("mallory"), block("alice"), Far(app, between)))
        await made.close()


VISIBLE = [
    order(K.BLOCK_USER, C.USER, "mallory"),
    order(K.BLOCK_USER, C.SESSION, "s-mallory"),
    order(K.BLOCK_USER, C.IP, "203.0.113.9"),
    order(K.BLOCK_USER, C.API_KEY, "practice-key-1"),
    order(K.RATE_LIMIT, C.USER, "mallory"),
    order(K.RATE_LIMIT, C.ENDPOINT, "/api/v1/chat"),
    order(K.ENABLE_SAFE_MODE, C.USER, "mallory"),
    order(K.ENABLE_SAFE_MODE, C.APPLICATION, "practice-chat"),
    order(K.ENABLE_SAFE_MODE, C.EVERYONE, "*"),
    order(K.DISABLE_TOOLS, C.USER, "mallory"),
    order(K.DISABLE_TOOLS, C.APPLICATION, "practice-chat"),
    order(K.DISABLE_ENDPOINT, C.ENDPOINT, "/api/v1/chat"),
    order(K.FLUSH_MEMORY, C.USER, "mallory"),
    order(K.RESTRICT_RAG, C.DOCUMENT, "refunds"),
    order(K.RESTRICT_RAG, C.APPLICATION, "practice-chat"),
]


@pytest.mark.parametrize("one", VISIBLE, ids=lambda one: f"{one.kind}-{one.scope_kind}")
async def test_an_action_is_seen_by_behaviour_before_after_and_reverted(
    app: PracticeAiApp, connector: Practice, one: Order
) -> None:
    await app.ask("remember that my card is blue", user="mallory")
    await app.ask("remember that my door is red", user="alice")
    asked = {event["call_id"] for event in app.telling.events}
    assert (await connector.verify(one)).effect is Effect.NOT_IN_FORCE
    captured = await connector.snapshot(one)
    assert captured.effect is Effect.CAPTURED
    assert (await connector.apply(one)).effect is Effect.APPLIED
    assert (await connector.verify(one)).effect is Effect.VERIFIED
    assert (await connector.verify(one)).effect is Effect.VERIFIED, "asking twice does not change the answer"
    assert (await connector.revert(one, captured.snapshot)).effect is Effect.APPLIED
    assert (await connector.verify_revert(one)).effect is Effect.REVERTED
    assert {event["call_id"] for event in app.telling.events} == asked, "no event tells of a check"


@pytest.mark.parametrize("one", VISIBLE, ids=lambda one: f"{one.kind}-{one.scope_kind}")
async def test_a_yes_without_the_deed_is_found_out(app: PracticeAiApp, connector: Practice, one: Order) -> None:
    await app.ask("remember that my card is blue", user="mallory")
    app.break_next("lie")
    assert (await connector.apply(one)).effect is Effect.APPLIED
    assert (await connector.verify(one)).effect is Effect.NOT_IN_FORCE


async def test_a_rotated_credential_is_refused_and_does_not_come_back(app: PracticeAiApp, connector: Practice) -> None:
    one = order(K.ROTATE_CREDENTIALS, C.CREDENTIAL, "payments")
    assert not connector.can_revert(K.ROTATE_CREDENTIALS)
    assert (await connector.verify(one)).effect is Effect.NOT_IN_FORCE
    assert (await connector.apply(one)).effect is Effect.APPLIED
    assert (await connector.verify(one)).effect is Effect.VERIFIED
    assert (await connector.revert(one, None)).effect is Effect.FAILED


async def test_without_the_old_credential_a_person_has_to_look(app: PracticeAiApp) -> None:
    users = Users(app.url, SecretStr(app.chat_token))
    blind = Practice("practice", root=app.url, token=SecretStr(app.admin_token), users=users, seconds=5)
    one = order(K.ROTATE_CREDENTIALS, C.CREDENTIAL, "payments")
    await blind.apply(one)
    assert (await blind.verify(one)).effect is Effect.ATTEST
    await blind.close()


async def test_an_action_behind_a_stronger_one_is_verified_and_says_that_it_was_not_seen(
    app: PracticeAiApp, connector: Practice
) -> None:
    await connector.apply(block())
    tools = order(K.DISABLE_TOOLS, C.USER, "mallory", 2)
    assert (await connector.verify(tools)).effect is Effect.NOT_IN_FORCE
    await connector.apply(tools)
    seen = await connector.verify(tools)
    assert seen.effect is Effect.VERIFIED
    assert "not seen by itself" in seen.detail


async def test_a_block_that_another_one_hides_is_still_reverted(app: PracticeAiApp, connector: Practice) -> None:
    session = order(K.BLOCK_USER, C.SESSION, "session-mallory", 2)
    await connector.apply(block())
    await connector.apply(session)
    await connector.revert(block(), None)
    gone = await connector.verify_revert(block())
    assert gone.effect is Effect.REVERTED
    assert "still holds" in gone.detail


async def test_what_was_in_force_before_is_left_in_force(app: PracticeAiApp, connector: Practice) -> None:
    await connector.apply(block(index=1))
    captured = await connector.snapshot(block(index=2))
    await connector.apply(block(index=2))
    left = await connector.revert(block(index=2), captured.snapshot)
    assert left.effect is Effect.FAILED
    assert "before this action" in left.detail
    assert (await connector.verify(block())).effect is Effect.VERIFIED


async def test_the_snapshot_holds_digests_and_never_the_texts(app: PracticeAiApp, connector: Practice) -> None:
    await app.ask("remember that my pin is 4711", user="mallory")
    captured = await connector.snapshot(order(K.FLUSH_MEMORY, C.USER, "mallory"))
    assert captured.snapshot is not None
    assert len(captured.snapshot["sha256"]) == 1
    assert "4711" not in str(captured)


@pytest.mark.parametrize(
    ("fault", "effect"),
    [("error_after", Effect.UNKNOWN), ("error_before", Effect.UNKNOWN), ("reset_after", Effect.UNKNOWN)],
)
async def test_no_clear_answer_is_unknown(app: PracticeAiApp, connector: Practice, fault: str, effect: Effect) -> None:
    app.break_next(fault)  # type: ignore[arg-type]
    assert (await connector.apply(block())).effect is effect


async def test_with_a_wrong_token_nothing_is_changed_and_nothing_is_known(app: PracticeAiApp) -> None:
    users = Users(app.url, SecretStr("wrong"))
    wrong = Practice("practice", root=app.url, token=SecretStr("wrong"), users=users, seconds=5)
    assert (await wrong.apply(block())).effect is Effect.FAILED
    assert (await wrong.verify(block())).effect is Effect.UNKNOWN
    assert (await wrong.health()).effect is Effect.FAILED
    assert not app.containment.active
    await wrong.close()


async def test_a_document_that_is_not_there_cannot_be_restricted(app: PracticeAiApp, connector: Practice) -> None:
    answer = await connector.apply(order(K.RESTRICT_RAG, C.DOCUMENT, "../refunds"))
    assert answer.effect is Effect.FAILED
    assert not app.containment.active


async def test_an_address_that_is_none_goes_into_no_header(app: PracticeAiApp, connector: Practice) -> None:
    one = order(K.BLOCK_USER, C.IP, "1.2.3.4\r\nAuthorization: Bearer x")
    await connector.apply(one)
    assert (await connector.verify(one)).effect is Effect.ATTEST
