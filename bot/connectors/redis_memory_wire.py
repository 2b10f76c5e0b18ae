"""Talking to Valkey or Redis: one connection's limits, and what its silence or refusal means.

Decides that nothing is ever sent twice by itself, and what of a failure is known: not reached, refused, or perhaps done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, TypeVar

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bot.connectors.redis_memory_keys import TooWide

T = TypeVar("T")
NOT_ALLOWED = "its access list does not allow what is needed"
"""A script that may not do something fails with a general error that says “ACL failure in script”."""
REFUSALS = (
    (exceptions.AuthenticationError, "it does not accept the credentials"),
    (exceptions.NoPermissionError, NOT_ALLOWED),
    (exceptions.ReadOnlyError, "it is a replica, which cannot be written"),
    (exceptions.MovedError, "it named another server instead, which is not followed"),
    (exceptions.ResponseError, "it refused the command"),
)
"""The server answered: nothing was done."""


class NotUnderstood(Exception):
    """An answer came, and it is not what such a command answers."""


@dataclass(frozen=True)
class Silent:
    """No answer that could be used."""

    why: str
    refused: bool
    """Certainly nothing was done."""


def server(url: str, seconds: float) -> Redis | None:
    """The server at a URL, not yet connected; None where it is no such URL (which holds a password: it is not shown)."""
    try:
        return Redis.from_url(
            url,
            socket_timeout=seconds,
            socket_connect_timeout=seconds,
            retry=Retry(NoBackoff(), 0),  # a script that may have run is asked about, never sent again
            client_name="firsthour",
        )
    except ValueError:
        return None


async def send(db: Redis, *command: bytes | str | int) -> Any:
    """One command as it is: the library's own methods know text only, and memory is bytes."""
    return await db.execute_command(*command)  # type: ignore[no-untyped-call]


async def asked(question: Awaitable[T], seconds: float) -> T | Silent:
    """The answer, or why there is none. The whole exchange ends within `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            return await question
    except (TimeoutError, exceptions.TimeoutError):
        return Silent(f"it did not answer within {seconds:g} s", refused=False)
    except TooWide as error:
        return Silent(str(error), refused=True)
    except NotUnderstood:
        return Silent("its answer was not understood", refused=False)
    except exceptions.RedisError as error:
        for kind, words in REFUSALS:
            if isinstance(error, kind):
                return Silent(NOT_ALLOWED if "ACL failure" in str(error) else words, refused=True)
        return Silent("it could not be reached, or the connection broke", refused=False)
