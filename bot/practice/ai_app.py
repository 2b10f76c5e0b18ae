"""The practice AI app: a small chat service with real holes, events of what it does, and real containment.

    POST /api/v1/chat             {"message", "user"?, "session"?} -> {"response", "session", "tools", "documents"}
    POST /credentials/check       {"credential"} -> {"valid"}
    GET  /version -> {"version"}  another one with each patch           GET /  a page with a button for each hole
    GET  /documents?user=         GET /memory?user=          PUT /documents/{id} {"text"} (a hole: anybody may)
    PUT  /admin/containment/{action}   {"scope": {"kind", "id"}, "incident", "key"}     DELETE reverts
    GET  /admin/containment       GET /admin/executions      PUT|DELETE /admin/patches/{hole}

Chat wants ``Authorization: Bearer <chat token>``, admin the admin token. ``x-firsthour-probe: 1`` marks a verification
call and ``x-firsthour-validation: 1`` a replay: both are answered like any other, but no event tells of them, and they are
limited apart. It binds loopback only.
"""

from __future__ import annotations

import hmac
import random
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import TracebackType

import aiohttp
from aiohttp import web

from bot.practice import page
from bot.practice.ai_admin import Admin, AdminFault, Break
from bot.practice.ai_containment import Caller, Containment, NotPossible
from bot.practice.ai_events import Told, events_of
from bot.practice.ai_gate import Gate
from bot.practice.ai_model import Answer, Ask, Model
from bot.practice.ai_scenarios import SCENARIOS, Turn
from bot.practice.ai_telling import Telling
from bot.practice.shapes import Json

HOST = "127.0.0.1"
API_KEY = "practice-key-1"
SAFE_ANSWER = "The assistant is in safe mode. Please contact support@practice.example."
NEUTRAL = "This request cannot be processed."


class PracticeAiApp:
    """The app as an async context manager."""

    def __init__(
        self,
        *,
        port: int = 0,
        events_url: str | None = None,
        events_token: str | None = None,
        now: Callable[[], float] = time.time,
        seed: int = 1,
    ) -> None:
        self.port = port
        self.chat_token = f"chat-{secrets.token_hex(12)}"
        self.admin_token = f"admin-{secrets.token_hex(12)}"
        self._now, self._run, self._calls = now, secrets.token_hex(4), 0
        self._random = random.Random(seed)
        self.model = Model(f"CANARY-{self._random.getrandbits(64):016x}", self._new_credential())
        self.containment = Containment(self.model, now, self._new_credential)
        self.telling = Telling(events_url, events_token)
        self.admin = Admin(self.model, self.containment)
        self.gate: Gate | None = None
        """Asked before and after every call of the model, once it is set."""
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
    def page_url(self) -> str:
        """A page on which holes are patched. Its key stands in the fragment, which browsers never send."""
        return f"{self.url}/#{self.admin_token}"

    @property
    def credential(self) -> str:
        """The credential now in force."""
        return self.model.credential

    @property
    def canary(self) -> str:
        """The marker in the system prompt."""
        return self.model.canary

    async def __aenter__(self) -> PracticeAiApp:
        app = web.Application()
        app.add_routes(
            [
                web.post("/api/v1/chat", self._guard(self.chat_token, self.chat)),
                web.post("/credentials/check", self._guard(self.chat_token, self.check_credential)),
                web.get("/version", self._guard(self.chat_token, self.version)),
                web.get("/documents", self._guard(self.chat_token, self.documents)),
                web.put("/documents/{id}", self._guard(self.chat_token, self.put_document)),
                web.get("/memory", self._guard(self.chat_token, self.memory)),
                web.put("/admin/containment/{action}", self._guard(self.admin_token, self.admin.apply)),
                web.delete("/admin/containment/{action}", self._guard(self.admin_token, self.admin.revert)),
                web.get("/admin/containment", self._guard(self.admin_token, self.admin.listing)),
                web.get("/admin/executions", self._guard(self.admin_token, self.admin.executions)),
                web.put("/admin/patches/{hole}", self._guard(self.admin_token, self.admin.patch)),
                web.delete("/admin/patches/{hole}", self._guard(self.admin_token, self.admin.patch)),
                web.get("/admin/state", self._guard(self.admin_token, self.admin.state)),
                web.get("/", page.serve_ai),
                web.get("/{file}", page.serve_ai),
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
        await self.telling.close()
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
        asked = Ask(message, caller.user, caller.session, tools)
        return await (self._answer(asked, caller) if self.gate is None else self._gated(self.gate, asked, caller))

    async def _answer(self, asked: Ask, caller: Caller) -> web.Response:
        begun, answer = self._now(), self.model.answer(asked)
        self._tell(asked, answer, caller, begun, delivered=True)
        return _delivered(answer, caller)

    def _tell(self, asked: Ask, answer: Answer, caller: Caller, begun: float, *, delivered: bool) -> None:
        """Of what the model was asked. Of what was refused before, whoever refused it knows."""
        if not caller.probe:
            self.admin.said.append({"user": caller.user, "message": asked.message, "response": answer.text})
            self._calls += 1
            told = Told(f"{self._run}-{self._calls}", caller, asked.message, answer, delivered, begun, self._now())
            self.telling.tell(events_of(told))

    async def _gated(self, gate: Gate, asked: Ask, caller: Caller) -> web.Response:
        """Ask before the model sees anything, and again before its answer leaves."""
        verdict = await gate.ask(caller, stage="request", documents=sorted(self.model.documents))
        if (held := _held_back(verdict, caller)) is not None:
            return held
        withheld = set(self.model.documents) if not verdict["retrieval"] else set(verdict["withheld"])
        begun = self._now()
        answer = self.model.answer(replace(asked, tools=asked.tools and verdict["tools"], withheld=frozenset(withheld)))
        verdict = await gate.ask(caller, stage="response", tools=bool(answer.tools))
        held = _held_back(verdict, caller)
        self._tell(asked, answer, caller, begun, delivered=held is None)
        return held or _delivered(answer, caller)

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

    async def version(self, request: web.Request) -> web.Response:
        """What is deployed: a replay of an attack records it."""
        return web.json_response({"version": self.model.version})

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

    # What tests, drills and the demo call

    def break_next(self, kind: AdminFault, *, action: str = "*", times: int = 1, seconds: float = 1.0) -> None:
        """Let the next calls of the admin API go wrong."""
        self.admin.breaks.append(Break(kind, action, times, seconds))

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


def _caller(request: web.Request, body: Json) -> Caller:
    user = str(body.get("user") or "anonymous")
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")[0].strip()
    return Caller(
        user=user,
        session=str(body.get("session") or f"session-{user}"),
        api_key=API_KEY,
        ip=forwarded or request.remote or "",
        endpoint=request.path,
        probe="1" in (request.headers.get("x-firsthour-probe"), request.headers.get("x-firsthour-validation")),
    )


def _held_back(verdict: Json, caller: Caller) -> web.Response | None:
    """What the caller gets in place of an answer; None where the call may go on."""
    if not verdict["allow"]:
        retry = {"Retry-After": str(verdict["retry_after"])} if verdict.get("retry_after") else {}
        return web.json_response({"error": verdict["message"]}, status=verdict["status"], headers=retry)
    return _said(verdict["answer"], caller) if verdict["answer"] is not None else None


def _delivered(answer: Answer, caller: Caller) -> web.Response:
    return _said(answer.text, caller, tools=answer.tools, documents=answer.documents)


def _said(text: str, caller: Caller, **more: object) -> web.Response:
    return web.json_response({"response": text, "session": caller.session, "tools": [], "documents": [], **more})
