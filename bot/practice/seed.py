"""Who and what is in the workspace when it opens."""

from __future__ import annotations

from bot.practice.state import Channel, User, UserGroup
from bot.practice.world import BOT_USER_ID, SLACKBOT, World

PEOPLE = (
    # name, real name, admin, guest
    ("alice", "Alice Andersson", True, False),
    ("bob", "Bob Brown", False, False),
    ("carol", "Carol Chen", False, False),
    ("dave", "Dave Diaz", False, False),
    ("erin", "Erin Ekwueme (Legal)", False, False),
    ("frank", "Frank Fischer", False, False),
    ("gina", "Gina Guest", False, True),
)
GROUPS = (
    ("oncall", "On call", ("alice", "bob")),
    ("ai-security", "AI security", ("alice", "carol")),
    ("legal", "Legal", ("erin",)),
)


def user_id(name: str) -> str:
    """The id of a seeded person."""
    return f"U0{name.upper()}"


def plant(world: World) -> None:
    """Fill an empty world."""
    world.users[BOT_USER_ID] = User(BOT_USER_ID, "firsthour", "Firsthour", is_bot=True)
    world.users[SLACKBOT] = User(SLACKBOT, "slackbot", "Slackbot", is_bot=True)
    for name, real_name, admin, guest in PEOPLE:
        world.users[user_id(name)] = User(
            user_id(name), name, real_name, f"{name}@practice.example", is_admin=admin, is_restricted=guest
        )
    for handle, title, members in GROUPS:
        group_id = world.next_id("S")
        world.groups[group_id] = UserGroup(group_id, handle, title, [user_id(one) for one in members])
    everyone = [user_id(name) for name, _, _, guest in PEOPLE if not guest]
    rooms: tuple[tuple[str, list[str]], ...] = (
        ("general", everyone),
        ("incidents", [*everyone, BOT_USER_ID]),
        ("random", everyone),
    )
    for name, inside in rooms:
        channel = Channel(
            world.next_id("C"),
            name,
            user_id("alice"),
            int(world.now()),
            is_general=name == "general",
            members=list(inside),
        )
        world.channels[channel.id] = channel
