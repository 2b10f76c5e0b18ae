"""The scanners: how many events a second one core takes with 1 KB of text in each, and what each stage of a scan costs.

Beside it what the choice of the matcher was made by: the same patterns and the same ten thousand words in hyperscan, in
google-re2's Set, in ahocorasick_rs (where they are installed) and in the standard library. The bar: 60,000 events a second.
"""

from __future__ import annotations

import random
import re
import statistics
import string
import time
from collections.abc import Callable, Sequence
from types import ModuleType
from zlib import crc32

from bot.detection.event import Event, Kind, Stage
from bot.detection.scan import (
    Canary,
    IdentifierKind,
    Knowledge,
    Owner,
    Prompt,
    Scanner,
    identifier_digest,
    owner_digest,
    shingles_of,
)
from bot.detection.scan.checks import base62
from bot.detection.scan.credentials import NEEDLES
from bot.detection.scan.matchers import engine

KEY = b"benchmark key, not a secret"
TEXTS = 200
CANARIES = 10_000
OWNERS = 100_000
ROUNDS = 60
BEYOND = re.compile(r"\{\d+,[1-9]\d{3}\}")
"""Repetitions of more than re2 counts."""
COMMON = (
    "the of and to a in is that it for you with on as are this be your can have or from an by not will we if at "
    "more our please order which when they one what their there about would also may has been any account how new "
    "was use each other time only into some could these then number first people see after help made over did down "
    "way find long part delivery refund payment customer support policy example question answer item shipping "
    "return address information available because section following report system user change request business "
    "service within between before through product included different several please however important together "
    "sometimes document instructions configuration application version database response "
)


def _vocabulary() -> list[str]:
    """Three thousand words, the most frequent first."""
    chance = _chances(4)
    syllables = [a + b for a in "bdfglmnprstv" for b in "aeiou"]
    return COMMON.split() + ["".join(chance.choices(syllables, k=chance.randrange(2, 5))) for _ in range(3000)]


def _prose(chance: random.Random, size: int) -> list[str]:
    words = _vocabulary()
    return chance.choices(words, [1 / (rank + 1) for rank in range(len(words))], k=size)


def _chances(seed: int) -> random.Random:
    return random.Random(seed)


def answers(*, share: float) -> list[str]:
    """Texts of 1 KB; `share` of them hold a link, an address, a number or letters beyond ASCII, and one in 200 a secret."""
    chance = _chances(5)
    made = []
    for number in range(TEXTS):
        words = _prose(chance, 230)
        for place in range(12, 230, 13):
            words[place] = words[place] + chance.choice([".", ",", ".\n", ":", "?"])
            words[place - 1] = words[place - 1].capitalize()
        if chance.random() < share:
            words[chance.randrange(100)] = chance.choice(_extras(chance))
        if number % 200 == 0:
            words[50] = _token(chance)
        made.append(" ".join(words)[:1000])
    return made


def _extras(chance: random.Random) -> list[str]:
    digits, words = "".join(chance.choices(string.digits, k=10)), COMMON.split()
    return [
        f"https://docs.example.org/guides/{chance.choice(words)}-{chance.choice(words)}/{digits}",
        f"user{chance.randrange(3 * OWNERS)}@shop.example",
        f"+49 30 {digits[:7]}",
        f"“{chance.choice(words)}” — naïve café",
        f"{digits[:8]}-{digits[2:6]}-4abc-89ab-{digits}ab",
        f"order {digits}",
    ]


def _token(chance: random.Random) -> str:
    body = "".join(chance.choices(string.ascii_letters + string.digits, k=30))
    return f"gh{'p'}_{body}{base62(crc32(body.encode()))}"


def knowledge(*, canaries: int = CANARIES, owners: int = OWNERS, prompts: int = 0) -> Knowledge:
    chance = _chances(6)
    letters = string.ascii_lowercase + string.digits
    known = {
        identifier_digest(KEY, "email", f"user{number}@shop.example"): (
            Owner(owner_digest(KEY, f"u{number}"), True, "email"),
        )
        for number in range(owners)
    }
    kinds = frozenset(IdentifierKind) - {IdentifierKind.NAME} if owners else frozenset[str]()
    texts = [" ".join(_prose(chance, 400)) for _ in range(prompts)]
    return Knowledge(
        canaries=tuple(
            Canary(f"c{n}", "document", "fh-" + "".join(chance.choices(letters, k=20))) for n in range(canaries)
        ),
        prompts=tuple(Prompt(f"p{n}", "shop", *shingles_of(text, KEY)) for n, text in enumerate(texts)),
        owners=known,
        kinds=kinds,
    )


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
    return _best(lambda: [scanner.scan(event, 0.0) for event in given], len(given))


async def measure() -> list[str]:
    return [*_whole(), *_stages(), *_matchers()]


def _whole() -> list[str]:
    """All that the bar names, in answers as they are and in answers full of what has to be looked at."""
    began = time.process_time()
    full = Scanner(knowledge(), KEY)
    ready = time.process_time() - began
    rows = [f"{full.engine}: ready after {ready:.1f} s with {CANARIES} canaries and {OWNERS} owners"]
    plain = Scanner(knowledge(), KEY, fast=False)
    for share in (0.0, 0.3, 1.0):
        given = events(answers(share=share), Stage.OUTPUT)
        fast, slow = _scan(full, given), _scan(plain, given[:20])
        rows.append(
            f"1 KB answers, {share:4.0%} with a link, address, number or accent  {fast:6.1f} µs  {1e6 / fast:8,.0f} events/s"
            f"  {slow / fast:4.0f} × the standard library  (bar 60,000)"
        )
    return rows


def _stages() -> list[str]:
    """What one more thing to look for adds, one after another."""
    texts = answers(share=0.3)
    nothing = Knowledge()
    steps = (
        ("patterns and hidden forms", Scanner(nothing, KEY), events(texts, Stage.OUTPUT, calls=False)),
        ("and pieces of streams", Scanner(nothing, KEY), events(texts, Stage.OUTPUT)),
        ("and 10,000 canaries", Scanner(knowledge(owners=0), KEY), events(texts, Stage.OUTPUT)),
        ("and 100,000 owners", Scanner(knowledge(), KEY), events(texts, Stage.OUTPUT)),
        ("and 3 prompts of 400 words", Scanner(knowledge(prompts=3), KEY), events(texts, Stage.OUTPUT)),
        ("the same of an input, with probing", Scanner(knowledge(prompts=3), KEY), events(texts, Stage.INPUT)),
        ("no text", Scanner(nothing, KEY), [Event(kind=Kind.LLM_CALL, occurred_at=1.0, user_id="u")] * TEXTS),
    )
    rows = []
    for name, scanner, given in steps:
        taken = _scan(scanner, given)
        rows.append(f"{name:36} {taken:6.1f} µs  {1e6 / taken:9,.0f} events/s")
    return rows


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
