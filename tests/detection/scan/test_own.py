"""Patterns of the user's own: taken, or refused with words that help."""

from __future__ import annotations

import pytest

from bot.detection.scan import compile_pattern

ENGINES = pytest.mark.parametrize("fast", [True, False], ids=["re2", "re"])


@ENGINES
@pytest.mark.parametrize(
    ("pattern", "text", "spans"),
    [
        ("desk-[0-9]{6}", "desk-123456 desk-654321", [(0, 11), (12, 23)]),
        ("(?i)maps?", "MAPS and map", [(0, 4), (9, 12)]),
        ("^shelf .{1,10}$", "shelf 12", [(0, 8)]),
        ("^shelf .{1,10}$", "shelf 12\n", []),
        (r"\bé\b|ü{2}", "größe üü", [(6, 8)]),
        (r"a\$b", "a$b", [(0, 3)]),
        ("[$]5", "is $5", [(3, 5)]),
        ("x.y", "x\ud800y", [(0, 3)]),
    ],
)
def test_both_engines_find_the_same(pattern: str, text: str, spans: list[tuple[int, int]], fast: bool) -> None:
    compiled = compile_pattern(pattern, fast=fast)
    assert list(compiled.spans(text)) == spans
    assert compiled.finds(text) == bool(spans)


@ENGINES
@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(unclosed", "not a regular expression"),
        ("a*", "match every text"),
        ("(?=ahead)x", "looks ahead"),
        (r"(a)\1", "refers to a group"),
        ("a++", "some engines"),
        ("(?x) a b", "some engines"),
        (r"end\Z", "some engines"),
        ("[[:alpha:]]x", "a set within a set"),
        ("x{2000}", "more than 1000 times"),
        ("(?:x{100}){100}", "more than 1000 times"),
        ("(" * 2000 + "a" + ")" * 2000, "too large"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused_with_the_reason(pattern: str, why: str, fast: bool) -> None:
    with pytest.raises(ValueError, match=why):
        compile_pattern(pattern, fast=fast)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a|b)*c", "(a|aa)+$", "a{1,50}a{1,50}a{1,50}b", r"(\d+\s?){3,}x"])
def test_what_would_backtrack_for_ever_runs_in_linear_time_or_is_refused(pattern: str) -> None:
    assert not compile_pattern(pattern).finds("a" * 200_000 + "!")
    with pytest.raises(ValueError, match=r"too many ways.*upper bound"):
        compile_pattern(pattern, fast=False)
