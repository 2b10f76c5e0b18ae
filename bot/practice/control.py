"""The HTTP control API under ``/control/``: the verbs of ``Person`` and of the workspace, for the page and for tests
in another process.

Decides who may drive (the bearer of the control token, from no foreign page) and how values look in JSON. What a verb
does is in ``people`` and ``server``: there is one implementation.

    POST /control/do     {"as": "alice", "verb": "press", "args": {…}}   -> {"ok": true, "result": …}
    POST /control/server {"verb": "disconnect", "args": {…}}
    GET  /control/state?as=alice   what alice sees      GET /control/wait?after=N   answers when something changed
    GET  /control/file?as=alice&id=F1   the bytes of a file in Base64
    GET  /control/record           calls, envelopes, acks, message versions
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.practice import display
from bot.practice.people import Person, Reply
from bot.practice.shapes import AppFailed, CannotDo, Json
from bot.practice.state import Channel, File, Message, View
from bot.practice.submissions import SubmitResult

if TYPE_CHECKING:
    from bot.practice.server import PracticeWorkspace

PERSON_VERBS = frozenset(
    {
        "slash",
        "press",
        "choose",
        "submit",
        "close_view",
        "shortcut",
        "message_shortcut",
        "upload",
        "put_file",
        "open_home",
        "say",
        "edit",
        "delete",
        "react",
        "create_channel",
        "join",
        "leave",
        "invite",
        "kick",
        "rename",
        "archive",
        "unarchive",
        "confirmation",
    }
)
WAIT_MOST = 25.0


def allowed(request: web.Request, token: str) -> bool:
    """The right token, a loopback name in Host (no rebinding), and no foreign Origin."""
    host = request.host.rsplit(":", 1)[0]
    origin = request.headers.get("Origin")
    if host not in ("127.0.0.1", "localhost") or (origin and origin != f"http://{request.host}"):
        return False
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return hmac.compare_digest(given.encode(), token.encode())


def plain(value: Any) -> Any:
    """A result as JSON."""
    match value:
        case Message():
            return message(value)
        case View():
            return view(value)
        case Channel():
            return channel(value)
        case File():
            return {"id": value.id, "name": value.name}
        case Reply():
            return {"text": value.text, "blocks": value.blocks, "message": plain(value.message)}
        case SubmitResult():
            return {"closed": value.closed, "errors": value.errors, "view": plain(value.view)}
        case _:
            return value


def message(one: Message, reader: str = "") -> Json:
    """A message for the page and for remote clients."""
    return {
        **display.message(one),
        "channel": one.channel,
        "ephemeral": one.ephemeral_to is not None,
        "from_slackbot": one.from_slackbot,
        "plain": one.plain(),
        "chosen": display.values(one.typed.get(reader, {}))["values"],
    }


def view(one: View) -> Json:
    """A view for the page and for remote clients."""
    return {**display.view(one, one.typed), "errors": one.errors, "open": one.open}


def channel(one: Channel) -> Json:
    """A channel with its members, pins and bookmarks."""
    shown = asdict(one)
    del shown["messages"]
    return shown


def state(workspace: PracticeWorkspace, person: Person) -> Json:
    """Everything that one person sees."""
    world = workspace.world
    channels = []
    for one in person.channels():
        messages = [message(shown, person.id) for shown in person.messages(one)]
        name = one.name
        if one.is_im:
            other = next((member for member in one.members if member != person.id), person.id)
            name = world.users[other].name
        channels.append({**channel(one), "title": name, "messages": messages})
    people = [
        {"id": one.id, "name": one.name, "real_name": one.real_name, "is_bot": one.is_bot, "guest": one.is_restricted}
        for one in world.users.values()
    ]
    return {
        "version": world.changes.version,
        "me": person.id,
        "connected": workspace.connected,
        "people": people,
        "groups": [display.group(one) for one in world.groups.values()],
        "channels": channels,
        "view": view(person.view) if person.view else None,
        "depth": len(world.stack(person.id)),
        "message_shortcuts": dict(workspace.message_shortcuts),
        "home": view(person.home) if person.home else None,
    }


class Control:
    """The handlers."""

    def __init__(self, workspace: PracticeWorkspace) -> None:
        self.workspace = workspace

    def guarded(
        self, handler: Callable[[web.Request], Awaitable[Json]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Check the token and turn refusals into answers."""

        async def run(request: web.Request) -> web.Response:
            if not allowed(request, self.workspace.control_token):
                return web.json_response({"ok": False, "error": "forbidden"}, status=403)
            try:
                return web.json_response({"ok": True, "result": await handler(request)})
            except CannotDo as refused:
                return web.json_response({"ok": False, "error": "cannot_do", "message": str(refused)})
            except AppFailed as failed:
                return web.json_response(
                    {"ok": False, "error": "app_failed", "kind": type(failed).__name__, "message": str(failed)}
                )
            except (KeyError, TypeError, ValueError) as wrong:
                return web.json_response({"ok": False, "error": "bad_request", "message": str(wrong)}, status=400)

        return run

    def _person(self, name: str | None) -> Person:
        return self.workspace.person(name or "alice")

    async def do(self, request: web.Request) -> Any:
        """A verb of a person."""
        body = await request.json()
        verb = body["verb"]
        if verb not in PERSON_VERBS:
            raise ValueError(f"no such verb: {verb}")
        args = _arguments(verb, body.get("args") or {})
        names = args.pop("names", [])
        channel = [args.pop("channel")] if names else []
        found = getattr(self._person(body["as"]), verb)(*channel, *names, **args)
        return plain(await found if hasattr(found, "__await__") else found)

    async def server(self, request: web.Request) -> Any:
        """A verb of the workspace."""
        body = await request.json()
        args, space = body.get("args") or {}, self.workspace
        match body["verb"]:
            case "redeliver":
                return await space.redeliver(args["envelope_id"], int(args.get("times", 1)))
            case "disconnect":
                await space.disconnect(args.get("reason", "refresh_requested"))
            case "abort_sockets":
                await space.abort_sockets()
            case "refuse_connections":
                space.refuse_connections(int(args.get("times", 1)))
            case "add_fault":
                space.faults.add(**args)
            case "clear_faults":
                space.faults.clear()
            case "limits":
                space.limits.on = bool(args["on"])
            case "latency":
                space.web.latency = float(args["seconds"])
            case _:
                raise ValueError(f"no such verb: {body['verb']}")
        return None

    async def state(self, request: web.Request) -> Json:
        """What a person sees."""
        return state(self.workspace, self._person(request.query.get("as")))

    async def file(self, request: web.Request) -> Json:
        """The bytes of a file that was shared where the person is, for the page."""
        one = self.workspace.world.files[request.query["id"]]
        mine = {channel.id for channel in self._person(request.query.get("as")).channels()}
        if one.content is None or not mine & set(one.channels):
            raise CannotDo("this file was deleted, or was shared where you are not")
        return {"name": one.name, "type": one.mimetype, "base64": base64.b64encode(one.content).decode()}

    async def wait(self, request: web.Request) -> Json:
        """Answer as soon as something changed after a version."""
        after = int(request.query.get("after", "0"))
        seconds = min(float(request.query.get("timeout", WAIT_MOST)), WAIT_MOST)
        return {"version": await self.workspace.world.changes.after(after, seconds)}

    async def record(self, request: web.Request) -> Json:
        """The whole record."""
        record = self.workspace.record
        envelopes = [
            {"id": one.id, "type": one.type, "payload": one.payload, "outcome": one.outcome, "sent": len(one.sent)}
            for one in record.envelopes
        ]
        return {
            "calls": [asdict(one) for one in record.every_call],
            "envelopes": envelopes,
            "acks": [asdict(one) for one in record.acks],
            "versions": [asdict(one) for one in record.versions],
            "hook_posts": record.hook_posts,
        }


def _arguments(verb: str, args: Json) -> Json:
    """Messages come as timestamps, bytes in Base64; the names are those of ``Person``'s parameters."""
    if verb in ("upload", "put_file"):
        args = {**args, "content": base64.b64decode(args["content"], validate=True)}
    if verb in ("press", "choose", "confirmation"):
        args = {"channel": None, "message": None, **args}
    return {"view": None, **args} if verb == "submit" else args


def mount(app: web.Application, workspace: PracticeWorkspace) -> None:
    """Add the routes."""
    control = Control(workspace)
    app.router.add_post("/control/do", control.guarded(control.do))
    app.router.add_post("/control/server", control.guarded(control.server))
    app.router.add_get("/control/state", control.guarded(control.state))
    app.router.add_get("/control/file", control.guarded(control.file))
    app.router.add_get("/control/wait", control.guarded(control.wait))
    app.router.add_get("/control/record", control.guarded(control.record))


__all__ = ["Control", "allowed", "mount", "plain", "state"]
