"""The user's part of a conversation that is sent whole with every call: what is asked now, and what was said before.

Decides where the new part begins: after the last answer that the user spoke after. What stands before it was asked by an
earlier call and is only sent again. Only the user's own words count: a system prompt among them would look like something
the user had typed, and its exposure would never be found.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from bot.detection.event import Event, Kind, Stage
from bot.detection.sources.fields import parsed as json_within
from bot.detection.sources.fields import record, text
from bot.detection.sources.messages import words

USER = frozenset({"user", "human"})
MODEL = frozenset({"assistant", "model", "ai", "chatbot"})
"""In the words of OpenAI and Anthropic, Gemini, LangChain, Cohere."""
ASKED = ("messages", "input", "contents", "prompt")
"""Where a request of OpenAI's chat and responses, Gemini's and completions has its conversation."""
THROUGH = frozenset({"pass_through_endpoint", "llm_passthrough_route", "allm_passthrough_route"})
"""LiteLLM's types of calls that it hands on as they are."""


class Turns(NamedTuple):
    """Oldest first; None where nothing is known of it."""

    new: str | None
    earlier: str | None


def turns(conversation: object) -> Turns:
    """Messages in any of the shapes of `messages`, JSON of them, a list of texts, or one text.

    A message of the model at the end is no answer: the caller put it there, for the model to go on with. And while a model
    works with tools, the turn that it works on stays the new one.
    """
    said = json_within(conversation)
    listed = said if isinstance(said, list | tuple) else [said]
    earlier: list[str] = []
    new: list[str] = []
    answered = False
    for message in listed:
        role = _role(message)
        if role in MODEL:
            answered = True
        elif role in USER and (part := words(message)):
            if answered:
                earlier += new
                new, answered = [], False
            new.append(part)
    return Turns(text("\n".join(new)), text("\n".join(earlier)))


def asked(messages: object, call_type: object) -> object:
    """The conversation of one of LiteLLM's records. Of a call that it passed through, one message is the request's body."""
    if isinstance(messages, str):
        return [messages]  # a text is no JSON of ours, whatever it looks like
    if str(call_type) not in THROUGH or not isinstance(messages, list) or len(messages) != 1:
        return messages
    body = record(json_within(record(messages[0]).get("content")))
    return next((body[key] for key in ASKED if body.get(key)), messages)


def resent(earlier: str, at: float, identity: str | None, shared: Mapping[str, Any]) -> Event:
    """What the user had said before, as an event beside the prompt's. `shared`: what the events of the call have in common;
    it is no call of its own, so it has no id of one, and says nothing of an answer."""
    own = dict(shared) | {"kind": Kind.LLM_CALL, "call_id": None, "delivered": None, "refused": None}
    return Event(occurred_at=at, source_event_id=identity, stage=Stage.INPUT, text=earlier, resent=True, **own)


def _role(message: object) -> str:
    if isinstance(message, str):
        return "user"
    found = record(message)
    if role := found.get("role"):
        return str(role).lower()
    return "" if found.get("type") == "reasoning" else "user"  # items of the responses API have a type and no role
