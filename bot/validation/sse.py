"""A streamed chat completion put together again: the deltas of server-sent events become the answer that was not streamed.

Decides what of a stream counts (WHATWG HTML §9.2, `data:` lines; OpenAI's `chat.completion.chunk`). What the answer means is
`speech`'s.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

DONE = "[DONE]"
LINE_END = re.compile("\r\n|\n|\r")


def joined(text: str) -> dict[str, Any] | None:
    """The whole answer as `{"choices": [{"message", "finish_reason"}]}`; None where the stream is none or broke off."""
    message: dict[str, Any] = {"content": "", "refusal": ""}
    tools: dict[int, dict[str, str]] = {}
    finish = None
    ended = False
    for data in events(text):
        if data == DONE:
            ended = True
            break
        try:
            chunk = json.loads(data)
        except (ValueError, RecursionError):
            return None
        if not isinstance(chunk, dict):
            return None
        if "error" in chunk:
            return chunk
        for choice in _first(chunk.get("choices")):
            finish = choice.get("finish_reason") or finish
            _add(message, tools, choice.get("delta"))
    if not ended and finish is None:
        return None
    message["tool_calls"] = [{"function": call} for _, call in sorted(tools.items())]
    return {"choices": [{"message": message, "finish_reason": finish}]}


def said(text: str) -> str:
    """What a stream said until it broke off, as far as it can be read."""
    message: dict[str, Any] = {"content": "", "refusal": ""}
    for data in events(text):
        try:
            chunk = json.loads(data)
        except (ValueError, RecursionError):
            continue
        for choice in _first(chunk.get("choices")) if isinstance(chunk, dict) else ():
            _add(message, {}, choice.get("delta"))
    return str(message["content"] + message["refusal"])


def events(text: str) -> Iterator[str]:
    """The data of each event; lines of one event joined."""
    lines: list[str] = []
    for line in LINE_END.split(text):  # not `splitlines`, which also splits at characters that JSON holds as they are
        if line.startswith("data:"):
            lines.append(line.removeprefix("data:").removeprefix(" "))
        elif not line and lines:
            yield "\n".join(lines)
            lines = []
    if lines:
        yield "\n".join(lines)


def _first(choices: Any) -> Iterator[dict[str, Any]]:
    """Choice 0 of a chunk: no more are asked for."""
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and choice.get("index", 0) == 0:
            yield choice


def _add(message: dict[str, Any], tools: dict[int, dict[str, str]], delta: Any) -> None:
    if not isinstance(delta, dict):
        return
    for key in ("content", "refusal"):
        if isinstance(part := delta.get(key), str):
            message[key] += part
    calls = delta.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and isinstance(index := call.get("index", 0), int):
            whole = tools.setdefault(index, {"name": "", "arguments": ""})
            for key in whole:
                if isinstance(part := function.get(key), str):
                    whole[key] += part
