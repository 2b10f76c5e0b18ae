"""One of the three edges: whatever a route raises becomes an answer in words here, and never a trace.

Decides status codes. An exception that nobody expected is logged with its traceback under a reference, and the sender is
told the reference and nothing else.
"""

from __future__ import annotations

import asyncio
from uuid import uuid4

import structlog
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.incident.errors import Busy, Invalid, NotFound, Refused

log = structlog.get_logger()

RETRY_AFTER = "2"
"""Seconds."""
WORDS = {
    404: "There is nothing at this address. Alerts go to POST /alerts; /openapi.json lists the rest.",
    405: "This address does not take this method. /openapi.json lists what it takes.",
}


class Unacceptable(HTTPException):
    """422: what was sent cannot be understood. `fields` name what is wrong and what to do, never the values."""

    def __init__(self, words: str, fields: list[dict[str, str]]) -> None:
        super().__init__(422, words)
        self.fields = fields


def answer(error: Exception) -> Response:
    """The answer to what was raised on purpose. Anything else is raised again, for the `Edge`."""
    match error:
        case Unacceptable():
            return JSONResponse({"error": error.detail, "fields": error.fields}, 422)
        case Unexpected():
            return JSONResponse({"error": error.detail, "reference": error.reference}, 500)
        case HTTPException():
            return JSONResponse({"error": error.detail}, error.status_code, headers=dict(error.headers or {}))
        case StarletteHTTPException():
            return JSONResponse({"error": WORDS.get(error.status_code, error.detail)}, error.status_code)
        case Busy():
            return JSONResponse({"error": str(error)}, 503, headers={"Retry-After": RETRY_AFTER})
        case Invalid(field=str(field)):
            return JSONResponse({"error": str(error), "fields": [{"field": field, "problem": str(error)}]}, 422)
        case Refused():
            return JSONResponse({"error": str(error)}, 404 if isinstance(error, NotFound) else 422)
        case ClientDisconnect():
            return Response(status_code=400)  # nobody is there to read it
        case _:
            raise error


class Unexpected(HTTPException):
    """What nobody expected is logged under this reference by whoever caught it."""

    def __init__(self) -> None:
        self.reference = uuid4().hex[:12]
        super().__init__(500, f"Something went wrong here, and is in the log under {self.reference}. Send it again.")


class CutOff(HTTPException):
    """The server ends, and this was not through in the time that it waits. A sender that sends again finds another process, or
    this one started anew; what was taken already is known by its id."""

    def __init__(self) -> None:
        words = "Firsthour is being stopped and did not get through this. Send it again: what has an id counts once."
        super().__init__(503, words, {"Retry-After": RETRY_AFTER})


class Edge:
    """ASGI middleware around all others of ours: the answer to what no route and no handler caught."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except HTTPException as error:  # raised by the body limit, which is outside of the handlers
            await answer(error)(scope, receive, send)
        except asyncio.CancelledError:
            if begun:
                raise
            await answer(CutOff())(scope, receive, send)
        except Exception as error:
            failed = Unexpected()
            log.exception("ingress.failed", reference=failed.reference, error=type(error).__name__)
            if not begun:
                await answer(failed)(scope, receive, send)


def install(app: FastAPI) -> None:
    async def on(_: Request, error: Exception) -> Response:
        return answer(error)

    for kind in (StarletteHTTPException, Busy, Refused, ClientDisconnect):
        app.add_exception_handler(kind, on)
