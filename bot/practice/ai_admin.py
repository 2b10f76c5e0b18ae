"""The practice AI app's admin API: what responders call to contain and to patch, and the faults it can be given.

Decides how a call goes wrong. What containment means is ``ai_containment``'s.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Literal

from aiohttp import web

from bot.practice.ai_containment import Containment, NotPossible
from bot.practice.ai_model import HOLES, Model
from bot.practice.shapes import Json

SAID = 8
AdminFault = Literal["error_before", "error_after", "lie", "delay", "reset_after"]


@dataclass
class Break:
    """A fault of the admin API: ``lie`` answers 200 without doing it, ``error_after`` 500 after doing it."""

    kind: AdminFault
    action: str = "*"
    times: int = 1
    seconds: float = 1.0


@dataclass
class Admin:
    model: Model
    containment: Containment
    breaks: list[Break] = field(default_factory=list)
    said: deque[Json] = field(default_factory=lambda: deque(maxlen=SAID))
    """What people asked and were answered last, verification calls apart."""

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

    async def state(self, request: web.Request) -> web.Response:
        """For the page: the version, which holes are open, what was said last."""
        holes = {hole: self.model.open(hole) for hole in HOLES}
        return web.json_response({"version": self.model.version, "holes": holes, "said": list(self.said)[::-1]})
