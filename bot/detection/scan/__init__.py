"""Texts to marks: credentials, canaries, fragments of the system prompt, other people's data, probing. Pure.

Decides what stands in a text. Leaves to the engine what that means, to the store where what is looked for is kept, and to
the caller which key the hashes are made with. Whoever is outside this package needs only what is named here.
"""

from bot.detection.scan.digests import digest, identifier_digest, owner_digest
from bot.detection.scan.identifiers import IdentifierKind, normalise_identifier
from bot.detection.scan.ids import NAMED
from bot.detection.scan.knowledge import Canary, Knowledge, Owner, Prompt, Shape
from bot.detection.scan.own import Pattern, compile_pattern
from bot.detection.scan.scanner import Scanner
from bot.detection.scan.shingles import Shingled, shingles_of

__all__ = [
    "NAMED",
    "Canary",
    "IdentifierKind",
    "Knowledge",
    "Owner",
    "Pattern",
    "Prompt",
    "Scanner",
    "Shape",
    "Shingled",
    "compile_pattern",
    "digest",
    "identifier_digest",
    "normalise_identifier",
    "owner_digest",
    "shingles_of",
]
