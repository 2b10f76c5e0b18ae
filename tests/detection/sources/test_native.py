from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.detection.event import Event
from bot.detection.sources import native, pieces
from bot.detection.sources.decoded import EVENTS, SLICE, Decoded, Malformed
from bot.detection.sources.native import MOST_BAD

NOW = 1_795_320_000.0
GOOD: dict[str, Any] = {"kind": "data_query", "occurred_at": NOW, "user_id": "mallory"}


def decoded(body: bytes, **settings: bool) -> Decoded:
    """All slices as one."""
    parts = list(native.decode(body, NOW, **settings))
    return Decoded([e for part in parts for e in part.events], [r for part in parts for r in part.rejected])


def array(*items: object) -> bytes:
    return json.dumps(items).encode()


def errors(*items: object) -> dict[int, str]:
    return {rejected.index: rejected.error for rejected in decoded(array(*items)).rejected}


@pytest.mark.parametrize(
    "body",
    [
        array(GOOD, GOOD),
        b"\n \t" + json.dumps([GOOD, GOOD], indent=2).encode() + b"\n",
        b"\n".join([json.dumps(GOOD).encode()] * 2),
        b"\r\n\r\n".join([json.dumps(GOOD).encode()] * 2) + b"\r\n",
    ],
)
def test_an_array_and_lines_give_the_same_events(body: bytes) -> None:
    assert decoded(body).events == [Event(kind="data_query", occurred_at=NOW, user_id="mallory")] * 2  # type: ignore[arg-type]
    assert decoded(body).rejected == []


def test_one_object_is_one_event_on_one_line_or_on_many() -> None:
    assert len(decoded(json.dumps(GOOD).encode()).events) == 1
    assert len(decoded(json.dumps(GOOD, indent=1).encode()).events) == 1


def test_a_batch_with_bad_events_gives_the_good_ones_and_names_the_bad_ones_by_index() -> None:
    found = decoded(array(GOOD, {"kind": "data_query"}, GOOD, 5, None, "text", [], GOOD))
    assert len(found.events) == 3
    assert [rejected.index for rejected in found.rejected] == [1, 3, 4, 5, 6]
    assert found.rejected[0].error == "`occurred_at` is missing; add it"
    assert found.rejected[1].error == "the event must be a JSON object"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"usr_id": "x"}, "`usr_id` is not a field; did you mean `user_id`?"),
        ({"colour": "x"}, "`colour` is not a field; remove it"),
        ({"my secret key": "x"}, "the event holds a field that is not known; remove it"),
        ({"tool": {"name": "t", "authorised": True}}, "`tool.authorised` is not a field; did you mean `authorized`?"),
        ({"kind": "hunter2"}, "`kind` is not known; use llm_call, guardrail"),
        ({"verdicts": [{"guardrail": "g", "outcome": "hunter2"}]}, "`verdicts.outcome` is not known; use allow, mask"),
        ({"user_id": "hunter2" * 1500}, "`user_id` is longer than 300 characters; shorten it"),
        ({"verdicts": [{"guardrail": "hunter2", "outcome": "allow"}] * 101}, "`verdicts` holds more than 100 entries"),
        ({"signals": [{"name": "hunter2"}] * 101}, "`signals` holds more than 100 entries"),
        (
            {"verdicts": [{"guardrail": "g", "outcome": "allow", "categories": ["hunter2"] * 101}]},
            "`verdicts.categories` holds more than 100 entries",
        ),
        ({"user_id": 7}, "`user_id` must be text"),
        ({"delivered": "hunter2"}, "`delivered` must be true or false"),
        ({"data": {"rows": -1}}, "`data.rows` must be a whole number"),
        ({"data": {"rows": 10**30}}, "`data.rows` must be a whole number"),
        ({"signals": {}}, "`signals` must be a JSON array"),
        ({"occurred_at": "yesterday"}, "`occurred_at` is not a time"),
        ({"occurred_at": None}, "`occurred_at` is not a time"),
        ({"occurred_at": "2026-11-22T03:20:00"}, "`occurred_at` has no time zone"),
        ({"occurred_at": 0}, "`occurred_at` is more than 7 days ago"),
        ({"occurred_at": "2100-01-01T00:00:00Z"}, "`occurred_at` is more than 5 minutes in the future"),
        ({"occurred_at": NOW * 1e3}, "`occurred_at` looks like milliseconds"),
        ({"occurred_at": NOW * 1e9}, "`occurred_at` looks like nanoseconds"),
        ({"occurred_at": float("nan")}, "the event is not JSON: NaN and Infinity are not numbers"),
        ({"occurred_at": float("-inf")}, "the event is not JSON: NaN and Infinity are not numbers"),
        ({"observed_at": 0}, "`observed_at` is more than 7 days ago"),
        ({"text": "\ud800 hunter2"}, "the event holds half of a Unicode surrogate pair"),
    ],
)
def test_what_is_wrong_is_said_in_words_that_echo_no_value(wrong: dict[str, object], said: str) -> None:
    told = errors(GOOD, GOOD | wrong, GOOD)
    assert list(told) == [1]
    assert told[1].startswith(said)
    assert "hunter2" not in told[1] and "secret" not in told[1]


