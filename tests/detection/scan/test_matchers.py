"""One answer whatever matches: hyperscan and the standard library have the same finds."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.detection.event import Stage
from bot.detection.scan.issuers import ISSUERS
from bot.detection.scan.matchers import engine
from tests.detection.scan.corpus import BOB, CANARY, PROMPT, event, made, scanner
from tests.detection.scan.test_probes import ASKED, ORDINARY

FAST, PLAIN = scanner(), scanner(fast=False)
PARTS = [
    *(made(issuer, seed) for issuer in ISSUERS for seed in (1, 2)),
    *(text for texts in ASKED.values() for text in texts),
    *ORDINARY,
    *BOB.values(),
    CANARY,
    CANARY[::-1],
    " ".join(CANARY),
    b64encode(CANARY.encode()).decode(),
    CANARY.encode().hex(" "),
    PROMPT[60:200],
]
GLUE = ["", " ", "\n", ".", "-", "123456", "   ", "é", "\u200b", "“", "\ud800", "%20", "/", "@", "ab"]


def test_the_engine_says_what_it_is() -> None:
    assert (FAST.engine, PLAIN.engine) == ("hyperscan", "re")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(st.sampled_from(PARTS), st.sampled_from(GLUE), st.text(max_size=8)), max_size=6), st.booleans()
)
def test_both_engines_find_the_same_in_any_text(parts: list[str], asked: bool) -> None:
    given_event = event("".join(parts), stage=Stage.INPUT if asked else Stage.OUTPUT)
    assert FAST.scan(given_event, 0.0) == PLAIN.scan(given_event, 0.0)


@pytest.mark.parametrize("fast", [True, False])
def test_a_word_that_is_too_short_is_refused(fast: bool) -> None:
    with pytest.raises(ValueError, match="at least 4 bytes"):
        engine(fast=fast).words([b"abc"])
