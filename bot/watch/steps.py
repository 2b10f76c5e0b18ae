"""A batch in steps: so few events at once that a step ends within a slice of the loop's time.

Decides where one step ends. What is done with each is the watch's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from bot.detection.event import Event

FEW = 32
"""Events of one step at most while something that fired waits for its commit."""
TEXT_TOGETHER = 32_000
"""Characters of one step at most: four milliseconds for the slowest matcher."""
LONG_TEXT = 64_000
"""Of a text. From here on it would hold the loop, and is scanned in a thread of its own."""


def steps(events: Sequence[Event], together: int, hurried: Callable[[], bool]) -> Iterator[Sequence[Event]]:
    """`together`: events of one step at most, where they bring no text. `hurried`: asked before each step but the first."""
    start = characters = 0
    most = together
    for place, event in enumerate(events):
        length = len(event.text) if event.text is not None else 0
        if place > start and (place - start >= most or characters + length > TEXT_TOGETHER):
            yield events[start:place]
            start, characters = place, 0
            most = min(FEW, together) if hurried() else together
        characters += length
    if start < len(events):
        yield events[start:]


def is_long(step: Sequence[Event]) -> bool:
    """It is one long text: a step has no other event beside that."""
    return len(step) == 1 and step[0].text is not None and len(step[0].text) >= LONG_TEXT
