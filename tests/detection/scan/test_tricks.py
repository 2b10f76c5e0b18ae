"""Every secret in every trick of writing: found, or listed here with the reason why it is not.

`docs/triggers.md` tells the same to those who register canaries, prompts and people.
"""

from __future__ import annotations

import random
from base64 import b64encode, urlsafe_b64encode
from codecs import encode
from collections.abc import Callable
from string import ascii_lowercase

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.detection.engine import Engine
from bot.detection.event import Seen, Stage, UserKind
from bot.detection.rule import OwnerMismatchRule, ScannerRule, TriggerRule
from bot.detection.scan import Canary, Knowledge, Owner, Scanner, identifier_digest, normalise_identifier, owner_digest
from tests.detection.scan.corpus import BOB, CANARY, KEY, PROMPT, scanned, scanner, token, told

TOKEN = token("github_token")
QUOTE = " ".join(PROMPT.split()[20:44])
EMAIL, ACCOUNT, CARD, IBAN = BOB["email"], BOB["account"], BOB["card"], BOB["iban"]
SECRETS = {
    "canary": (CANARY, ("canary", "vault", "credential")),
    "credential": (TOKEN, ("secret", "github_token", "validated_pattern")),
    "prompt": (QUOTE, ("fragment", "nimbus#3", "")),
    "email": (EMAIL, ("identifier", "email", "strong")),
    "account": (ACCOUNT, ("identifier", "account", "strong")),
    "card": (CARD, ("identifier", "card", "strong")),
    "iban": (IBAN, ("identifier", "iban", "strong")),
    "compact card": (CARD.replace(" ", ""), ("identifier", "card", "strong")),
    "compact iban": (IBAN.replace(" ", ""), ("identifier", "iban", "strong")),
}


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def _wrapped(text: str, line: int = 64, between: str = "\n") -> str:
    whole = _base64(f"A first line of an answer that goes before what was asked for: {text}")
    return between.join(whole[at : at + line] for at in range(0, len(whole), line))


TRICKS: dict[str, Callable[[str], str]] = {
    "base64": _base64,
    "base64 in lines": _wrapped,
    "base64 in quoted lines": lambda text: _wrapped(text, 76, "\r\n> "),
    "base64url": lambda text: urlsafe_b64encode(b"\xff\xfe" + text.encode()).decode().rstrip("="),
    "base64 twice": lambda text: _base64(_base64(text)),
    "hex": lambda text: text.encode().hex(),
    "hex in pairs": lambda text: text.encode().hex(" "),
    "reversed": lambda text: text[::-1],
    "reversed in base64": lambda text: _base64(text[::-1]),
    "rot13": lambda text: encode(text, "rot13"),
    "spaced": " ".join,
    "spaced by two": "  ".join,
    "spaced by three": "   ".join,
    "spaced by commas": ", ".join,
    "spaced by hyphens": "-".join,
    "spaced by lines": "\n".join,
    "spaced by dots": "·".join,
    "spaced, words apart": lambda text: "  ".join(" ".join(word) for word in text.split(" ")),
    "zero width": "\u200b".join,
    "full width": lambda text: text.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)}),
    "percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
}
WIDE = ("spaced by two", "spaced by three", "spaced by commas", "spaced by dots")
NOT_FOUND = {
    ("credential", "rot13"): "a token then begins as no issuer's does, and every word would have to be tried",
    ("email", "rot13"): "every address would have to be looked up twice",
    ("account", "rot13"): "as an address; its digits stay as they are",
    ("iban", "rot13"): "as an address",
    ("compact iban", "rot13"): "as an address",
    ("credential", "reversed in base64"): "the second trick is undone for canaries and prompts only",
    ("email", "reversed in base64"): "as a credential",
    ("account", "reversed in base64"): "as a credential",
    ("card", "reversed in base64"): "as a credential",
    ("iban", "reversed in base64"): "as a credential",
    ("compact card", "reversed in base64"): "as a credential",
    ("compact iban", "reversed in base64"): "as a credential",
    **{
        (what, trick): "groups of four so far apart are no sign of a trick"
        for what in ("card", "iban")
        for trick in WIDE
    },
}
CASES = [(what, trick) for what in SECRETS for trick in TRICKS if (what, trick) not in NOT_FOUND]


Scanners = dict[bool, Scanner]


@pytest.fixture(scope="module")
def scanners() -> Scanners:
    return {fast: scanner(fast=fast) for fast in (True, False)}


@pytest.mark.parametrize(("what", "trick"), CASES)
@pytest.mark.parametrize("fast", [True, False], ids=["fast", "plain"])
def test_a_secret_is_found_in_a_trick_and_never_shown(what: str, trick: str, fast: bool, scanners: Scanners) -> None:
    secret, mark = SECRETS[what]
    written = TRICKS[trick](secret)
    seen = scanned(f"Well: {written} and so on.", scanners[fast])
    assert mark in told(seen)
    assert {kind for kind, _, _ in told(seen)} == {mark[0]}
    shown = " ".join(each.excerpt for each in seen.marks)
    assert secret not in shown and written not in shown


