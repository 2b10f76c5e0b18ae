"""Answers in pieces: whatever stands across a cut is found once, and told once."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.detection.event import Mark, MarkKind
from bot.detection.scan.found import Found
from bot.detection.scan.streams import Stream
from tests.detection.scan.corpus import CANARY, PROMPT, event, scanned, scanner, token

WHOLE = (
    f"Hello, the key is {token('github_token')} and mail goes to bob.miller@library.example, says {CANARY}. Bye now!"
)


def streamed(pieces: Sequence[str], **fields: object) -> list[Mark]:
    one = scanner()
    return [mark for piece in pieces for mark in scanned(piece, one, call_id="c1", **fields).marks]


def names(marks: Sequence[Mark]) -> list[str]:
    return [mark.name for mark in marks]


def test_wherever_an_answer_is_cut_the_same_is_found_once() -> None:
    whole = scanned(WHOLE).marks
    for cut in range(1, len(WHOLE)):
        found = streamed([WHOLE[:cut], WHOLE[cut:]])
        assert sorted(mark.digest for mark in found) == sorted(mark.digest for mark in whole), cut


@pytest.mark.parametrize("size", [1, 3, 7, 20])
def test_small_pieces_find_the_same_once(size: int) -> None:
    found = streamed([WHOLE[at : at + size] for at in range(0, len(WHOLE), size)])
    assert sorted(mark.digest for mark in found) == sorted(mark.digest for mark in scanned(WHOLE).marks)


def test_a_credential_that_grows_from_piece_to_piece_is_told_once() -> None:
    secret = token("openai_project_key") + "A1b2C3d4" * 8
    found = streamed([f"key {secret[:60]}", secret[60:80], secret[80:], " done"])
    assert names(found) == ["openai_project_key"]
    assert found[0].digest == scanned(f"key {secret}").marks[0].digest


def test_a_canary_in_base64_across_a_cut_is_found() -> None:
    hidden = b64encode(f"the canary is {CANARY}".encode()).decode()
    for cut in range(1, len(hidden)):
        assert "vault" in names(streamed([hidden[:cut], hidden[cut:], " end"])), cut


def test_a_long_quote_in_pieces_is_one_fragment_and_its_coverage_grows() -> None:
    found = streamed([PROMPT[at : at + 12] for at in range(0, len(PROMPT), 12)])
    assert len({mark.digest for mark in found}) == 1 and len(found) <= 11
    assert found[-1].coverage > 0.9


def test_two_quotes_in_pieces_are_two_fragments() -> None:
    words = PROMPT.split()
    text = " ".join(words[10:22]) + ". Well, as I said to you before: " + " ".join(words[50:62])
    assert len({mark.digest for mark in streamed([text[at : at + 9] for at in range(0, len(text), 9)])}) == 2


def test_the_same_text_delivered_again_is_found_again() -> None:
    """What a first attempt found may have been lost with it."""
    for text in (WHOLE, PROMPT):
        assert names(streamed([text, text])) == 2 * names(scanned(text).marks) != []


def test_what_was_told_is_forgotten_once_no_next_piece_can_begin_with_it() -> None:
    stream, piece = Stream(), f"{token('github_token')} {'and so on ' * 60}"
    for _ in range(50):
        joined = stream.joined(piece)
        found = Found(MarkKind.SECRET, "key", joined.ahead, joined.ahead + 40, "same")
        assert stream.fresh([found], joined) == [found] and stream.fresh([found], joined) == []
        piece = f"{piece}."
    assert len(stream.told) < 5


def test_pieces_of_other_calls_stages_and_deliveries_are_not_joined() -> None:
    one, half = scanner(), len(CANARY) // 2
    first = {"call_id": "c1", "delivered": True}
    for other in ({"call_id": "c2"}, {"delivered": None}, {"stage": "input"}, {"call_id": None}):
        scanned(CANARY[:half], one, **first)
        assert scanned(CANARY[half:], one, **(first | other)).marks == ()


def test_the_place_is_counted_from_the_start_of_the_piece() -> None:
    assert [mark.offset for mark in streamed([CANARY[:5], CANARY[5:]])] == [0]
    assert [mark.offset for mark in streamed(["well: ", "it is " + CANARY])] == [6]


def test_streams_that_were_silent_longest_are_let_go_and_counted() -> None:
    one = scanner(most_streams=3)
    for number in range(5):
        scanned("a piece", one, call_id=f"c{number}")
    assert (one.streams, one.streams_evicted) == (3, 2)


def test_a_stream_that_went_on_is_kept_before_one_that_began_later() -> None:
    one = scanner(most_streams=2)
    for call, piece in (("first", "well, "), ("later", CANARY[:9]), ("first", CANARY[:9]), ("third", "a piece")):
        assert scanned(piece, one, call_id=call).marks == ()
    assert names(scanned(CANARY[9:], one, call_id="first").marks) == ["vault"]
    assert scanned(CANARY[9:], one, call_id="later").marks == ()


TOLD = f"{PROMPT} {WHOLE}"
PIECES = st.one_of(
    st.just(TOLD),
    st.tuples(st.integers(0, len(TOLD)), st.integers(1, 600)).map(lambda cut: TOLD[cut[0] : sum(cut)]),
)
SENT = st.lists(
    st.tuples(st.none() | PIECES, st.sampled_from(["a", "b", None]), st.booleans(), st.booleans()), max_size=9
)


@given(SENT, st.data())
def test_however_the_pieces_are_put_into_steps_the_same_is_told(
    sent: list[tuple[str | None, str | None, bool, bool]], data: st.DataObject
) -> None:
    events = [
        event(text, call_id=call, resent=resent, excerpt_redacted=f"says {CANARY}" if told else None)
        for text, call, resent, told in sent
    ]
    one, other = scanner(), scanner()
    cuts = sorted({0, len(events), *data.draw(st.lists(st.integers(0, len(events)), max_size=4))})
    steps = [events[start:end] for start, end in pairwise(cuts)]
    together = [seen for step in steps for seen in one.scan_all(step, 0.0)]
    assert together == [other.scan(each, 0.0) for each in events]
    assert len(together) == len(events) and not any(seen.event.text for seen in together)
