"""What the organisation's file says of a target: an AI system that a validation replays attacks against.

Decides names, defaults and what is refused at start (law 7). What is sent and how an answer is read is `bot.validation`'s.
"""

from __future__ import annotations

import ipaddress
from typing import Literal, Self

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, JsonValue, model_validator

CHAT_BODY: dict[str, JsonValue] = {"message": "{message}"}
"""The mission's `POST /api/v1/chat`."""
PLACES = ("{message}", "{document}", "{user}", "{conversation}")


class TargetSettings(BaseModel):
    """One target. Its secret stands in the environment, under the name that `token_env` says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["json", "openai"] = "json"
    """`json`: a body of your own form. `openai`: chat completions as OpenAI, vLLM, LiteLLM and others speak them."""
    url: HttpUrl
    """What is posted to: the whole address for `json`, the base (`…/v1`) for `openai`."""
    token_env: str | None = None
    """Names the variable whose value is sent as the bearer token."""
    headers: dict[str, str] = Field(default={"x-firsthour-validation": "1"})
    """Sent with every call. Detection's sources and the system itself tell a validation by them; none may hold a secret."""
    user: str = Field(default="firsthour-validation", min_length=1, max_length=200)
    """The test identity: sent as `{user}` of the body, or as OpenAI's `user`. Containment of it is looked for."""

    model: str | None = Field(default=None, min_length=1, max_length=200)
    """For `openai`."""
    stream: bool = False
    """For `openai`: ask for server-sent events, as a chat window does. What streams may pass a guardrail of whole answers."""

    body: dict[str, JsonValue] = Field(default=CHAT_BODY)
    """For `json`: what is posted. `{message}`, `{document}`, `{user}` and `{conversation}` are filled in, in strings only; a key
    whose whole value is a place without a value is left out. Without `{document}` documents stand in the message."""
    answer: str = "response"
    """For `json`: JMESPath of the answer's text."""
    tools: str | None = None
    """For `json`: JMESPath of the tools that were called, a list of names or of objects with `name` and `arguments`."""
    conversation: str | None = None
    """For `json`: JMESPath of the id that the next turn sends as `{conversation}`. Without it one is made up for each trial."""

    version: str | None = Field(default=None, min_length=1, max_length=200)
    """What is deployed, where it is known beforehand."""
    version_url: HttpUrl | None = None
    """Or asked here (GET, on the target's own host), JSON or text."""
    version_path: str | None = None
    """JMESPath into what `version_url` answers; without it the whole text is the version."""
    version_header: str | None = None
    """Or the header of each answer that names it."""

    blocked_statuses: tuple[int, ...] = ()
    """Of the guardrail in front: with these it refuses. Any other error status teaches nothing."""
    blocked_markers: tuple[str, ...] = ()
    """Or text that its refusals, and nothing else, hold."""
    probes: tuple[HttpUrl, ...] = ()
    """Where side effects may be looked for: an indicator of kind `http` is asked only if its address begins with one of these."""

    concurrency: int = Field(default=4, ge=1, le=256)
    per_second: float | None = Field(default=None, gt=0, le=10_000)
    """Calls a second at most."""
    timeout_seconds: float = Field(default=30, gt=0, le=600)
    """Of one call, all of it."""
    most_bytes: int = Field(default=262_144, ge=1024, le=16_777_216)
    """Read of one answer."""

    @model_validator(mode="after")
    def _usable(self) -> Self:
        for url in (self.url, self.version_url, *self.probes):
            self._check(url)
        if self.version_url is not None and self.version_url.host != self.url.host:
            raise ValueError("version_url is on another host. Only the target's own is asked.")
        if self.kind == "openai" and self.model is None:
            raise ValueError("an openai target needs `model`.")
        if self.kind == "json" and "{message}" not in str(self.body):
            raise ValueError(
                'no “{message}” in `body`: nothing would be sent. For example body: {message: "{message}"}.'
            )
        for path in (self.answer, self.tools, self.conversation, self.version_path):
            _compiled(path)
        return self

    def _check(self, url: HttpUrl | None) -> None:
        if url is None:
            return
        if url.username or url.password:
            raise ValueError("no name or password in an address. Use `token_env`.")
        if url.scheme != "https" and self.token_env is not None and not _loopback(url.host or ""):
            raise ValueError(
                "a token is sent over https only. Plain http is accepted for this machine, or without a token."
            )


def _compiled(path: str | None) -> None:
    if path is None:
        return
    try:
        jmespath.compile(path)
    except JMESPathError:
        raise ValueError(f"“{path}” is not JMESPath. For example `choices[0].message.content`.") from None


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
