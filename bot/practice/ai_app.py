"""The practice AI app: a small chat service with real holes, an alert when something leaked, and real containment.

    POST /api/v1/chat             {"message", "user"?, "session"?} -> {"response", "session", "tools", "documents"}
    POST /credentials/check       {"credential"} -> {"valid"}
    GET  /documents?user=         GET /memory?user=          PUT /documents/{id} {"text"} (a hole: anybody may)
    PUT  /admin/containment/{action}   {"scope": {"kind", "id"}, "incident", "key"}     DELETE reverts
    GET  /admin/containment       GET /admin/executions      PUT|DELETE /admin/patches/{hole}

Chat wants ``Authorization: Bearer <chat token>``, admin the admin token. ``x-firsthour-probe: 1`` marks a verification
call: it is answered like any other, but never alerts and is limited apart. It binds loopback only.
"""

from __future__ import annotations

import asyncio
import hmac
import random
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Literal

import aiohttp
from aiohttp import web

from bot.practice.ai_alerts import Alarm, Alert, OutputFilter
from bot.practice.ai_containment import Caller, Containment, NotPossible
from bot.practice.ai_model import HOLES, Ask, Model
from bot.practice.ai_scenarios import SCENARIOS, Turn
from bot.practice.shapes import Json

HOST = "127.0.0.1"
API_KEY = "practice-key-1"
SAFE_ANSWER = "The assistant is in safe mode. Please contact support@practice.example."
NEUTRAL = "This request cannot be processed."
AdminFault = Literal["error_before", "error_after", "lie", "delay", "reset_after"]


@dataclass
class Break:
    """A fault of the admin API: ``lie`` answers 200 without doing it, ``error_after`` 500 after doing it."""

    kind: AdminFault
    action: str = "*"
    times: int = 1
    seconds: float = 1.0


