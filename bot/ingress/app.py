"""The HTTP side as one FastAPI application: alerts in, Slack over HTTP where it is used, health and metrics.

Decides which routes exist and in which order a request passes through the house: edge, body limit, route.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from fastapi import FastAPI, Request
from prometheus_client import CollectorRegistry
from starlette.responses import Response

from bot.cases.context import Context
from bot.ingress import edge
from bot.ingress.alerts import Intake, alert_routes
from bot.ingress.body import BodyLimit
from bot.ingress.health import Ready, health_routes
from bot.ingress.metrics import Metrics

SlackHandler = Callable[[Request], Awaitable[Response]]


def ingress_app(
    ctx: Context,
    *,
    token: str | None,
    source_secrets: Mapping[str, str],
    ready: Ready,
    metrics: Metrics | None = None,
    slack_handler: SlackHandler | None = None,
) -> FastAPI:
    """`token`: FIRSTHOUR_INGEST_TOKEN. `source_secrets`: by name of the source. `slack_handler`: only without Socket Mode."""
    app = FastAPI(title="Firsthour", version="1", docs_url=None, redoc_url=None)
    counted = metrics or Metrics(CollectorRegistry())
    app.include_router(alert_routes(Intake(ctx, token, source_secrets, counted)))
    app.include_router(health_routes(ctx.store, counted, ready))
    if slack_handler is not None:
        _mount_slack(app, slack_handler)
    edge.install(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(edge.Edge)  # the last one added is the outermost
    return app


def _mount_slack(app: FastAPI, handler: SlackHandler) -> None:
    @app.post("/slack/events", response_class=Response)
    async def slack_events(request: Request) -> Response:
        """Slack's own deliveries; the handler checks their signature."""
        return await handler(request)
