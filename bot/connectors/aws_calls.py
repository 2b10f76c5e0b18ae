"""One call to AWS through boto3, in a thread, and what its failure means: certainly not done, or perhaps done.

Decides limits (time, one attempt, no proxy and no endpoint from the environment) and the words of a failure. What is called
is `aws_keys`', `aws_secrets`' and `aws_users`'. Messages of AWS are never shown, only its error codes.
"""

from __future__ import annotations

import asyncio
import functools
import re
import threading
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    SSLError,
)
from botocore.loaders import create_loader
from botocore.parsers import ResponseParserError
from pydantic import SecretStr

PREPARING = 10.0
"""Seconds for reading the service's description and finding credentials, before anything is sent."""
REFUSED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "NotAuthorizedException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
MISSING = frozenset({"NoSuchEntity", "ResourceNotFoundException", "UserNotFoundException"})
LIMITED = frozenset(
    {"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown"}
)
NOT_SENT = (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    SSLError,
)


class NotDone(Exception):
    """Certainly not carried out. `str` is for the room, without a full stop."""


class Refused(NotDone):
    """AWS does not let these credentials do it."""


class Missing(NotDone):
    """What it is about does not exist."""


class Unanswered(Exception):
    """It may be carried out: no answer, or one that says nothing."""


@dataclass(frozen=True)
class Keys:
    """A pair that belongs together."""

    id: str
    secret: SecretStr


class Aws:
    """AWS with one pair of keys; with None, as boto3 finds them (a role, the environment)."""

    def __init__(self, *, region: str, endpoint: str | None, keys: Keys | None, seconds: float) -> None:
        self.region, self.endpoint, self.keys, self.seconds = region, endpoint, keys, seconds
        self._session: Any = None
        self._clients: dict[str, Any] = {}
        self._preparing = threading.Lock()

    async def call(self, service: str, operation: str, **arguments: object) -> dict[str, Any]:
        """The parsed answer. Raises NotDone or Unanswered."""
        try:
            async with asyncio.timeout(PREPARING):
                client = await asyncio.to_thread(self._client, service)
        except (TimeoutError, BotoCoreError) as error:
            raise NotDone("could not be prepared: its credentials or its settings were not found") from error
        try:
            async with asyncio.timeout(self.seconds):
                answer: dict[str, Any] = await asyncio.to_thread(getattr(client, operation), **arguments)
                return answer
        except ClientError as error:
            raise _meaning(error) from None
        except NOT_SENT as error:
            raise NotDone(_unsent(error)) from None
        except (TimeoutError, BotoCoreError, ResponseParserError) as error:
            timed_out = isinstance(error, TimeoutError) or "Timeout" in type(error).__name__
            why = f"did not answer within {self.seconds:g} s" if timed_out else "gave no answer that can be read"
            raise Unanswered(why) from None

    def _client(self, service: str) -> Any:
        with self._preparing:  # a session's clients must not be made by two threads at once
            if self._session is None:
                core = botocore.session.Session()
                core.register_component("data_loader", _descriptions())
                self._session = boto3.Session(
                    aws_access_key_id=self.keys.id if self.keys else None,
                    aws_secret_access_key=self.keys.secret.get_secret_value() if self.keys else None,
                    region_name=self.region,
                    botocore_session=core,
                )
            if service not in self._clients:
                self._clients[service] = self._session.client(
                    service, endpoint_url=self.endpoint, config=self._config()
                )
            return self._clients[service]

    def _config(self) -> Config:
        return Config(
            connect_timeout=self.seconds,
            read_timeout=self.seconds,
            retries={"total_max_attempts": 1, "mode": "standard"},
            proxies={},
            ignore_configured_endpoint_urls=True,
        )

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


@functools.cache
def _descriptions() -> Any:
    """The services' descriptions: megabytes of JSON, parsed once for all sessions."""
    return create_loader()


def _meaning(error: ClientError) -> NotDone | Unanswered:
    code = re.sub(r"[^A-Za-z0-9.]", "", str(error.response.get("Error", {}).get("Code", "")))[:60]
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in LIMITED or status == 429:
        return NotDone(f"is limiting calls ({code or status}): try again in a minute")
    if code in MISSING:
        return Missing(f"knows no such thing ({code})")
    if code in REFUSED or status in {401, 403}:
        return Refused(f"does not accept the credentials, or does not let them do this ({code or status})")
    if 300 <= status < 400:
        return NotDone(f"answered with a redirect ({status}), which is not followed")
    if 400 <= status < 500:
        return NotDone(f"refused ({code or status})")
    return Unanswered(f"answered {status or code}")


def _unsent(error: BotoCoreError) -> str:
    match error:
        case NoCredentialsError() | PartialCredentialsError():
            return "cannot be asked: no credentials were found"
        case ParamValidationError():
            return "was not asked: this is no id that it could know"
        case SSLError():
            return "has no safe connection: its TLS certificate is not accepted, or it does not speak TLS"
        case _:
            return "could not be reached (refused, or an unknown name)"
