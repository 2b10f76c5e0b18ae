"""`/incident help`: every verb, made from the registry, a line for those that begin with the same word; `/incident help action`
lists these, and `/incident help sev` shows one with its fields and examples."""

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
        return named(known, form.verb) if form.verb else everything(known)

    made: Feature[Context] = Feature(
        verb="help",
        summary="This list, or more about one: `/incident help contain`.",
        model=Help,
        examples=("/incident help", "/incident help contain", "/incident help contain propose"),
        run=run,
        positional=("verb",),
        guests=True,
    )
    known = (*others, made)
    return made


def everything(features: tuple[Feature[Any], ...]) -> str:
    """One line a first word: at three in the morning nobody reads seventy."""
    return join("\n", [md("`/incident` alone opens the form to declare."), *map(_line, _families(features))])


def named(features: tuple[Feature[Any], ...], verb: str) -> str:
    """One verb whole, and those that begin with it. Raises Invalid where there is none."""
    word = verb.strip().casefold()
    family = next((family for family in _families(features) if family[0].verb.split()[0] == word), ())
    lines = [md("{} {}", code(f"/incident {each.verb}"), Md(each.summary)) for each in family if each.verb != word]
    exact = any(each.verb == word for each in family)
    first = one(about(features, verb)) if exact or not family else ""
    return join("\n", [*([Md(first)] if first else []), *lines])


def _families(features: tuple[Feature[Any], ...]) -> list[tuple[Feature[Any], ...]]:
    found: dict[str, list[Feature[Any]]] = {}
    for each in features:
        found.setdefault(each.verb.split()[0], []).append(each)
    return [tuple(family) for family in found.values()]


def _line(family: tuple[Feature[Any], ...]) -> Md:
    """`/incident risk` Risk register of this room, or your risks. And: add, change, close."""
    word = family[0].verb.split()[0]
    own = next((each.summary for each in family if each.verb == word), "")
    others = ", ".join(each.verb.split(maxsplit=1)[1] for each in family if each.verb != word)
    more = (f"And: {others}." if own else f"{others}.") if others else ""
    return md("{} {}", code(f"/incident {word}"), Md(f"{own} {more}".strip()))


def table(features: tuple[Feature[Any], ...]) -> str:
    """The same as a Markdown table, for the README (a test holds it there)."""
    rows = [f"| `{usage(one)}` | {one.summary} |" for one in features]
    return "\n".join(["| command | what it does |", "|---|---|", *rows])


def one(feature: Feature[Any]) -> str:
    lines = [Md(feature.summary), code(usage(feature)), *(code(example) for example in feature.examples)]
    return join("\n", lines)
