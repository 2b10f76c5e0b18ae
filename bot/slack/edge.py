"""Where every command, click and form arrives: acknowledged first, counted once, always answered (design laws 4, 5).

Decides the order — acknowledge, know who it is, find the incident, run, answer — and what is said when something goes
wrong. Features never see Bolt; Bolt's own traps (slack.md §5, P1 and P2) are cured here and in `bolt`, nowhere else.
One of the three places that may catch everything.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.incident.errors import FirsthourError, Refused, Repeated
from bot.slack import forms, parse
from bot.slack.answers import Answers
from bot.slack.directory import Directory
from bot.slack.feature import Answer, Asked, Click, Feature, Heard
from bot.slack.hearing import Hearing
from bot.slack.inbound import Act
from bot.store import Store, queries

log = structlog.get_logger()
C = TypeVar("C")
Doing = Callable[[Asked], Awaitable[Answer]]

AT_ONCE = 16
"""Use cases running at the same time: so few that an acknowledgement never waits behind two hundred of them."""
DECLARE = "declare_incident"
"""The global shortcut's callback id."""
GUEST = (
    "Only full members of this workspace can do that; guests and people from other organisations can use "
    "`/incident help` and `/incident status`. If you are a member, Slack did not answer when Firsthour asked who you are: "
    "please try again."
)
OLD_BUTTON = "This button is from an older version of Firsthour. Use `/incident help` to see what can be done now."


class Edge(Generic[C]):
    """Everything that people can do, by name. `drain` before the process ends."""

    def __init__(
        self, client: AsyncWebClient, features: Sequence[Feature[C]], ctx: C, store: Store, directory: Directory
    ) -> None:
        self.features, self._ctx, self._store, self._directory = features, ctx, store, directory
        self._answers = Answers(client)
        self._buttons = _one_each({str(b): (f, run) for b, run in f.buttons.items()} for f in features)
        self._forms = _one_each({form.callback_id: (f, form) for form in f.forms} for f in features)
        self._shortcuts = _one_each({one.callback_id: (f, one.run) for one in f.message_shortcuts} for f in features)
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._hearing = Hearing(_one_each({to: (f, run) for to, run in f.events.items()} for f in features), ctx, store)
        self._tasks: set[asyncio.Task[None]] = set()

    async def drain(self, within: float = 8.0) -> None:
        """Let what was acknowledged finish and be answered."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=within)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    # What arrives. None of these awaits: the acknowledgement leaves as soon as they return.

    def command(self, act: Act) -> None:
        self._begin(self._serve(act, lambda: self._spoken(act)))

    def click(self, act: Act) -> None:
        self._begin(self._serve(act, lambda: self._pressed(act, self._buttons)))

    def shortcut(self, act: Act) -> None:
        self._begin(self._serve(act, lambda: self._spoken(replace(act, text=""))))

    def message_shortcut(self, act: Act) -> None:
        self._begin(self._serve(act, lambda: self._pressed(act, self._shortcuts)))

    def event(self, heard: Heard) -> None:
        self._begin(self._hearing.hear(heard, self._turn))

    def form(self, act: Act) -> Mapping[str, str]:
        """The errors of a form, by block id; without any, it is submitted."""
        feature, form = self._forms.get(act.name, (None, None))
        if feature is None or form is None:
            self._begin(self._answers.give(act, OLD_BUTTON))
            return {}
        try:
            model = forms.read(form, act.values, incident=act.incident, carried=act.value)
        except forms.FormErrors as wrong:
            return wrong.errors
        owner, submit = feature, form.submit
        self._begin(self._serve(act, lambda: (owner, lambda asked: submit(self._ctx, asked, model))))
        return {}

    def failed(self, act: Act, error: Exception) -> None:
        """Something broke before the act was understood; whoever did it is told."""
        ref = secrets.token_hex(3)
        log.error("edge.failed", ref=ref, error=type(error).__name__, exc_info=error)
        self._begin(self._answers.give(act, _apology(ref)))

    # What is meant

    def _spoken(self, act: Act) -> tuple[Feature[C], Doing]:
        if not act.text.strip():
            return self._declare(), self._bare(self._declare(), None)
        feature, rest = parse.choose(self.features, act.text)
        named = parse.names_only_an_incident(rest)
        if feature.bare is not None and (named is not None or not rest.strip()):
            return feature, self._bare(feature, named)
        model = parse.parse(feature, rest)
        return feature, lambda asked: feature.run(self._ctx, asked, model)

    def _declare(self) -> Feature[C]:
        return next(feature for feature in self.features if feature.verb == "declare")

    def _bare(self, feature: Feature[C], named: int | None) -> Doing:
        bare = feature.bare
        if bare is None:
            raise Refused(f"Say more: `{parse.usage(feature)}`.")
        return lambda asked: bare(self._ctx, replace(asked, incident=named or asked.incident))

    def _pressed(self, act: Act, known: Mapping[str, tuple[Feature[C], Click[C]]]) -> tuple[Feature[C], Doing]:
        found = known.get(act.name)
        if found is None:
            raise Refused(OLD_BUTTON)
        feature, run = found
        return feature, lambda asked: run(self._ctx, asked)

    # The one wrapper

    async def _serve(self, act: Act, meant: Callable[[], tuple[Feature[C], Doing]]) -> None:
        """Nothing that happens in here can lose the acknowledgement, and nobody is left without an answer."""
        try:
            await self._answers.give(act, await self._do(act, meant))
        except Repeated as again:
            await self._answers.give(act, again.answer or None)
        except FirsthourError as refused:
            log.info("edge.refused", key=act.key, why=type(refused).__name__)
            await self._answers.give(act, str(refused))
        except Exception:
            ref = secrets.token_hex(3)
            log.exception("edge.failed", ref=ref, key=act.key, name=act.name)
            await self._answers.give(act, _apology(ref))

    async def _do(self, act: Act, meant: Callable[[], tuple[Feature[C], Doing]]) -> Answer:
        feature, doing = meant()
        asked = await self._asked(act)
        if not asked.full_member and not feature.guests:
            raise Refused(GUEST)
        async with self._turn:
            return await doing(asked)

    async def _asked(self, act: Act) -> Asked:
        full_member = await self._directory.full_member(act.user)
        incident = act.incident
        if incident is None and act.channel is not None:
            async with self._turn, self._store.read() as session:
                room = await queries.in_channel(session, act.channel)
                incident = room.number if room is not None else None
        return Asked(
            user=act.user,
            full_member=full_member,
            inbound=act.key,
            channel=act.channel,
            trigger_id=act.trigger_id,
            incident=incident,
            value=act.value,
            message_ts=act.message_ts,
            message=act.message,
        )

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("edge.answer_failed", error=type(error).__name__, exc_info=error)


def _apology(ref: str) -> str:
    return (
        f"Something went wrong on our side (ref {ref}). Nothing that was saved is lost. Please try again; if it happens "
        f"again, tell whoever runs Firsthour the reference {ref}."
    )


def _one_each(parts: Iterable[Mapping[str, tuple[Feature[Any], Any]]]) -> dict[str, tuple[Feature[Any], Any]]:
    """One handler for each name. Raises ValueError where two features claim the same one."""
    found: dict[str, tuple[Feature[Any], Any]] = {}
    for part in parts:
        for name, owned in part.items():
            if name in found:
                raise ValueError(f"{name} is handled by both {found[name][0].verb} and {owned[0].verb}")
            found[name] = owned
    return found
