"""A pack as a configuration that promptfoo's own command runs: `promptfoo eval -c promptfooconfig.yaml`.

Decides what it can look for there: text and patterns in an answer. Where the application is, and every secret, comes from the
environment. promptfoo renders variables as Nunjucks templates, several times over, and reads files that they name: payloads
therefore stand there as JSON strings with their braces escaped, which nothing renders, and are parsed when they are sent.

Learnt of promptfoo 0.123: an HTTP status of 500 without the indicator would pass, so other than 2xx is an error; and an empty
answer would, so an answer is asked for.
"""

from __future__ import annotations

import json
from typing import Any

from bot.validation.exports.yaml_text import dumped
from bot.validation.literal import literal
from bot.validation.pack import Indicator, IndicatorKind, Pack, Payload
from bot.validation.variants import original

URL, TOKEN = "FIRSTHOUR_TARGET_URL", "FIRSTHOUR_TARGET_TOKEN"
CANARY = "FIRSTHOUR_CANARY_{}"
"""The value of the pack's n-th canary, from 1."""
ANSWERED = 'typeof output === "string" && output.trim() !== ""'
Json = dict[str, Any]


def runs(pack: Pack) -> bool:
    """Whether there is a payload of one turn, and an indicator to look for: without, it would pass whatever happens."""
    return bool(_assertions(pack)) and bool(_single(pack))


def write(pack: Pack) -> str | None:
    """None where it does not run."""
    if not runs(pack):
        return None
    document = {
        "description": literal(
            f"Regression of {pack.incident or 'an AI security incident'}: {pack.title}".rstrip(": ")
        ),
        "prompts": ["{{payload}}"],
        "providers": [_provider()],
        "defaultTest": {"assert": [{"type": "javascript", "value": ANSWERED}, *_assertions(pack)]},
        "tests": [*(_attack(pack, payload) for payload in _single(pack)), *map(_benign, pack.benign)],
        "sharing": False,
    }
    return HEADER + dumped(document)


def _single(pack: Pack) -> list[Payload]:
    return [payload for payload in pack.payloads if len(original(payload).turns) == 1]


def _assertions(pack: Pack) -> list[Json]:
    canaries = 0
    found = []
    for one in pack.indicators:
        canaries += one.kind is IndicatorKind.CANARY
        if asserted := _assertion(one, canaries):
            found.append(asserted)
    return found


def _assertion(indicator: Indicator, canary: int) -> Json | None:
    match indicator.kind:
        case IndicatorKind.LITERAL:
            return {"type": "not-icontains", "value": literal(indicator.value)}
        case IndicatorKind.CANARY:
            return {"type": "not-icontains", "value": f"{{{{env.{CANARY.format(canary)}}}}}"}
        case IndicatorKind.REGEX:
            return {"type": "not-regex", "value": literal(javascript(indicator.value))}
        case IndicatorKind.TOOL_CALL | IndicatorKind.HTTP:
            return None


def javascript(pattern: str) -> str:
    """An RE2 pattern as JavaScript writes it: named groups, and flags at its beginning, which end with it there."""
    pattern = pattern.replace("(?P<", "(?<")
    flags, closed, rest = pattern.removeprefix("(?").partition(")")
    if pattern.startswith("(?") and closed and flags and set(flags) <= set("ims"):
        return f"(?{flags}:{rest})"
    return pattern


def _provider() -> Json:
    return {
        "id": "http",
        "config": {
            "url": f"{{{{env.{URL}}}}}",
            "method": "POST",
            "headers": {"Content-Type": "application/json", "Authorization": f"Bearer {{{{env.{TOKEN}}}}}"},
            "body": {},
            "transformRequest": "({message: JSON.parse(prompt)})",
            "transformResponse": "json.response",
            "validateStatus": "status >= 200 && status < 300",
        },
    }


def _attack(pack: Pack, payload: Payload) -> Json:
    text = original(payload).turns[0]
    metadata = {"incident": pack.incident, "payload": payload.id, "atlas": payload.atlas, "owasp": payload.owasp}
    return {
        "description": f"attack {payload.id[:12]}",
        "vars": {"payload": _inert(text)},
        "metadata": {
            key: list(value) if isinstance(value, tuple) else value for key, value in metadata.items() if value
        },
    }


def _benign(text: str) -> Json:
    """An innocent request that must be answered, and not refused."""
    return {
        "description": "benign control",
        "vars": {"payload": _inert(text)},
        "assert": [{"type": "not-is-refusal"}],
    }


def _inert(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("{", "\\u007b").replace("}", "\\u007d")


HEADER = f"""\
# Written by Firsthour. Set {URL} and {TOKEN}; README.md says the rest.
# If your application speaks another form than {{"message"}} and {{"response"}}, change transformRequest and transformResponse.
# PROMPTFOO_DISABLE_TELEMETRY=1 promptfoo eval -c promptfooconfig.yaml --no-cache --no-share --no-write
"""
