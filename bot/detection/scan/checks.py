"""Checks on what looks like a secret or an identifier: checksums, entropy, placeholders. Each says where its rule is from.

Decides only yes or no. Leaves to `credentials` and `identifiers` what follows from it.
"""

from __future__ import annotations

import binascii
import json
import re
from collections import Counter
from math import log2
from zlib import crc32

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PLACEHOLDER = re.compile(
    r"example|sample|placeholder|dummy|change[_-]?me|redacted|replace|insert|your[_-]|not[_-]?a[_-]?real|x{6}|\*{3}|\.{3}|…"
    r"|0{8}|12345678|abcdefgh|^<.*>$|^\[.*\]$|^\$?\{.*\}$|^\$\w+$|^%\w+%$",
    re.IGNORECASE,
)
"""What people write where a secret would stand (gitleaks' global allow-list and its stop words, and our own)."""
DOCUMENTED = frozenset(
    {
        "AKIAIOSFODNN7EXAMPLE",
        "AKIAI44QH8DHBEXAMPLE",
        "ASIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",  # AWS: IAM user guide, “Managing access keys”
        "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY",
        "sk_test_4eC39HqLyjWDarjtT1zdp7dc",  # Stripe: API reference, “Authentication”
        "sk_test_BQokikJOvBiI2HlWgH4olfQ2",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lI",  # jwt.io
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQog",  # RFC 7519 §3.1
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",  # Azurite
    }
)
"""Values that the issuers' own documents show: they stand in a million answers and open nothing."""
UUID = re.compile(
    r"-(?:(?<=^[0-9A-Fa-f]{8}-)|(?<=[^0-9A-Za-z][0-9A-Fa-f]{8}-))[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
    r"(?![0-9A-Za-z])"
)
"""RFC 9562 §4, by itself, from its first hyphen on: beginning there, `re` passes a text over forty times as fast."""
FIRST_GROUP = 8
"""Digits of a UUID that stand before its first hyphen."""


def documented(value: str) -> bool:
    return value in DOCUMENTED or (value.startswith("eyJ") and any(value.startswith(name) for name in DOCUMENTED))


def placeholder(value: str) -> bool:
    """Hardly any different characters, or words that stand in examples."""
    few = len(set(value)) < min(5, len(value) // 2 + 1)
    return len(value) < 3 or few or PLACEHOLDER.search(value) is not None


def entropy(value: str) -> float:
    """Shannon's, in bits a character: words have about 3, random base62 of 36 characters about 4.6."""
    size = len(value)
    return -sum(count / size * log2(count / size) for count in Counter(value).values())


def crc_base62(token: str) -> bool:
    """GitHub (“Behind GitHub's new authentication token formats”, 2021-04-05) and npm (2021-09-23): after the prefix, thirty
    or more random characters, and their CRC-32 in six digits of base 62."""
    body = token.rpartition("_")[2]
    return base62(crc32(body[:-6].encode())) == body[-6:]


def crc_grafana(token: str) -> bool:
    """grafana/grafana pkg/components/satokengen: eight hexadecimal digits, the CRC-32 of all before them, little-endian."""
    body, _, check = token.rpartition("_")
    return crc32(body.encode()).to_bytes(4, "little").hex() == check.lower()


def base62(number: int) -> str:
    """Six digits, with leading zeros."""
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = BASE62[rest] + digits
    return digits.rjust(6, "0")


def jwt_header(token: str) -> bool:
    """RFC 7515 §4.1.1: the first part is JSON and names an algorithm."""
    head = token.partition(".")[0]
    try:
        header = json.loads(binascii.a2b_base64(head.replace("-", "+").replace("_", "/") + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError):
        return False
    return isinstance(header, dict) and "alg" in header


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B: the check digit of a payment card's number."""
    total = sum(map(int, digits[-1::-2])) + sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return total % 10 == 0


def mod97(iban: str) -> bool:
    """ISO 13616-1 and ISO 7064 MOD 97-10: country and check digits go to the end, letters become numbers."""
    return int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97 == 1
