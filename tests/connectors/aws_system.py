"""AWS as moto plays it, past the connector: access keys, secrets, users, and how AWS says no.

moto is the real request and answer of each service. What it does not do, AWS's own answers do here.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Callable
from typing import Any

import boto3
from aiohttp import web
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.core import DEFAULT_ACCOUNT_ID
from moto.iam.models import iam_backends

from bot.connectors.aws import Aws, Settings
from bot.connectors.conformance import Fault
from bot.connectors.conformance.proxy import Asked, Proxy
from bot.connectors.contract import Order
from bot.incident.words import ActionKind, ScopeKind
from tests.connectors.conformance import BehindProxy, order

Admin = Callable[[str], Any]
"""Makes a client of the system itself, past the connector."""
REGION = "eu-central-1"
SECRET = "s3cret-of-firsthours-own-key-000"
PASSWORD = "Passw0rd-of-a-user"
LEAKED = "leaked-s3cret-value"
ORDERS = re.compile(
    rb"Action=UpdateAccessKey|RotateSecret|PutSecretValue|UpdateSecretVersionStage|AdminDisable|AdminEnable|AdminUserGlobal"
)
numbers = itertools.count(1)


def rotate(scope_id: str, index: int = 1) -> Order:
    return order(ActionKind.ROTATE_CREDENTIALS, ScopeKind.CREDENTIAL, scope_id, index)


def block(user: str) -> Order:
    return order(ActionKind.BLOCK_USER, ScopeKind.USER, user)


def connected(url: str, *, seconds: float = 5, probes: dict[str, str] | None = None, **more: object) -> Aws:
    env = {"ID": "AKIAFIRSTHOURSOWNKEY", "KEY": SECRET} | {
        f"PROBE_{i}": v for i, v in enumerate((probes or {}).values())
    }
    settings = {
        "kind": "aws",
        "region": REGION,
        "endpoint_url": url,
        "access_key_id_env": "ID",
        "secret_access_key_env": "KEY",
        "timeout_seconds": seconds,
        "probes": {one: f"PROBE_{i}" for i, one in enumerate(probes or {})},
    }
    return Settings.model_validate(settings | more).connect("aws", env)


class Keys(BehindProxy):
    """IAM. moto does not refuse a key that is Inactive, so the proxy does, with the answer that AWS gives."""

    def __init__(self, between: Proxy, admin: Admin, kept: dict[str, str]) -> None:
        super().__init__(between, (SECRET, *kept.values()))
        self.iam, self.kept = admin("iam"), kept
        self.clients: dict[str, Any] = {}

    async def behaves_blocked(self, order: Order) -> bool:
        try:
            await asyncio.to_thread(self._as(order.scope_id).get_caller_identity)
        except ClientError:
            return True
        return False

    def _as(self, key_id: str) -> Any:
        if key_id not in self.clients:
            session = boto3.Session(key_id, self.kept[key_id], region_name=REGION)
            made = session.client("sts", endpoint_url=self.between.url, config=Config(proxies={}))
            self.clients[key_id] = made
        return self.clients[key_id]

    async def state(self) -> object:
        return {key: status for key, status in statuses().items() if key in self.kept}

    async def meddle(self, order: Order) -> bool:
        self.iam.delete_access_key(UserName=owner(self.iam, order.scope_id), AccessKeyId=order.scope_id)
        return True


def owner(iam: Any, key_id: str) -> str:
    return str(iam.get_access_key_last_used(AccessKeyId=key_id)["UserName"])


def statuses() -> dict[str, str]:
    """Every key of the account and whether it is on, as moto holds it in this process."""
    users = iam_backends[DEFAULT_ACCOUNT_ID]["aws"].users.values()
    return {key.access_key_id: key.status for user in users for key in user.access_keys}


class Stored(BehindProxy):
    """Secrets Manager. What counts is what a reader gets."""

    def __init__(self, between: Proxy, admin: Admin, names: tuple[str, ...]) -> None:
        super().__init__(between, (SECRET, LEAKED))
        self.client, self.names = admin("secretsmanager"), names

    def read(self, name: str) -> tuple[str, str]:
        got = self.client.get_secret_value(SecretId=name, VersionStage="AWSCURRENT")
        return got["VersionId"], got["SecretString"]

    async def behaves_blocked(self, order: Order) -> bool:
        return self.read(order.scope_id)[1] != LEAKED

    async def state(self) -> object:
        return {name: self.read(name) for name in self.names}

    async def carried_out(self, order: Order) -> int:
        versions = self.client.list_secret_version_ids(SecretId=order.scope_id, IncludeDeprecated=True)["Versions"]
        return len(versions) - 1

    async def meddle(self, order: Order) -> bool:
        self.client.put_secret_value(SecretId=order.scope_id, SecretString="somebody else's")
        return True


class Pool(BehindProxy):
    """Cognito. What counts is whether a sign-in works."""

    def __init__(self, between: Proxy, admin: Admin, pool: str, client: str) -> None:
        super().__init__(between, (SECRET, PASSWORD))
        self.idp, self.pool, self.client = admin("cognito-idp"), pool, client

    async def behaves_blocked(self, order: Order) -> bool:
        said = {"USERNAME": order.scope_id, "PASSWORD": PASSWORD}
        try:
            self.idp.admin_initiate_auth(
                UserPoolId=self.pool, ClientId=self.client, AuthFlow="ADMIN_USER_PASSWORD_AUTH", AuthParameters=said
            )
        except ClientError:
            return True
        return False

    async def state(self) -> object:
        return {user["Username"]: user["Enabled"] for user in self.idp.list_users(UserPoolId=self.pool)["Users"]}

    async def meddle(self, order: Order) -> bool:
        self.idp.admin_enable_user(UserPoolId=self.pool, Username=order.scope_id)
        return True


def in_awss_words(asked: Asked, fault: Fault | None) -> web.Response | None:
    """How AWS refuses credentials, says yes, and treats a key that is switched off: the last is what moto does not do."""
    speaks_json = "X-Amz-Target" in asked.headers
    used = re.search(r"Credential=(\w+)/", asked.headers.get("Authorization", ""))
    if fault is Fault.REFUSED or (used is not None and statuses().get(used[1]) == "Inactive"):
        if speaks_json:
            return web.json_response({"__type": "UnrecognizedClientException", "message": SECRET}, status=400)
        words = f"<Error><Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>{SECRET}</Message></Error>"
        return web.Response(status=403, text=f"<ErrorResponse>{words}</ErrorResponse>", content_type="text/xml")
    if fault is Fault.YES_WITHOUT_DOING and is_order(asked) and not speaks_json:
        return web.Response(text="<UpdateAccessKeyResponse/>", content_type="text/xml")
    return None


def is_order(asked: Asked) -> bool:
    return ORDERS.search(asked.body + asked.headers.get("X-Amz-Target", "").encode()) is not None


def new_key(admin: Admin) -> tuple[str, str]:
    iam, user = admin("iam"), f"service-{next(numbers)}"
    iam.create_user(UserName=user)
    made = iam.create_access_key(UserName=user)["AccessKey"]
    return made["AccessKeyId"], made["SecretAccessKey"]


def new_secret(admin: Admin, *, rotates: bool = False) -> str:
    manager, name = admin("secretsmanager"), f"payments/key-{next(numbers)}"
    manager.create_secret(Name=name, SecretString=LEAKED)
    if rotates:
        manager.rotate_secret(SecretId=name, RotationRules={"AutomaticallyAfterDays": 30})
    return name


def new_pool(admin: Admin, *users: str) -> tuple[str, str]:
    idp = admin("cognito-idp")
    pool = idp.create_user_pool(PoolName="people")["UserPool"]["Id"]
    flows = ["ADMIN_USER_PASSWORD_AUTH"]
    client = idp.create_user_pool_client(UserPoolId=pool, ClientName="web", ExplicitAuthFlows=flows)
    for user in users:
        idp.admin_create_user(UserPoolId=pool, Username=user, MessageAction="SUPPRESS")
        idp.admin_set_user_password(UserPoolId=pool, Username=user, Password=PASSWORD, Permanent=True)
    return pool, client["UserPoolClient"]["ClientId"]
