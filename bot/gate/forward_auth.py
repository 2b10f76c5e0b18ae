"""`GET /auth`: whether a proxy may let a call pass. For nginx's `auth_request` and, under `/auth/`, Envoy's `ext_authz`.

Decides what a yes or no can enforce. nginx understands 2xx, 401 and 403 and nothing else (ngx_http_auth_request_module),
so there everything that is refused is a 403 with the reason in headers; Envoy hands our own status on to the caller.
"""

from __future__ import annotations

from collections.abc import Collection

from bot.gate.caller import Caller
from bot.gate.gate import Gate
from bot.gate.verdict import NEUTRAL, Verdict
from bot.gate.wire import Answer, Asked, Names, Token
from bot.incident.words import ActionKind

PATH = "/auth"
ENVOY = "/auth/"
"""Envoy's `path_prefix: /auth` puts the caller's own path behind it."""


class ForwardAuth:
    def __init__(self, gate: Gate, token: Token, names: Names, obeyed: Collection[ActionKind] = ()) -> None:
        """`obeyed`: measures that what stands behind the proxy enforces when our headers tell it."""
        self._gate, self._token, self._names, self._obeyed = gate, token, names, frozenset(obeyed)

    async def __call__(self, asked: Asked) -> Answer:
        caller = Caller(
            self._names.targets(asked.headers),
            tools=ActionKind.DISABLE_TOOLS not in self._obeyed,  # unseen from here: any call may carry some
            probe=self._token.probe(asked.headers),
            via="auth",
        )
        verdict = await self._gate.decide(caller)
        told = _told(verdict)
        if not verdict.allowed:
            status = verdict.status if asked.path.startswith(ENVOY) else 403
            return Answer(status, (verdict.message or NEUTRAL).encode(), told, b"text/plain; charset=utf-8")
        if verdict.answer is not None and ActionKind.ENABLE_SAFE_MODE not in self._obeyed:
            return Answer(403, NEUTRAL.encode(), told, b"text/plain; charset=utf-8")
        return Answer(200, b"", told, b"text/plain; charset=utf-8")


def _told(verdict: Verdict) -> tuple[tuple[bytes, bytes], ...]:
    """Headers that the proxy can hand on. A header that is not there says nothing: only `off` and `on` are sent."""
    told = [(b"x-firsthour-outcome", verdict.outcome.value.encode())]
    if verdict.reference and verdict.own:
        told.append((b"x-firsthour-incident", verdict.reference.encode()))
    if verdict.wait:
        told.append((b"retry-after", str(verdict.wait).encode()))
    if verdict.answer is not None:
        told.append((b"x-firsthour-safe-mode", b"on"))
    if not verdict.tools:
        told.append((b"x-firsthour-tools", b"off"))
    if not verdict.retrieval:
        told.append((b"x-firsthour-retrieval", b"off"))
    return tuple(told)