@pytest.mark.parametrize(("what", "trick"), NOT_FOUND)
@pytest.mark.parametrize("fast", [True, False], ids=["fast", "plain"])
def test_what_is_not_found_is_known(what: str, trick: str, fast: bool, scanners: Scanners) -> None:
    assert SECRETS[what][1] not in told(scanned(f"Well: {TRICKS[trick](SECRETS[what][0])} and so on.", scanners[fast]))


FILLERS = st.sampled_from(
    ["and ", ". ", "a b c d e ", "x" * 20, "\n", "12th ", " 4111", "=", "DE89 ", "0x41 ", "é", "%20", "> ", "?", "@"]
)
WRITTEN = st.builds(
    lambda what, trick: TRICKS[trick](SECRETS[what][0]), st.sampled_from(list(SECRETS)), st.sampled_from(list(TRICKS))
)
TWICE = {fast: scanner(fast=fast) for fast in (True, False)}


@settings(max_examples=80, deadline=None)
@example([CANARY.encode().hex(), "UmtndFEyRnVZWEo1TFRkbU0yRTVZakpqTVdRPQ=="], Stage.OUTPUT)
@example(["-.-m-i-l-l-e-r-@-l-i-b-r-a-r-y-.-e-x-a-m-p-"], Stage.OUTPUT)
@example([encode(CANARY, "rot13"), CANARY[::-1]], Stage.INPUT)
@given(st.lists(st.one_of(WRITTEN, WRITTEN.map(lambda text: text[5:-3]), FILLERS), max_size=6), st.sampled_from(Stage))
def test_both_engines_find_the_same_in_whatever_is_written_together(parts: list[str], stage: Stage) -> None:
    text = "".join(parts)
    fast, plain = (scanned(text, TWICE[fast], stage=stage) for fast in (True, False))
    assert fast == plain


def test_few_words_of_a_prompt_or_a_name_are_nothing() -> None:
    for text in (
        " ".join(PROMPT.split()[20:27]),
        "born 1990-04-12",
        "password: 7hGq2-xxpLm",
        "Bob Miller",
        "bob.miller@shop.example",
    ):
        for trick in ("base64", "hex", "reversed", "spaced", "spaced by lines", "percent"):
            assert scanned(f"Well: {TRICKS[trick](text)} and so on.").marks == (), (text, trick)


def test_a_short_number_is_not_read_backwards() -> None:
    """Or every order's number would be somebody's."""
    known = {
        identifier_digest(KEY, "account", normalise_identifier("account", number)): (
            Owner(owner_digest(KEY, "bob"), True, "account"),
        )
        for number in ("12345678", "AB12345678", "123456789012")
    }
    one = Scanner(Knowledge(owners=known, kinds=frozenset({"account"})), KEY)
    found = [
        bool(scanned(f"order {number}, paid", one).marks) for number in ("87654321", "87654321-BA", "210987654321")
    ]
    assert found == [False, True, True]


@pytest.mark.parametrize(
    ("written", "read"),
    [("87654321-FEDCBA", True), ("87654321-FEDCBAX", False), ("87654321FEDCBA", True), ("87654321FEDCBAX", False)],
)
def test_of_letters_after_the_last_digit_six_are_an_accounts(written: str, read: bool) -> None:
    """Backwards; the last digit of the text is the last place where such a number is looked for."""
    digest = identifier_digest(KEY, "account", normalise_identifier("account", "ABCDEF12345678"))
    known = {digest: (Owner(owner_digest(KEY, "bob"), True, "account"),)}
    one = Scanner(Knowledge(owners=known, kinds=frozenset({"account"})), KEY)
    assert bool(scanned(f"Order {written}", one).marks) is read
    assert bool(scanned(f"Order {written}, as was said in the letter that you wrote to us.", one).marks) is read


@pytest.mark.parametrize("trick", ["percent", "reversed"])
def test_a_word_that_was_hidden_begins_after_the_word_before_it(trick: str) -> None:
    text = f"Please read this: ({TRICKS[trick](TOKEN)} and no more."
    assert [mark.offset for mark in scanned(text).marks] == [len("Please read this: ")]


def test_an_address_written_from_its_end_may_have_any_words_for_a_password() -> None:
    written = "postgres://clerk:correcthorsebatterystaple@db.example/loans"[::-1]
    assert told(scanned(f"Here: {written} is it.")) == [("secret", "database_url", "validated_pattern")]


@pytest.mark.parametrize("trick", ["base64", "hex", "base64 in lines", "base64 in quoted lines"])
def test_a_path_at_the_end_of_the_line_before_is_no_part_of_it(trick: str) -> None:
    text = f"It is in /srv/Assistant/NotesOfToday\n{TRICKS[trick](TOKEN)}\n/srv/Assistant/NotesOfToday is all."
    assert told(scanned(text)) == [("secret", "github_token", "validated_pattern")]


