"""Does every surface show what a fresh rendering of the store shows?

Decides only what counts as the same: every word, every button and every value, at some moment around its last sending
(cards name the minute, so a rendering is only comparable at its own time).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.incident.casefile import CaseFile
from bot.incident.outward import Surface, SurfaceKind
from bot.playbook import Playbook
from bot.practice.server import PracticeWorkspace
from bot.practice.state import Message
from bot.slack.cards import render

BEFORE, STEP = timedelta(seconds=20), timedelta(seconds=0.25)
"""A message is rendered at most so long before its call is recorded as shown."""


def differing(workspace: PracticeWorkspace, file: CaseFile, playbook: Playbook, *, speed: float) -> list[str]:
    """A sentence for each surface that shows something else."""
    return [
        f"{file.incident.name}: the {surface.kind} {surface.part} is not what the store says"
        for surface in file.surfaces
        if not _same(workspace, file, surface, playbook, speed)
    ]


def _same(workspace: PracticeWorkspace, file: CaseFile, surface: Surface, playbook: Playbook, speed: float) -> bool:
    if surface.shown_at is None:
        return False
    shown = _shown(workspace, file, surface)
    return shown is not None and any(
        shown == _rendered(replace(file, now=now), surface, playbook, speed) for now in _moments(surface.shown_at)
    )


def _moments(shown_at: datetime) -> Iterator[datetime]:
    """From the time at which it was recorded as shown, backwards."""
    at = shown_at if shown_at.tzinfo else shown_at.replace(tzinfo=UTC)
    earliest = at - BEFORE
    while at >= earliest:
        yield at
        at -= STEP


Looks = tuple[str, tuple[tuple[str, str, str], ...]]


def _looks(message: Message) -> Looks:
    pressable = tuple((button.action_id, button.value, button.text) for button in message.buttons())
    return f"{message.text}\n{message.plain()}", pressable


def _shown(workspace: PracticeWorkspace, file: CaseFile, surface: Surface) -> Looks | None:
    channel = workspace.world.channels.get(surface.channel_id or "")
    if channel is None:
        return None
    if surface.kind is SurfaceKind.TOPIC:
        return channel.topic, ()
    found = channel.messages.get(surface.ts or "")
    return _looks(found) if found is not None and not found.deleted else None


def _rendered(file: CaseFile, surface: Surface, playbook: Playbook, speed: float) -> Looks:
    message = render(surface.kind, surface.part, file, playbook, speed=speed)
    if surface.kind is SurfaceKind.TOPIC:
        return str(message.text), ()
    payload = message.payload()
    return _looks(Message(channel="", ts="", user="", text=payload["text"], blocks=payload["blocks"]))
