"""Plain text: one payload a line. What is nothing else is this."""

from __future__ import annotations

from collections.abc import Iterator

from bot.validation.imports.found import Item, Look

NUL = "it holds a NUL byte, so it is no line of text. Take it out."


def recognises(look: Look) -> bool:
    return True


def read(look: Look) -> Iterator[Item]:
    for number, line in look.lines():
        yield look.problem(number, NUL) if "\0" in line else look.payload(number, line)