def test_pairs_of_which_each_is_two_digits_are_read() -> None:
    one = Scanner(Knowledge(canaries=(Canary("tile", "credential", "puresquare"),)), KEY)
    written = "".join(f"\\x{byte:02x}" for byte in b"puresquare")
    assert told(scanned(f"Here: {written} is it.", one)) == [("canary", "tile", "credential")]


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("birth_date", "1990-04-12", "born April 12, 1990"),
        ("iban", "KZ42125ABCDEFGHIJKLM", "KZ42125ABCDEFGHIJKLM"[::-1]),
        ("email", "bob@library.example", "bob@library.example"),
        ("iban", "KZ42125ABCDEFGHIJKLM", "KZ42125ABCDEFGHIJKLM"),
        ("account", "99812345", "99812345"),
    ],
)
def test_each_is_found_where_nothing_else_announces_it(kind: str, value: str, text: str) -> None:
    """A date by its year, few digits with letters after them by their end."""
    digest = identifier_digest(KEY, kind, normalise_identifier(kind, value))
    one = Scanner(
        Knowledge(owners={digest: (Owner(owner_digest(KEY, "bob"), True, kind),)}, kinds=frozenset({kind})), KEY
    )
    assert told(scanned(f"It is {text}, yes.", one)) == [("identifier", kind, "strong")]


def test_letters_that_run_on_without_a_sign_of_where_words_end_are_no_quote() -> None:
    """Known: of “Y-o-u-a-r-e” nobody can tell the words."""
    assert scanned("-".join(QUOTE.replace(" ", ""))).marks == ()


def test_a_prompt_in_base64_that_comes_in_pieces_is_one_quote() -> None:
    one, whole = scanner(), _base64(" ".join(PROMPT.split()[9:]))
    marks = [mark for at in range(0, len(whole), 150) for mark in scanned(whole[at : at + 150], one, call_id="c").marks]
    assert {mark.name for mark in marks} == {"nimbus#2"} and marks[-1].coverage > 0.6
    assert {mark.how for mark in marks} == {"base64"}


SECRET_RULE = ScannerRule(
    primitive="scanner",
    key=("user", "session", "api_key", "ip"),
    events=("llm_call",),
    secrets=("canary", "validated_pattern"),
    exclusions=("in_users_own_input",),
)
PEOPLE_RULE = OwnerMismatchRule(
    primitive="owner_mismatch",
    key=("user", "session", "api_key", "ip"),
    events=("llm_call",),
    strong_at_least=1,
    weak_at_least=2,
    exclusions=("in_users_own_input",),
)


def fired(*events: Seen) -> list[str]:
    rules = [TriggerRule("secrets", SECRET_RULE), TriggerRule("people", PEOPLE_RULE)]
    return [finding.trigger for finding in Engine(rules, most_keys=100).take(events)]


@pytest.mark.parametrize("what", ["canary", "credential", "email", "compact iban"])
def test_what_the_user_typed_in_a_trick_himself_is_no_leak(what: str) -> None:
    secret, one = SECRETS[what][0], scanner()
    answer = scanned(secret, one, event_id="2", session_id="s")
    assert fired(answer)
    for name in ("base64", "hex", "reversed", "spaced", "zero width"):
        typed = scanned(f"What is {TRICKS[name](secret)}?", one, event_id="1", session_id="s", stage=Stage.INPUT)
        assert fired(typed, answer) == []
        for trick in ("base64", "reversed", "spaced"):
            back = scanned(f"It is {TRICKS[trick](secret)}.", one, event_id="2", session_id="s")
            assert fired(back) and fired(typed, back) == []


@pytest.mark.parametrize("user_kind", UserKind)
def test_without_a_session_only_an_end_user_is_known_to_have_typed_it_himself(user_kind: UserKind) -> None:
    one = scanner()
    given = {"user_id": "shared", "user_kind": user_kind}
    typed = scanned(f"Is {TOKEN} safe?", one, event_id="1", stage=Stage.INPUT, **given)
    answer = scanned(f"Use {TOKEN}.", one, event_id="2", **given)
    assert bool(fired(typed, answer)) is (user_kind is not UserKind.END_USER)
    with_session = [
        scanned(f"Is {TOKEN} safe?", one, event_id="1", stage=Stage.INPUT, session_id="s", **given),
        scanned(f"Use {TOKEN}.", one, event_id="2", session_id="s", **given),
    ]
    assert fired(*with_session) == []


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "plain"])
def test_a_long_run_that_could_be_a_word_is_neither_decoded_nor_read_backwards(fast: bool) -> None:
    """On purpose (`docs/triggers.md`): no issuer makes 34 small letters in a row once in a trillion."""
    small = "hf_" + "".join(random.Random(3).choices(ascii_lowercase, k=34))
    assert told(scanned(f"well: {small}", scanner(fast=fast))) == [("secret", "huggingface_token", "validated_pattern")]
    assert told(scanned(f"well: {small[::-1]}", scanner(fast=fast))) == []
    lettered = "gsk_" + "".join(
        f"{digit}{letter}" for digit, letter in zip("83617492605831904725386197", small[3:], strict=False)
    )
    assert told(scanned(f"well: {lettered[::-1]}", scanner(fast=fast))) == [("secret", "groq_key", "validated_pattern")]
    assert told(scanned(f"well: {token('huggingface_token')[::-1]}", scanner(fast=fast))) != []
