"""Who stands behind names: user ids as they are, e-mail addresses and usergroup handles as Slack knows them.

Decides how long an answer is believed, and that a name that leads nowhere is told with its reason. Who is on the roster
is the organisation's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.slack.client import Slack
from bot.slack.failures import Failure
from bot.slack.text import PERSON, USERGROUP

BELIEVED = 600.0
"""Seconds for which an address or a handle is believed."""


@dataclass(frozen=True)
class Nobody:
    """A name that leads to nobody, and why, in words for the room."""

    who: str
    why: str


@dataclass(frozen=True)
class Found:
    ids: tuple[str, ...]
    missing: tuple[Nobody, ...] = ()


class People:
    def __init__(self, slack: Slack, *, now: Callable[[], float] = time.monotonic) -> None:
        self._slack, self._now = slack, now
        self._by_email: dict[str, tuple[str | Nobody, float]] = {}
        self._groups: Mapping[str, str] = {}
        self._groups_until = 0.0

    async def people(self, names: Sequence[str]) -> Found | Failure:
        """User ids for ids and e-mail addresses. A Failure is temporary; what is wrong for good is in `missing`."""
        found: dict[str, None] = {}
        missing: list[Nobody] = []
        for name in dict.fromkeys(names):
            one = await self._person(name)
            if isinstance(one, Failure):
                return one
            if isinstance(one, Nobody):
                missing.append(one)
            else:
                found[one] = None
        return Found(tuple(found), tuple(missing))

    async def _person(self, name: str) -> str | Nobody | Failure:
        if PERSON.fullmatch(name):
            return name
        if "@" not in name.lstrip("@"):
            return Nobody(name, "a person is named by user id or e-mail address")
        known = self._by_email.get(name)
        if known is not None and known[1] > self._now():
            return known[0]
        answer = await self._slack.call("users.lookupByEmail", email=name)
        if isinstance(answer, Failure) and not answer.permanent:
            return answer
        one = Nobody(name, answer.why) if isinstance(answer, Failure) else str(answer.data["user"]["id"])
        self._by_email[name] = (one, self._now() + BELIEVED)
        return one

    async def groups(self, names: Sequence[str]) -> Found | Failure:
        """Usergroup ids for ids and handles (`@oncall`)."""
        if not names:
            return Found(())
        handles = await self._handles() if any(not USERGROUP.fullmatch(name) for name in names) else {}
        if isinstance(handles, Failure):
            if not handles.permanent:
                return handles
            return Found((), tuple(Nobody(name, handles.why) for name in names))
        ids = {name: name if USERGROUP.fullmatch(name) else handles.get(name.removeprefix("@")) for name in names}
        missing = [Nobody(name, "there is no such user group") for name, group in ids.items() if group is None]
        return Found(tuple(group for group in ids.values() if group is not None), tuple(missing))

    async def _handles(self) -> Mapping[str, str] | Failure:
        if self._now() < self._groups_until:
            return self._groups
        answer = await self._slack.call("usergroups.list")
        if isinstance(answer, Failure):
            return answer
        self._groups = {str(one["handle"]): str(one["id"]) for one in answer.data.get("usergroups", [])}
        self._groups_until = self._now() + BELIEVED
        return self._groups

    async def members(self, group: str) -> Found | Failure:
        """Who is in a usergroup now."""
        answer = await self._slack.call("usergroups.users.list", usergroup=group)
        if isinstance(answer, Failure):
            return Found((), (Nobody(group, answer.why),)) if answer.permanent else answer
        return Found(tuple(str(user) for user in answer.data.get("users", [])))
