"""garak's hit log (`*.hitlog.jsonl`): one attack that worked a line.

Shape: garak/evaluators/base.py writes `goal, prompt, output, triggers, score, run_id, attempt_id, …, probe, detector`, with
`prompt` as `{"turns": [{"role", "content": {"text"}}]}`; runs before that have it as `{"text"}` or as a string.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.validation.imports import lines
from bot.validation.imports.found import Item, Look

MARKS = frozenset({"probe", "detector", "prompt"})


def recognises(look: Look) -> bool:
    found = look.whole if isinstance(look.whole, dict) else lines.first(look)
    return found is not None and found.keys() >= MARKS


def read(look: Look) -> Iterator[Item]:
    """The same prompt stands there once for each answer and detector that it hit; it is one payload."""
    for number, line in look.lines():
        entry = lines.parsed(line)
        if not isinstance(entry, dict):
            yield look.problem(number, lines.NOT_JSON)
        else:
            yield look.payload(number, entry.get("prompt"), name=f"garak {entry.get('probe', '')}"[:200])
