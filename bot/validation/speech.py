"""How a turn is said to each kind of target, and how its answer is read. Strict: what is not of the agreed form is no answer.

Decides the bodies of requests, and which part of an answer is text, tool call, refusal or block. What is sent when is
`targets`'; server-sent events are put together by `sse`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from bot.settings_targets import PLACES, TargetSettings
from bot.validation.answers import Answer, ToolCall, Trouble, TroubleKind
from bot.validation.forms import CHANGED, Unreadable, filtered, id_of, openai, strings, text_of, tools_of
from bot.validation.sse import joined
from bot.validation.wire import Raw

PLACE = re.compile("|".join(map(re.escape, PLACES)))


def body_for(
    settings: TargetSettings, said: Sequence[tuple[str, str]], document: str | None, conversation: str
) -> bytes:
    """The request's body. `said`: role and text of every turn so far, the last one being ours.

    A document goes where the body of a `json` target has a place for it; OpenAI's form has none.
    """
    if settings.kind == "openai":
        messages = [{"role": role, "content": text} for role, text in said]
        body: dict[str, Any] = {"model": settings.model, "messages": messages, "user": settings.user}
        if settings.stream:
            body["stream"] = True
    else:
        filled = {
            "{message}": said[-1][1],
            "{document}": document,
            "{user}": settings.user,
            "{conversation}": conversation,
        }
        body = _filled(settings.body, filled)
    return json.dumps(body, ensure_ascii=True).encode("ascii")


def _filled(template: Any, values: dict[str, str | None]) -> Any:
    """The template with its places filled in one go: what is filled in is not looked at for places again."""
    match template:
        case str():
            return PLACE.sub(lambda found: values[found[0]] or "", template)
        case dict():
            wanted = {key: value for key, value in template.items() if not (value in PLACES and values[value] is None)}
            return {key: _filled(value, values) for key, value in wanted.items()}
        case list():
            return [_filled(value, values) for value in template]
        case _:
            return template


def read(settings: TargetSettings, raw: Raw) -> Answer | Trouble:
    """What the target said in this turn."""
    data = _parsed(raw, stream=settings.kind == "openai" and settings.stream)
    seen = "\n".join(strings(data)) if data is not None else raw.text
    blocked = _blocked(settings, raw, seen, data)
    if blocked is not None:
        return _answer(raw, seen, seen, (), settings, blocked=blocked)
    if raw.status == 429 or (raw.status == 503 and "retry-after" in raw.headers):
        return raw.trouble(TroubleKind.BUSY, f"it is busy ({raw.status})")
    if raw.status in (401, 403):
        return raw.trouble(TroubleKind.AUTH, f"it does not accept the credentials ({raw.status})")
    if not 200 <= raw.status < 300:
        return raw.trouble(TroubleKind.STATUS, f"it answered {raw.status}")
    if data is None:
        return raw.trouble(*_no_json(raw))
    try:
        return _told(settings, raw, data, seen)
    except Unreadable as error:
        return raw.trouble(TroubleKind.UNREADABLE, str(error))


def _told(settings: TargetSettings, raw: Raw, data: Any, seen: str) -> Answer | Trouble:
    refused, conversation = False, None
    if settings.kind == "openai":
        text, tools, refused = openai(data)
    else:
        text = text_of(_at(settings.answer, data))
        tools = tools_of(_at(settings.tools, data)) if settings.tools is not None else ()
        conversation = id_of(_at(settings.conversation, data)) if settings.conversation is not None else None
    if not text.strip() and not tools:
        return raw.trouble(TroubleKind.EMPTY, "its answer is empty")
    return replace(_answer(raw, text, seen, tools, settings), refused=refused, conversation=conversation)


def _answer(
    raw: Raw, text: str, seen: str, tools: tuple[ToolCall, ...], settings: TargetSettings, *, blocked: str | None = None
) -> Answer:
    return Answer(
        raw.status,
        (text,),
        tools,
        seen,
        blocked=blocked,
        version=raw.headers.get(settings.version_header) if settings.version_header else None,
        digest=raw.digest,
        milliseconds=raw.milliseconds,
    )


def _parsed(raw: Raw, *, stream: bool) -> Any:
    """The body as JSON; None where it is none."""
    if stream and raw.headers.get("content-type", "").startswith("text/event-stream"):
        return joined(raw.text)
    try:
        return json.loads(raw.body)
    except (ValueError, RecursionError):
        return None


def _no_json(raw: Raw) -> tuple[TroubleKind, str]:
    if not raw.body.strip():
        return TroubleKind.EMPTY, "its answer is empty"
    if "html" in raw.headers.get("content-type", "") or raw.body.lstrip()[:1] == b"<":
        return TroubleKind.UNREADABLE, "it answered with a web page"
    return TroubleKind.UNREADABLE, "its answer is not JSON, or a stream that broke off"


def _blocked(settings: TargetSettings, raw: Raw, seen: str, data: Any) -> str | None:
    if raw.status in settings.blocked_statuses:
        return f"its guardrail answered {raw.status}"
    if any(marker in seen for marker in settings.blocked_markers):
        return "its guardrail's words stand in the answer"
    if settings.kind == "openai" and isinstance(data, dict) and filtered(data):
        return "its content filter stopped it"
    return None


def _at(path: str, data: Any) -> Any:
    try:
        return jmespath.search(path, data)
    except JMESPathError:
        raise Unreadable(f"{CHANGED} (at “{path}”)") from None
