"""What stakeholders outside the room read. Only what may be public can be written here at all.

Decides which placeholders exist: number, severity, status, declared, next_update. Never a title, a subject or alert text.
"""

from __future__ import annotations

from string import Formatter
from typing import Annotated

from pydantic import AfterValidator

from bot.playbook.model import Model, Text

PUBLIC = ("number", "severity", "status", "declared", "next_update")


def _only_public(wording: str) -> str:
    for _, name, spec, conversion in Formatter().parse(wording):
        if name is not None and (name not in PUBLIC or spec or conversion):
            raise ValueError(f"“{{{name}}}” may not be announced; placeholders are {', '.join(PUBLIC)}")
    return wording


Wording = Annotated[Text, AfterValidator(_only_public)]


class Announcement(Model):
    """Fill with `str.format(number=…, severity=…, status=…, declared=…, next_update=…)`."""

    opened: Wording
    updated: Wording
    resolved: Wording
    false_positive: Wording
    reopened: Wording


class AnnouncementFile(Model):
    announcement: Announcement
