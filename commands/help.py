"""`/incident help`: every verb, made from the registry; `/incident help sev` shows one with its fields and examples."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from bot.cases.context import Context
from bot.slack.feature import Asked, Feature
from bot.slack.parse import about, usage
from bot.slack.text import Md, code, join, md


class Help(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    verb: str | None = None


def feature(others: tuple[Feature[Context], ...]) -> Feature[Context]:
    """The verb that explains the others."""

    async def run(ctx: Context, asked: Asked, form: Help) -> str:
        return one(about(known, form.verb)) if form.verb else everything(known)

    made: Feature[Context] = Feature(
        verb="help",
        summary="This list, or one verb: `/incident help sev`.",
        model=Help,
        examples=("/incident help", "/incident help contain propose"),
        run=run,
        positional=("verb",),
        guests=True,
    )
    known = (*others, made)
    return made


def everything(features: tuple[Feature[Any], ...]) -> str:
    """One line a verb; short enough for one message."""
    lines = [md("{} {}", code(f"/incident {one.verb}"), Md(one.summary)) for one in features]
    return join("\n", [md("`/incident` alone opens the form to declare."), *lines])


def table(features: tuple[Feature[Any], ...]) -> str:
    """The same as a Markdown table, for the README (a test holds it there)."""
    rows = [f"| `{usage(one)}` | {one.summary} |" for one in features]
    return "\n".join(["| command | what it does |", "|---|---|", *rows])


def one(feature: Feature[Any]) -> str:
    lines = [Md(feature.summary), code(usage(feature)), *(code(example) for example in feature.examples)]
    return join("\n", lines)
