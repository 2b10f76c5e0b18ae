"""What was learned of an incident, as it is stored: answers of the review. Reads only."""

from __future__ import annotations

from collections.abc import Mapping

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.incident.learning import ReviewAnswer


async def answers(session: AsyncSession, number: int) -> Mapping[str, str]:
    """Question → its last answer."""
    rows = await session.exec(select(ReviewAnswer).where(ReviewAnswer.incident == number))
    return {row.question: row.text for row in rows.all()}
