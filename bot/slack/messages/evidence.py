"""Posts about evidence: what could not be kept, and what the playbook wants and nobody has added.

Decides the words. Whether there is something to say is the cases'.
"""

from __future__ import annotations

from bot.incident.columns import Json
from bot.incident.words import EvidenceState
from bot.slack.buttons import Button, value
from bot.slack.cards.scene import Scene
from bot.slack.kit import Message, actions, button, message, section
from bot.slack.messages.asked import strings
from bot.slack.text import md, safe


def evidence_lost(scene: Scene, args: Json) -> Message | None:
    piece = next((one for one in scene.file.evidence if one.id == args.get("evidence")), None)
    named = safe(piece.name, 120) if piece is not None else "a piece"
    why = safe(str(args.get("why", "")), 300)
    return message(md("⚠️ The evidence “{}” could not be kept: {}", named, why))


def vault_full(scene: Scene, _: Json) -> Message | None:
    text = md(
        "⚠️ The vault of evidence is full. What comes in waits in the store, files wait in Slack: do not delete them. Tell "
        "whoever runs Firsthour; once there is room, everything is kept by itself."
    )
    return message(text)


def evidence_wanted(scene: Scene, args: Json) -> Message | None:
    """What has come meanwhile is not asked for any more."""
    held = {one.kind.value for one in scene.file.evidence if one.state is not EvidenceState.LOST}
    lacking = [kind.replace("_", " ") for kind in strings(args, "missing") if kind not in held]
    if not lacking or scene.ended:
        return None
    text = md(
        "{}: it is contained, and evidence that the playbook wants is missing: *{}*. Add it before it is gone, or say why it "
        "is not there.",
        scene.in_charge("commander"),
        ", ".join(lacking),
    )
    number = value(scene.incident.number)
    row = actions(
        button("Add evidence", Button.EVIDENCE_ADD, number, style="primary"),
        button("Say why not", Button.EVIDENCE_WAIVE, number),
        block_id=f"evidence_wanted:{scene.incident.number}",
    )
    return Message(text, (section(text), row))
