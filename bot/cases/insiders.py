"""Who may read and change what an incident left behind: its action items and its risks.

Decides that it is the room's, the owner's, and that of whoever holds a role in the incident: what is written there may say
more than stakeholders know.
"""

from __future__ import annotations

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.cases.people import member
from bot.incident.caller import Caller
from bot.incident.errors import Refused
from bot.incident.incident import Incident
from bot.store import queries


async def insider(
    session: AsyncSession, incident: Incident, caller: Caller, *, room: str | None, owner: str | None = None
) -> str:
    """The member who asks. `room`: the channel in which it was asked. Raises Refused."""
    user = member(caller)
    if (room is not None and room == incident.channel_id) or user == owner:
        return user
    if any(one.person == user for one in (await queries.holders(session, incident.number)).values()):
        return user
    name = incident.name
    raise Refused(
        f"This is for the room of {name}, the owner, and whoever holds a role in {name}. To be invited: "
        f"`/incident join {name}`."
    )
