"""The vault as a bucket, against moto's S3: put once, checked by Amazon, held by Object Lock."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from bot.evidence import Checked
from bot.evidence.s3 import BucketVault
from bot.incident.errors import Misconfigured, Missing, TooLarge, VaultFailed
from bot.settings_evidence import Bucket, Retention

REGION, MOST = "eu-central-1", 1_000_000
SHA = hashlib.sha256(b"evidence").hexdigest()
KEY = f"incidents/{SHA[:2]}/{SHA}"


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    client = boto3.Session(region_name=REGION).client("s3", endpoint_url=moto)
    where = {"CreateBucketConfiguration": {"LocationConstraint": REGION}}
    client.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True, **where)
    client.create_bucket(Bucket="plain", **where)
    yield client
    for name in ("locked", "plain"):
        versions = client.list_object_versions(Bucket=name).get("Versions", [])
        for one in versions:
            client.delete_object(
                Bucket=name, Key=one["Key"], VersionId=one["VersionId"], BypassGovernanceRetention=True
            )
        client.delete_bucket(Bucket=name)
    client.close()


def bucket(moto: str, name: str = "locked", *, days: int | None = 30) -> BucketVault:
    held = Retention(days=days) if days else None
    built = BucketVault(Bucket(bucket=name, prefix="incidents/", region=REGION, endpoint=moto, retention=held))
    built.open()
    return built


async def test_an_object_is_put_once_and_held_for_as_long_as_was_asked(moto: str, s3: Any) -> None:
    vault = bucket(moto)
    for _ in range(2):
        assert (await vault.put(b"evidence", most=MOST)).sha256 == SHA
    assert len(s3.list_object_versions(Bucket="locked", Prefix=KEY)["Versions"]) == 1
    held = s3.head_object(Bucket="locked", Key=KEY)
    days = (held["ObjectLockRetainUntilDate"] - datetime.now(UTC)).days
    assert held["ObjectLockMode"] == "GOVERNANCE" and 29 <= days <= 30
    assert await vault.read(SHA) == b"evidence" and await vault.check(SHA) == Checked(True)
    await vault.close()


async def test_what_is_missing_or_damaged_is_told_apart(moto: str, s3: Any) -> None:
    vault = bucket(moto, "plain", days=None)
    assert await vault.check(SHA) == Checked(False, "missing")
    with pytest.raises(Missing, match="missing"):
        await vault.read(SHA)
    s3.put_object(Bucket="plain", Key=KEY, Body=b"something else")
    assert "damaged" in (await vault.check(SHA)).detail
    with pytest.raises(Missing, match="damaged"):
        await vault.read(SHA)
    await vault.put(b"evidence", most=MOST)
    assert (await vault.check(SHA)).kept
    await vault.close()


async def test_what_is_too_large_is_never_sent(moto: str, s3: Any) -> None:
    vault = bucket(moto, "plain", days=None)
    with pytest.raises(TooLarge):
        await vault.put(bytes(2_000), most=1_000)
    assert "Contents" not in s3.list_objects_v2(Bucket="plain")
    await vault.close()


def test_retention_needs_a_bucket_that_can_hold(moto: str, s3: Any) -> None:
    with pytest.raises(Misconfigured, match="Object Lock"):
        bucket(moto, "plain")
    with pytest.raises(Misconfigured, match="nowhere"):
        bucket(moto, "nowhere", days=None)


async def test_a_bucket_that_does_not_answer_is_tried_again(moto: str, s3: Any) -> None:
    vault = BucketVault(Bucket(bucket="plain", region=REGION, endpoint="http://127.0.0.1:9"))
    with pytest.raises(VaultFailed, match="does not answer"):
        await vault.put(b"evidence", most=MOST)
    await vault.close()
