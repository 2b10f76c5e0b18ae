"""The forms in which a text is looked at: the quick way to each leads where the long way does."""

from __future__ import annotations

from unicodedata import normalize

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.detection.scan.normal import (
    HALVES,
    INVISIBLE,
    LIGATURES,
    LOOK_ALIKES,
    evened,
    forms,
    forms_of,
    normal,
    others,
    visible,
)

TEXTS = st.one_of(
    st.text(max_size=40),
    st.lists(
        st.sampled_from(
            ["Plain Text ", "“”—…", "\u00a0", "…", "\u200b", "ﷺ", "naïve",
             "ß", "İ", "ſ", "ǅ", "Σς", "е", "ﬁ", "\u0301", "각", "\u1161", "\ud800", "ＦＨ", "K"]
        ),
        max_size=8,
    ).map("".join),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@example("NAÏVE “café” — K")
@given(TEXTS)
def test_the_forms_of_a_text_are_those_that_each_step_makes_by_itself(text: str) -> None:
    of = forms(text)
    shown, data, even = of.text, of.data, of.even
    assert shown == visible(text) and data == shown.encode()
    folded = shown if shown.isascii() else normalize("NFKC", shown.casefold()).translate(LOOK_ALIKES)
    assert even.decode() == folded == evened(shown)
    assert forms_of(shown) == of and of.rare == others(even)
    assert normal(text) == (folded.lower() if shown.isascii() else folded)


@settings(max_examples=300, deadline=None)
@example("Wait … 5\u00a0km …\u0301")
@given(TEXTS)
def test_what_is_visible_of_a_text_is_its_nfkc_without_what_nobody_sees(text: str) -> None:
    bare = INVISIBLE.sub("", HALVES.sub("\ufffd", text))
    assert visible(text) == (text if text.isascii() else normalize("NFKC", LIGATURES.sub(" ", bare))[: 4 * len(bare)])


def test_capitals_that_only_look_wide_are_the_same_text() -> None:
    assert normal("ＦＨ－Ｃａｎａｒｙ") == normal("fh-canary") == "fh-canary"


@settings(deadline=None)
@given(st.text(st.characters(max_codepoint=127), max_size=40))
def test_of_a_text_in_ascii_all_forms_are_one(text: str) -> None:
    of = forms(text)
    assert of.text is text and of.even is of.data and not of.rare
