"""Which target a replay is against: one of the organisation's file.

Decides what is said where there is none, or where it is not clear which. What a target is, is `bot.settings_targets`'.
"""

from __future__ import annotations

from bot.cases.context import Context
from bot.incident.errors import Invalid, Refused
from bot.incident.redact import clip
from bot.settings_targets import TargetSettings

NO_TARGET = (
    "No target is configured, so nothing can be replayed. Whoever runs Firsthour adds the system under test to the "
    "organisation's file, under `targets`; “In the room” in docs/validation.md shows how. Until then the commander can go "
    "without a proof when the incident is resolved."
)


def target_of(ctx: Context, name: str | None) -> tuple[str, TargetSettings]:
    """Raises Refused without any, Invalid where the name is not one of them or one of several has to be named."""
    refuse_without_targets(ctx)
    targets = ctx.org.targets
    if name is None and len(targets) == 1:
        name = next(iter(targets))
    if name is None or name not in targets:
        what = "Say which target" if name is None else f"There is no target “{clip(name, 40)}”"
        raise Invalid(f"{what}: {', '.join(sorted(targets))}.", example=f"/incident validate {min(targets)}")
    return name, targets[name]


def refuse_without_targets(ctx: Context) -> None:
    if not ctx.org.targets:
        raise Refused(NO_TARGET)
