"""A pack: one way of being written, limits, and errors that name the place and the fix."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.incident.errors import Invalid
from bot.validation.pack import (
    PACK_BYTES,
    Indicator,
    IndicatorKind,
    Origin,
    Pack,
    Payload,
    Placement,
    made,
    merge,
    parse_indicator,
)
from bot.validation.pack_parts import TEXT_BYTES

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(str.strip)
PAYLOADS = st.builds(
    Payload,
    turns=st.lists(TEXTS, min_size=1, max_size=3).map(tuple),
    origin=st.sampled_from(Origin),
    placement=st.sampled_from(Placement),
    paraphrases=st.lists(TEXTS, max_size=2).map(tuple),
)
CANARY = Indicator(kind=IndicatorKind.CANARY, value="CANARY-1")


@given(st.lists(PAYLOADS, max_size=4, unique_by=lambda payload: payload.id), st.lists(TEXTS, max_size=2))
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_back_and_written_the_same(payloads: list[Payload], benign: list[str]) -> None:
    pack = made(payloads=payloads, benign=benign, indicators=[CANARY], incident="INC-12", vulnerable_version="1.0")
    again = Pack.from_bytes(pack.to_bytes())
    assert again == pack
    assert again.to_bytes() == pack.to_bytes() and again.sha256 == pack.sha256


def test_the_order_of_keys_and_a_byte_order_mark_change_nothing() -> None:
    pack = made(payloads=[Payload(turns=("a",))], indicators=[CANARY])
    backwards = dict(reversed(json.loads(pack.to_bytes()).items()))
    assert Pack.from_bytes(b"\xef\xbb\xbf" + json.dumps(backwards).encode()).sha256 == pack.sha256


def test_a_payload_is_known_by_what_is_sent_and_by_nothing_else() -> None:
    payload = Payload(turns=("a", "b"))
    assert payload.id == Payload(turns=("a", "b"), origin=Origin.ORIGINAL, name="n", paraphrases=("c",)).id
    others = (
        Payload(turns=("ab",)),
        Payload(turns=("b", "a")),
        Payload(turns=("a", "b"), placement=Placement.DOCUMENT),
    )
    assert payload.id not in {other.id for other in others}
    assert len(payload.id) == 64


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "object"),
        ('{"format": "firsthour-pack/2"}', "format: Input should be 'firsthour-pack/1'"),
        ('{"payload": []}', "unknown key 'payload'. Known are"),
        (
            '{"payloads": [{"turns": ["a"]}, {"turns": []}]}',
            r"payloads\[1\].turns: The list should have at least 1 item",
        ),
        ('{"payloads": [{"turns": [" "]}]}', r"payloads\[0\].turns\[0\]: is blank"),
        ('{"payloads": [{"turns": ["a"]}, {"turns": ["a"]}]}', r"payloads\[1\] is the same as payloads\[0\]"),
        ('{"indicators": [{"kind": "regex", "value": "(a"}]}', r"indicators\[0\].* is not a regular expression"),
        ('{"indicators": [{"kind": "regex", "value": "(a)(?=b)"}]}', r"indicators\[0\].*leave it out"),
        ('{"indicators": [{"kind": "literal", "value": "  "}]}', r"indicators\[0\].*would match every answer"),
        ('{"indicators": [{"kind": "http", "value": "ftp://x"}]}', r"indicators\[0\].*no URL"),
        ('{"payloads": [{"turns": ["\\ud800"]}]}', "is not JSON"),
    ],
)
def test_a_pack_that_cannot_be_used_is_refused_with_its_place(raw: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        Pack.from_bytes(raw.encode())


def test_too_much_is_refused_with_the_limit() -> None:
    with pytest.raises(Invalid, match=f"at most {PACK_BYTES:,}"):
        Pack.from_bytes(b" " * (PACK_BYTES + 1))
    with pytest.raises(Invalid, match=f"at most {TEXT_BYTES:,}"):
        made(benign=["é" * (TEXT_BYTES // 2 + 1)])
    with pytest.raises(Invalid, match="payloads: The list should have at most 10000 items"):
        made(payloads=[Payload(turns=(str(at),)) for at in range(10_001)])
    assert len(made(payloads=[Payload(turns=(str(at),)) for at in range(10_000)]).payloads) == 10_000


def test_half_a_character_is_refused_and_never_reaches_the_bytes() -> None:
    with pytest.raises(Invalid, match="is no UTF-8"):
        made(title="\udce9")
    with pytest.raises(Invalid, match="is no UTF-8"):
        parse_indicator(IndicatorKind.LITERAL, "caf\udce9")


def test_packs_merge_with_each_thing_once_and_the_first_names_it() -> None:
    imported, original = Payload(turns=("a",), name="import"), Payload(turns=("a",), origin=Origin.ORIGINAL)
    other = Payload(turns=("b",))
    first = made(payloads=[imported], indicators=[CANARY], benign=["hello"], incident="INC-1", title="One")
    second = made(
        payloads=[other, original], indicators=[CANARY], benign=["hello", "bye"], title="Two", vulnerable_version="1"
    )
    merged = merge([first, second])
    assert merged.payloads == (original, other), "the incident's own stays its own"
    assert (merged.indicators, merged.benign) == ((CANARY,), ("hello", "bye"))
    assert (merged.incident, merged.title, merged.vulnerable_version) == ("INC-1", "One", "1")
    assert merge([]) == made()


def test_packs_of_different_vulnerable_versions_do_not_merge() -> None:
    with pytest.raises(Invalid, match=r"1\.0 and 2\.0"):
        merge([made(vulnerable_version="1.0"), made(vulnerable_version="2.0")])
