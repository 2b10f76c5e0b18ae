"""The words of a conversation, in the shapes of OpenAI's chat and responses, and of OpenTelemetry's GenAI messages.

Decides whose words are whose. Of a prompt only the user's own count: a system prompt among them would look like something
the user had typed, and its exposure would never be found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.detection.sources.fields import Record, parsed, record, records, text

USER = frozenset({"user", "human"})
SAID = ("content", "parts", "text")
"""Where a message, or a part of one, has its words."""
CALLS = frozenset({"tool_call", "function_call", "tool_use"})
"""Types of parts that call a tool."""


@dataclass(frozen=True, slots=True)
class Call:
    """One tool that a model wants called."""

    name: object
    id: object
    arguments: object


def prompt(messages: object) -> str | None:
    """What the user said, oldest first; None where nothing is known of it."""
    said = parsed(messages)
    if isinstance(said, str):
        return text(said)
    found = [words(each) for each in records(said) if str(each.get("role") or "user").lower() in USER]
    return text("\n".join(part for part in found if part))


def answer(messages: object) -> str | None:
    """What the model said: a list of messages, or one."""
    said = parsed(messages)
    if isinstance(said, str):
        return text(said)
    found = [words(each) for each in records(said)]
    return text("\n".join(part for part in found if part))


def words(message: object, depth: int = 4) -> str:
    """The words of one message. Pictures, sounds and calls have none."""
    if isinstance(message, str):
        return message
    if isinstance(message, list | tuple):
        return "\n".join(filter(None, (words(part, depth) for part in message)))
    if not depth or str(record(message).get("type")) in CALLS:
        return ""
    return next((said for key in SAID if (said := words(record(message).get(key), depth - 1))), "")


def calls(messages: object) -> Iterator[Call]:
    """The tools that messages of the model want called."""
    for message in records(parsed(messages)):
        for call in records(message.get("tool_calls")):
            function = record(call.get("function")) or call
            yield Call(function.get("name"), call.get("id"), function.get("arguments"))
        for part in records(message.get("parts") or message.get("content")):
            if str(part.get("type")) in CALLS:
                given = part.get("arguments", part.get("input"))
                yield Call(part.get("name"), part.get("id") or part.get("call_id"), given)


def refused(messages: object) -> bool:
    """Whether the model says itself that it refuses."""
    return any(
        bool(message.get("refusal")) or str(message.get("finish_reason")) in REFUSALS for message in records(messages)
    )


REFUSALS = frozenset({"content_filter", "refusal"})
"""Why a model stopped, in the words of OpenAI, Azure and Anthropic."""


def of_response(response: object) -> list[Record]:
    """The messages of a response of OpenAI's chat, completions or responses API."""
    found = record(response)
    chosen: list[Record] = []
    for choice in records(found.get("choices")):
        message = record(choice.get("message")) or record(choice.get("delta")) or {"content": choice.get("text")}
        chosen.append({**message, "finish_reason": choice.get("finish_reason")})
    if chosen:
        return chosen
    output = [each for each in records(found.get("output")) if each.get("type") in ("message", "function_call")]
    if output:
        return [each if each.get("type") == "message" else {"parts": [each]} for each in output]
    return [found] if found.get("content") else []
