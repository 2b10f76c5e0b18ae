"""Alerts come in: natively, or from a source of the playbook that maps its own shape to ours.

Decides the answers of these two routes, and that a batch with a bad alert still takes the good ones. Answers only once
everything is committed. What an alert does is `bot.cases.receive`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from bot.cases.context import Context
from bot.cases.outside_over import outside_over
from bot.cases.receive import AlertIn, Received, receive
from bot.incident.errors import Refused
from bot.ingress import auth, body, explain, mapping, times
from bot.ingress.edge import Unacceptable
from bot.ingress.metrics import Metrics
from bot.ingress.openapi import accepts
from bot.playbook.source import Source

log = structlog.get_logger()

NATIVE = "native"
MOST_ITEMS = 500
"""Alerts in one delivery: each is a transaction, and the sender waits for the answer."""
AT_ONCE = 4
"""Alerts written at the same time. The rest of a burst waits before the store's queue, not in it: a click, or the opening
of the first room, is never behind more than these."""
OVER = "the sender considers it over; only people end an incident"
Outcome = dict[str, str | int]
"""One alert of a batch: `incident` and `status`, `ignored` with why, or `index` and `error`."""


@dataclass(frozen=True)
class Intake:
    """What both routes need."""

    ctx: Context
    token: str | None
    source_secrets: Mapping[str, str]
    metrics: Metrics
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))


def alert_routes(intake: Intake) -> APIRouter:
    router = APIRouter()

    @router.post("/alerts", status_code=202, response_model=Received, openapi_extra=accepts(AlertIn))
    async def native(request: Request) -> JSONResponse:
        """One alert in Firsthour's own shape. Answers once it is committed."""
        auth.require_token(request.headers, intake.token)
        received = await _take(intake, NATIVE, native_alert(body.decode(await body.read(request))))
        return JSONResponse(received.model_dump(), 202)

    @router.post("/alerts/{source}", status_code=202)
    async def mapped(source: str, request: Request) -> JSONResponse:
        """A delivery of a source that the playbook knows, in that source's own shape."""
        known = intake.ctx.playbook.sources.get(source)
        if known is None:
            names = ", ".join(sorted(intake.ctx.playbook.sources))
            raise HTTPException(404, f"There is no such source of alerts. The playbook has: {names}.")
        return await _delivery(intake, known, request)

    return router


def native_alert(sent: object) -> AlertIn:
    """Raises Unacceptable listing every field that is wrong."""
    try:
        alert = AlertIn.model_validate(sent)
    except ValidationError as error:
        raise _unacceptable(explain.problems(error, AlertIn)) from None
    wrong = [
        {"field": name, "problem": explain.TIME}
        for name, moment in (("started_at", alert.started_at), ("detected_at", alert.detected_at))
        if moment is not None and not times.plausible(moment)
    ]
    if wrong:
        raise _unacceptable(wrong)
    return alert


def _unacceptable(fields: list[dict[str, str]]) -> Unacceptable:
    return Unacceptable("The alert was not taken: some fields are not as they must be.", fields)


async def _take(intake: Intake, source: str, alert: AlertIn) -> Received:
    async with intake.turns:
        received = await receive(intake.ctx, source, alert)
    intake.metrics.alert(source, received.status)
    log.info("alert.received", source=source, incident=received.incident, status=received.status)
    return received


async def _delivery(intake: Intake, source: Source, request: Request) -> JSONResponse:
    secret = auth.require_configured(source, intake.token, intake.source_secrets.get(source.name))
    if source.auth.kind == "bearer":
        auth.require_bearer(request.headers, source.auth, secret)
    raw = await body.read(request)
    if source.auth.kind == "hmac":
        auth.require_signature(request.headers, raw, source.auth, secret, now=intake.ctx.store.now())
    found = mapping.items(source, body.decode(raw))
    if found is None:
        raise HTTPException(422, f"The body has no list of alerts where {source.title} puts it. Is the source right?")
    if len(found) > MOST_ITEMS:
        raise HTTPException(413, f"The body holds more than {MOST_ITEMS} alerts. Split the batch.")
    outcomes = [await _one(intake, source, index, item) for index, item in enumerate(found)]
    nothing_taken = bool(outcomes) and all("error" in outcome for outcome in outcomes)
    return JSONResponse({"alerts": outcomes}, 422 if nothing_taken else 202)


async def _one(intake: Intake, source: Source, index: int, item: object) -> Outcome:
    match mapping.read_item(source, item):
        case mapping.Fires(alert):
            try:
                received = await _take(intake, source.name, alert)
            except Refused as error:
                return _bad(intake, source, index, str(error))
            return dict(received.model_dump())
        case mapping.Over(external_id):
            noted = await outside_over(intake.ctx, source.name, external_id) if external_id else None
            intake.metrics.alert(source.name, "over")
            return {"ignored": OVER, "incident": noted.incident} if noted else {"ignored": OVER}
        case mapping.Ignored(why):
            intake.metrics.alert(source.name, "ignored")
            return {"ignored": why}
        case mapping.Bad(error):
            return _bad(intake, source, index, error)


def _bad(intake: Intake, source: Source, index: int, error: str) -> Outcome:
    intake.metrics.alert(source.name, "bad")
    log.warning("alert.bad", source=source.name, index=index)
    return {"index": index, "error": error}
