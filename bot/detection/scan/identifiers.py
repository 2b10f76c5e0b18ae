"""Personal identifiers: the kinds, and the normal form in which each is hashed and compared.

Decides when two spellings are the same identifier. Leaves finding them in a text to `candidates`, and whose they are to the
owner index that is handed in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum

from bot.detection.scan.checks import luhn, mod97
from bot.detection.scan.normal import visible

ACCOUNT_DIGITS = 6
AREA = "23456789"
"""With what an area code and an exchange of North America may begin."""
IBAN_LENGTHS = {
    country: int(length)
    for country, length in re.findall(
        r"([A-Z]{2})(\d\d)",
        "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27GB22GE22"
        "GI23GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30"
        "NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20"
        "YE30",
    )
}
"""SWIFT, IBAN registry."""
EMAIL = re.compile(r"[^\s@]{1,64}@[a-z0-9-]+(?:\.[a-z0-9-]+)+")


class IdentifierKind(StrEnum):
    """Others are an organisation's own: `Shape`."""

    EMAIL = "email"
    PHONE = "phone"
    IBAN = "iban"
    CARD = "card"
    ACCOUNT = "account"
    NAME = "name"
    BIRTH_DATE = "birth_date"


STRONG = frozenset(
    {IdentifierKind.EMAIL, IdentifierKind.PHONE, IdentifierKind.IBAN, IdentifierKind.CARD, IdentifierKind.ACCOUNT}
)
"""One is enough to tell a person. A name or a date of birth alone is shared by many."""


def normalise_identifier(kind: str, value: str) -> str:
    """The form that is hashed. Raises ValueError, in words for who registers it, where no scan could ever find it."""
    text = visible(value).strip()
    known = NORMAL.get(kind)
    result = known(text) if known is not None else folded(text)
    if not result:
        raise ValueError(
            f"“{kind}”: the value has not the form of one, so it would never be found. {NEEDED.get(kind, '')}".strip()
        )
    return result


def folded(text: str) -> str:
    """Of a name, or of an identifier of the organisation's own: case and spacing make no difference."""
    return " ".join(text.casefold().split())


def email(text: str) -> str:
    lower = text.casefold()
    return lower if EMAIL.fullmatch(lower) else ""


def phone(text: str) -> str:
    """Digits with the country's code (ITU-T E.164: at most 15), those of North America without their 1.

    A number that is registered without its country's code is found only where a text writes it so too.
    """
    digits = called(re.sub(r"[^0-9]", "", text))
    return digits if 7 <= len(digits) <= 15 else ""


def called(digits: str) -> str:
    """A number without what is dialled before it: 00 (ITU-T E.123), or the 1 of North America's eleven digits (NANP)."""
    if digits[:1] == "0":
        return digits[2:] if digits[:2] == "00" else digits
    return digits[1:] if len(digits) == 11 and digits[0] == "1" and digits[1] in AREA and digits[4] in AREA else digits


def iban(text: str) -> str:
    compact = re.sub(r"[^0-9A-Za-z]", "", text).upper()
    return (
        compact if len(compact) == IBAN_LENGTHS.get(compact[:2]) and compact[2:4].isdigit() and mod97(compact) else ""
    )


def card(text: str) -> str:
    digits = re.sub(r"[ -]", "", text)
    return digits if 13 <= len(digits) <= 19 and digits.isdigit() and luhn(digits) else ""


def account(text: str) -> str:
    compact = re.sub(r"[^0-9A-Za-z]", "", text).upper()
    return compact if re.fullmatch(rf"[A-Z]{{0,6}}[0-9]{{{ACCOUNT_DIGITS},20}}", compact) else ""


def name(text: str) -> str:
    result = folded(text)
    return result if 2 <= len(result.split()) <= 3 else ""


def birth_date(text: str) -> str:
    """ISO 8601."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


NORMAL: Mapping[str, Callable[[str], str]] = {
    IdentifierKind.EMAIL: email,
    IdentifierKind.PHONE: phone,
    IdentifierKind.IBAN: iban,
    IdentifierKind.CARD: card,
    IdentifierKind.ACCOUNT: account,
    IdentifierKind.NAME: name,
    IdentifierKind.BIRTH_DATE: birth_date,
}
NEEDED: Mapping[str, str] = {
    IdentifierKind.EMAIL: "An e-mail address looks like alice@example.com.",
    IdentifierKind.PHONE: "A telephone number has 7 to 15 digits, best with its country's code: +49 30 1234567.",
    IdentifierKind.IBAN: "Its check digits have to be right.",
    IdentifierKind.CARD: "13 to 19 digits, the last of which is the right check digit.",
    IdentifierKind.ACCOUNT: "Up to 6 letters, then 6 to 20 digits; register a shape of your own for another form.",
    IdentifierKind.NAME: "Two or three words.",
    IdentifierKind.BIRTH_DATE: "Write it as 1990-04-12.",
}
