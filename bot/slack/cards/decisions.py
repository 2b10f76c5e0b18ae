"""The direct message to the commander: what waits for a decision, kept current, never more than the room shows.

Decides what it says while something waits, once nothing does, and to somebody who has handed command over. When it is
sent, and that a later batch gets a message of its own, is `bot.cases.ask_commander`'s.
"""

from __future__ import annotations

from slack_sdk.models.blocks import Block

from bot.incident.outward import SurfaceKind
from bot.incident.words import ActionState
from bot.incident.work import Action
from bot.slack.cards.deciding import decide, named
from bot.slack.cards.fitting import Entry, fit
from bot.slack.cards.panel import described
from bot.slack.cards.scene import Scene
from bot.slack.cards.standing import verdict
from bot.slack.kit import Message, actions, context, section
from bot.slack.text import Md, channel, md, who


def decisions(scene: Scene) -> Message:
    person, _, first = scene.part.partition(":")
    batch = _batch(scene, person, int(first or 1))
    mine = scene.file.commander == person and not scene.ended
    waiting = [one for one in batch if one.state is ActionState.PROPOSED] if mine else []
    room = scene.incident.channel_id
    where = md(" The room is {}.", channel(room)) if room else Md("")
    text = md("{}{}", _said(scene, len(waiting), mine=mine), where)
    head: list[Block] = [section(text)]
    entries = [_waits(scene, one) if one in waiting else _decided(scene, one) for one in batch]
    foot: list[Block] = [context(Md("Whoever decides first, here or in the room, decides. This message follows."))]
    return Message(text, fit(head, entries, foot if waiting else ()))


def _batch(scene: Scene, person: str, first: int) -> list[Action]:
    """From the first action that was asked about to where this person's next message begins. What ran by itself is not in it."""
    begun = [s.part.partition(":") for s in scene.file.surfaces if s.kind is SurfaceKind.DECISIONS]
    later = [int(index) for whose, _, index in begun if whose == person and int(index) > first]
    last = min(later, default=None)
    return [
        one
        for one in scene.file.actions
        if one.index >= first and (last is None or one.index < last) and (not one.auto or scene.file.signed(one))
    ]


def _said(scene: Scene, waiting: int, *, mine: bool) -> Md:
    what = md("{} ({})", scene.name, scene.severity)
    if waiting:
        number = "An action waits" if waiting == 1 else f"{waiting} actions wait"
        return md("*{}*: {} for your decision.", what, number)
    if mine:
        return md("*{}*: nothing of this waits for your decision any more.", what)
    if scene.ended:
        return md("*{}* is {}: nothing waits for your decision.", what, scene.status)
    holder = scene.file.commander
    now = md("{} has command now", who(holder)) if holder else Md("you do not have command any more")
    return md("*{}*: {}; nothing waits for your decision.", what, now)


def _waits(scene: Scene, action: Action) -> Entry:
    pressable = actions(*decide(scene, action), block_id=f"decide:{action.incident}:{action.index}")
    folded = md("{}: decide in the containment panel", named(scene, action))
    return Entry((section(described(scene, action)), pressable), folded)


def _decided(scene: Scene, action: Action) -> Entry:
    line = md("{}: {}", named(scene, action), verdict(scene, action))
    return Entry((section(line),), line, rank=1)
