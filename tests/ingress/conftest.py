"""The real application on a real database, asked over HTTP."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from bot.cases.context import Context
from bot.ingress import Metrics, ingress_app
from bot.playbook.source import Source
from bot.store import Store
from tests import opened as case

TOKEN = "let-me-in"
SECRET = "shared-with-the-siren"
SIREN = Source.model_validate(
    {
        "name": "siren",
        "title": "Siren",
        "note": "A source that signs, made for tests.",
        "auth": {
            "kind": "hmac",
            "header": "X-Siren-Signature",
            "algorithm": "sha256",
            "encoding": "hex",
            "prefix": "v1=",
            "separator": ",",
        },
        "items": "[event]",
        "fields": {"trigger": "rule", "title": "name", "external_id": "id", "started_at": "at"},
        "dedup": ["id"],
    }
)

Build = Callable[..., FastAPI]
Connect = Callable[[FastAPI], AbstractAsyncContextManager[httpx.AsyncClient]]


def with_siren(store: Store) -> Context:
    sources = {**case.playbook().sources, "siren": SIREN}
    return dataclasses.replace(case.context(store), playbook=dataclasses.replace(case.playbook(), sources=sources))


@pytest.fixture
def ctx(store: Store) -> Context:
    return with_siren(store)


async def always_ready() -> list[str]:
    return []


def application(ctx: Context, **other: Any) -> FastAPI:
    settings: dict[str, Any] = {
        "token": TOKEN,
        "source_secrets": {"siren": SECRET},
        "ready": always_ready,
        "metrics": Metrics(CollectorRegistry()),
    }
    return ingress_app(ctx, **(settings | other))


@pytest.fixture
def build(sqlite_store: Store) -> Build:
    """An application with other settings, on one database."""
    return lambda **other: application(with_siren(sqlite_store), **other)


@asynccontextmanager
async def connected(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://firsthour") as client:
        yield client


@pytest.fixture
def connect() -> Connect:
    return connected


@pytest.fixture
async def client(ctx: Context) -> AsyncIterator[httpx.AsyncClient]:
    """On both databases."""
    async with connected(application(ctx)) as opened:
        yield opened


@pytest.fixture
async def one_client(build: Build) -> AsyncIterator[httpx.AsyncClient]:
    """On one database: for what is refused before the store is asked."""
    async with connected(build()) as opened:
        yield opened


@pytest.fixture
def bearer() -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKEN}"}
