"""``api.test``, ``auth.test`` and ``apps.connections.open``."""

from __future__ import annotations

from bot.practice.methods.table import Call, Method
from bot.practice.shapes import Json, SlackError
from bot.practice.world import APP_ID, BOT_ID, TEAM_ID


def api_test(call: Call) -> Json:
    """Echo."""
    if error := call.args.text("error"):
        raise SlackError(error, args=call.args.raw)
    return {"args": call.args.raw}


def auth_test(call: Call) -> Json:
    """Who the token belongs to."""
    me = call.me
    return {
        "url": call.world.url,
        "team": "Practice",
        "team_id": TEAM_ID,
        "user": me.name,
        "user_id": me.id,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


def connections_open(call: Call) -> Json:
    """A single-use address for Socket Mode."""
    ticket = call.world.tickets.socket()
    base = call.world.url.replace("http", "ws", 1)
    return {"url": f"{base}link/?ticket={ticket}&app_id={APP_ID}"}


METHODS = (
    Method("api.test", api_test, 4, token="any"),  # the kind of token
    Method("auth.test", auth_test, 5, takes_json=False),
    Method("apps.connections.open", connections_open, 3, "connections:write", token="app"),
)
