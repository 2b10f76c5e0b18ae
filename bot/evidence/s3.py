"""The vault as a bucket of S3: each piece an object under its SHA-256, put only where it is absent, held by Object Lock.

Decides that Amazon checks the same digest that we store, and that an object is never overwritten: under Object Lock a second
version would be held as long as the first. boto3 blocks, so it runs in threads; it comes with the extra `aws`.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from tempfile import SpooledTemporaryFile
from typing import IO, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bot.evidence import Checked, Stored
from bot.evidence.content import DAMAGED, MISSING, PART, Passing, digest
from bot.incident.errors import Misconfigured, Missing, VaultFailed
from bot.settings_evidence import Bucket

IN_MEMORY = 8 * 1024 * 1024
"""Bytes of a piece that are not written to a temporary file before they are sent."""
ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})
ALREADY = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"})


class BucketVault:
    """Raises Misconfigured in `open` where the bucket cannot be used, or holds nothing though retention is wanted."""

    def __init__(self, wanted: Bucket) -> None:
        self._wanted = wanted
        self._client: Any = boto3.Session(region_name=wanted.region).client(
            "s3",
            endpoint_url=wanted.endpoint,
            config=Config(connect_timeout=3, read_timeout=8, retries={"total_max_attempts": 2, "mode": "standard"}),
        )

    def open(self) -> None:
        name, wanted = self._wanted.bucket, self._wanted
        try:
            self._client.head_bucket(Bucket=name)
            if wanted.retention is not None:
                self._client.get_object_lock_configuration(Bucket=name)
        except ClientError as error:
            raise Misconfigured(
                f"The bucket of evidence, {name}, cannot be used ({_code(error)}). "
                + ("Object Lock must be enabled on it for `evidence.s3.retention`." if wanted.retention else "")
            ) from error
        except BotoCoreError as error:
            raise Misconfigured(
                f"The bucket of evidence, {name}, is not reached ({type(error).__name__}). See `evidence.s3`."
            ) from error

    async def put(self, content: bytes | AsyncIterator[bytes], *, most: int) -> Stored:
        passing = Passing(content, most)
        with SpooledTemporaryFile(max_size=IN_MEMORY) as file:  # the digest must be known before anything is sent
            async for part in passing.parts():
                await asyncio.to_thread(file.write, part)
            stored = passing.stored
            found = await self.check(stored.sha256)
            if found.kept:
                return stored
            file.seek(0)
            only = {"IfNoneMatch": "*"} if found.detail == MISSING else {}  # what is damaged gets a whole version
            await self._called(lambda: self._put(stored, file, only), silent=ALREADY)
        return stored

    def _put(self, stored: Stored, body: IO[bytes], only: dict[str, str]) -> None:
        held = self._wanted.retention
        lock: dict[str, Any] = dict(only)
        if held is not None:
            until = datetime.now(UTC) + timedelta(days=held.days)
            lock |= {"ObjectLockMode": held.mode.upper(), "ObjectLockRetainUntilDate": until}
        self._client.put_object(
            Bucket=self._wanted.bucket,
            Key=self._key(stored.sha256),
            Body=body,
            ContentLength=stored.size,
            ContentType="application/octet-stream",
            ChecksumAlgorithm="SHA256",  # Object Lock wants a checksum named
            ChecksumSHA256=base64.b64encode(bytes.fromhex(stored.sha256)).decode(),
            **lock,
        )

    async def read(self, sha256: str) -> bytes:
        content: bytes | None = await self._called(lambda: self._get(sha256).read(), silent=ABSENT)
        if content is None:
            raise Missing(sha256)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise Missing(sha256, DAMAGED)
        return content

    async def check(self, sha256: str) -> Checked:
        found: str | None = await self._called(lambda: _hashed(self._get(sha256)), silent=ABSENT)
        if found is None:
            return Checked(False, MISSING)
        return Checked(True) if found == sha256 else Checked(False, DAMAGED)

    async def close(self) -> None:
        await asyncio.to_thread(self._client.close)

    def _get(self, sha256: str) -> Any:
        return self._client.get_object(Bucket=self._wanted.bucket, Key=self._key(sha256))["Body"]

    def _key(self, sha256: str) -> str:
        return f"{self._wanted.prefix}{sha256[:2]}/{digest(sha256)}"

    async def _called(self, call: Callable[[], Any], *, silent: frozenset[str]) -> Any:
        """None where Amazon answers with one of the `silent` codes. Raises VaultFailed, with Amazon's code alone."""
        try:
            return await asyncio.to_thread(call)
        except ClientError as error:
            if (code := _code(error)) in silent:
                return None
            raise VaultFailed(f"The bucket of evidence refuses ({code}). It is tried again.") from error
        except BotoCoreError as error:
            raise VaultFailed(f"The bucket of evidence does not answer ({type(error).__name__}).") from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))[:60]


def _hashed(body: Any) -> str:
    seen = hashlib.sha256()
    for part in body.iter_chunks(PART):
        seen.update(part)
    return seen.hexdigest()
