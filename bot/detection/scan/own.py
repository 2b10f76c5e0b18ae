"""Patterns of the user's own, from YAML: in linear time or not at all.

Decides which patterns are taken. google-re2 runs them, which never backtracks; where it is not installed, `re` runs those
that can be matched in few ways, and the others are refused. What the two understand differently is refused by both.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from re import _constants as code  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple, Protocol

try:
    import re2  # type: ignore[import-untyped, unused-ignore]
except ImportError:  # no wheel for this platform
    re2 = None

LARGEST = 1_000
"""The bound that re2 sets to a counted repetition."""
MOST_WAYS = 1_000
"""In how many ways a pattern may match at one place, where `re` has to try them one by one."""
END = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\$", re.DOTALL)
MORE = "Only what runs in linear time is taken"


class Pattern(Protocol):
    def finds(self, text: str) -> bool: ...

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Start and end of each match, in characters, from left to right."""
        ...


class _Compiled(NamedTuple):
    compiled: Any

    def finds(self, text: str) -> bool:
        return self.compiled.search(_clean(text)) is not None

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        return (match.span() for match in self.compiled.finditer(_clean(text)) if match.end() > match.start())


def compile_pattern(text: str, *, fast: bool = True) -> Pattern:
    """Raises ValueError, in words for who wrote the pattern, where it is malformed or could not run in linear time."""
    tree = _parsed(text)
    _refuse(text, tree)
    if re2 is None or not fast:
        return _Compiled(_plain(text, tree))
    options = re2.Options()
    options.log_errors = False
    try:
        return _Compiled(re2.compile(text, options=options))
    except re2.error as error:
        raise ValueError(f"“{text}” cannot be used: {_told(error)}. {MORE}.") from error


def _parsed(text: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)
            return parser.parse(text, re.ASCII)
    except re.error as error:
        raise ValueError(f"“{text}” is not a regular expression: {error.msg}.") from error
    except FutureWarning as error:
        raise ValueError(
            f"“{text}” has a set within a set, which engines read differently: write it without."
        ) from error
    except (OverflowError, RecursionError) as error:
        raise ValueError(f"“{text[:60]}” is too large a regular expression.") from error


def _told(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _plain(text: str, tree: Any) -> re.Pattern[str]:
    if _ways(tree) > MOST_WAYS:
        raise ValueError(
            f"“{text}” could be matched in too many ways. {MORE}, and google-re2 is not installed here: give every repetition "
            "a small upper bound, for example [0-9]{1,20} and not [0-9]+."
        )
    return re.compile(END.sub(lambda found: r"\Z" if found[0] == "$" else found[0], text), re.ASCII)


def _refuse(text: str, tree: Any) -> None:
    """What only one of the two engines knows, and what matches everywhere."""
    if tree.state.flags & re.VERBOSE or _has(tree):
        raise ValueError(
            f"“{text}” looks ahead, looks back, refers to a group or uses a form that only some engines know. "
            f"{MORE}: leave it out."
        )
    if _largest(tree) > LARGEST:
        raise ValueError(f"“{text}” repeats something more than {LARGEST} times. {MORE}: use a smaller bound.")
    if tree.getwidth()[0] == 0:
        raise ValueError(f"“{text}” also matches where nothing stands, so it would match every text.")


REPEATS = (code.MAX_REPEAT, code.MIN_REPEAT)
FORBIDDEN = {
    code.ASSERT, code.ASSERT_NOT, code.GROUPREF, code.GROUPREF_EXISTS, code.ATOMIC_GROUP, code.POSSESSIVE_REPEAT,
}  # fmt: skip


def _has(tree: Any) -> bool:
    return any(
        op in FORBIDDEN or value is code.AT_END_STRING or any(_has(sub) for sub in _within(op, value))
        for op, value in tree
    )


def _largest(tree: Any) -> int:
    """The highest number of repetitions that is written out; what stands in a repetition counts as often as that."""
    largest = 0
    for op, value in tree:
        inner = max((_largest(sub) for sub in _within(op, value)), default=0)
        if op in REPEATS:
            written = value[1] if value[1] is not code.MAXREPEAT else value[0]
            inner = max(inner, written) if inner <= 1 or written <= 1 else inner * written
        largest = max(largest, inner)
    return largest


def _within(op: Any, value: Any) -> Sequence[Any]:
    """The parts of one piece of a parsed pattern."""
    if op is code.SUBPATTERN:
        return (value[3],)
    if op in REPEATS:
        return (value[2],)
    return tuple(value[1]) if op is code.BRANCH else ()


def _ways(tree: Any) -> int:
    """At most in how many ways a pattern can match at one place; repetitions without an end count as too many."""
    total = 1
    for op, value in tree:
        if op in REPEATS:
            least, most, inner = value
            each = _ways(inner)
            span = MOST_WAYS + 1 if most is code.MAXREPEAT else most - least + 1
            total *= span * each ** min(int(most), 10)
        elif op is code.BRANCH:
            total *= sum(map(_ways, value[1]))
        elif op is code.SUBPATTERN:
            total *= _ways(value[3])
        if total > MOST_WAYS:
            return MOST_WAYS + 1
    return total


def _clean(text: str) -> str:
    """Without lone surrogates, which UTF-8 does not know; every other character stays in its place."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text
