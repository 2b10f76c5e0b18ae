"""The AWS connector against moto's server in a process of its own: each of its three ways, there and back.

The promises of every connector, with faults, are checked in `tests/connectors/test_aws.py`.
"""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config

from bot.connectors.aws import Aws
from bot.connectors.contract import Effect, Order
from tests.connectors.aws_system import (
    PASSWORD,
    REGION,
    Admin,
    block,
    connected,
    new_key,
    new_pool,
    new_secret,
    rotate,
)
from tests.integration.systems.aws import Moto

E = Effect


@pytest.fixture(scope="module")
def admin(moto: Moto) -> Admin:
    """A client of the system itself, past the connector."""
    session = boto3.Session(moto.access_key_id, moto.secret_access_key, region_name=REGION)

    def client(service: str) -> Any:
        return session.client(service, endpoint_url=moto.url, config=Config(proxies={}))

    return client


def a_key(moto: Moto, admin: Admin) -> tuple[Aws, Order, Order]:
    return connected(moto.url), rotate(new_key(admin)[0]), rotate(new_key(admin)[0])


def a_secret(moto: Moto, admin: Admin) -> tuple[Aws, Order, Order]:
    return connected(moto.url, random_value=True), rotate(new_secret(admin)), rotate(new_secret(admin))


def a_user(moto: Moto, admin: Admin) -> tuple[Aws, Order, Order]:
    pool, client = new_pool(admin, "mallory", "alice")
    probes = {"mallory": PASSWORD, "alice": PASSWORD}
    return connected(moto.url, user_pool_id=pool, client_id=client, probes=probes), block("mallory"), block("alice")


@pytest.mark.parametrize("system", [a_key, a_secret, a_user])
async def test_what_is_applied_is_verified_and_can_be_undone_and_nobody_else_is_touched(
    moto: Moto, admin: Admin, system: Any
) -> None:
    aws, one, other = system(moto, admin)
    assert (await aws.health()).effect is E.VERIFIED
    captured = await aws.snapshot(one)
    assert captured.effect is E.CAPTURED
    assert (await aws.verify(one)).effect is E.NOT_IN_FORCE
    assert (await aws.apply(one)).effect is E.APPLIED
    assert (await aws.verify(one)).effect is E.VERIFIED
    assert (await aws.verify(other)).effect is E.NOT_IN_FORCE
    assert (await aws.revert(one, captured.snapshot)).effect is E.APPLIED
    assert (await aws.verify_revert(one)).effect is E.REVERTED
    await aws.close()