def test_times_are_taken_to_the_second_of_both_bounds() -> None:
    week, ahead = 7 * 86400, 300
    for at in (NOW - week, NOW + ahead, "2026-11-22T03:55:00+01:00"):
        assert errors(GOOD | {"occurred_at": at}) == {}
    for at in (NOW - week - 1, NOW + ahead + 1):
        assert list(errors(GOOD | {"occurred_at": at})) == [0]


def test_text_that_is_not_utf8_is_one_bad_event() -> None:
    body = (
        json.dumps(GOOD).encode()
        + b'\n{"kind":"alert","occurred_at":1,"user_id":"\xff\xfe"}\n'
        + json.dumps(GOOD).encode()
    )
    found = decoded(body)
    assert len(found.events) == 2
    assert found.rejected[0].error == "the event holds text that is not UTF-8; send UTF-8"


def test_a_nul_in_an_id_is_replaced_as_the_gate_replaces_it() -> None:
    (event,) = decoded(array(GOOD | {"user_id": "mal\0lory"})).events
    assert event.user_id == "mal\ufffdlory"


@pytest.mark.parametrize(
    "body", [b"", b" \n", b"hello", b'"text"', b"5", b"[", b'[{"kind":"alert"}', b'{"kind":', b"[1 2]", b"[,]", b"]"]
)
def test_a_body_that_is_no_batch_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(Malformed):
        decoded(body)


def test_eight_mebibytes_of_brackets_end_quickly_and_without_recursion() -> None:
    began = time.process_time()
    for body in (
        b"[" * (8 << 20),
        b'{"a":' * (2 << 20),
        b"[[" * (2 << 20) + b"]]" * (2 << 20),
        b'["' + b"\\" * (8 << 20),
    ):
        with pytest.raises(Malformed):
            decoded(body)
    nested = b"[" + json.dumps(GOOD).encode() + b"," + b"[" * 60 + b"]" * 60 + b"]"
    assert [rejected.index for rejected in decoded(nested).rejected] == [1]
    assert time.process_time() - began < 5, "linear, not quadratic"


@pytest.mark.parametrize("body", [b"[" + b"{}," * 50_000 + b"{}]", b"{}\n" * 50_001])
def test_very_many_tiny_bad_events_come_in_slices_too(body: bytes) -> None:
    parts = list(native.decode(body, NOW))
    assert max(len(part.rejected) for part in parts) <= EVENTS
    assert [r.index for part in parts for r in part.rejected] == list(range(50_001))


@pytest.mark.parametrize("body", [b"[" + b"[]," * (1 << 18) + b"[]]", b"{}\n" * (1 << 18)])
def test_a_body_of_nothing_but_bad_events_is_not_read_to_its_end(body: bytes) -> None:
    found = decoded(body)
    assert not found.events and len(found.rejected) == MOST_BAD + 1
    assert found.rejected[-1].index == MOST_BAD
    assert found.rejected[-1].error.startswith("from here on nothing was read: 100,000 events before it were bad")


def test_what_comes_after_bad_events_is_taken_while_they_are_few() -> None:
    body = b"[" + b"[]," * 1000 + json.dumps(GOOD).encode() + b"]"
    assert len(decoded(body).events) == 1


def test_a_large_batch_comes_in_slices_with_the_right_indexes() -> None:
    """More than a slice of bytes, more than a slice of events, and a bad one near the end."""
    count = 4 * SLICE // len(json.dumps(GOOD))
    items: list[object] = [GOOD] * count
    items[-3] = GOOD | {"kind": "x"}
    for body in (array(*items), b"\n".join(json.dumps(item).encode() for item in items)):
        parts = list(native.decode(body, NOW))
        assert len(parts) > 4
        assert all(len(part.events) <= EVENTS for part in parts)
        assert sum(len(part.events) for part in parts) == count - 1
        assert [rejected.index for part in parts for rejected in part.rejected] == [count - 3]


def test_what_comes_before_the_place_where_a_long_array_breaks_off_is_taken() -> None:
    body = array(*[GOOD] * (2 * SLICE // len(json.dumps(GOOD))))[:-10]
    found = decoded(body)
    assert len(found.events) > 100
    assert "Was it cut off?" in found.rejected[-1].error or "not JSON" in found.rejected[-1].error


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(JSON, max_size=6), st.sampled_from([None, 0, 2]), st.booleans())
@settings(max_examples=40, deadline=None)
def test_the_walk_cuts_an_array_where_json_does(items: list[object], indent: int | None, ascii_: bool) -> None:
    """Whatever stands in it: quotes, brackets and backslashes within texts, any spacing, any script."""
    body = json.dumps(items, indent=indent, ensure_ascii=ascii_).encode()
    assert [json.loads(part) for part in pieces.walk(body)] == items


@given(st.binary(max_size=60) | st.text(alphabet='[]{},:"\\ 0aN\n', max_size=60).map(str.encode), st.booleans())
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_events_or_words_and_nothing_else(body: bytes, by_line: bool) -> None:
    with contextlib.suppress(Malformed):
        assert all(rejected.error for rejected in decoded(body, by_line=by_line).rejected)
