"""What every connector promises, as checks that anybody can run against theirs. Ours are run through them, too.

A check gets a `Case`: a connector, two orders on different subjects, and the system behind it, seen past the connector.
It raises `Broken` (an AssertionError) with the promise in words. No test framework is needed; with pytest:

    @pytest.mark.parametrize("promise", PROMISES, ids=name_of)
    async def test_it_keeps_its_promises(promise):
        async with fresh_case(timeout_for(promise)) as case:
            await promise(case)

`docs/connectors.md` shows a whole example. Decides which promises there are; each is in `calm` or `under_faults`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from bot.connectors.conformance.calm import CALM, HOSTILE
from bot.connectors.conformance.case import Case, Fault, Promise, System
from bot.connectors.conformance.under_faults import UNDER_FAULTS
from bot.connectors.conformance.watched import Broken, promised

__all__ = [
    "HOSTILE",
    "PROMISES",
    "Broken",
    "Case",
    "Fault",
    "Promise",
    "System",
    "conforms",
    "name_of",
    "promises",
    "timeout_for",
]

PROMISES: tuple[Promise, ...] = (*CALM, *UNDER_FAULTS.values())


def promises(faults: frozenset[Fault]) -> tuple[Promise, ...]:
    """The promises that a system with these faults can be used to check."""
    return (*CALM, *(promise for fault, promise in UNDER_FAULTS.items() if fault in faults))


def name_of(promise: Promise) -> str:
    """`a_redirect_is_never_followed`: what a test report calls it."""
    return getattr(promise, "__name__", "promise")


def timeout_for(promise: Promise) -> float:
    """Seconds that the connector waits for an answer in this check: few only where the system is slow on purpose."""
    return 1.0 if promise is UNDER_FAULTS[Fault.SLOW] else 5.0


async def conforms(fresh: Callable[[float], AbstractAsyncContextManager[Case]]) -> None:
    """Check every promise, each against a fresh case: `fresh(seconds)` makes it, `seconds` is the connector's time-out.

    Raises Broken that names all that are not kept.
    """
    broken = []
    for promise in PROMISES:
        async with fresh(timeout_for(promise)) as case:
            if promise not in promises(case.system.faults):
                continue
            try:
                await promise(case)
            except Broken as error:
                broken.append(f"{name_of(promise).replace('_', ' ')}: {error}")
    promised(not broken, "\n".join(broken))
