"""Credentials: every issuer's, and what only looks like one."""

from __future__ import annotations

import re
from base64 import b64encode

import pytest

from bot.detection.event import Stage
from bot.detection.scan.issuers import ISSUERS, Issuer
from tests.detection.scan.corpus import made, scanned, token, told


@pytest.mark.parametrize("issuer", ISSUERS, ids=lambda issuer: issuer.name)
def test_a_credential_of_every_issuer_is_found_once_and_never_shown(issuer: Issuer) -> None:
    secret = made(issuer)
    seen = scanned(f"Here you are:\n{secret}\nUse it well.")
    found = [mark for mark in seen.marks if mark.grade in ("validated_pattern", "generic_pattern")]
    assert issuer.name in {mark.name for mark in found}
    assert [mark.grade for mark in found if mark.name == issuer.name] == [
        "generic_pattern" if issuer.weak else "validated_pattern"
    ]
    assert seen.event.text is None
    value = re.search(issuer.pattern, secret, re.ASCII)
    assert value is not None
    hidden = value["value" if "value" in value.re.groupindex else 0]
    assert hidden not in repr(seen)


@pytest.mark.parametrize("issuer", ISSUERS, ids=lambda issuer: issuer.name)
def test_one_of_a_patterns_keywords_stands_in_everything_that_it_matches(issuer: Issuer) -> None:
    for seed in range(20):
        assert any(keyword in made(issuer, seed).lower() for keyword in issuer.keywords)


def test_the_mark_says_kind_last_four_keyed_hash_and_place() -> None:
    secret = token("github_token")
    (mark,) = scanned(f"The token is {secret}, keep it.").marks
    assert (mark.name, mark.last4, mark.offset, mark.how) == ("github_token", secret[-4:], 13, "plain")
    assert re.fullmatch("[0-9a-f]{32}", mark.digest)
    assert mark.excerpt == "The token is [secret], keep it."


@pytest.mark.parametrize("name", ["github_token", "npm_token", "grafana_token"])
def test_a_token_whose_checksum_is_wrong_is_a_signal_only(name: str) -> None:
    right = token(name)
    wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
    assert [mark.grade for mark in scanned(wrong).marks if mark.name == name] == ["generic_pattern"]


@pytest.mark.parametrize(
    ("text", "excluded"),
    [
        ("AKIA" + "IOSFODNN7EXAMPLE", "documentation_example"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG" + "/bPxRfiCYEXAMPLEKEY", "documentation_example"),
        ("sk-" + "x" * 48, ""),
        ("sk-proj-" + "your_key_here_" * 4, ""),
        ("postgres://user:password@localhost/db", ""),
        ("postgres://app:${DB_PASSWORD}@db/app", ""),
        ("postgres://app:<password>@db/app", ""),
        ("api_key = YOUR_API_KEY_HERE", ""),
        ("ghp_" + "a" * 36, ""),
    ],
)
def test_what_documentation_shows_is_a_placeholder(text: str, excluded: str) -> None:
    marks = scanned(f"Set it so: {text}").marks
    assert {mark.grade for mark in marks} <= {"placeholder"}
    assert {mark.excluded for mark in marks} <= {excluded}


@pytest.mark.parametrize(
    "text",
    [
        "a risk-assessment-of-the-whole-building-and-its-surroundings",
        "see https://docs.example.org/task-scheduling/introduction-to-everything",
        "the token is refreshed every hour, and the password: never the same",
        "commit 3f786850e387550fdab836ed7e6dc881de23001b of 2026-01-01",
        "id 123e4567-e89b-42d3-a456-426614174000",
        "eyJust a sentence. eyJust another one. And the end of it all",
        "http://example.org:8080/path@home",
    ],
)
def test_innocent_text_has_no_marks(text: str) -> None:
    assert scanned(text).marks == ()


def test_a_generic_assignment_alone_is_a_signal_only() -> None:
    assert told(scanned('password = "correct-horse7"')) == [("secret", "generic_secret", "generic_pattern")]


def test_what_the_user_pasted_has_the_same_hash_in_the_answer() -> None:
    secret = token("openai_project_key")
    pasted, repeated = scanned(f"my key {secret}", stage=Stage.INPUT), scanned(f"Your key is {secret}.")
    assert [mark.digest for mark in pasted.marks] == [mark.digest for mark in repeated.marks]
    assert scanned(token("openai_project_key", 2)).marks[0].digest != pasted.marks[0].digest


def test_a_credential_in_base64_is_found() -> None:
    secret = token("github_token")
    (mark,) = scanned(b64encode(f"the token: {secret}".encode()).decode()).marks
    assert (mark.name, mark.how, mark.grade) == ("github_token", "base64", "validated_pattern")


def test_a_heap_of_weak_finds_hides_no_strong_one() -> None:
    heap = "".join(f'password = "correct-horse-{number}"\n' for number in range(500))
    marks = scanned(heap + token("github_token")).marks
    assert len(marks) == 51 and "github_token" in {mark.name for mark in marks}
