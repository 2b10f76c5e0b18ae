"""Indicators of kind `http`: an address that shows when an attack had an effect outside of the answer.

Decides when they are asked: before everything, when they must show nothing, and after each attack. An address must lie below
one of the target's `probes`: a pack may come from anywhere, and chooses no address that is asked.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.validation.answers import Trouble
from bot.validation.firing import Prepared
from bot.validation.pack import IndicatorKind
from bot.validation.targets import Target


class SideEffects:
    def __init__(self, indicators: Sequence[Prepared], target: Target) -> None:
        self.problems: dict[str, None] = {}
        """Sentences: what could not be asked."""
        self._target = target
        self._asked = {one.name: one.indicator.value for one in indicators if one.indicator.kind is IndicatorKind.HTTP}

    async def look(self) -> list[str]:
        """Before everything: why some cannot be used, in sentences. They are not asked again."""
        problems = []
        for name, url in list(self._asked.items()):
            match await self._target.probe(url):
                case False:
                    continue
                case True:
                    problems.append(f"The address of {name} showed an effect before anything was sent. Clear it first.")
                case Trouble(words=words):
                    problems.append(f"The address of {name} could not be asked: {words}.")
            del self._asked[name]
        return problems

    async def after(self) -> str | None:
        """The name of one that shows an effect now; each tells it once."""
        for name, url in list(self._asked.items()):
            found = await self._target.probe(url)
            if isinstance(found, Trouble):
                self.problems[f"The address of {name} could not be asked after each trial: {found.words}."] = None
            elif found and self._asked.pop(name, None) is not None:
                return name
        return None
