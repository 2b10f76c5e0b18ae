"""The action id of everything that can be pressed. A card names one; exactly one feature handles it (tested).

A button's `value` is `INC number` or `INC number|rest` (`12`, `12|3|ab12cd…`): ids only, everything else is loaded.
"""

from __future__ import annotations

from enum import StrEnum


class Button(StrEnum):
    JOIN = "join"
    ACKNOWLEDGE = "acknowledge"
    TAKE_COMMAND = "take_command"
    SEVERITY = "severity"
    UPDATE = "update"
    NOTE = "note"
    PROPOSE = "propose"
    RESOLVE = "resolve"
    CLOSE = "close"
    APPROVE = "approve"
    DECLINE = "decline"
    REVERT = "revert"
    ATTEST = "attest"
    BREAK_GLASS = "break_glass"
    KEEP = "keep"
    """Leave an action in force on purpose, and say why."""
    ACTION_MORE = "action_more"
    """The overflow of an action: times to live, keep."""
    STEP_DONE = "step_done"
    STEP_MORE = "step_more"
    """The overflow of a step: assign to me, skip, note, undo."""
    STEP_PROPOSE = "step_propose"
    STEP_EVIDENCE = "step_evidence"
    STEP_VALIDATE = "step_validate"
    STEP_RESTORE = "step_restore"
    VALIDATE = "validate"
    VALIDATE_ANYWAY = "validate_anyway"
    """Replay although containment reaches the test's identity; the value names the target."""
    VALIDATION_STOP = "validation_stop"
    VALIDATION_RESUME = "validation_resume"
    """The value names the run."""
    PHASE = "phase"
    """Begin the next phase; the value names it."""
    SNOOZE = "snooze"
    DECLARE = "declare"
    EVIDENCE_ADD = "evidence_add"
    EVIDENCE_WAIVE = "evidence_waive"
    """Say why there is none."""
    RELEASE = "release"
    """A document that was shown as a draft may leave; the value binds it to its SHA-256."""
    ITEM_ADD = "item_add"
    ITEM_DONE = "item_done"
    """Of an action item: `12|34` is item 34 of INC-12."""
    ITEM_EDIT = "item_edit"
    ITEM_TRACK = "item_track"
    RISK_ADD = "risk_add"
    RISK_CHANGE = "risk_change"


def value(incident: int, *rest: str | int) -> str:
    return "|".join(str(part) for part in (incident, *rest))


def parse(text: str) -> tuple[int | None, str]:
    """`12|3|ab` → (12, "3|ab"). A value that is not ours gives (None, "")."""
    number, _, rest = text.partition("|")
    return (int(number), rest) if number.isascii() and number.isdigit() and len(number) < 10 else (None, "")
