"""Which YAML is accepted, what it means, and that every line number is right."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.playbook.problem import Problem
from bot.playbook.yaml_lines import Document, read_yaml

KEYS = st.text("abcdefghij_", min_size=1, max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text("abc déf: #-'\"{}[]", max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


def read(text: str) -> Document:
    document = read_yaml("a.yaml", text.encode())
    assert isinstance(document, Document), document
    return document


@given(value=st.dictionaries(KEYS, VALUES, min_size=1, max_size=5))
def test_what_yaml_writes_is_read_back_the_same(value: dict[str, object]) -> None:
    assert read(yaml.safe_dump(value, allow_unicode=True)).data == value


@given(raw=st.binary(max_size=200))
def test_no_bytes_at_all_make_the_reader_fail(raw: bytes) -> None:
    assert isinstance(read_yaml("a.yaml", raw), Document | Problem)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("off", "off"),
        ("true", True),
        ("2026-11-21", "2026-11-21"),
        ("1:30", "1:30"),
        ("0x10", "0x10"),
        ("010", "010"),
        ("1_000", "1_000"),
        ("12", 12),
        ("-3", -3),
        ("0.1", 0.1),
        (".inf", ".inf"),
        ("~", None),
        ('"12"', "12"),
    ],
)
def test_nothing_changes_its_meaning_unseen(text: str, value: object) -> None:
    assert read(f"key: {text}").data == {"key": value}


def test_lines_are_those_of_keys_and_items() -> None:
    document = read("a:\n  - x: 1\n  - x: 2\n    y:\n      z: 3\n")
    assert document.line(("a",)) == 1
    assert document.line(("a", 1, "x")) == 3
    assert document.line(("a", 1, "y", "z")) == 5


def test_a_place_that_is_missing_has_the_line_above_it() -> None:
    document = read("a:\n  b:\n    c: 1\n")
    assert document.line(("a", "b", "missing")) == 2
    assert document.line(("a", "name-of-a-union", "b", "c")) == 3
    assert document.line(("nowhere",)) == 1