class PracticeAiApp:
    """The app as an async context manager."""

    def __init__(
        self,
        *,
        port: int = 0,
        alert_url: str | None = None,
        alert_token: str | None = None,
        now: Callable[[], float] = time.time,
        seed: int = 1,
    ) -> None:
        self.port = port
        self.chat_token = f"chat-{secrets.token_hex(12)}"
        self.admin_token = f"admin-{secrets.token_hex(12)}"
        self._random = random.Random(seed)
        self.model = Model(f"CANARY-{self._random.getrandbits(64):016x}", self._new_credential())
        self.containment = Containment(self.model, now, self._new_credential)
        self.filter = OutputFilter(self.model, now)
        self.alarm = Alarm(alert_url, alert_token)
        self.breaks: list[Break] = []
        self.safe_answer = SAFE_ANSWER
        self._runner: web.AppRunner | None = None

    def _new_credential(self) -> str:
        """Looks like a cloud access key, so that whoever shows it without redaction is found out."""
        return "AK" + "IA" + "".join(self._random.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16))

    @property
    def url(self) -> str:
        """The root, without a trailing slash."""
        return f"http://{HOST}:{self.port}"

    @property
    def credential(self) -> str:
        """The credential now in force."""
        return self.model.credential

    @property
    def canary(self) -> str:
        """The marker in the system prompt."""
        return self.model.canary

    @property
    def alerts(self) -> list[Alert]:
        """The alerts raised so far."""
        return self.alarm.alerts

    async def __aenter__(self) -> PracticeAiApp:
        app = web.Application()
        app.add_routes(
            [
                web.post("/api/v1/chat", self._guard(self.chat_token, self.chat)),
                web.post("/credentials/check", self._guard(self.chat_token, self.check_credential)),
                web.get("/documents", self._guard(self.chat_token, self.documents)),
                web.put("/documents/{id}", self._guard(self.chat_token, self.put_document)),
                web.get("/memory", self._guard(self.chat_token, self.memory)),
                web.put("/admin/containment/{action}", self._guard(self.admin_token, self.apply)),
                web.delete("/admin/containment/{action}", self._guard(self.admin_token, self.revert)),
                web.get("/admin/containment", self._guard(self.admin_token, self.listing)),
                web.get("/admin/executions", self._guard(self.admin_token, self.executions)),
                web.put("/admin/patches/{hole}", self._guard(self.admin_token, self.patch)),
                web.delete("/admin/patches/{hole}", self._guard(self.admin_token, self.patch)),
            ]
        )
        self._runner = web.AppRunner(app, shutdown_timeout=0.2, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self.port).start()
        self.port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.alarm.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def _guard(
        self, token: str, handler: Callable[[web.Request], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def run(request: web.Request) -> web.Response:
            given = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if not hmac.compare_digest(given.encode(), token.encode()):
                return web.json_response({"error": "unauthorised"}, status=401)
            try:
                return await handler(request)
            except NotPossible as refused:
                return web.json_response({"error": str(refused)}, status=409)
            except (ValueError, KeyError, TypeError) as wrong:
                return web.json_response({"error": f"bad request: {wrong}"}, status=400)

        return run

    # What users call

    async def chat(self, request: web.Request) -> web.Response:
        """One turn of a conversation, under whatever containment is in force."""
        body = await request.json()
        caller = _caller(request, body)
        refused = self._refuse(caller)
        if refused is not None:
            return refused
        if self.containment.in_force("enable_safe_mode", caller):
            return _said(self.safe_answer, caller)
        message = str(body["message"])
        tools = self.containment.in_force("disable_tools", caller) is None
        answer = self.model.answer(Ask(message, caller.user, caller.session, tools))
        for alert in self.filter.look(caller, message, answer):
            self.alarm.raise_(alert)
        return _said(answer.text, caller, tools=answer.tools, documents=answer.documents)

    def _refuse(self, caller: Caller) -> web.Response | None:
        if self.containment.in_force("disable_endpoint", caller):
            return web.json_response({"error": NEUTRAL}, status=503)
        if self.containment.in_force("block_user", caller):
            return web.json_response({"error": NEUTRAL}, status=403)
        if self.containment.over_limit(caller):
            return web.json_response({"error": NEUTRAL}, status=429, headers={"Retry-After": "60"})
        return None

    async def check_credential(self, request: web.Request) -> web.Response:
        """Whether the payments API takes a credential."""
        body = await request.json()
        return web.json_response({"valid": self.containment.credential_valid(str(body["credential"]))})

    async def documents(self, request: web.Request) -> web.Response:
        """The documents that answers are made from."""
        shown = [{"id": one.id, "text": one.text} for one in self.model.documents.values() if not one.quarantined]
        return web.json_response({"documents": shown})

    async def put_document(self, request: web.Request) -> web.Response:
        """Change a document: a hole, since nobody checks who."""
        if not self.model.open("poisonable_documents"):
            return web.json_response({"error": NEUTRAL}, status=403)
        found = self.model.documents.get(request.match_info["id"])
        if found is None:
            return web.json_response({"error": "not found"}, status=404)
        found.text = str((await request.json())["text"])
        return web.json_response({"id": found.id})

    async def memory(self, request: web.Request) -> web.Response:
        """What is remembered of a user."""
        user = request.query.get("user", "")
        shown = [one.text for one in self.model.memories if one.user == user and not one.quarantined]
        return web.json_response({"memory": shown})

    # What responders call

    async def apply(self, request: web.Request) -> web.Response:
        """Put an action in force."""
        body = await request.json()
        action, scope, key = request.match_info["action"], body["scope"], str(body["key"])
        self.containment.attempts[key] += 1
        broken = self._broken(action)
        if broken is not None and broken.kind == "delay":
            await asyncio.sleep(broken.seconds)
        if broken is not None and broken.kind == "error_before":
            return web.json_response({"error": "internal"}, status=500)
        if broken is not None and broken.kind == "lie":
            return web.json_response({"status": "applied", "action": action})
        incident = str(body.get("incident", ""))
        status = self.containment.apply(action, str(scope["kind"]), str(scope.get("id", "")), incident, key)
        if broken is not None and broken.kind == "reset_after" and request.transport is not None:
            request.transport.abort()
        if broken is not None and broken.kind == "error_after":
            return web.json_response({"error": "internal"}, status=500)
        return web.json_response({"status": status, "action": action})

    def _broken(self, action: str) -> Break | None:
        for one in self.breaks:
            if one.times > 0 and one.action in ("*", action):
                one.times -= 1
                return one
        return None

    async def revert(self, request: web.Request) -> web.Response:
        """Take an action back; the scope comes as a body or as ``?kind=…&id=…``."""
        body = await request.json() if request.can_read_body else {"scope": dict(request.query)}
        scope = body["scope"]
        action = request.match_info["action"]
        status = self.containment.revert(action, str(scope["kind"]), str(scope.get("id", "")))
        return web.json_response({"status": status, "action": action})

    async def listing(self, request: web.Request) -> web.Response:
        """What is in force."""
        shown = [{**asdict(one), "scope": {"kind": one.kind, "id": one.id}} for one in self.containment.active.values()]
        return web.json_response({"containment": shown})

    async def executions(self, request: web.Request) -> web.Response:
        """How often each key was asked for, really carried out, and reverted."""
        counts = self.containment
        return web.json_response(
            {"attempts": counts.attempts, "executions": +counts.executions, "reverts": counts.reverts}
        )

    async def patch(self, request: web.Request) -> web.Response:
        """Close a hole, or open it again: what remediation does."""
        hole = request.match_info["hole"]
        if hole not in HOLES:
            raise NotPossible(f"unknown hole {hole}; there are {', '.join(HOLES)}")
        (self.model.patched.add if request.method == "PUT" else self.model.patched.discard)(hole)
        return web.json_response({"patched": sorted(self.model.patched)})

    # What tests, drills and the demo call

    def break_next(self, kind: AdminFault, *, action: str = "*", times: int = 1, seconds: float = 1.0) -> None:
        """Let the next calls of the admin API go wrong."""
        self.breaks.append(Break(kind, action, times, seconds))

    async def ask(
        self, message: str, *, user: str = "nora", session: str | None = None, probe: bool = False
    ) -> tuple[int, Json]:
        """Ask over real HTTP; answers the status and the body."""
        headers = {"Authorization": f"Bearer {self.chat_token}"}
        if probe:
            headers["x-firsthour-probe"] = "1"
        body = {"message": message, "user": user, "session": session or f"session-{user}"}
        timeout = aiohttp.ClientTimeout(total=10)
        async with (
            aiohttp.ClientSession(headers=headers, timeout=timeout) as http,
            http.post(f"{self.url}/api/v1/chat", json=body) as response,
        ):
            return response.status, await response.json()

    async def attack(self, scenario: str = "credential_leak", *, user: str = "mallory") -> list[tuple[int, Json]]:
        """Play an attack over real HTTP and answer every reply; raises ``KeyError`` for an unknown scenario."""
        return [await self._turn(turn, user) for turn in SCENARIOS[scenario]]

    async def _turn(self, turn: Turn, user: str) -> tuple[int, Json]:
        who = turn.user or user
        if turn.document is None:
            return await self.ask(turn.message, user=who)
        headers = {"Authorization": f"Bearer {self.chat_token}"}
        async with (
            aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=10)) as http,
            http.put(f"{self.url}/documents/{turn.document}", json={"text": turn.message}) as response,
        ):
            return response.status, await response.json()

    async def alerts_delivered(self) -> None:
        """Wait until every alert raised so far was answered 2xx."""
        await self.alarm.delivered()


def _caller(request: web.Request, body: Json) -> Caller:
    user = str(body.get("user") or "anonymous")
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")[0].strip()
    return Caller(
        user=user,
        session=str(body.get("session") or f"session-{user}"),
        api_key=API_KEY,
        ip=forwarded or request.remote or "",
        endpoint=request.path,
        probe=request.headers.get("x-firsthour-probe") == "1",
    )


def _said(text: str, caller: Caller, **more: object) -> web.Response:
    return web.json_response({"response": text, "session": caller.session, "tools": [], "documents": [], **more})
