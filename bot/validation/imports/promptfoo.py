"""promptfoo's results (`promptfoo eval -o results.json`): the tests that failed, so the attacks that worked.

Shape: `{"evalId", "results": {"version": 3, "results": [{"success", "failureReason", "prompt": {"raw"}, "vars", "metadata",
"error"}]}}`. A call that broke down (`failureReason` 2) proves nothing, and is named and left out. Red team runs keep what was
really sent in `metadata.redteamHistory` and `metadata.redteamFinalPrompt`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from bot.validation.imports.found import Item, Look, Problem

ERROR = 2
"""promptfoo's `ResultFailureReason.ERROR`: no assertion failed, the call did."""


def recognises(look: Look) -> bool:
    results = _results(look)
    return bool(results) and isinstance(results[0], dict) and "success" in results[0] and "prompt" in results[0]


def _results(look: Look) -> list[Any]:
    match look.whole:
        case {"results": {"results": [*results]}} | {"results": [*results]}:
            return results
        case _:
            return []


def read(look: Look) -> Iterator[Item]:
    for at, result in enumerate(_results(look), 1):
        if not isinstance(result, dict):
            yield look.problem(None, f"result {at} is no result.")
        elif result.get("success") is not True:
            found = _failed(look, result)
            yield look.problem(None, f"result {at}: {found.why}") if isinstance(found, Problem) else found


def _failed(look: Look, result: dict[str, Any]) -> Item:
    if result.get("failureReason") == ERROR:
        return look.problem(None, "the call itself failed, so it shows no attack that worked.")
    return look.payload(None, _sent(result), name=f"promptfoo {result.get('description') or ''}".strip()[:200])


def _sent(result: dict[str, Any]) -> Any:
    response = result.get("response")
    metadata = {**_dict(_dict(response).get("metadata")), **_dict(result.get("metadata"))}
    history = metadata.get("redteamHistory")
    if isinstance(history, list) and history:
        return [turn.get("prompt") for turn in history if isinstance(turn, dict)]
    if final := metadata.get("redteamFinalPrompt"):
        return final
    return _raw(_dict(result.get("prompt")).get("raw"))


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _raw(prompt: Any) -> Any:
    """A prompt can be chat messages written as JSON, or a JSON string as Firsthour's own exported pack has it."""
    if isinstance(prompt, str) and prompt[:1] in {"[", '"'}:
        try:
            found = json.loads(prompt)
        except (ValueError, RecursionError):
            return prompt
        if isinstance(found, str) or (found and isinstance(found[0], dict) and "role" in found[0]):
            return found
    return prompt
