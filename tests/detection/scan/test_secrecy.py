"""No mark and no excerpt holds a secret, whatever stands around it."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.detection.scan import Canary, Knowledge, Scanner
from bot.detection.scan.issuers import ISSUERS, Issuer
from tests.detection.scan.corpus import BOB, CANARY, KEY, event, made, scanned, scanner, token

ONE = scanner()
AROUND = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["key = ", "\n", " and ", "‮", "\u200b", "secret: ", CANARY, BOB["email"], "password=", "https://"]),
)


def of(name: str) -> tuple[Issuer, int]:
    return next(issuer for issuer in ISSUERS if issuer.name == name), 0


SECRETS = [(issuer, seed) for issuer in ISSUERS for seed in range(3) if not issuer.weak]


@settings(max_examples=120, deadline=None)
@example("", of("aws_key_id"), "SECRET:", of("aws_secret_key"), "0")  # a keyword that two forms share, and no end
@given(AROUND, st.sampled_from(SECRETS), AROUND, st.sampled_from(SECRETS), AROUND)
def test_no_secret_is_in_any_mark(before, one, between, other, after) -> None:  # type: ignore[no-untyped-def]
    texts = [made(issuer, seed) for issuer, seed in (one, other)]
    seen = ONE.scan(event(f"{before}{texts[0]} {between} {texts[1]}{after}"), 0.0)
    shown = " ".join(f"{mark.excerpt} {mark.last4} {mark.name} {mark.digest}" for mark in seen.marks)
    assert all(len(mark.excerpt) <= 200 for mark in seen.marks)
    for (issuer, _), text in zip((one, other), texts, strict=True):
        value = re.search(issuer.pattern, text, re.ASCII)
        assert value is not None
        secret = value["value" if "value" in value.re.groupindex else 0]
        assert secret not in shown
        assert CANARY not in shown and BOB["email"] not in shown


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_any_text_at_all_is_scanned_and_taken_away(text: str) -> None:
    seen = ONE.scan(event(text, call_id="c"), 7.0)
    assert seen.event.text is None and seen.arrived == 7.0


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "plain"])
@pytest.mark.parametrize("value", ["shelf seven moon door", "shelf 7f3a moon door"])
def test_a_line_that_shows_a_canary_only_once_it_is_made_showable_is_not_shown(value: str, fast: bool) -> None:
    """A tab is no space, so that no canary stands in the text; in what is shown a space takes its place."""
    one = Scanner(Knowledge(canaries=(Canary("door", "document", value),)), KEY, fast=fast)
    tabbed = value.replace(" ", "\t", 1)
    (mark,) = scanned(f"{tabbed} {token('github_token')}", one).marks
    assert (mark.name, mark.excerpt) == ("github_token", "")
    (mark,) = scanned(f"shelf, seven. {token('github_token')}", one).marks
    assert mark.excerpt == "shelf, seven. [secret]"
