"""The gate's HTTP side: which addresses exist, who may ask, and what is refused unread. Plain ASGI: the path is hot.

One of the edges: whatever a protocol raises becomes an answer in words here. Decides sizes and the token; what a
question means is each protocol's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import msgspec
import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.types import Receive, Scope, Send

from bot.gate import forward_auth, litellm, ofrep
from bot.gate.caller import EVERYONE, storable
from bot.gate.gate import Gate
from bot.gate.plain import Plain
from bot.gate.usage import Usage
from bot.gate.wire import Answer, Asked, Names, Token, Unacceptable
from bot.incident.words import ActionKind, ScopeKind
from bot.serving import TooMuch, received

log = structlog.get_logger()

MIB = 1024 * 1024
LARGEST, LARGEST_CONVERSATION = 1 * MIB, 16 * MIB
"""Bytes of a question; LiteLLM sends the whole conversation, images included."""
TOKEN_WANTED = "Send the gate's token: `x-api-key: <token>` or `Authorization: Bearer <token>`."  # noqa: S105 — words
NOWHERE = "There is nothing at this address. The gate answers POST /decide, GET /auth and POST " + litellm.PATH + "."

BELOW = (forward_auth.PATH, ofrep.PATH)
"""Addresses that are also asked with something behind them: a caller's own path, a flag's key."""

Handler = Callable[[Asked], Awaitable[Answer]]


@dataclass(frozen=True)
class Route:
    answer: Handler
    methods: frozenset[str]
    """Empty: any. Envoy asks with the caller's own method."""
    open: bool = False
    """Needs no token: it tells nothing about anybody."""
    reads: bool = True
    """False: a body is the caller's own, and is left unread."""
    largest: int = LARGEST


@dataclass(frozen=True)
class Served:
    """What the HTTP side is given."""

    gate: Gate
    token: str
    usage: Usage
    registry: CollectorRegistry
    names: Names = field(default_factory=Names)
    obeyed: tuple[ActionKind, ...] = ()


class GateHttp:
    """The ASGI application."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._token = Token(served.token.encode())
        self._routes = self._all_routes()

    def _all_routes(self) -> Mapping[str, Route]:
        served, get, post = self._served, frozenset({"GET", "HEAD"}), frozenset({"POST"})
        auth = forward_auth.ForwardAuth(served.gate, self._token, served.names, served.obeyed)
        asked_by_litellm = litellm.LiteLLM(served.gate, self._token, served.names)
        return {
            litellm.PATH: Route(asked_by_litellm, post, largest=LARGEST_CONVERSATION),
            "/decide": Route(Plain(served.gate, self._token), post),
            forward_auth.PATH: Route(auth, frozenset(), reads=False),
            ofrep.PATH: Route(ofrep.Ofrep(served.gate), post),
            "/usage": Route(self._usage, get),
            "/healthz": Route(self._healthz, get, open=True),
            "/readyz": Route(self._readyz, get, open=True),
            "/metrics": Route(self._metrics, get, open=True),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            answer = await self._answer(scope, receive)
        except Unacceptable as error:
            answer = error.answer
        except TooMuch as error:
            words = f"The body is larger than {error.most // MIB} MiB. Send less."
            answer = Unacceptable(413, words).answer
        except Exception as error:
            log.exception("gate.failed", error=type(error).__name__)
            answer = Unacceptable(500, "Something went wrong in the gate. Nothing was decided.").answer
        if answer is not None:
            await self._send(answer, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer | None:
        """None where the sender went away."""
        path = scope["path"]
        route = self._routes.get(path) or self._routes.get(
            next((own for own in BELOW if path.startswith(f"{own}/")), "")
        )
        if route is None:
            raise Unacceptable(404, NOWHERE)
        headers = scope["headers"]
        if not route.open and not self._token.proven(headers):
            raise Unacceptable(401, TOKEN_WANTED)
        if route.methods and scope["method"] not in route.methods:
            raise Unacceptable(405, f"This address takes {' or '.join(sorted(route.methods))}.")
        body: bytes | None = b""
        if route.reads:  # how long it takes is the sender's affair: it has proven that it is one of ours
            _refuse_larger(headers, route.largest)
            body = await received(receive, route.largest)
        if body is None:
            return None
        return await route.answer(Asked(scope["method"], path, scope["query_string"], headers, body))

    async def _send(self, answer: Answer, send: Send) -> None:
        age = self._served.gate.book.age
        headers = [
            (b"content-type", answer.content_type),
            # RFC 9110 §8.6: with a 304 it would be the length of what is not sent.
            *(() if answer.status == 304 else ((b"content-length", str(len(answer.body)).encode()),)),
            (b"x-firsthour-copy-age", b"none" if age is None else b"%.3f" % age),
            *answer.headers,
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _healthz(self, _: Asked) -> Answer:
        return Answer(200, b'{"status":"alive"}')

    async def _readyz(self, _: Asked) -> Answer:
        gate = self._served.gate
        reasons = gate.not_ready()
        age = gate.book.age
        state = {
            "ready": not reasons, "reasons": reasons, "version": gate.book.version, "rules": len(gate.book),
            "copy_age": None if age is None else round(age, 3),
        }  # fmt: skip
        return Answer(503 if reasons else 200, msgspec.json.encode(state))

    async def _metrics(self, _: Asked) -> Answer:
        return Answer(200, generate_latest(self._served.registry), content_type=CONTENT_TYPE_LATEST.encode())

    async def _usage(self, asked: Asked) -> Answer:
        given = dict(parse_qsl(asked.query.decode("latin-1"), keep_blank_values=True))
        try:
            kind, scope = ActionKind(given.get("kind", "")), ScopeKind(given.get("scope_kind", ""))
        except ValueError:
            example = "/usage?kind=block_user&scope_kind=user&scope_id=mallory"
            raise Unacceptable(422, f"Name an action and a scope, for example {example}") from None
        target = EVERYONE if scope is ScopeKind.EVERYONE else (scope, storable(given.get("scope_id", "")))
        return Answer(200, msgspec.json.encode(self._served.usage.of(kind, target)))


def _refuse_larger(headers: list[tuple[bytes, bytes]], largest: int) -> None:
    """Raises TooMuch where more is announced: such a body is not begun."""
    for name, value in headers:
        if name == b"content-length" and value.isdigit() and (len(value) > 12 or int(value) > largest):
            raise TooMuch(largest)
