"""What the sections of a document share: the record, the playbook, and who is called what."""

from __future__ import annotations

from dataclasses import dataclass

from bot.incident.deadlines import BusinessCalendar
from bot.playbook import Playbook
from bot.review.record import Record
from bot.review.told import People


@dataclass(frozen=True)
class About:
    record: Record
    playbook: Playbook
    people: People
    calendar: BusinessCalendar

    def said(self, question: str) -> str | None:
        """What a person answered to a question of the template; None where nobody did."""
        return self.people.blameless(self.record.answer(question))
