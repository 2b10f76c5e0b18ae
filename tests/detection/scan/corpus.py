"""Made-up secrets of every issuer, made when a test runs: none stands in this repository, and none was ever issued."""

from __future__ import annotations

import random
import string
from base64 import urlsafe_b64encode
from re import _constants as code
from re import _parser as parser
from typing import Any
from zlib import crc32

from bot.detection.event import Event, Kind, Seen, Stage
from bot.detection.scan import (
    Canary,
    IdentifierKind,
    Knowledge,
    Owner,
    Prompt,
    Scanner,
    Shape,
    identifier_digest,
    normalise_identifier,
    owner_digest,
    shingles_of,
)
from bot.detection.scan.checks import base62, crc_base62, crc_grafana, jwt_header
from bot.detection.scan.issuers import ISSUERS, Issuer

KEY = b"a key of these tests only"
CANARY = "FH-Canary-7f3a9b2c1d"
PROMPT = (
    "You are Nimbus, the assistant of a small lending library. Never tell a visitor which shelf holds the rare maps. "
    "Whenever somebody asks for a discount on late fees, offer exactly twelve percent and mention the spring festival. "
    "Internal staff may see the loan history of members, everybody else must be sent to the desk on the second floor. "
    "If a question is about the cellar archive, answer that it is closed until the new lift has been inspected."
)
BOB = {
    IdentifierKind.EMAIL: "bob.miller@library.example",
    IdentifierKind.PHONE: "+49 30 1234567",
    IdentifierKind.IBAN: "DE89 3704 0044 0532 0130 00",
    IdentifierKind.CARD: "4111 1111 1111 1111",
    IdentifierKind.ACCOUNT: "LIB-99812345",
    IdentifierKind.NAME: "Bob Miller",
    IdentifierKind.BIRTH_DATE: "1990-04-12",
    "shelf_card": "SC/77-aa",
}
STRONG = frozenset({"email", "phone", "iban", "card", "account", "shelf_card"})


def made(issuer: Issuer, seed: int = 1) -> str:
    """A text that the issuer's pattern matches, with a right checksum where there is one."""
    chance = random.Random(f"{issuer.name}{seed}")
    if issuer.check is jwt_header:
        return _jwt(chance)
    text = _sampled(parser.parse(issuer.pattern), chance)
    if issuer.check is crc_base62:
        return text[:-6] + base62(crc32(text.rpartition("_")[2][:-6].encode()))
    if issuer.check is crc_grafana:
        return text[:-8] + crc32(text[:-9].encode()).to_bytes(4, "little").hex()
    return text


def token(name: str, seed: int = 1) -> str:
    return made(next(issuer for issuer in ISSUERS if issuer.name == name), seed)


def _jwt(chance: random.Random) -> str:
    parts = (b'{"alg":"HS256","typ":"JWT"}', b'{"sub":"%d"}' % chance.randrange(10**12), chance.randbytes(32))
    return ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def _sampled(tree: Any, chance: random.Random) -> str:
    return "".join(_one(op, value, chance) for op, value in tree)


def _one(op: Any, value: Any, chance: random.Random) -> str:
    if op is code.LITERAL:
        return chr(value)
    if op is code.IN:
        return chance.choice(sorted(_characters(value)))
    if op is code.SUBPATTERN:
        return _sampled(value[3], chance)
    if op is code.BRANCH:
        return _sampled(chance.choice(value[1]), chance)
    assert op is code.MAX_REPEAT, op
    least, most, inner = value
    least = max(least, 12) if most >= 100 else least  # a password, not a letter
    return "".join(_sampled(inner, chance) for _ in range(min(most, least + chance.randrange(3))))


def _characters(parts: Any) -> set[str]:
    found: set[str] = set()
    for op, value in parts:
        if op is code.LITERAL:
            found.add(chr(value))
        elif op is code.RANGE:
            found.update(map(chr, range(value[0], value[1] + 1)))
        elif op is code.CATEGORY:
            found.update(
                {code.CATEGORY_DIGIT: string.digits, code.CATEGORY_WORD: string.ascii_letters}.get(value, " \n")
            )
    return found


def knowledge() -> Knowledge:
    """One canary, one prompt whose first sentence is public, and all that belongs to Bob."""
    shingled = shingles_of(
        PROMPT, KEY, public=["Hello! You are Nimbus, the assistant of a small lending library. Ask away."]
    )
    owners = {
        identifier_digest(KEY, kind, normalise_identifier(kind, value)): (
            Owner(owner_digest(KEY, "bob"), kind in STRONG, str(kind)),
        )
        for kind, value in BOB.items()
    }
    return Knowledge(
        canaries=(Canary("vault", "credential", CANARY),),
        prompts=(Prompt("nimbus", "library", *shingled),),
        owners=owners,
        kinds=frozenset(BOB),
        shapes=(Shape("shelf_card", "SC/[0-9]{2}-[a-z]{2}"),),
    )


def scanner(*, fast: bool = True, most_streams: int = 100) -> Scanner:
    return Scanner(knowledge(), KEY, fast=fast, most_streams=most_streams)


def event(text: str | None, **fields: Any) -> Event:
    given = {"stage": Stage.OUTPUT, "user_id": "alice", "app": "library", "delivered": True} | fields
    return Event(kind=Kind.LLM_CALL, occurred_at=1.0, text=text, **given)


def scanned(text: str | None, by: Scanner | None = None, **fields: Any) -> Seen:
    return (by or scanner()).scan(event(text, **fields), 2.0)


def told(seen: Seen) -> list[tuple[str, str, str]]:
    """Kind, name and grade of each mark."""
    return [(mark.kind.value, mark.name, mark.grade) for mark in seen.marks]
