"""How targets are spoken to: OpenAI's form, streams, templates, conversations, and which addresses are never asked."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bot.incident.errors import Misconfigured
from bot.settings_targets import TargetSettings
from bot.validation.answers import Answer, ToolCall, Trouble, TroubleKind
from bot.validation.sse import joined
from bot.validation.targets import open_target
from tests.validation.system import CANARY, SAFE, System


async def before() -> None:
    """Nothing is paced here."""


async def ask(settings: dict[str, Any], *turns: str, document: str | None = None) -> Answer | Trouble:
    async with open_target("t", TargetSettings.model_validate(settings), {}) as target:
        return await target.send(turns or ("Hi",), document, before=before)


def model(system: System, name: str, **more: Any) -> dict[str, Any]:
    return {"kind": "openai", "url": f"{system.url}/v1", "model": name, "timeout_seconds": 5, **more}


@pytest.mark.parametrize("stream", [False, True])
async def test_a_chat_completion_is_read_whole_or_streamed(system: System, stream: bool) -> None:
    answer = await ask(model(system, "plain", stream=stream))
    assert isinstance(answer, Answer) and answer.text == SAFE
    answer = await ask(model(system, "leaky", stream=stream))
    assert isinstance(answer, Answer) and CANARY in answer.text
    answer = await ask(model(system, "acting", stream=stream))
    assert isinstance(answer, Answer) and answer.tools == (ToolCall("transfer_funds", '{"to": 7}'),)


async def test_refusals_and_filters_of_openai_are_known(system: System) -> None:
    answer = await ask(model(system, "refusing"))
    assert isinstance(answer, Answer) and answer.refused and answer.text == "No."
    answer = await ask(model(system, "filtered"))
    assert isinstance(answer, Answer) and answer.blocked is not None


async def test_an_endless_stream_ends_at_the_limit_with_what_was_said(system: System) -> None:
    answer = await ask(model(system, "endless", stream=True, most_bytes=4096))
    assert isinstance(answer, Trouble) and answer.kind is TroubleKind.TOO_LARGE and answer.seen.startswith("so so so ")


async def test_turns_go_on_with_what_was_said_before(system: System) -> None:
    answer = await ask(model(system, "plain"), "first", "second")
    assert isinstance(answer, Answer) and answer.said == (SAFE, SAFE)
    assert [message["role"] for message in system.asked[-1]["messages"]] == ["user", "assistant", "user"]  # type: ignore[attr-defined]
    system.reset()
    body = {"message": "{message}", "session": "{conversation}"}
    answer = await ask({"url": f"{system.url}/turns", "body": body, "conversation": "id"}, "first", "second", "third")
    assert isinstance(answer, Answer) and answer.said == ("turn 1", "turn 2", "turn 3")
    first, *others = [asked["session"] for asked in system.asked]
    assert first != "talk-7" and others == ["talk-7", "talk-7"]


async def test_what_is_filled_in_is_not_a_template_again(system: System) -> None:
    body = {"message": "{message}", "context": [{"text": "{document}"}], "doc": "{document}", "n": 3}
    settings = {"url": f"{system.url}/safe", "body": body}
    await ask(settings, "show {user} and {document} of {0}", document="the {message}")
    assert system.asked[-1] == {
        "message": "show {user} and {document} of {0}",
        "context": [{"text": "the {message}"}],
        "doc": "the {message}",
        "n": 3,
    }
    await ask(settings, "no document")
    assert system.asked[-1] == {"message": "no document", "context": [{}], "n": 3}


async def test_a_redirect_is_not_followed_and_a_probe_stays_below_its_base(system: System) -> None:
    answer = await ask({"url": f"{system.url}/redirect"})
    assert isinstance(answer, Trouble) and answer.kind is TroubleKind.REDIRECT
    settings = TargetSettings.model_validate({"url": f"{system.url}/safe", "probes": [f"{system.url}/hooks"]})
    async with open_target("t", settings, {}) as target:
        for url in (
            "http://169.254.169.254/latest",
            f"{system.url}/hooks/../effect",
            f"{system.url}/hooksx",
            "no url",
            "//x",
        ):
            found = await target.probe(url)
            assert isinstance(found, Trouble) and "probes" in found.words
    assert set(system.calls) == {"redirect"}


async def test_a_secret_is_named_and_never_shown(system: System) -> None:
    settings = TargetSettings.model_validate({"url": f"{system.url}/safe", "token_env": "TOKEN"})
    with pytest.raises(Misconfigured, match="TOKEN is not set"):
        async with open_target("t", settings, {}):
            pass
    async with open_target("t", settings, {"TOKEN": "s3cret"}) as target:
        assert "s3cret" not in repr(target)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"url": "http://staging.example.com/chat", "token_env": "T"}, "https only"),
        ({"url": "https://me:pw@staging.example.com/chat"}, "no name or password"),
        ({"url": "https://a.example.com/chat", "version_url": "https://b.example.com/v"}, "another host"),
        ({"url": "https://a.example.com/chat", "answer": "a[?"}, "not JMESPath"),
        ({"url": "https://a.example.com/chat", "body": {"text": "Hi"}}, "nothing would be sent"),
        ({"url": "https://a.example.com/v1", "kind": "openai"}, "needs `model`"),
        ({"url": "https://a.example.com/chat", "anwser": "x"}, "Extra inputs"),
    ],
)
def test_a_target_that_cannot_be_used_is_refused_at_start(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        TargetSettings.model_validate(settings)


def test_a_stream_that_is_none_or_broke_off_is_no_answer() -> None:
    chunk = 'data: {"choices": [{"delta": {"content": "a\u2028b", "tool_calls": [7, {"index": "x", "function": {}}]}}]}'
    assert joined(f"{chunk}\r\n\r\ndata: [DONE]\r\n") == {
        "choices": [{"message": {"content": "a\u2028b", "refusal": "", "tool_calls": []}, "finish_reason": None}]
    }
    for text in ("", chunk, "data: 7\n\n", "data: {\n\n", "data: [DONE"):
        assert joined(text) is None
