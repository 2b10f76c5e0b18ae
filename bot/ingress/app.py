"""The HTTP side as one FastAPI application: alerts in, Slack over HTTP where it is used, health and metrics.

Decides which routes exist and in which order a request passes through the house: edge, body limit, route. Events
come in before that, with an edge and limits of their own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from fastapi import FastAPI, Request
from prometheus_client import CollectorRegistry
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bot.cases.context import Context
from bot.ingress import edge
from bot.ingress.alerts import Intake, alert_routes
from bot.ingress.body import BodyLimit
from bot.ingress.events import EventIntake, Events, Taker
from bot.ingress.health import Ready, health_routes
from bot.ingress.metrics import Metrics
from bot.ingress.openapi import tell_of_events

SlackHandler = Callable[[Request], Awaitable[Response]]


class Ingress(FastAPI):
    """FastAPI, with the addresses of events answered before it: what it does for a request costs more than they may."""

    def __init__(self, events: Events, **settings: Any) -> None:
        super().__init__(**settings)
        self._events, self._paths, self.direct = events, events.paths, events.direct

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        if scope["type"] == "http" and scope["path"] in self._paths:
            return self._events(scope, receive, send)
        return super().__call__(scope, receive, send)


def ingress_app(
    ctx: Context,
    *,
    token: str | None,
    source_secrets: Mapping[str, str],
    ready: Ready,
    metrics: Metrics | None = None,
    slack_handler: SlackHandler | None = None,
    taker: Taker | None = None,
) -> FastAPI:
    """`token`: FIRSTHOUR_INGEST_TOKEN. `source_secrets`: by name of the source. `slack_handler`: only without Socket Mode.

    `taker`: who takes events in; without one their routes say that detection is not running.
    """
    events = Events(EventIntake(taker, token, ctx.playbook.otlp, now=lambda: ctx.store.now().timestamp()))
    app = Ingress(events, title="Firsthour", version="1", docs_url=None, redoc_url=None)
    counted = metrics or Metrics(CollectorRegistry())
    app.include_router(alert_routes(Intake(ctx, token, source_secrets, counted)))
    app.include_router(health_routes(ctx.store, counted, ready))
    if slack_handler is not None:
        _mount_slack(app, slack_handler)
    edge.install(app)
    app.add_middleware(BodyLimit)
    tell_of_events(app)
    app.add_middleware(edge.Edge)  # the last one added is the outermost
    return app


def _mount_slack(app: FastAPI, handler: SlackHandler) -> None:
    @app.post("/slack/events", response_class=Response)
    async def slack_events(request: Request) -> Response:
        """Slack's own deliveries; the handler checks their signature."""
        return await handler(request)
