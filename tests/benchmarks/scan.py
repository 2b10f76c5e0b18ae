"""The scanners: how many events a second one core takes with 1 KB of text in each, and what each stage of a scan costs.

Beside it what the choice of the matcher was made by: the same patterns and the same ten thousand words in hyperscan, in
google-re2's Set, in ahocorasick_rs (where they are installed) and in the standard library. The bar, 60,000 events a second, is
for texts of which 30 % hold what has to be looked at (ADR 23), from the sources and compiled, as in the image (ADR 24). Texts
full of such things and technical ones, full of names and addresses, are the rows without one.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from subprocess import CalledProcessError
from tempfile import TemporaryDirectory
from types import ModuleType

import msgspec

from bot.detection.event import Event, Kind, Stage
from bot.detection.scan import Knowledge, Scanner
from bot.detection.scan.credentials import NEEDLES
from bot.detection.scan.matchers import engine
from bot.watch.steps import steps
from tests.benchmarks.scan_texts import CANARIES, KEY, OWNERS, TEXTS, answers, knowledge, technical
from tests.compiled import build, run

ROUNDS = 9
BATCH = 500
"""Events that come together. With 1 KB of text in each they are taken in steps of 32."""
BEYOND = re.compile(r"\{\d+,[1-9]\d{3}\}")
"""Repetitions of more than re2 counts."""


def events(texts: Sequence[str], stage: Stage, *, calls: bool = True) -> list[Event]:
    return [
        Event(
            kind=Kind.LLM_CALL, occurred_at=1.0, source="bench", event_id=str(number), app="shop", user_id=f"u{number % 97}",
            session_id=f"s{number % 97}", call_id=f"c{number}" if calls else None, delivered=True, stage=stage, text=text,
        )
        for number, text in enumerate(texts)
    ]  # fmt: skip


def _best(work: Callable[[], object], size: int) -> float:
    """Microseconds of this process a text, in the round that the rest of the machine disturbed least."""
    taken = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        taken.append((time.process_time() - began) / size * 1e6)
    return min(taken)


def _scan(scanner: Scanner, given: Sequence[Event]) -> float:
    """As the watch does it: a batch whose events are there since a moment ago, step by step, none of which is kept. Each round is
    of calls that never came before: the scanner remembers the latest ten thousand."""
    taken = []
    for turn in range(ROUNDS):
        spent = 0.0
        for at in range(0, len(given), BATCH):
            batch = [_called(event, f"{event.call_id}-{turn}") for event in given[at : at + BATCH]]
            began = time.process_time()
            for step in steps(batch, BATCH, lambda: False):
                scanner.scan_all(step, 0.0)
            spent += time.process_time() - began
        taken.append(spent / len(given) * 1e6)
    return min(taken)


def _called(event: Event, call_id: str) -> Event:
    return event if event.call_id is None else msgspec.structs.replace(event, call_id=call_id)


async def measure() -> list[str]:
    return [*stages(), *_compiled(), *_matchers(), *_whole()]


def _compiled() -> list[str]:
    """The same stages as the image does them (ADR 24)."""
    with TemporaryDirectory() as folder:
        try:
            told = run(build(Path(folder)), "-c", "from tests.benchmarks import scan; print(*scan.stages(), sep='\\n')")
        except CalledProcessError as failed:
            return [f"not compiled: {(failed.stderr.strip().splitlines() or ['?'])[-1]}"]
    return ["compiled, as in the image:", *told.splitlines()]


def _whole() -> list[str]:
    """All that can be registered, in answers and inputs as they are and in those full of what has to be looked at."""
    known = knowledge(prompts=3)
    began = time.process_time()
    full = Scanner(known, KEY)
    ready = time.process_time() - began
    rows = [
        f"{full.engine}: ready after {ready:.1f} s with {CANARIES} canaries, {OWNERS} owners and 3 prompts of 400 words",
        "of 1 KB each, so many with a link, an address, a number or an accent, or of this project:",
    ]
    plain = Scanner(known, KEY, fast=False)
    shares = [(f"{share:.0%}", answers(share=share)) for share in (0.0, 1.0, 0.3)]
    for name, texts in (*shares, ("our documents", technical("docs/**/*.md")), ("our code", technical("bot/**/*.py"))):
        for what, stage in (("answers", Stage.OUTPUT), ("inputs, with probing", Stage.INPUT)):
            given = events(texts, stage)
            fast, slow = _scan(full, given), _scan(plain, given[:20])
            rows.append(
                f"{what}, {name}".ljust(36)
                + f" {fast:6.1f} µs  {1e6 / fast:9,.0f} events/s  {slow / fast:4.0f} × the standard library"
            )
    return rows


def stages() -> list[str]:
    """What one more thing to look for adds, one after another."""
    texts = answers(share=0.3)
    nothing = Knowledge()
    steps = (
        ("patterns and hidden forms", Scanner(nothing, KEY), events(texts, Stage.OUTPUT, calls=False)),
        ("and pieces of streams", Scanner(nothing, KEY), events(texts, Stage.OUTPUT)),
        ("and 10,000 canaries", Scanner(knowledge(owners=0), KEY), events(texts, Stage.OUTPUT)),
        ("and 100,000 owners", Scanner(knowledge(), KEY), events(texts, Stage.OUTPUT)),
        ("the same of an input, with probing", Scanner(knowledge(), KEY), events(texts, Stage.INPUT)),
        ("and 3 prompts of 400 words", Scanner(knowledge(prompts=3), KEY), events(texts, Stage.OUTPUT)),
        ("bar 60,000: all of it, of inputs", Scanner(knowledge(prompts=3), KEY), events(texts, Stage.INPUT)),
        ("prompts of an earlier version", Scanner(_earlier(), KEY), events(texts, Stage.OUTPUT)),
        ("no text", Scanner(nothing, KEY), [Event(kind=Kind.LLM_CALL, occurred_at=1.0, user_id="u")] * TEXTS),
    )
    rows = []
    for name, scanner, given in steps:
        taken = _scan(scanner, given)
        rows.append(f"{name:36} {taken:6.1f} µs  {1e6 / taken:9,.0f} events/s")
    return rows


def _earlier() -> Knowledge:
    """Prompts without anchors, as they are until they are registered again."""
    known = knowledge(prompts=3)
    return replace(known, prompts=tuple(prompt._replace(anchors=()) for prompt in known.prompts))


def _matchers() -> list[str]:
    texts = [text for text in answers(share=0.3) if text.isascii()]
    data = [text.encode() for text in texts]
    words = [canary.value.encode() for canary in knowledge(owners=0).canaries]
    rows = []
    for fast in (True, False):
        made = engine(fast=fast)
        patterns, literals = made.patterns(NEEDLES), made.words(words)
        rows.append(
            _row(f"{made.name}: {len(NEEDLES)} patterns", lambda one=patterns: [one.hits(each) for each in data], data)
        )
        rows.append(
            _row(f"{made.name}: {len(words)} words", lambda one=literals: [one.hits(each) for each in data], data)
        )
    compiled = [re.compile(needle.pattern, re.ASCII) for needle in NEEDLES]
    rows.append(
        _row(
            "re: patterns one by one", lambda: [one.search(text) for text in texts[:40] for one in compiled], data[:40]
        )
    )
    if (re2 := _module("re2")) is not None:
        both = re2.Set.SearchSet()
        for needle in NEEDLES:
            both.Add(BEYOND.sub("{1,1000}", needle.pattern))
        both.Compile()
        rows.append(_row("google-re2 Set: patterns", lambda: [both.Match(text) for text in texts], data))
    if (corasick := _module("ahocorasick_rs")) is not None:
        automaton = corasick.AhoCorasick([word.decode() for word in words])
        rows.append(
            _row(
                "ahocorasick_rs: words",
                lambda: [automaton.find_matches_as_indexes(text.lower()) for text in texts],
                data,
            )
        )
    return rows


def _row(name: str, work: Callable[[], object], data: Sequence[bytes]) -> str:
    taken = _best(work, len(data))
    size = statistics.mean(map(len, data))
    return f"{name:36} {taken:7.2f} µs  {size / taken:7.0f} MB/s"


def _module(name: str) -> ModuleType | None:
    try:
        return __import__(name)
    except ImportError:
        return None
