"""What a person can see and reach: channels, messages, elements. Refuses the rest with ``CannotDo``."""

from __future__ import annotations

from bot.practice.shapes import CannotDo, Json
from bot.practice.state import Channel, Message, Placed, User, View, elements_of
from bot.practice.world import World

MessageRef = Message | str


def channel_of(world: World, user: User, ref: Channel | str) -> Channel:
    """A channel by object, id, name, or ``@person`` for a direct conversation; the person must be able to see it."""
    if isinstance(ref, Channel):
        found: Channel | None = ref
    elif ref.startswith("@"):
        other = world.user(ref)
        if other is None:
            raise CannotDo(f"there is nobody called {ref}")
        found = world.direct(user.id, other.id)
    else:
        found = world.channel(ref)
    if found is None or not world.visible(found, user.id):
        raise CannotDo(f"{user.name} sees no channel {ref if isinstance(ref, str) else ref.name}")
    return found


def own_channel(world: World, user: User, ref: Channel | str) -> Channel:
    """A channel that the person is in and that is open: where one can write."""
    found = channel_of(world, user, ref)
    if user.id not in found.members:
        raise CannotDo(f"{user.name} is not a member of #{found.name}")
    if found.archived:
        raise CannotDo(f"#{found.name} is archived")
    return found


def message_of(world: World, user: User, channel: Channel | str | None, ref: MessageRef) -> tuple[Channel, Message]:
    """A message that the person sees, in a channel or only for them."""
    ts = ref.ts if isinstance(ref, Message) else ref
    where = ref.channel if channel is None and isinstance(ref, Message) else channel
    if where is None:
        raise CannotDo("say which channel")
    found = channel_of(world, user, where)
    message = world.find(found, ts)
    if message is None:
        message = world.ephemeral(user.id, ts)
        if message is not None and message.channel != found.id:
            message = None
    if message is not None:
        return found, message
    if any(one.ts == ts for one in world.ephemerals):
        raise CannotDo(f"{user.name} does not see that message: it is gone, or only visible to somebody else")
    raise CannotDo(f"there is no message {ts} in #{found.name}, or it was deleted")


def element_of(blocks: list[Json], action_id: str, value: str | int | None, kinds: tuple[str, ...] = ()) -> Placed:
    """The element of an action id; ``value`` (a button's value, or an int counting from 0) tells equal ones apart."""
    found = [one for one in elements_of(blocks) if one.element.get("action_id") == action_id]
    if kinds:
        found = [one for one in found if one.element["type"] in kinds]
    if not found:
        there = sorted({str(one.element.get("action_id")) for one in elements_of(blocks)})
        raise CannotDo(f"there is no {action_id!r} here; there are: {', '.join(there) or 'no elements'}")
    if isinstance(value, int):
        if value >= len(found):
            raise CannotDo(f"there are only {len(found)} of {action_id!r}")
        return found[value]
    if value is not None:
        values = [str(one.element.get("value", "")) for one in found]
        if value not in values:
            raise CannotDo(f"no {action_id!r} has the value {value!r}; there are: {', '.join(values)}")
        return found[values.index(value)]
    if len(found) > 1:
        values = [str(one.element.get("value", "")) for one in found]
        raise CannotDo(f"there are several {action_id!r}; say which value: {', '.join(values)}")
    return found[0]


def top_view(world: World, user: User, ref: View | str | None) -> View:
    """The modal on top of the person's screen (the only one they can reach), or their Home tab."""
    stack = world.stack(user.id)
    wanted = ref.id if isinstance(ref, View) else ref
    if wanted is not None and world.homes.get(user.id) == wanted:
        return world.views[wanted]
    if not stack:
        raise CannotDo(f"{user.name} has no modal open")
    if wanted is not None and stack[-1].id != wanted:
        raise CannotDo("that modal is not open, or another one is on top of it")
    return stack[-1]
