from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import boto3
import pytest
from aiohttp import web
from botocore.config import Config
from moto import settings as moto_settings
from moto.server import ThreadedMotoServer

from bot.connectors.aws import Aws, Settings
from bot.connectors.aws_secrets import version_of
from bot.connectors.conformance import PROMISES, Case, Fault, Promise, name_of, timeout_for
from bot.connectors.conformance.proxy import Asked, proxy
from bot.connectors.contract import Effect, Order
from bot.incident.errors import Misconfigured
from bot.incident.words import ActionKind, ScopeKind
from tests.connectors.aws_system import (
    LEAKED,
    PASSWORD,
    REGION,
    SECRET,
    Admin,
    Keys,
    Pool,
    Stored,
    block,
    connected,
    in_awss_words,
    is_order,
    new_key,
    new_pool,
    new_secret,
    rotate,
    statuses,
)
from tests.connectors.conformance import BehindProxy, order

E = Effect


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def admin(moto: str) -> Admin:
    """A client of the system itself, past the connector."""
    session = boto3.Session("testing", "testing", region_name=REGION)
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            made[service] = session.client(service, endpoint_url=moto, config=Config(proxies={}))
        return made[service]

    return client


@asynccontextmanager
async def case_of(what: str, moto: str, admin: Admin, seconds: float) -> AsyncIterator[Case]:
    async with proxy(moto, is_order=is_order, instead=in_awss_words) as between:
        more: dict[str, Any] = {"seconds": seconds}
        if what == "access_key":
            kept = dict(new_key(admin) for _ in range(2))
            one, other = map(rotate, kept)
            system: BehindProxy = Keys(between, admin, kept)
            more["probes"] = kept
        elif what == "secret":
            names = new_secret(admin), new_secret(admin)
            one, other = map(rotate, names)
            system, more["random_value"] = Stored(between, admin, names), True
        else:
            pool, client = new_pool(admin, "mallory", "alice")
            one, other = block("mallory"), block("alice")
            system = Pool(between, admin, pool, client)
            more |= {"user_pool_id": pool, "client_id": client, "probes": {"mallory": PASSWORD}}
        made = connected(between.url, **more)
        yield Case(made, one, other, system)
        await made.close()


@pytest.mark.parametrize("what", ["access_key", "secret", "user"])
@pytest.mark.parametrize("promise", PROMISES, ids=name_of)
async def test_it_keeps_the_promises_of_every_connector(moto: str, admin: Admin, promise: Promise, what: str) -> None:
    async with case_of(what, moto, admin, timeout_for(promise)) as case:
        await promise(case)


@pytest.fixture
async def aws(moto: str) -> AsyncIterator[Aws]:
    made = connected(moto)
    yield made
    await made.close()


async def test_a_key_whose_secret_is_not_known_is_verified_by_the_list_and_says_so(aws: Aws, admin: Admin) -> None:
    one = rotate(new_key(admin)[0])
    assert "Active" in (await aws.snapshot(one)).detail
    assert "service-" in (await aws.plan(one)).sentence
    await aws.apply(one)
    seen = await aws.verify(one)
    assert seen.effect is E.VERIFIED
    assert "It was not tried" in seen.detail


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (rotate("AKIA0000000000000000"), "no such"),
        (rotate("payments/none"), "no such"),
        (rotate("exposed in INC-12"), "Propose it again"),
        (rotate("ASIA0000000000000000"), "temporary key"),
        (rotate("AKIAFIRSTHOURSOWNKEY"), "Firsthour itself uses"),
        (order(ActionKind.ROTATE_CREDENTIALS, ScopeKind.USER, "mallory"), "Propose it again"),
        (block("mallory"), "cannot do this"),
        (order(ActionKind.RESTRICT_RAG, ScopeKind.DOCUMENT, "refunds"), "cannot do this"),
    ],
    ids=lambda one: one.scope_id if isinstance(one, Order) else None,
)
async def test_what_it_cannot_do_is_a_failure_in_words(aws: Aws, one: Order, words: str) -> None:
    applied = await aws.apply(one)
    assert applied.effect is E.FAILED
    assert words in applied.detail
    assert "Nothing was changed" in applied.detail
    assert one.scope_id in aws.effect_of(one.kind, one.scope_kind, one.scope_id)
    assert (await aws.verify(one)).effect is E.UNKNOWN


