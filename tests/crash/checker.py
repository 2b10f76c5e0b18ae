"""Is anything lost, doubled or untrue? Reads the workspace's own record, the AI app's executions and the store; nothing else.

Decides what "0 lost, 0 doubled" means, line by line. Returns every problem as a sentence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from sqlmodel import col, select

from bot.incident.casefile import CaseFile
from bot.incident.errors import ChainBroken
from bot.incident.incident import Alert, Incident
from bot.incident.outward import Intent, IntentKind, IntentState, SurfaceKind
from bot.incident.timeline import Happened, TimelineEntry
from bot.incident.words import ActionState
from bot.incident.work import Action
from bot.playbook import DEFAULT_PATH, load
from bot.practice.ai_app import PracticeAiApp
from bot.practice.server import PracticeWorkspace
from bot.practice.state import Channel
from bot.store import Store, queries
from tests.crash import surfaces

S = ActionState
ONCE = frozenset({S.VERIFIED, S.REVERTED})
NEVER = frozenset({S.PROPOSED, S.DECLINED, S.EXPIRED})
ALWAYS_SAID = frozenset({"severity_changed", "resolved", "catch_up"})
"""Messages that cannot become pointless before they are sent, while their incident goes on."""


async def check(
    workspace: PracticeWorkspace, ai_app: PracticeAiApp, store: Store, told: Mapping[str, str], *, speed: float
) -> list[str]:
    """`told`: what the senders of alerts were answered, by external id."""
    problems = [*await _alerts(store, told), *await _intents(workspace, store), *_messages(workspace)]
    playbook = load(DEFAULT_PATH)
    numbers = await _numbers(store)
    problems += _rooms(workspace, numbers)
    files = []
    for number in numbers:
        async with store.read() as session:
            file = await queries.case_file(session, number, store.now())
            try:
                await queries.verify_timeline(session, number)
            except ChainBroken as broken:
                problems.append(str(broken))
            begun = await _begun(session, number)
        files.append(file)
        problems += _room(workspace, file, begun)
        problems += _actions(ai_app, file)
        problems += surfaces.differing(workspace, file, playbook, speed=speed)
    return [*problems, *_targets(ai_app, files), *await _notes(workspace, store)]


async def _numbers(store: Store) -> Sequence[int]:
    async with store.read() as session:
        return (await session.exec(select(Incident.number).order_by(col(Incident.number)))).all()


async def _begun(session: object, number: int) -> set[str]:
    """The phases that began, by the timeline."""
    wanted = select(TimelineEntry).where(TimelineEntry.incident == number, TimelineEntry.kind == Happened.PHASE_BEGAN)
    return {str(entry.data["phase"]) for entry in (await session.exec(wanted)).all()}  # type: ignore[attr-defined]


async def _alerts(store: Store, told: Mapping[str, str]) -> list[str]:
    """Each alert that was answered is stored once, under the incident that its sender was told."""
    async with store.read() as session:
        stored = (await session.exec(select(Alert.external_id, Alert.incident))).all()
    counted = Counter(name for name, _ in stored)
    kept = {name: f"INC-{number}" for name, number in stored}
    problems = [f"alert {name} is stored {count} times" for name, count in counted.items() if count > 1]
    lost = [(name, incident) for name, incident in told.items() if kept.get(name) != incident]
    return problems + [f"alert {name} was told {incident}, stored is {kept.get(name)}" for name, incident in lost]


async def _intents(workspace: PracticeWorkspace, store: Store) -> list[str]:
    """Nothing is left undone or was given up; what cannot be pointless was said."""
    async with store.read() as session:
        rows = (await session.exec(select(Intent))).all()
        ended = set((await session.exec(select(Incident.number).where(col(Incident.ended_at).is_not(None)))).all())
    undone = [row for row in rows if row.state is not IntentState.DONE]
    refused = [row for row in undone if row.kind is IntentKind.EXECUTE and row.incident in ended]  # see `_actions`
    problems = [f"{row.key} is {row.state}: {row.error}" for row in undone if row not in refused]
    said = {key for channel in workspace.world.channels.values() for key, _ in _keyed(channel)}
    owed = [row for row in rows if row.args.get("message") in ALWAYS_SAID and row.incident not in ended]
    problems += [f"{row.key} was never said" for row in owed if row.kind is IntentKind.POST and row.key not in said]
    return problems


def _keyed(channel: Channel) -> Iterator[tuple[str, str]]:
    """Every message that was ever posted there by the bot, deleted ones too: its key and its ts."""
    for message in channel.messages.values():
        if message.by_app and message.subtype is None:
            payload = (message.metadata or {}).get("event_payload", {})
            yield str(payload.get("key", "")), message.ts


def _messages(workspace: PracticeWorkspace) -> list[str]:
    """Each message once, wherever it stands; in rooms and announcements each with its key."""
    counted: Counter[str] = Counter()
    problems = []
    for channel in workspace.world.channels.values():
        for key, ts in _keyed(channel):
            if key:
                counted[key] += 1
            elif not channel.is_im:  # an answer may take the direct way, where it has no key
                problems.append(f"#{channel.name} has a message without a key at {ts}")
    return problems + [f"{key} was posted {count} times" for key, count in counted.items() if count > 1]


def _rooms(workspace: PracticeWorkspace, numbers: Sequence[int]) -> list[str]:
    """Each incident has exactly one room, and each room an incident."""
    counted = Counter(int(one.name[4:8]) for one in workspace.channels() if one.name.startswith("inc-"))
    known = set(numbers)
    problems = [f"INC-{number} has {counted[number]} rooms" for number in numbers if counted[number] != 1]
    return problems + [f"a room of INC-{number}, which is not there" for number in counted if number not in known]


def _room(workspace: PracticeWorkspace, file: CaseFile, begun: set[str]) -> list[str]:
    """One card, one panel, one of each checklist that began; the store knows where; the card alone is pinned."""
    incident = file.incident
    room = workspace.world.channels.get(incident.channel_id or "")
    if room is None:
        return [f"{incident.name} has no room in the store"]
    keys = Counter(key for key, _ in _keyed(room))
    wanted = [f"show:{incident.number}:{kind}:" for kind in (SurfaceKind.CARD, SurfaceKind.PANEL)]
    wanted += [f"show:{incident.number}:checklist:{phase}" for phase in sorted(begun)]
    problems = [f"{key}: {keys[key]} messages" for key in wanted if keys[key] != 1]
    problems += [f"{key} without a phase that began" for key in keys if key.startswith("show:") and key not in wanted]
    card = file.surface(SurfaceKind.CARD)
    if card is None or room.pins != [card.ts]:
        problems.append(f"{incident.name}: pinned is {room.pins}, the card is {card.ts if card else None}")
    announced = [
        key for key, _ in _keyed(workspace.channel("incidents")) if key == f"show:{incident.number}:announcement:"
    ]
    wanted_lines = 1 if incident.announced_by is None else 0
    if len(announced) != wanted_lines:
        problems.append(f"{incident.name} is announced {len(announced)} times, {wanted_lines} wanted")
    return problems


def _actions(ai_app: PracticeAiApp, file: CaseFile) -> list[str]:
    """Counted at the receiving end: each approved action once, nothing that was not approved."""
    problems = []
    for action in file.actions:
        done, undone = ai_app.containment.executions[action.key], ai_app.containment.reverts[action.key]
        if action.state in {S.APPROVED, S.EXECUTING}:
            problems.append(f"{action.key} is left {action.state}: {action.result}")
        if done > 1 or undone > 1:
            problems.append(f"{action.key} was carried out {done} times and reverted {undone} times")
        if action.state in NEVER and done:
            problems.append(f"{action.key} is {action.state} and was carried out")
    return problems


Target = tuple[str, str, str]


def _targets(ai_app: PracticeAiApp, files: Sequence[CaseFile]) -> list[str]:
    """What incidents together say of a target is so, and was done. An action whose target another incident contained
    already is found in force without having been carried out; and what one reverts stays so while another holds it.
    """
    about: dict[Target, list[Action]] = {}
    for file in files:
        for action in file.actions:
            about.setdefault((action.kind.value, action.scope_kind.value, action.scope_id), []).append(action)
    problems = []
    for target, actions in about.items():
        said, name = {action.state for action in actions}, " ".join(target)
        # Whoever ends what nobody knew to be in force may end what was never begun.
        proven = {action.state for action in actions if action.verified_at is not None} & ONCE
        if proven and not any(ai_app.containment.executions[action.key] for action in actions):
            problems.append(f"{name} is {sorted(proven)} and was carried out 0 times")
        if S.UNKNOWN in said:
            continue
        if proven == {S.REVERTED} and not any(ai_app.containment.reverts[action.key] for action in actions):
            problems.append(f"{name} is reverted and was not")
        if (target in ai_app.containment.active) != (S.VERIFIED in said):
            problems.append(f"{name} is in force or not, against {sorted(said)}")
    return problems


async def _notes(workspace: PracticeWorkspace, store: Store) -> list[str]:
    """What somebody typed counts at most once, and everything that was answered counts."""
    async with store.read() as session:
        people = select(TimelineEntry).where(TimelineEntry.kind == Happened.NOTE, TimelineEntry.actor_kind == "person")
        notes = Counter(str(entry.data["text"]) for entry in (await session.exec(people)).all())
    problems = [f"note {text!r} stands {count} times" for text, count in notes.items() if count > 1]
    typed = {
        envelope.payload["text"].removeprefix("note ").strip()
        for envelope in workspace.record.envelopes
        if envelope.type == "slash_commands" and envelope.payload["text"].startswith("note ")
    }
    return problems + [f"note {text!r} was typed by nobody" for text in notes if text not in typed]
