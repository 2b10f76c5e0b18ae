"""The form of `/incident validate`: what is there for a replay, what is missing, and what would hold the replay back.

Decides what is asked. What is done with it is `validate`'s.
"""

from __future__ import annotations

from collections.abc import Sequence

from slack_sdk.models.blocks import Block

from bot.cases import replay
from bot.cases.context import Context
from bot.cases.reached import reached
from bot.cases.replay import Material, Part
from bot.cases.targets import refuse_without_targets
from bot.incident.work import Action
from bot.slack.buttons import value
from bot.slack.feature import Asked, Modal
from bot.slack.kit import option, section
from bot.slack.modal import choice, modal, text_input
from bot.slack.text import Md, code, join, md
from commands.room import details

VERSION_CHARS = 200


async def ask(ctx: Context, asked: Asked) -> Modal:
    case = await details(ctx, asked)
    refuse_without_targets(ctx)
    incident = case.incident
    async with ctx.store.read() as session:
        found = await replay.material(session, incident.number)
        held = {name: await reached(session, incident, one.user) for name, one in ctx.org.targets.items()}
    canaries = len(await ctx.canaries.values(incident.app)) if ctx.canaries is not None else 0
    blocks = [section(_there(found, canaries)), *_targets(ctx), *_held_back(ctx, held), *_parts(found, canaries)]
    hint = "Without it nobody can tell that a fix was deployed. What an earlier replay saw is known already."
    known = next((run.vulnerable_version for run in reversed(case.validations) if run.vulnerable_version), None)
    blocks.append(
        text_input(
            "vulnerable",
            "On which version did the attack work?",
            initial=known,
            optional=True,
            longest=VERSION_CHARS,
            hint=hint,
        )
    )
    return Modal(modal("validate", "Validate the fix", *blocks, submit="Replay", metadata=value(incident.number)))


def _there(found: Material, canaries: int) -> Md:
    counts = [
        md("payloads: {}", len(found.of(Part.PAYLOAD))),
        md("indicators: {}", len(found.of(Part.INDICATOR)) + canaries),
        md("recorded answers: {}", len(found.of(Part.POSITIVE))),
    ]
    if found.of(Part.PACK):
        counts.append(md("imported packs: {}", len(found.of(Part.PACK))))
    gone = md(" Of {} more attack inputs only the digest is known.", found.gone) if found.gone else Md("")
    return md("*There is* {}.{}", join(", ", counts), gone)


def _targets(ctx: Context) -> list[Block]:
    names = sorted(ctx.org.targets)
    if len(names) == 1:
        only = ctx.org.targets[names[0]]
        return [section(md("*Target* {}, as {}", code(names[0], 80), code(only.user, 80)))]
    offered = [option(f"{name}, as {ctx.org.targets[name].user}"[:75], name) for name in names[:100]]
    return [choice("target", "Target, and the identity that the replay runs as", offered)]


def _held_back(ctx: Context, held: dict[str, Sequence[Action]]) -> list[Block]:
    named_ones = [name for name, some in held.items() if some]
    if not named_ones:
        return []
    text = md(
        "⚠️ Containment in force reaches the identity of {}. Before anything begins you are asked whether to lift it.",
        ", ".join(sorted(named_ones)),
    )
    return [section(text)]


def _parts(found: Material, canaries: int) -> list[Block]:
    """What is missing has to be filled in; of what is there more can be added."""
    packed = bool(found.of(Part.PACK))
    payload, indicator = (
        bool(found.of(Part.PAYLOAD)) or packed,
        bool(found.of(Part.INDICATOR)) or packed or bool(canaries),
    )
    return [
        text_input(
            "payload",
            "What did the attacker send?",
            multiline=True,
            optional=payload,
            hint="Kept as evidence. Turns are parted by a line of three dashes.",
        ),
        text_input(
            "answer",
            "What did the system answer when it worked?",
            multiline=True,
            optional=True,
            hint="It shows that the indicators notice the attack; without one nothing comes to VERIFIED.",
        ),
        text_input(
            "indicator",
            "Which text in an answer shows that it worked?",
            optional=indicator,
            longest=1000,
            hint="For example a part of the secret that came out. Registered canaries are looked for anyway.",
        ),
    ]
