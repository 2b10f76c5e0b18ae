"""What is said to Valkey, Redis or a cluster of either: read many values, and exchange each of many for a new one.

Decides which keys one command may name. What the values mean is `valkey_entry`'s; how long a batch waits, and what holds while
nobody answers, is `valkey`'s; how an address becomes a client is the gate's, which shares it (`bot.gate.valkey_client`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import SecretStr
from redis.asyncio import RedisCluster
from redis.asyncio.client import Pipeline
from redis.asyncio.cluster import ClusterPipeline

from bot.gate.valkey_client import Client, close, opened

ANSWER_WITHIN = 1.0
"""Seconds for one answer. Then the connection is given up, and what was asked is asked again."""
AT_ONCE = 128
"""Keys of one round, and of one script call: some milliseconds of work here, and far less than one there."""
VERSION = 8
"""Bytes before each value, other ones at each write, whoever writes. A count from one on would not do: what the server
evicted begins anew, and would have the version that somebody read before."""
T = TypeVar("T")

EXCHANGE = f"""
local won = {{}}
for i, key in ipairs(KEYS) do
  local at = 3 * i
  won[i] = 0
  if redis.call('GETRANGE', key, 0, {VERSION - 1}) == ARGV[at - 2] then
    redis.call('SET', key, ARGV[at - 1], 'EX', ARGV[at])
    won[i] = 1
  end
end
return won
"""
"""Sent in full each time: a server that was restarted has forgotten its scripts, and one call carries many keys."""


@dataclass(frozen=True)
class Read:
    version: bytes
    """Empty where there is nothing."""
    value: bytes | None


@dataclass(frozen=True)
class Exchange:
    key: str
    read: bytes
    """The version that was read: only where it is still there …"""
    version: bytes
    value: bytes
    """… this is written."""
    lives: int
    """Seconds until it is forgotten, unless it is written again."""


@dataclass(frozen=True)
class Server:
    """What an operator should know. Of a cluster: the sum, and what any of its nodes says."""

    evicted: int
    """Keys that were dropped for want of memory since the start: their windows began anew."""
    policies: frozenset[str]
    """`maxmemory-policy`: `noeviction` refuses new keys once memory is full, and then no batch is counted."""
    persistent: bool
    """False where a restart forgets every window."""
    time: float
    """Its clock, Unix seconds."""


class Wire:
    """What answers at one address. Whatever it is asked may raise one of FAILURES."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @classmethod
    async def open(cls, url: SecretStr) -> Wire:
        """Raises Misconfigured where the address cannot be used."""
        return cls(await opened(url, ANSWER_WITHIN))

    async def read(self, keys: Sequence[str]) -> list[Read]:
        """What stands under each key, in their order."""
        pipe = self._pipeline()
        if isinstance(self._client, RedisCluster):
            for key in keys:
                pipe.get(key)
            found = await pipe.execute()
        else:
            for some in _parts(keys, AT_ONCE):
                pipe.mget(some)
            found = [value for call in await pipe.execute() for value in call]
        return [Read(b"", None) if value is None else Read(value[:VERSION], value[VERSION:]) for value in found]

    async def exchange(self, exchanges: Sequence[Exchange]) -> list[bool]:
        """For each whether it was written; if not, somebody else was quicker.

        Where this raises, each of them may have been written or not.
        """
        pipe = self._pipeline()
        most = 1 if isinstance(self._client, RedisCluster) else AT_ONCE
        for some in _parts(exchanges, most):
            arguments = [x for e in some for x in (e.read, e.version + e.value, e.lives)]
            pipe.eval(EXCHANGE, len(some), *(e.key for e in some), *arguments)
        return [bool(won) for call in await pipe.execute() for won in call]

    async def server(self) -> Server:
        if isinstance(self._client, RedisCluster):
            told = list((await self._client.info(target_nodes=RedisCluster.PRIMARIES)).values())
        else:
            told = [await self._client.info()]
        return Server(
            evicted=sum(int(one["evicted_keys"]) for one in told),
            policies=frozenset(str(one["maxmemory_policy"]) for one in told),
            persistent=all(one["aof_enabled"] for one in told),
            time=max(int(one["server_time_usec"]) for one in told) / 1e6,
        )

    def _pipeline(self) -> Pipeline | ClusterPipeline:
        if isinstance(self._client, RedisCluster):
            return self._client.pipeline()
        return self._client.pipeline(transaction=False)

    async def close(self) -> None:
        await close(self._client)


def _parts(some: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(some), most):
        yield some[start : start + most]
