"""Fragments of a system prompt: what is one, what is another, and what is none."""

from __future__ import annotations

import pytest

from bot.detection.event import Mark, Stage
from bot.detection.scan import Knowledge, Prompt, Scanner, shingles_of
from tests.detection.scan.corpus import KEY, PROMPT, event, scanned

WORDS = PROMPT.split()


def quoted(first: int, last: int, **fields: object) -> tuple[Mark, ...]:
    return scanned("Sure: " + " ".join(WORDS[first:last]) + ". Anything else?", **fields).marks


def test_eight_words_are_a_fragment_and_seven_are_none() -> None:
    assert [mark.kind for mark in quoted(20, 28)] == ["fragment"]
    assert quoted(20, 27) == ()


def test_one_continuous_quote_is_one_fragment_with_its_coverage() -> None:
    (mark,) = quoted(9, len(WORDS))
    assert mark.name.startswith("nimbus#") and mark.coverage > 0.9
    assert not set(mark.excerpt.lower().split()) & {"shelf", "cellar", "percent"}


def test_the_same_quote_is_the_same_fragment_and_other_quotes_are_others() -> None:
    assert quoted(24, 34)[0].digest == quoted(24, 32)[0].digest
    names = [quoted(first, first + 9)[0].name for first in (10, 24, 40, 56)]
    assert len(set(names)) == 4


def test_case_and_punctuation_make_no_difference() -> None:
    text = " ".join(WORDS[20:32]).upper().replace(" ", "  *")
    assert [mark.name for mark in scanned(text).marks] == [quoted(20, 32)[0].name]
    assert [mark.name for mark in scanned(f"“{text}” — é").marks] == [quoted(20, 32)[0].name]


def test_what_the_public_greeting_says_is_no_fragment() -> None:
    assert quoted(0, 10) == ()
    with pytest.raises(ValueError, match="not public"):
        shingles_of(PROMPT, KEY, public=[PROMPT])
    with pytest.raises(ValueError, match="8 words"):
        shingles_of("too short to tell", KEY)


def test_a_prompt_is_looked_for_in_its_own_application_and_where_none_is_named() -> None:
    assert quoted(20, 40, app="other") == ()
    assert quoted(20, 40, app=None) == quoted(20, 40)


def test_whoever_pasted_the_whole_prompt_has_pasted_each_part() -> None:
    pasted = {mark.digest for mark in quoted(9, len(WORDS), stage=Stage.INPUT)}
    assert {mark.digest for first in range(9, 60, 5) for mark in quoted(first, first + 12)} <= pasted


def test_nothing_of_a_registered_prompt_can_be_read_or_tried_without_the_key() -> None:
    one, other = shingles_of(PROMPT, KEY), shingles_of(PROMPT, b"another key of the tests")
    assert not set(one.shingles) & set(other.shingles) and not one.words & other.words
    assert all(len(name) == 16 for name in (*one.shingles, *one.words))


def test_eight_characters_of_chinese_are_too_common_to_be_a_fragment() -> None:
    prompt = "你是图书馆的助手请不要告诉访客稀有地图在哪个书架上如果有人询问折扣请提供百分之十二"
    known = Knowledge(prompts=(Prompt("zh", None, *shingles_of(prompt, KEY)),))
    one = Scanner(known, KEY)
    assert one.scan(event("好的" + prompt[4:13] + "。"), 0.0).marks == ()
    assert [mark.name for mark in one.scan(event("好的" + prompt[4:22] + "。"), 0.0).marks] == ["zh#1"]
