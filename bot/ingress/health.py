"""Is the process alive, is it ready, what does it count. No secrets and no content, so these routes need no token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from bot.ingress.metrics import Metrics
from bot.store import Store

Ready = Callable[[], Awaitable[list[str]]]
"""The reasons why the process should get no traffic now, in words; none where it is ready."""


def health_routes(store: Store, metrics: Metrics, ready: Ready) -> APIRouter:
    router = APIRouter()

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process is alive."""
        return {"status": "alive"}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        """200 where alerts are taken and Slack is reached; 503 with the reasons otherwise."""
        reasons = await ready()
        return JSONResponse({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)

    @router.get("/metrics", response_class=Response)
    async def exposed() -> Response:
        """For Prometheus."""
        return Response(await metrics.expose(store), media_type=CONTENT_TYPE_LATEST)

    return router
