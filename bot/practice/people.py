"""A person in the practice workspace: the verbs of Slack's clients. Refuses what a person could not do.

Each verb that the app must answer waits for the acknowledgement and raises ``AppFailed`` where it does not come or
Slack would refuse it. The control API and the in-process client both are this class.
"""

from __future__ import annotations

import mimetypes
import re
from typing import NamedTuple

from bot.practice import blocks as blockkit
from bot.practice import clicks, events, fields, modals, mrkdwn, payloads, posting, sight, submissions
from bot.practice.clicks import Desk
from bot.practice.fields import Value
from bot.practice.shapes import BadAck, CannotDo, DidNotRespond, Json, SlackError
from bot.practice.state import Channel, File, Message, User, View
from bot.practice.submissions import SubmitResult
from bot.practice.world import World

ChannelRef = Channel | str


class Reply(NamedTuple):
    """What the acknowledgement of a slash command said at once; empty where it said nothing."""

    text: str
    blocks: list[Json]
    message: Message | None


class Person:
    """Somebody at their keyboard."""

    def __init__(self, desk: Desk, user: User) -> None:
        self.desk = desk
        self.user = user

    @property
    def id(self) -> str:
        """Slack's user id."""
        return self.user.id

    @property
    def name(self) -> str:
        """The short name."""
        return self.user.name

    @property
    def _world(self) -> World:
        return self.desk.world

    # What they see

    @property
    def view(self) -> View | None:
        """The modal on top, or None."""
        stack = self._world.stack(self.id)
        return stack[-1] if stack else None

    @property
    def home(self) -> View | None:
        """Their Home tab, where the app published one."""
        home = self._world.homes.get(self.id)
        return self._world.views[home] if home else None

    def ephemerals(self, channel: ChannelRef | None = None) -> list[Message]:
        """Messages that only this person sees, oldest first."""
        wanted = sight.channel_of(self._world, self.user, channel).id if channel is not None else None
        return [
            one
            for one in self._world.ephemerals
            if one.ephemeral_to == self.id and not one.deleted and wanted in (None, one.channel)
        ]

    def channels(self) -> list[Channel]:
        """The channels this person can see."""
        return [one for one in self._world.channels.values() if self._world.visible(one, self.id)]

    def messages(self, channel: ChannelRef) -> list[Message]:
        """A channel as this person sees it, their ephemeral messages among the others."""
        found = sight.channel_of(self._world, self.user, channel)
        return sorted([*found.live_messages(), *self.ephemerals(found)], key=lambda one: float(one.ts))

    def confirmation(
        self, channel: ChannelRef | None, message: Message | View | str | None, action_id: str, value: str | None = None
    ) -> dict[str, str] | None:
        """The texts of the confirmation dialog of an element (title, text, confirm, deny), or None."""
        place = clicks.place_of(self.desk, self.user, channel, message)
        return clicks.confirmation(sight.element_of(place.blocks, action_id, value))

    # Commands, buttons, menus, modals

    async def slash(self, channel: ChannelRef, line: str) -> Reply:
        """Type a slash command such as ``/incident sev 2``."""
        where = sight.own_channel(self._world, self.user, channel)
        command, _, text = line.partition(" ")
        if not command.startswith("/"):
            raise CannotDo("a slash command starts with /")
        if self.desk.commands is not None and command not in self.desk.commands:
            raise CannotDo(f"{command} is not a valid command")
        hook = self._world.tickets.hook(self._world.url, "commands", self.id, where.id)
        trigger = self._world.tickets.trigger(self.id)
        body = payloads.slash(self.user, where, command, text.strip(), hook, trigger)
        try:
            answer = await self.desk.socket.ask("slash_commands", body, accepts=True)
            return self._reply(where, answer)
        except (DidNotRespond, BadAck) as failed:
            text = f"{command} did not respond ({failed})"
            posting.slackbot_says(self._world, where, self.id, text)
            raise

    def _reply(self, channel: Channel, answer: Json) -> Reply:
        text, blocks = str(answer.get("text") or ""), answer.get("blocks") or []
        if not text and not blocks:
            return Reply("", [], None)
        try:
            if blocks:
                blockkit.message_blocks(blocks)
        except SlackError as refused:
            raise BadAck(f"invalid_command_response: {refused.extra or refused.code}") from refused
        if answer.get("response_type") == "in_channel":
            message = posting.post(self._world, channel, self._world.bot.id, text, blocks=blocks)
        else:
            message = posting.whisper(self._world, channel, self.id, text, blocks)
        return Reply(text, message.blocks, message)

    async def press(
        self,
        channel: ChannelRef | None,
        message: Message | View | str | None,
        action_id: str,
        value: str | int | None = None,
        *,
        confirm: bool = True,
    ) -> bool:
        """Press a button and wait for the ack. ``value`` tells buttons of the same action id apart (a button's value,
        or an int: the nth). Without a channel it is in the modal on top, or in the given view (a Home tab).
        ``confirm=False`` backs out of a confirmation dialog: nothing is sent and False comes back."""
        place = clicks.place_of(self.desk, self.user, channel, message)
        return await clicks.press(self.desk, self.user, place, action_id, value, confirm=confirm)

    async def choose(
        self,
        channel: ChannelRef | None,
        message: Message | View | str | None,
        action_id: str,
        value: Value,
        *,
        nth: int | None = None,
        confirm: bool = True,
    ) -> bool:
        """Choose an option's value, several (a list), a person, a channel, a date … in any menu or picker."""
        place = clicks.place_of(self.desk, self.user, channel, message)
        return await clicks.choose(self.desk, self.user, place, action_id, value, nth=nth, confirm=confirm)

    def fill(self, values: dict[str, Value]) -> None:
        """Type into the modal on top without submitting it."""
        submissions.fill(self.desk, sight.top_view(self._world, self.user, None), values)

    async def submit(self, view: View | str | None, values: dict[str, Value] | None = None) -> SubmitResult:
        """Fill in fields by block id and submit the modal (None: the one on top)."""
        return await submissions.submit(self.desk, self.user, view, values or {})

    async def close_view(self, view: View | str | None = None) -> None:
        """Cancel the modal on top."""
        await submissions.close(self.desk, self.user, view)

    async def shortcut(self, callback_id: str) -> None:
        """Run a global shortcut."""
        trigger = self._world.tickets.trigger(self.id)
        await self.desk.socket.ask(
            "interactive", payloads.shortcut(self.user, callback_id, trigger, self._world), accepts=False
        )

    async def message_shortcut(self, channel: ChannelRef, message: Message | str, callback_id: str) -> None:
        """Run a shortcut on a message."""
        where, target = sight.message_of(self._world, self.user, channel, message)
        if target.ephemeral_to is not None:
            raise CannotDo("ephemeral messages have no shortcuts")
        hook = self._world.tickets.hook(self._world.url, "app", self.id, where.id, message_ts=target.ts)
        trigger = self._world.tickets.trigger(self.id)
        body = payloads.message_shortcut(self.user, where, target, callback_id, hook, trigger, self._world)
        await self.desk.socket.ask("interactive", body, accepts=False)

    async def open_home(self) -> View | None:
        """Open the app's Home tab; the app hears of it and may publish later."""
        modals.close_all(self._world, self.id)
        direct = self._world.direct(self.id, self._world.bot.id)
        events.home_opened(self._world, self.id, direct)
        return self.home

    # Talking and moving about

    async def say(self, channel: ChannelRef, text: str, *, thread: Message | str | None = None) -> Message:
        """Write a message; ``@name`` becomes a mention, everything else is inert, as Slack's editor does it."""
        where = sight.own_channel(self._world, self.user, channel)
        if not text.strip():
            raise CannotDo("an empty message cannot be sent")
        root: str | None = None
        if thread is not None:
            _, parent = sight.message_of(self._world, self.user, where, thread)
            root = parent.thread_ts or parent.ts
        blocks = [fields.rich_text(text)]
        return posting.post(self._world, where, self.id, self._typed(text), blocks=blocks, thread_ts=root)

    def _typed(self, text: str) -> str:
        def mention(match: re.Match[str]) -> str:
            found = self._world.user(match.group(1) or match.group(2))
            return f"<@{found.id}>" if found else match.group(0)

        return re.sub(r"&lt;@(\w+)&gt;|(?<!\w)@([\w-]+)", mention, mrkdwn.escape(text))

    async def edit(self, channel: ChannelRef, message: Message | str, text: str) -> None:
        """Change an own message."""
        _, target = sight.message_of(self._world, self.user, channel, message)
        if target.user != self.id:
            raise CannotDo("only one's own messages can be edited")
        edited = {"user": self.id, "ts": self._world.next_ts()}
        posting.rewrite(self._world, target, text=self._typed(text), blocks=[fields.rich_text(text)], edited=edited)

    async def delete(self, channel: ChannelRef, message: Message | str) -> None:
        """Delete an own message, any message as an admin, or dismiss an ephemeral one."""
        _, target = sight.message_of(self._world, self.user, channel, message)
        if target.ephemeral_to is None and target.user != self.id and not self.user.is_admin:
            raise CannotDo(f"{self.name} may not delete this message")
        posting.delete(self._world, target)

    async def react(self, channel: ChannelRef, message: Message | str, name: str) -> None:
        """Add a reaction, or take it away again."""
        where, target = sight.message_of(self._world, self.user, channel, message)
        sight.own_channel(self._world, self.user, where)
        if target.ephemeral_to is not None:
            raise CannotDo("ephemeral messages take no reactions")
        users = target.reactions.setdefault(name, [])
        added = self.id not in users
        users.append(self.id) if added else users.remove(self.id)
        if not users:
            del target.reactions[name]
        kind = "reaction_added" if added else "reaction_removed"
        events.reaction(self._world, target, self.id, name, kind)
        self._world.touch()

    async def upload(self, channel: ChannelRef, name: str, content: bytes) -> File:
        """Upload a file and share it."""
        one = self.put_file(name, content)
        await self.share_file(channel, one)
        return one

    def put_file(self, name: str, content: bytes) -> File:
        """Upload a file without sharing it, as for a form's file input."""
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        now = int(self._world.now())
        one = File(self._world.next_id("F"), name, len(content), name, self.id, content, complete=True)
        one.mimetype, one.created = kind, now
        self._world.files[one.id] = one
        return one

    async def share_file(self, channel: ChannelRef, file: File) -> Message:
        """Share a file that was uploaded, perhaps again."""
        where = sight.own_channel(self._world, self.user, channel)
        file.channels.append(where.id)
        message = posting.post(self._world, where, self.id, "", files=[file.id], subtype="file_share")
        events.file_shared(self._world, where, file.id, self.id)
        return message

    async def delete_file(self, file: File) -> None:
        """Delete one's own file for everybody."""
        if file.user != self.id and not self.user.is_admin:
            raise CannotDo(f"{self.name} may not delete this file")
        file.deleted, file.content = True, None
        self._world.touch()

    async def create_channel(self, name: str, *, private: bool = False) -> Channel:
        """Make a channel."""
        if self.user.is_restricted:
            raise CannotDo("guests cannot make channels")
        if not re.fullmatch(r"[a-z0-9_-]{1,80}", name) or self._world.channel(name) is not None:
            raise CannotDo(f"{name!r} is taken or no name for a channel")
        channel = Channel(self._world.next_id("C"), name, self.id, int(self._world.now()), is_private=private)
        self._world.channels[channel.id] = channel
        posting.add_member(self._world, channel, self.id)
        return channel

    async def join(self, channel: ChannelRef) -> None:
        """Come into a public channel."""
        where = sight.channel_of(self._world, self.user, channel)
        if self.user.is_restricted or where.is_private or where.archived:
            raise CannotDo(f"{self.name} cannot join #{where.name} without an invitation")
        if self.id not in where.members:
            posting.add_member(self._world, where, self.id)

    async def leave(self, channel: ChannelRef) -> None:
        """Go."""
        where = sight.own_channel(self._world, self.user, channel)
        if where.is_general:
            raise CannotDo("nobody leaves #general")
        posting.remove_member(self._world, where, self.id)

    async def invite(self, channel: ChannelRef, *names: str) -> None:
        """Bring others (also the bot) in."""
        where = sight.own_channel(self._world, self.user, channel)
        if self.user.is_restricted:
            raise CannotDo("guests cannot invite")
        for name in names:
            other = self._world.user(name)
            if other is None or other.deleted:
                raise CannotDo(f"there is nobody called {name}")
            if other.id not in where.members:
                posting.add_member(self._world, where, other.id, self.id)

    async def kick(self, channel: ChannelRef, name: str) -> None:
        """Remove somebody (also the bot), as an admin or the channel's creator."""
        where = sight.own_channel(self._world, self.user, channel)
        other = self._world.user(name)
        if other is None or other.id not in where.members or where.is_general:
            raise CannotDo(f"{name} cannot be removed from #{where.name}")
        if not self.user.is_admin and where.creator != self.id:
            raise CannotDo(f"{self.name} may not remove people")
        posting.remove_member(self._world, where, other.id)

    async def rename(self, channel: ChannelRef, name: str) -> None:
        """Give a channel another name, as an admin or its creator."""
        where = sight.own_channel(self._world, self.user, channel)
        if not self.user.is_admin and where.creator != self.id:
            raise CannotDo(f"{self.name} may not rename #{where.name}")
        posting.rename(self._world, where, self.id, name)

    async def archive(self, channel: ChannelRef) -> None:
        """Archive a channel."""
        where = sight.own_channel(self._world, self.user, channel)
        if where.is_general or where.is_im or self.user.is_restricted:
            raise CannotDo(f"{self.name} cannot archive #{where.name}")
        posting.archive(self._world, where, self.id)

    async def unarchive(self, channel: ChannelRef) -> None:
        """Bring a channel back."""
        where = sight.channel_of(self._world, self.user, channel)
        if not where.archived or self.user.is_restricted:
            raise CannotDo(f"#{where.name} is not archived")
        posting.archive(self._world, where, self.id, undo=True)
