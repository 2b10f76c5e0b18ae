"""What the scanners are measured with: made-up answers of 1 KB, canaries, owners and prompts."""

from __future__ import annotations

import random
import string
from functools import cache
from itertools import cycle
from pathlib import Path
from zlib import crc32

from bot.detection.scan import (
    Canary,
    IdentifierKind,
    Knowledge,
    Owner,
    Prompt,
    identifier_digest,
    owner_digest,
    shingles_of,
)
from bot.detection.scan.checks import base62
from bot.incident import canary_value
from bot.incident.words import CanaryKind

KEY = b"benchmark key, not a secret"
TEXTS = 2000
"""More than a processor learns by heart: over two hundred, again and again, a scan takes a tenth less."""
SIZE = 1000
"""Characters of a text."""
PROJECT = Path(__file__).parents[2]
CANARIES = 10_000
OWNERS = 100_000
COMMON = (
    "the of and to a in is that it for you with on as are this be your can have or from an by not will we if at "
    "more our please order which when they one what their there about would also may has been any account how new "
    "was use each other time only into some could these then number first people see after help made over did down "
    "way find long part delivery refund payment customer support policy example question answer item shipping "
    "return address information available because section following report system user change request business "
    "service within between before through product included different several please however important together "
    "sometimes document instructions configuration application version database response "
)


@cache
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
        made.append(" ".join(words)[:SIZE])
    return made


def technical(pattern: str) -> list[str]:
    """What assistants of developers write: all of this project's files of that name, in texts of 1 KB."""
    files = sorted(PROJECT.glob(pattern))
    whole = "".join(file.read_text() for file in files)
    return [whole[at : at + SIZE] for at in range(0, len(whole) - SIZE, SIZE)][:TEXTS]


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
            Canary(f"c{n}", kind.value, canary_value.made(kind, chance.randbytes(canary_value.NOISE)))
            for n, kind in zip(range(canaries), cycle((CanaryKind.CREDENTIAL, CanaryKind.DOCUMENT)), strict=False)
        ),
        prompts=tuple(Prompt(f"p{n}", "shop", *shingles_of(text, KEY)) for n, text in enumerate(texts)),
        owners=known,
        kinds=kinds,
    )
