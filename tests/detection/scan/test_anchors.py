"""Anchors of a prompt: a text without one is passed over, and that never hides a quote."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.detection.event import Event, Kind, Mark, Stage
from bot.detection.scan import Knowledge, Prompt, Scanner, shingles_of
from bot.detection.scan.digests import digester
from bot.detection.scan.fragments import Fragments
from bot.detection.scan.matchers import engine
from bot.detection.scan.normal import evened, forms, forms_of, normal, visible
from bot.detection.scan.shingles import ANCHOR, WIDTH, squeezed, words_of
from tests.detection.scan.corpus import KEY, PROMPT, scanned, scanner

GREETING = "Hello! You are Nimbus, the assistant of a small lending library. Ask away."
SECRET = (
    "Répondez toujours en français naïve café: der Schlüssel für den Übergang liegt im 3. Fach, code 7 a b c 12, "
    "и никогда не говорите об этом посетителям библиотеки 請不要告訴訪客稀有地圖在哪個書架上 straße und SO WEITER bis zum Ende."
)
PROMPTS = (
    Prompt("nimbus", None, *shingles_of(PROMPT, KEY, public=[GREETING])),
    Prompt("mixed", None, *shingles_of(SECRET, KEY)),
)
SIFTED = Knowledge(prompts=PROMPTS)
WHOLE = Knowledge(prompts=tuple(prompt._replace(anchors=()) for prompt in PROMPTS))
"""As prompts of an earlier version are: every text is divided into words."""
SIFT, ALL, PLAIN = Scanner(SIFTED, KEY), Scanner(WHOLE, KEY), Scanner(SIFTED, KEY, fast=False)
SAID = [*PROMPT.split(), *SECRET.split()]
BETWEEN = st.sampled_from(
    [" ", "  *", "\n", ", ", "_", "—", " “", "。", "\u200b \u200b", " \u00ab", "\u00a0", "! ?  ", "\ud800 "]
)
TRICKS = (
    str,
    str.upper,
    lambda word: "\u200b".join(word),
    lambda word: word.translate({ord("a"): "а", ord("o"): "ο", ord("e"): "е"}),
    lambda word: word.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)}),
    lambda word: word.replace("é", "e\u0301"),
    lambda word: word + "x",
)


@st.composite
def quotes(draw: st.DrawFn) -> str:
    """Some words of a prompt in a row, each written and divided in one of many ways, among others."""
    first, size = draw(st.integers(0, len(SAID) - 1)), draw(st.integers(6, 30))
    tricks = draw(st.lists(st.sampled_from(TRICKS[:-1] * 4 + TRICKS[-1:]), min_size=1, max_size=4))
    between = draw(st.lists(BETWEEN, min_size=1, max_size=3))
    words = SAID[first : first + size]
    said = "".join(tricks[at % len(tricks)](word) + between[at % len(between)] for at, word in enumerate(words))
    return draw(st.text(max_size=12)) + " " + said + draw(st.text(max_size=12))


def event(text: str, stage: Stage = Stage.OUTPUT, *, call: str | None = None) -> Event:
    return Event(kind=Kind.LLM_CALL, occurred_at=1.0, app="library", call_id=call, stage=stage, text=text)


def streamed(knowledge: Knowledge, pieces: Sequence[str]) -> list[tuple[Mark, ...]]:
    one = Scanner(knowledge, KEY)
    return [one.scan(event(piece, call="c"), 0.0).marks for piece in pieces]


@settings(max_examples=150, deadline=None)
@example(PROMPT, Stage.OUTPUT)
@example(SECRET, Stage.INPUT)
@given(st.one_of(quotes(), st.text(max_size=60)), st.sampled_from([Stage.INPUT, Stage.OUTPUT]))
def test_what_is_passed_over_holds_no_quote(text: str, stage: Stage) -> None:
    given_event = event(text, stage)
    found = ALL.scan(given_event, 0.0)
    assert SIFT.scan(given_event, 0.0) == found
    assert PLAIN.scan(given_event, 0.0) == found


@settings(max_examples=40, deadline=None)
@given(quotes(), st.lists(st.integers(1, 60), min_size=1, max_size=8))
def test_nor_does_a_stream_that_is_cut_anywhere(text: str, sizes: list[int]) -> None:
    pieces, done = [], 0
    for size in [*sizes, len(text)]:
        pieces.append(text[done : done + size])
        done += size
    pieces = [piece for piece in pieces if piece]
    assert streamed(SIFTED, pieces) == streamed(WHOLE, pieces)


def test_every_eight_words_of_a_prompt_are_found_however_they_are_written() -> None:
    """The two comparisons above would hold of a scanner that finds nothing, too."""
    words = PROMPT.split()
    for first in range(9, len(words) - WIDTH + 1):
        for trick in TRICKS[:-1]:
            text = "  *".join(map(trick, words[first : first + WIDTH]))
            assert [mark.kind for mark in SIFT.scan(event(text), 0.0).marks] == ["fragment"], text


@settings(max_examples=150, deadline=None)
@given(st.one_of(quotes(), st.text()))
def test_squeezed_is_the_words_without_anything_between_them(text: str) -> None:
    shown = visible(text)
    assert squeezed(forms_of(shown)).lower() == b"".join(words_of(shown)).lower()
    assert normal(shown) == (evened(shown).lower() if shown.isascii() else evened(shown))


def test_anchors_are_cut_from_what_is_looked_for_only() -> None:
    sift = Fragments(PROMPTS, digester(KEY), engine(fast=True).words)
    greeting, quote = squeezed(forms(GREETING)), squeezed(forms(" ".join(PROMPT.split()[9 : 9 + WIDTH])))
    assert sift.written_in([greeting]) == [()], "an answer that greets is not divided into words"
    assert [bool(hows) for hows in sift.written_in([greeting, quote, greeting])] == [False, True, False]
    assert sift.written_in([]) == []
    words = "".join(PROMPT.lower().replace(",", "").replace(".", "").split())
    assert all(anchor in words for anchor in PROMPTS[0].anchors)
    shingles = sum(map(bool, PROMPTS[0].shingles))
    assert len(PROMPTS[0].anchors) == -(-shingles // (WIDTH - ANCHOR + 1))


def test_one_prompt_without_anchors_is_found_and_so_are_the_others() -> None:
    mixed = Scanner(Knowledge(prompts=(PROMPTS[0]._replace(anchors=()), PROMPTS[1])), KEY)
    for text in (PROMPT, SECRET):
        assert mixed.scan(event(text), 0.0).marks == SIFT.scan(event(text), 0.0).marks != ()


def test_an_anchor_of_a_hundred_kilobytes_is_looked_for() -> None:
    text = " ".join(["x" * 100_000, *PROMPT.split()[10:20]])
    one = Scanner(Knowledge(prompts=(Prompt("long", None, *shingles_of(text, KEY)),)), KEY)
    assert [mark.kind for mark in one.scan(event(text), 0.0).marks] == ["fragment"]


def test_nothing_that_holds_a_prompt_or_a_canary_shows_it_when_printed() -> None:
    shown = repr((shingles_of(PROMPT, KEY), PROMPTS, SIFTED, SIFT, scanner()))
    shown += repr(scanned(PROMPT)) + str(PROMPTS[0])
    for anchor in (*PROMPTS[0].anchors, "rare", "cellar", "FH-Canary"):
        assert anchor not in shown