async def test_a_secret_is_rotated_by_its_own_rotation(aws: Aws, admin: Admin) -> None:
    one = rotate(new_secret(admin, rotates=True))
    assert (await aws.verify(one)).effect is E.NOT_IN_FORCE
    assert (await aws.apply(one)).effect is E.APPLIED
    assert "made already" in (await aws.apply(one)).detail
    seen = await aws.verify(one)
    assert seen.effect is E.VERIFIED
    assert "was not tried" in seen.detail


async def test_a_rotation_that_is_not_finished_is_unknown(aws: Aws, admin: Admin) -> None:
    one = rotate(new_secret(admin, rotates=True))
    pending = {"ClientRequestToken": version_of(one), "SecretString": "x", "VersionStages": ["AWSPENDING"]}
    admin("secretsmanager").put_secret_value(SecretId=one.scope_id, **pending)
    assert (await aws.verify(one)).effect is E.UNKNOWN


async def test_a_secret_without_a_rotation_is_left_alone_unless_the_file_says_otherwise(aws: Aws, admin: Admin) -> None:
    applied = await aws.apply(rotate(new_secret(admin)))
    assert applied.effect is E.FAILED
    assert "no rotation for this secret" in applied.detail


async def test_credentials_that_the_system_itself_refuses_are_named(
    aws: Aws, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = rotate(new_key(admin)[0])
    monkeypatch.setattr(moto_settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0)  # from now on moto checks, as AWS does
    applied, seen, well = await aws.apply(one), await aws.verify(one), await aws.health()
    assert (applied.effect, seen.effect, well.effect) == (E.FAILED, E.UNKNOWN, E.FAILED)
    assert all("credentials" in said.detail for said in (applied, seen, well))
    assert statuses()[one.scope_id] == "Active"


async def test_a_limit_on_calls_is_a_failure_that_says_when_to_try_again(moto: str, admin: Admin) -> None:
    one = rotate(new_key(admin)[0])

    def limited(asked: Asked, fault: Fault | None) -> web.Response:
        words = "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
        return web.Response(status=400, text=words, content_type="text/xml")

    async with proxy(moto, instead=limited) as between:
        made = connected(between.url)
        applied = await made.apply(one)
        assert applied.effect is E.FAILED
        assert "limiting calls (Throttling): try again in a minute" in applied.detail
        assert (await made.verify(one)).effect is E.UNKNOWN
        assert len(between.asked) == 2, "nothing is repeated behind the back of whoever approved"
        await made.close()


async def test_without_tls_where_it_belongs_nothing_is_sent(moto: str) -> None:
    made = connected(moto.replace("http://", "https://"))
    applied = await made.apply(rotate("AKIA0000000000000000"))
    assert applied.effect is E.FAILED
    assert "TLS" in applied.detail
    await made.close()


async def test_the_new_value_of_a_secret_is_told_to_nobody(moto: str, admin: Admin) -> None:
    one, made = rotate(new_secret(admin)), connected(moto, random_value=True)
    said = [await made.apply(one), await made.verify(one), await made.apply(one)]
    new = admin("secretsmanager").get_secret_value(SecretId=one.scope_id)["SecretString"]
    assert new != LEAKED
    assert new not in str(said)
    await made.close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"endpoint_url": "http://moto.example"}, r"endpoint_url: use https"),
        ({"access_key_id_env": None}, "access_key_id_env"),
        ({"secret_access_key_env": "NOT_THERE"}, "NOT_THERE is not set"),
        ({"actions": ("block_user",)}, r"user_pool_id: block_user needs"),
        ({"probes": {"AKIA0000000000000000": "NOT_THERE"}}, r"probes.AKIA0000000000000000: .*NOT_THERE is not set"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_the_start(change: dict[str, object], words: str) -> None:
    settings = {"kind": "aws", "region": REGION, "access_key_id_env": "ID", "secret_access_key_env": "KEY"} | change
    with pytest.raises(Misconfigured, match=words):
        Settings.model_validate(settings).connect("aws", {"ID": "AKIAFIRSTHOURSOWNKEY", "KEY": SECRET})
