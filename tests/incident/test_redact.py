"""Secrets do not get into the store: every shape, hidden characters, hostile lengths; and clipping that does not tear."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.incident.redact import SHAPES, clip, redact

# Put together at run time, so that no scanner takes this file for a leak.
SECRETS: dict[str, tuple[str, str]] = {
    "aws key": ("AKIA" + "IOSFODNN7EXAMPL3", "AWS key id"),
    "aws session key": ("ASIA" + "Y34FZKBOKMUTVV7A", "AWS key id"),
    "github classic": ("ghp_" + "a1B2" * 9, "GitHub token …a1B2"),
    "github app": ("ghs_" + "a1B2" * 9, "GitHub token …a1B2"),
    "github fine-grained": ("github_pat_" + "11ABCDE0_" * 9, "GitHub token …DE0_"),
    "gitlab": ("glpat-" + "xY9zxY9zxY9zxY9zxY9z", "GitLab token …xY9z"),
    "openai": ("sk-" + "T3st" * 12, "OpenAI key …T3st"),
    "openai project": ("sk-proj-" + "Ab_c-D1x" * 8, "OpenAI key …-D1x"),
    "anthropic": ("sk-ant-" + "api03-" + "Zz9_" * 20, "Anthropic key …Zz9_"),
    "stripe": ("sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc", "Stripe key …p7dc"),
    "hugging face": ("hf_" + "AbCdEf1234" * 4, "Hugging Face token …1234"),
    "slack bot": ("xoxb-" + "123456789012-1234567890123-AbCdEfGhIjKl", "Slack token …IjKl"),
    "slack rotated": ("xoxe.xoxp-" + "1-Mi0yLTEyMzQ1Njc4OTAxMg", "Slack token …AxMg"),
    "slack app": ("xapp-" + "1-A012345-6789-0123456789abcdef", "Slack token …cdef"),
    "google": ("AIza" + "SyA-1234567890abcdefghijklmnopqrstu", "Google key …rstu"),
    "jwt": ("eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0." + "dozjgNryP4J3jVmNHl0w", "JWT …Hl0w"),
    "private key": (
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIEow\n-----END RSA PRIVATE KEY-----",
        "private key",
    ),
    "openssh key": ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----", "private key"),
    "pgp key": ("-----BEGIN PGP PRIVATE KEY BLOCK-----\nlQ==\n-----END PGP PRIVATE KEY BLOCK-----", "private key"),
    "cut private key": ("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq", "private key"),
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_replaced_by_its_kind(name: str) -> None:
    secret, kind = SECRETS[name]
    assert redact(f"before {secret}") == f"before [redacted {kind}]"


@pytest.mark.parametrize("name", [name for name in SECRETS if not name.startswith("cut")])
def test_the_text_around_a_secret_stays(name: str) -> None:
    secret, kind = SECRETS[name]
    assert redact(f"“{secret}”, then ({secret})") == f"“[redacted {kind}]”, then ([redacted {kind}])"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abcdef0123456789ABCDEF0", "Authorization: Bearer [redacted bearer token]"),
        ("authorization: Basic dXNlcjpwYXNz", "authorization: [redacted credentials]"),
        ("postgresql://bot:s3cr3t@db:5432/x", "postgresql://bot:[redacted password]@db:5432/x"),
        ("redis://:p@ss@cache", "redis://:[redacted password]@cache"),
        ("password=hunter2&x=1", "password=[redacted password]&x=1"),
        ("DB_PASSWORD: correct-horse", "DB_PASSWORD: [redacted password]"),
        ('{"password": "two words", "n": 1}', '{"password": [redacted password], "n": 1}'),
        (r'"{\"api_key\": \"abc123\", \"n\": 1}"', r'"{\"api_key\": [redacted secret], \"n\": 1}"'),
        ("passwd = 'cut off in the mid", "passwd = [redacted password]"),
        ("api_key: 9f8e7d6c", "api_key: [redacted secret]"),
        ("X-Api-Key:9f8e7d6c", "X-Api-Key:[redacted secret]"),
        ("aws_secret_access_key = " + "wJalrXUtnFEMI/K7MDENG/bPxRfiCY", "aws_secret_access_key = [redacted secret]"),
        ("client_secret=abc123def", "client_secret=[redacted secret]"),
        (
            "https://hooks.slack.com/services/" + "T0/B0/" + "x" * 20,
            "https://hooks.slack.com/[redacted Slack webhook …xxxx]",
        ),
        ("token=" + "ghp_" + "b" * 36, "token=[redacted GitHub token …bbbb]"),
    ],
)
def test_a_secret_is_found_by_its_name(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "The api key: rotated by bob, the token: revoked.",
        "a task-force-of-many-people-everywhere and risk-assessment-of-the-month",
        "max_tokens=4096, total_tokens: 512",
        "https://example.com:8080/path?to=a@b and mailto:a@b.example",
        "commit 0123456789abcdef0123456789abcdef01234567",
        "sha256 " + "ab" * 32,
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "the bearer of bad news",
        "",
    ],
)
def test_what_is_no_secret_is_left_as_it_is(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize(
    "hidden", ["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u202e", "\U000e0041", "\x00", "\x1b"]
)
def test_a_token_that_is_split_by_invisible_characters_is_found(name: str, hidden: str) -> None:
    secret, kind = SECRETS[name]
    assert redact(f"a {hidden.join(secret)} b").startswith(f"a [redacted {kind}]")


def test_invisible_characters_elsewhere_stay_for_the_room_to_show() -> None:
    assert redact("a\u200bb \u202ec") == "a\u200bb \u202ec"


def test_what_no_database_takes_becomes_the_replacement_character() -> None:
    assert redact("a\x00b\ud83dc") == "a\ufffdb\ufffdc"


@given(
    st.lists(st.one_of(st.sampled_from([secret for secret, _ in SECRETS.values()]), st.text(max_size=20)), max_size=6)
)
def test_no_secret_gets_through_whatever_stands_around_it(parts: list[str]) -> None:
    shown = redact(" ".join(parts))
    for secret, _ in SECRETS.values():
        assert secret not in shown
    shown.encode()
    assert redact(shown) == shown


HOSTILE = [
    "-----BEGIN PRIVATE KEY-----", "-", "://a:", "://", "pwd='", "pwd=\"pwd='pwd=`", "eyJ-", "eyJaaaaaaaa.", "sk-", "x-", "ghp_a",
    "s\u200b", "token=", "token=a", "\\", "password\\", "bearer ", "authorization: basic ", "://a:b@", "xox", "xoxb", "AIza", "a",
    "hooks.slack.com/services/", "authorization:" + " " * 9,
]  # fmt: skip


def spent(text: str) -> float:
    """CPU seconds, the least of three: what else the machine does counts for nothing."""
    took = []
    for _ in range(3):
        begun = time.process_time()
        redact(text)
        took.append(time.process_time() - begun)
    return min(took)


@pytest.mark.parametrize("unit", HOSTILE)
def test_the_work_grows_with_the_length_and_no_faster(unit: str) -> None:
    short, long = ((unit * (size // len(unit) + 1))[:size] for size in (62_500, 250_000))
    assert spent(long) < 4 * 2.5 * spent(short) + 0.01, "four times the text took far more than four times the work"


def test_a_megabyte_of_nested_beginnings_is_read_in_bounded_work() -> None:
    text = ("pwd=\"-----BEGIN PRIVATE KEY-----eyJ-://a:sk-token='bearer " * 20_000)[:1_000_000]
    assert spent(text) < 5.0


def test_every_kind_is_a_word_that_no_shape_matches_again() -> None:
    for shape in SHAPES:
        marker = f"[redacted {shape.kind} …abcd]"
        assert redact(f"token={marker} password: {marker}") == f"token={marker} password: {marker}"


@given(st.text(max_size=60), st.integers(0, 70))
def test_clipped_text_is_short_enough_and_begins_as_the_text_does(text: str, limit: int) -> None:
    shown = clip(text, limit)
    assert len(shown) <= limit or shown == text == ""
    assert shown == text or text.startswith(shown.removesuffix("…"))
    assert (shown == text) == (len(text) <= limit) or (len(text) > limit and shown == text[:limit])


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("short", 5, "short"),
        ("too long", 5, "too…"),
        ("cafe\u0301s", 5, "caf…"),  # é as two code points
        ("ab\U0001f468\u200d\U0001f469\u200d\U0001f467", 5, "ab…"),  # a family is one
        ("ab\U0001f44d\U0001f3fe!", 4, "ab…"),  # a thumb keeps its skin
        ("\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7!", 4, "\U0001f1e9\U0001f1ea…"),  # half a flag is a letter
        ("a\r\nb", 3, "a…"),
        ("x", 0, ""),
        ("xy", 1, "…"),
    ],
)
def test_what_is_seen_as_one_is_not_cut_in_two(text: str, limit: int, shown: str) -> None:
    assert clip(text, limit) == shown


def test_a_pile_of_combining_marks_is_cut_all_the_same() -> None:
    assert clip("a" + "\u0301" * 500, 100) == "a" + "\u0301" * 98 + "…"


def test_patterns_name_what_they_remove() -> None:
    assert all(re.fullmatch(r"[A-Za-z ]+", shape.kind) for shape in SHAPES)
