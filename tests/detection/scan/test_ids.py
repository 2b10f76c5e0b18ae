"""Credentials sent as ids: named by kind, last four and a keyed hash, the same for the same, and never kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.detection.event import Data, Event, Outcome, Seen, Signal, Tool, UserKind, Verdict
from bot.detection.scan import NAMED, Knowledge, Scanner
from bot.detection.scan.issuers import ISSUERS, Issuer
from tests.detection.scan.corpus import BOB, CANARY, event, made, scanner, token

ONE = scanner()
BOTH = {True: ONE, False: scanner(fast=False)}
FIELDS: tuple[Callable[[str], dict[str, Any]], ...] = (
    *(
        lambda value, name=name: {name: value}
        for name in (
            "user_id", "session_id", "call_id", "event_id", "source_event_id", "trace_id", "app", "endpoint", "tenant", "source",
            "environment", "model", "model_version", "text_ref", "raw_sha256", "excerpt_redacted",
        )
    ),
    lambda value: {"tool": Tool(value)},
    lambda value: {"tool": Tool("search", call_id=value, args_sha256=value)},
    lambda value: {"data": Data(query_sha256=value, result_sha256=value, classification=value)},
    lambda value: {"signals": (Signal("role_play", value), Signal(value))},
    lambda value: {"verdicts": (Verdict("x", Outcome.BLOCK, (value,)), Verdict(value, Outcome.FLAG, rule_id=value))},
)  # fmt: skip


def kept(by: Scanner, **fields: Any) -> Seen:
    """As the watch keeps it."""
    seen = [by.scan(event(None, **fields), 1.0)]
    return by.named(seen, msgspec.msgpack.encode(seen))[0]


def secret_of(issuer: Issuer, text: str) -> str:
    match = re.search(issuer.pattern, text, re.ASCII)
    assert match is not None
    return match["value" if "value" in match.re.groupindex else 0]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(ISSUERS),
    st.integers(0, 5),
    st.sampled_from(FIELDS),
    st.sampled_from(["", "user:", "/v1/chat?key=", "a b "]),
    st.sampled_from(UserKind),
    st.booleans(),
)
def test_no_credential_is_kept_in_any_field(
    issuer: Issuer, seed: int, field: Callable[[str], dict[str, Any]], before: str, kind: UserKind, fast: bool
) -> None:
    text = before + made(issuer, seed)
    packed = msgspec.msgpack.encode(kept(BOTH[fast], **{"user_kind": kind} | field(text)))
    assert secret_of(issuer, text).encode() not in packed


@pytest.mark.parametrize("fast", [True, False], ids=["hyperscan", "re"])
def test_a_credential_as_a_user_is_named_by_kind_last_four_and_a_keyed_hash(fast: bool) -> None:
    by, github = scanner(fast=fast), token("github_token")
    named = kept(by, user_id=github).event.user_id
    assert named is not None and NAMED.fullmatch(named)
    assert named.startswith(f"github_token …{github[-4:]} #")
    assert kept(by, user_id=github, session_id="another").event.user_id == named
    assert kept(by, user_id=token("github_token", 2)).event.user_id != named
    other = Scanner(Knowledge(), b"the key of another deployment", fast=fast)
    assert kept(other, user_id=github).event.user_id not in (named, github)


def test_an_api_key_becomes_what_gateways_know_it_by() -> None:
    """LiteLLM: `user_api_key_hash` is the SHA-256 of the virtual key, in hexadecimal digits."""
    key = "sk-h3Jc0pQw8ZtXv5LrN2mKbA"
    hashed = sha256(key.encode()).hexdigest()
    assert kept(ONE, user_id=key, user_kind=UserKind.API_KEY).event.user_id == hashed
    assert kept(ONE, user_id=hashed, user_kind=UserKind.API_KEY).event.user_id == hashed
    assert NAMED.fullmatch(kept(ONE, user_id=f"key {key}", user_kind=UserKind.API_KEY).event.user_id or "")


@pytest.mark.parametrize(
    "ordinary",
    [
        "alice", "user-0000017", "0f8b1f6e-6f0e-4e9e-9f1e-2f1d7c0c2a11", "f" * 64, "task-3f2a9c71e04b5d6687aa1c2e",
        "alice.miller@library.example", "gpt-5-mini-2026-01-01", "AKIAIOSFODNN7EXAMPLE", "https://library.example/v1/chat",
        "the tokens of my secretary", "", "日本語のユーザー",
    ],
)  # fmt: skip
@pytest.mark.parametrize("fast", [True, False], ids=["hyperscan", "re"])
def test_an_ordinary_id_stays_as_it_is(ordinary: str, fast: bool) -> None:
    by = scanner(fast=fast)
    seen = [by.scan(event(None, user_id=ordinary, call_id=ordinary), 1.0)]
    assert by.named(seen, msgspec.msgpack.encode(seen)) is seen


def test_who_asked_is_told_by_the_id_as_it_came() -> None:
    """An owner is registered by the id that the application uses."""
    github = token("github_token")
    assert kept(ONE, user_id=github).requester == ONE.scan(event("x", user_id=github), 1.0).requester != ""


def test_an_excerpt_that_a_source_redacted_is_redacted_again_and_clipped() -> None:
    told = f"our canary {CANARY}, {BOB['email']}, {token('slack_token')}\nand more " + "of it " * 300
    excerpt = kept(ONE, excerpt_redacted=told).event.excerpt_redacted
    assert excerpt is not None and len(excerpt) <= 200
    assert excerpt.startswith("our canary [canary], [identifier], [secret] and more of it")


def test_an_excerpt_beside_a_text_is_kept_and_the_text_is_not() -> None:
    seen = ONE.scan(event("a text", excerpt_redacted="a part"), 1.0)
    assert (seen.event.text, seen.event.excerpt_redacted) == (None, "a part")


def test_the_event_has_no_field_of_text_that_is_not_tried_here() -> None:
    tried = {name for make in FIELDS for name in make("x")}
    others = {"kind", "user_kind", "stage", "text"}
    texts = {field.name for field in msgspec.structs.fields(Event) if "Str" in _types(field.type)}
    assert len(texts) > 15 and texts <= tried | others


def _types(type_: Any) -> str:
    info = msgspec.inspect.type_info(type_)
    parts = getattr(info, "types", (info,))
    return " ".join(type(part).__name__.removesuffix("Type") for part in parts)
