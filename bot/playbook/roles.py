"""Who exists: roster roles (people on call, found through the organisation's file) and room roles (held in one incident).

Decides titles, duties and who backs whom up. Leaves to the organisation's file which Slack users they are.
"""

from __future__ import annotations

from pydantic import Field

from bot.incident.words import Role
from bot.playbook.model import Id, Model, Text, Title


class RosterRole(Model):
    id: Id
    title: Title
    duty: Text
    backup: tuple[Id, ...] = ()
    """Roster roles called in this order when nobody of this role answers."""


class RoomRole(Model):
    id: Role
    title: Title
    duty: Text
    backup: tuple[Id, ...] = Field(min_length=1)
    """Roster roles that take the part over; never empty, so that no role hangs on one person."""


class RoleFile(Model):
    roster: tuple[RosterRole, ...] = Field(min_length=1)
    room: tuple[RoomRole, ...] = Field(min_length=1)
