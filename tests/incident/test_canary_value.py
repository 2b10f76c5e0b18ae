"""Canaries that are made are good ones, and what innocent text holds is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bot.incident.canary_value import NOISE, SENTENCES, made, weakness
from bot.incident.words import CanaryKind


@hypothesis_settings(max_examples=200)
@given(st.sampled_from(CanaryKind), st.binary(min_size=NOISE, max_size=NOISE))
def test_a_made_value_has_the_form_of_its_kind(kind: CanaryKind, noise: bytes) -> None:
    value = made(kind, noise)
    assert value.startswith("sk-") is (kind not in SENTENCES)
    assert value == made(kind, noise)


@pytest.mark.parametrize("kind", CanaryKind)
def test_made_values_pass_and_differ(kind: CanaryKind) -> None:
    values = {made(kind, bytes((7 * seed + 31 * place) % 256 for place in range(NOISE))) for seed in range(100)}
    assert len(values) == 100
    assert all(weakness(value) is None for value in values)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "k4r82m1z",
        "x" * 501,
        "How can I help you today with your order?",
        "22 November 2026, 14:05",
        "+49 30 1234567890 1234567890",
        "aaaaaaaaaaaaaaaa1111",
        "AKIAIOSFODNN7EXAMPLE",
        "sk-xxxxxxxxxxxxxxxxxxxx1",
        "your-api-key-4f9s8d7f6s5d4f3s",
        "a4k2m8z1\nq7w3e9r5t1",
        "a4k2m8z1\u200bq7w3e9r5t1",
    ],
)
def test_what_could_stand_in_innocent_text_is_refused_and_never_repeated(value: str) -> None:
    why = weakness(value)
    assert why is not None
    assert len(value) < 8 or value not in why


@pytest.mark.parametrize(
    "value", ["9f1c7b2e-4d3a-4b8e-9c6f-2a7d5e8b1c04", "Internal note 7k4m2q9xw3", "postgres://lumen:q8Zr41xTm2@db/shop"]
)
def test_a_value_with_one_run_that_nobody_writes_by_chance_is_taken(value: str) -> None:
    assert weakness(value) is None
