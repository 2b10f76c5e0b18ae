"""The parts of an answer's JSON: text, tool calls, refusals, filters. What is not of the agreed form is unreadable.

Decides what counts as each. Which part stands where in a target's answer is `speech`'s.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from bot.validation.answers import ToolCall

CHANGED = "its answer has not the agreed form"


class Unreadable(Exception):
    """Words for people; no part of the answer."""


def filtered(data: dict[str, Any]) -> bool:
    """OpenAI's `finish_reason: content_filter`, and the error that Azure answers 400 with."""
    error, choices = data.get("error"), data.get("choices")
    if isinstance(error, dict) and error.get("code") == "content_filter":
        return True
    first = choices[0] if isinstance(choices, list) and choices else None
    return isinstance(first, dict) and first.get("finish_reason") == "content_filter"


def openai(data: Any) -> tuple[str, tuple[ToolCall, ...], bool]:
    try:
        message = data["choices"][0]["message"]
        content, refusal = message.get("content"), message.get("refusal")
        calls = message.get("tool_calls") or ()
    except (KeyError, IndexError, TypeError, AttributeError):
        raise Unreadable(f"{CHANGED} (choices[0].message)") from None
    if isinstance(content, list):
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    text = "\n".join(part for part in (content, refusal) if isinstance(part, str) and part)
    return text, tools_of(calls), isinstance(refusal, str) and bool(refusal)


def tools_of(found: Any) -> tuple[ToolCall, ...]:
    if found is None:
        return ()
    if not isinstance(found, (list, tuple)):
        raise Unreadable(f"{CHANGED} (tools are no list)")
    return tuple(map(_tool, found))


def _tool(found: Any) -> ToolCall:
    """A name, `{"name", "arguments"}`, or OpenAI's `{"function": {…}}`."""
    if isinstance(found, str):
        return ToolCall(found)
    if isinstance(found, dict):
        inner = found["function"] if isinstance(found.get("function"), dict) else found
        if isinstance(name := inner.get("name", inner.get("tool")), str):
            arguments = inner.get(
                "arguments", {key: value for key, value in inner.items() if key not in ("name", "tool")}
            )
            return ToolCall(
                name, arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
            )
    raise Unreadable(f"{CHANGED} (a tool without a name)")


def text_of(found: Any) -> str:
    if isinstance(found, list) and all(isinstance(part, str) for part in found):
        return "\n".join(found)
    if not isinstance(found, str):
        raise Unreadable(f"{CHANGED}: no text where it should be")
    return found


def id_of(found: Any) -> str | None:
    return str(found)[:200] if isinstance(found, (str, int)) else None


def strings(data: Any) -> Iterator[str]:
    """Every string of a JSON value in its order, keys too. A stack of its own: the value may be nested deeper than calls may."""
    left = [data]
    while left:
        match left.pop():
            case str() as text:
                yield text
            case dict() as inner:
                left.extend(part for pair in reversed(inner.items()) for part in reversed(pair))
            case list() as values:
                left.extend(reversed(values))
