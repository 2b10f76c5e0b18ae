"""Who stands behind the roster when somebody wants to approve: Slack is asked for addresses and usergroups.

Decides how long an answer is believed, and that without an answer nobody has a role by it (design law 7), which is said in
words. What a role allows is `bot.incident.approval`'s.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping

import structlog

from bot.incident.approval import OnRoster
from bot.settings import RosterEntry
from bot.slack.client import Slack
from bot.slack.delivery.people import Found, People
from bot.slack.failures import Failure

log = structlog.get_logger()

FRESH = 60.0
"""Seconds for which the members of a usergroup are believed: who was taken out of it approves nothing a minute later."""
PATIENCE = 2.0
"""Seconds that asking may take: somebody who wants harm stopped waits for the answer."""
AGAIN = "try again in a moment"


class Membership:
    """`bot.cases.context.Membership`. One a process; it has a budget of its own for Slack, since people wait for it."""

    def __init__(
        self, slack: Slack, roster: Mapping[str, RosterEntry], *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._people, self._roster, self._now = People(slack, now=now), roster, now
        self._members: dict[str, tuple[Found, float]] = {}

    async def roles_of(self, person: str, roles: Collection[str]) -> OnRoster:
        """Never raises: what cannot be told is `unsure`, with why."""
        asked = [role for role in roles if role in self._roster]
        answers = await asyncio.gather(*(self._has(person, self._roster[role]) for role in asked))
        found = dict(zip(asked, answers, strict=True))
        unsure = {role: answer for role, answer in found.items() if isinstance(answer, str)}
        if unsure:
            log.warning("membership.unanswered", person=person, roles=sorted(unsure))
        return OnRoster(frozenset(role for role, answer in found.items() if answer is True), unsure)

    async def only_person(self, roles: Collection[str]) -> Mapping[str, str]:
        """By role the one person behind it: by id, address, or as the only member of its usergroups. Never raises."""
        asked = [role for role in roles if role in self._roster]
        found = await asyncio.gather(*(self._everybody(self._roster[role]) for role in asked))
        return {role: next(iter(people)) for role, people in zip(asked, found, strict=True) if len(people) == 1}

    async def _everybody(self, entry: RosterEntry) -> set[str]:
        """Who stands behind the entry; nobody where that is not certain."""
        try:
            async with asyncio.timeout(PATIENCE):
                people, groups = await self._people.people(entry.people), await self._people.groups(entry.usergroups)
                found = [people, groups]
                if isinstance(groups, Found):
                    found += [await self._in(group) for group in groups.ids]
        except TimeoutError:
            return set()
        if any(isinstance(one, Failure) or one.missing for one in found):
            return set()
        return {person for one in (people, *found[2:]) if isinstance(one, Found) for person in one.ids}

    async def _has(self, person: str, entry: RosterEntry) -> bool | str:
        """Whether they stand behind the entry; a sentence where nobody can tell."""
        if person in entry.people:
            return True
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._asked(person, entry)
        except TimeoutError:
            return f"Slack did not answer in time; {AGAIN}"

    async def _asked(self, person: str, entry: RosterEntry) -> bool | str:
        people, groups = await self._people.people(entry.people), await self._people.groups(entry.usergroups)
        found = [people, groups]
        if isinstance(groups, Found):
            found += [await self._in(group) for group in groups.ids]
        known = [one for one in found if isinstance(one, Found)]
        if any(person in one.ids for one in known):
            return True
        dark = [f"{one.why}; {AGAIN}" for one in found if isinstance(one, Failure)]
        # An address that leads to nobody is nobody's; of a group that cannot be read nobody knows who is in it.
        dark += [f"{nobody.who}: {nobody.why}" for one in known if one is not people for nobody in one.missing]
        return dark[0] if dark else False

    async def _in(self, group: str) -> Found | Failure:
        kept = self._members.get(group)
        if kept is not None and kept[1] > self._now():
            return kept[0]
        found = await self._people.members(group)
        if isinstance(found, Found) and not found.missing:
            self._members[group] = (found, self._now() + FRESH)
        return found
