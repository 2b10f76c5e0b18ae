"""The words of messages, in the shapes of OpenAI's chat and responses, Anthropic, Gemini, and OpenTelemetry's GenAI messages.

Decides where words stand, and what an answer is made of: what the model thought aloud and why it refused reach the user, too.
Which of a conversation's words are the new prompt is `turns`'.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.detection.sources.fields import Record, parsed, record, records, text

SAID = ("content", "parts", "text")
"""Where a message, or a part of one, has its words: the first that has any."""
BESIDE = ("reasoning_content", "reasoning", "thinking_blocks", "thinking", "summary", "refusal")
"""Where there are more: LiteLLM's `Message`, parts of Anthropic's and of OpenAI's responses."""
CALLS = frozenset({"tool_call", "function_call", "tool_use"})
"""Types of parts that call a tool."""
RESULTS = frozenset({"tool_result", "tool_call_response", "function_call_output"})
"""Types of parts that a tool gave back: nobody's words, though Anthropic sends them as the user's."""


@dataclass(frozen=True, slots=True)
class Call:
    """One tool that a model wants called."""

    name: object
    id: object
    arguments: object


def answer(messages: object) -> str | None:
    """What the model said: a list of messages, or one."""
    said = parsed(messages)
    if isinstance(said, str):
        return text(said)
    found = [words(each) for each in records(said)]
    return text("\n".join(part for part in found if part))


def words(message: object, depth: int = 8) -> str:
    """The words of one message, the same only once. Pictures, sounds, calls and what tools gave back have none.

    `depth`: lists and objects within each other; a part of a message of Gemini's stands in the fifth.
    """
    if isinstance(message, str):
        return message
    if not depth:
        return ""
    if isinstance(message, list | tuple):
        return "\n".join(filter(None, (words(part, depth - 1) for part in message)))
    found = record(message)
    if not found or str(found.get("type")) in CALLS | RESULTS:
        return ""
    beside = [words(found[key], depth - 1) for key in BESIDE if found.get(key)]
    said = next((said for key in SAID if (said := words(found.get(key), depth - 1))), "")
    return "\n".join(filter(None, dict.fromkeys([*beside, said]))) if beside else said


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
        bool(message.get("refusal"))
        or str(message.get("finish_reason")) in REFUSALS
        or any(part.get("type") == "refusal" for part in records(message.get("content")))
        for message in records(messages)
    )


REFUSALS = frozenset({"content_filter", "refusal"})
"""Why a model stopped, in the words of OpenAI, Azure and Anthropic."""
SPOKEN = frozenset({"message", "function_call", "reasoning"})
"""Types of what the responses API puts out that are the model's own."""


def of_response(response: object, depth: int = 4) -> list[Record]:
    """The messages of a response of OpenAI's chat, completions or responses API, Anthropic's or Gemini's; or of what LiteLLM
    hands on as it came: a list, a text, a text as `response` of a pass-through, where it may be JSON of one of these."""
    if isinstance(response, str):
        within = record(parsed(response))
        known = of_response(within, depth - 1) if depth and within.keys() & KNOWN else []
        return known or ([{"content": response}] if response else [])
    if isinstance(response, list):
        return [said for each in response for said in of_response(each, depth - 1)] if depth else []
    found = record(response)
    if chosen := [_chosen(choice) for choice in records(found.get("choices") or found.get("candidates"))]:
        return chosen
    if output := [each for each in records(found.get("output")) if each.get("type") in SPOKEN]:
        return [{"parts": [each]} if each.get("type") == "function_call" else each for each in output]
    if depth and "response" in found:
        return of_response(found["response"], depth - 1)
    return [found] if words(found) or found.get("content") else []


KNOWN = frozenset({"choices", "candidates", "output", "role"})
"""One of these tells a provider's response from JSON that a model wrote."""


def _chosen(choice: Record) -> Record:
    said = choice.get("message") or choice.get("delta") or choice.get("content") or choice.get("text")
    return {**(record(said) or {"content": said}), "finish_reason": choice.get("finish_reason")}
