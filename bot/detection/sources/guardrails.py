"""What a guardrail's own word means: blocked, let through although seen, masked, or no answer.

Decides the name of our own gate. That what it did feeds no trigger is the rules' (`own_guardrails`): a block would open the
incident that blocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.detection.event import Outcome

OWN: Final = "firsthour"
"""Name of the gate as a guardrail; `firsthour-…` are its variants."""
LITELLM: Final[Mapping[str, Outcome]] = {
    "success": Outcome.ALLOW,
    "guardrail_intervened": Outcome.BLOCK,
    "guardrail_flagged": Outcome.FLAG,
    "guardrail_failed_to_respond": Outcome.ERROR,
    "blocked": Outcome.BLOCK,
    "failure": Outcome.ERROR,
}
"""LiteLLM 1.106, `guardrail_status`, and the words of its older records. `not_run` and unknown words are no verdict."""


def own(guardrail: str) -> bool:
    lowered = guardrail.lower()
    return lowered == OWN or lowered.startswith(f"{OWN}-")


def counted(masked: object) -> bool:
    """Whether a count of masked entities counts any: `{"EMAIL": 2}`, or a number."""
    if isinstance(masked, dict):
        return any(isinstance(count, int | float) and count > 0 for count in masked.values())
    return isinstance(masked, int | float) and masked > 0
