"""How the address of a Valkey, a Redis or a cluster of either becomes a client: for the gate's limits and detection's states.

Decides what an address may be, and that a cluster's looks like any other's: the server is asked. What is said to it, and how
long that may take, is its user's. Needs the extra `valkey`.
"""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError

from bot.incident.errors import Misconfigured

Client = Redis | RedisCluster
FAILURES = (RedisError, RedisClusterException, OSError, TimeoutError)
"""What anything asked of it may raise."""


def client_of(url: SecretStr, patience: float, *, retries: int = 0) -> Redis:
    """Of one server; nothing is sent yet. `patience`: seconds for a connection, and for one answer.

    Raises Misconfigured where the address cannot be used.
    """
    try:
        return Redis.from_url(url.get_secret_value(), **_bounds(patience, retries))
    except ValueError:
        raise Misconfigured("REDIS_URL is not the address of a Valkey or Redis. Use redis://… or rediss://…") from None


async def opened(url: SecretStr, patience: float, *, retries: int = 0) -> Client:
    """Of what answers there. Raises one of FAILURES where nothing does, Misconfigured as `client_of`."""
    client = client_of(url, patience, retries=retries)
    try:
        if not (await client.info("cluster")).get("cluster_enabled"):
            return client
    except BaseException:
        await client.aclose()
        raise
    await client.aclose()
    cluster = RedisCluster.from_url(url.get_secret_value(), **_bounds(patience, retries))
    try:
        return await cluster.initialize()
    except BaseException:
        await cluster.aclose()
        raise


async def close(client: Client) -> None:
    """Once nobody asks it any more. A cluster's own does nothing while it looks for its nodes anew: then they are closed here."""
    await client.aclose()
    if isinstance(client, RedisCluster):
        await client.nodes_manager.aclose()
        await client.nodes_manager.aclose("startup_nodes")


def _bounds(patience: float, retries: int) -> dict[str, Any]:
    """Its user asks again; a client that does so too, more than once, would only hide how long it takes."""
    return {
        "socket_timeout": patience,
        "socket_connect_timeout": patience,
        "retry": Retry(NoBackoff(), retries),
    }
