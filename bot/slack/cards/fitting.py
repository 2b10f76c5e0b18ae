"""How a list of any length becomes one message: entries in full as long as they fit, the least urgent folded to a line.

Decides what is folded first. What an entry says, in full and folded, is its card's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import Block

from bot.slack.kit import section, weigh
from bot.slack.limits import ALL_CHARS, BLOCKS, SECTION_CHARS
from bot.slack.text import Md, md

MARGIN = 200
"""Characters kept free for the line that says how many are not shown."""
LINES_CHARS = SECTION_CHARS - MARGIN


@dataclass(frozen=True)
class Entry:
    blocks: tuple[Block, ...]
    folded: Md
    """The same in one line, without its buttons."""
    rank: int = 0
    """Entries with the highest rank are folded first, and among them the last."""


def fit(head: Sequence[Block], entries: Sequence[Entry], foot: Sequence[Block] = ()) -> tuple[Block, ...]:
    """At most 50 blocks and 13,200 characters, whatever there is to show."""
    most_blocks = BLOCKS - len(head) - len(foot)
    most_chars = ALL_CHARS - MARGIN - weigh([*head, *foot])
    weights = [weigh(entry.blocks) for entry in entries]
    full = set(range(len(entries)))
    for index in sorted(full, key=lambda one: (entries[one].rank, one), reverse=True):
        blocks, chars = _size(entries, weights, full)
        if blocks <= most_blocks and chars <= most_chars:
            break
        full.discard(index)
    return (*head, *_laid_out(entries, full), *foot)


def _runs(entries: Sequence[Entry], full: set[int]) -> list[list[int]]:
    """Indexes in order: each full entry alone, neighbouring folded ones together."""
    runs: list[list[int]] = []
    for index in range(len(entries)):
        if index in full or not runs or runs[-1][-1] in full:
            runs.append([index])
        else:
            runs[-1].append(index)
    return runs


def _size(entries: Sequence[Entry], weights: Sequence[int], full: set[int]) -> tuple[int, int]:
    blocks = chars = 0
    for run in _runs(entries, full):
        if run[0] in full:
            blocks, chars = blocks + len(entries[run[0]].blocks), chars + weights[run[0]]
        else:
            lines = sum(len(entries[index].folded) + 1 for index in run)
            blocks, chars = blocks + 1, chars + min(lines, SECTION_CHARS)
    return blocks, chars


def _laid_out(entries: Sequence[Entry], full: set[int]) -> list[Block]:
    blocks: list[Block] = []
    for run in _runs(entries, full):
        if run[0] in full:
            blocks += entries[run[0]].blocks
        else:
            blocks.append(section(_lines([entries[index].folded for index in run])))
    return blocks


def _lines(folded: list[Md]) -> Md:
    shown: list[str] = []
    for line in folded:
        if sum(len(one) + 1 for one in shown) + len(line) > LINES_CHARS:
            shown.append(md("… and {} more", len(folded) - len(shown)))
            break
        shown.append(line)
    return Md("\n".join(shown))
