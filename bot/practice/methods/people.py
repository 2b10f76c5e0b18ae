"""``users.*``, ``usergroups.*``, ``team.info``, ``bots.info``: who there is."""

from __future__ import annotations

from bot.practice import display
from bot.practice.methods.table import Call, Method
from bot.practice.shapes import Json, SlackError
from bot.practice.state import User
from bot.practice.world import APP_ID, BOT_ID, TEAM_DOMAIN, TEAM_ID


def _shown(call: Call, one: User) -> Json:
    body = display.user(one)
    if "users:read.email" not in call.token.scopes:
        body["profile"].pop("email", None)
    return body


def info(call: Call) -> Json:
    """One person."""
    one = call.world.users.get(call.args.need("user", "user_not_found"))
    if one is None:
        raise SlackError("user_not_found")
    return {"user": _shown(call, one)}


def listing(call: Call) -> Json:
    """Everybody."""
    page, more = call.args.page(list(call.world.users.values()))
    return {"members": [_shown(call, one) for one in page], "response_metadata": more}


def by_email(call: Call) -> Json:
    """The person with an e-mail address."""
    wanted = call.args.need("email").lower()
    for one in call.world.users.values():
        if one.email and one.email.lower() == wanted and not one.deleted:
            return {"user": _shown(call, one)}
    raise SlackError("users_not_found")


def groups(call: Call) -> Json:
    """All user groups."""
    disabled, members = call.args.flag("include_disabled"), call.args.flag("include_users")
    shown = [display.group(one) for one in call.world.groups.values() if disabled or not one.disabled]
    if not members:
        for one in shown:
            one.pop("users")
    return {"usergroups": shown}


def group_members(call: Call) -> Json:
    """Who is in a user group."""
    one = call.world.groups.get(call.args.need("usergroup", "no_such_subteam"))
    if one is None:
        raise SlackError("no_such_subteam")
    return {"users": list(one.users)}


def team(call: Call) -> Json:
    """The workspace."""
    return {"team": {"id": TEAM_ID, "name": "Practice", "domain": TEAM_DOMAIN, "email_domain": "practice.example"}}


def bot(call: Call) -> Json:
    """The app's bot."""
    if call.args.text("bot") not in (None, BOT_ID):
        raise SlackError("bot_not_found")
    me = call.me
    return {"bot": {"id": BOT_ID, "deleted": False, "name": me.name, "app_id": APP_ID, "user_id": me.id}}


METHODS = (
    Method("users.info", info, 4, "users:read", takes_json=False),
    Method("users.list", listing, 2, "users:read", takes_json=False),
    Method("users.lookupByEmail", by_email, 3, "users:read.email", takes_json=False),
    Method("usergroups.list", groups, 2, "usergroups:read", takes_json=False),
    Method("usergroups.users.list", group_members, 2, "usergroups:read", takes_json=False),
    Method("team.info", team, 3, "team:read", takes_json=False),
    Method("bots.info", bot, 3, "users:read", takes_json=False),
)
