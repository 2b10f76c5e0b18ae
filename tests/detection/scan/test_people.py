"""Other people's data: every spelling of an identifier, and no mark for what nobody owns."""

from __future__ import annotations

import pytest

from bot.detection.engine import Engine
from bot.detection.event import Stage
from bot.detection.rule import OwnerMismatchRule, TriggerRule
from bot.detection.scan import (
    IdentifierKind,
    Knowledge,
    Owner,
    Scanner,
    identifier_digest,
    normalise_identifier,
    owner_digest,
)
from tests.detection.scan.corpus import BOB, KEY, event, scanned, scanner, told

SPELLED = [
    ("write to Bob.Miller@library.example.", "email", "strong"),
    ("<bob.miller@LIBRARY.example>", "email", "strong"),
    ("is it **bob.miller@library.example**?", "email", "strong"),
    ("call +49 30 123 45 67 today", "phone", "strong"),
    ("call 0049-30-1234567", "phone", "strong"),
    ("(+49)30/1234567", "phone", "strong"),
    ("IBAN: DE89370400440532013000 and MORE", "iban", "strong"),
    ("DE11 DE89-3704-0044-0532-0130-00", "iban", "strong"),
    ("card 4111-1111-1111-1111", "card", "strong"),
    ("12 4111 1111 1111 1111 99", "card", "strong"),
    ("account LIB 99812345", "account", "strong"),
    ("account lib-99812345.", "account", "strong"),
    ("dear Mr Bob Miller, hello", "name", "weak"),
    ("Bob Miller's loans", "name", "weak"),
    ("born 1990-04-12", "birth_date", "weak"),
    ("born 12.04.1990", "birth_date", "weak"),
    ("born 04/12/1990", "birth_date", "weak"),
    ("born April 12th, 1990", "birth_date", "weak"),
    ("born 12 Apr 1990", "birth_date", "weak"),
    ("shelf SC/77-aa", "shelf_card", "strong"),
]


@pytest.mark.parametrize(("text", "kind", "grade"), SPELLED)
@pytest.mark.parametrize("fast", [True, False], ids=["fast", "plain"])
def test_somebody_elses_identifier_is_marked_however_it_is_spelled(
    text: str, kind: str, grade: str, fast: bool
) -> None:
    seen = scanned(text, scanner(fast=fast))
    assert told(seen) == [("identifier", kind, grade)]
    (mark,) = seen.marks
    assert mark.owner == owner_digest(KEY, "bob") != seen.requester == owner_digest(KEY, "alice")
    assert "miller" not in mark.excerpt.lower() and "1234" not in mark.excerpt and "9981" not in mark.excerpt


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "plain"])
@pytest.mark.parametrize("text", ["born 12 April 19901", "born 12 April 1490", "call 12 April 1990 2233445"])
def test_a_year_ends_a_date_and_is_one_of_a_birth(text: str, fast: bool) -> None:
    kinds = [kind for _, kind, _ in told(scanned(text, scanner(fast=fast)))]
    assert kinds == (["birth_date"] if text.startswith("call") else [])


def test_the_same_hash_whatever_the_spelling() -> None:
    assert len({scanned(text).marks[0].digest for text, kind, _ in SPELLED if kind == "phone"}) == 1


def test_what_belongs_to_nobody_has_no_mark() -> None:
    text = (
        "eve@library.example, +1 202 555 0147, 5500 0000 0000 0004, Eve Stone, 1991-01-01, order 12345678, 10.11.12.13"
    )
    assert scanned(text).marks == ()


def test_ones_own_data_and_a_shared_record_are_told_as_such() -> None:
    (mark,) = scanned("bob.miller@library.example", user_id="bob").marks
    assert mark.excluded == "own_data"
    both = tuple(Owner(owner_digest(KEY, user), True, "email") for user in ("bob", "alice"))
    digest = identifier_digest(KEY, "email", "family@library.example")
    one = Scanner(Knowledge(owners={digest: both}, kinds=frozenset({"email"})), KEY)
    (mark,) = scanned("family@library.example", one).marks
    assert (mark.excluded, mark.owner) == ("shared_record", owner_digest(KEY, "alice"))
    assert scanned("family@library.example", one, user_id="eve").marks[0].excluded == ""


@pytest.mark.parametrize("turn", [1, -1])
def test_of_a_name_that_two_have_each_is_told_in_whatever_order_they_were_registered(turn: int) -> None:
    """With a date of birth of one of them it is two weak identifiers of one person."""
    tables = tuple(Owner(owner_digest(KEY, user), False, "name") for user in ("r1", "r2"))[::turn]
    born = (Owner(owner_digest(KEY, "r2"), False, "birth_date"),)
    known = {
        identifier_digest(KEY, "name", "robert tables"): tables,
        identifier_digest(KEY, "birth_date", "1990-04-12"): born,
    }
    one = Scanner(Knowledge(owners=known, kinds=frozenset({"name", "birth_date"})), KEY)
    rule = OwnerMismatchRule(
        primitive="owner_mismatch", key=("user",), events=("llm_call",), strong_at_least=1, weak_at_least=2
    )
    for call in (None, "c"):
        seen = one.scan(event("Robert Tables, born 1990-04-12", call_id=call), 0.0)
        assert len(seen.marks) == 3
        (finding,) = Engine([TriggerRule("t", rule)], most_keys=9).take([seen])
        assert {mark.owner for mark in finding.marks} == {owner_digest(KEY, "r2")}


@pytest.mark.parametrize("text", ["x.y@a.-", "x.y@-l.-.-", "-.-@-.-", "@.", "*.@*.a", "!!@a.b"])
def test_what_only_looks_like_an_address_is_read_over(text: str) -> None:
    assert scanned(f"{text} {BOB['email']}").marks[0].name == "email"
    assert scanned(f"{BOB['email'][::-1]} {text}").marks[0].name == "email"


def test_of_a_number_that_many_have_five_are_told() -> None:
    many = tuple(Owner(owner_digest(KEY, f"r{n}"), True, "phone") for n in range(9))
    digest = identifier_digest(KEY, "phone", normalise_identifier("phone", "+49 30 1234567"))
    one = Scanner(Knowledge(owners={digest: many}, kinds=frozenset({"phone"})), KEY)
    assert len(scanned("call +49 30 1234567", one).marks) == 5
    assert [mark.excluded for mark in scanned("call +49 30 1234567", one, user_id="r8").marks] == ["shared_record"]


def test_an_identifier_in_the_users_own_input_has_the_same_hash() -> None:
    text = "write to bob.miller@library.example"
    assert scanned(text, stage=Stage.INPUT).marks[0].digest == scanned(text).marks[0].digest


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("email", "bob at library"),
        ("phone", "12"),
        ("iban", "DE89 3704 0044 0532 0130 01"),
        ("iban", "GB82 WEST 1234 5698 7654"),
        ("card", "4111 1111 1111 1112"),
        ("account", "LIB-9"),
        ("name", "Bob"),
        ("birth_date", "12.04.1990"),
        ("shelf_card", "  "),
    ],
)
def test_what_could_never_be_found_is_refused_when_it_is_registered(kind: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"“{kind}”"):
        normalise_identifier(kind, value)


def test_ten_digits_of_north_america_are_the_number_with_its_country_code() -> None:
    assert normalise_identifier(IdentifierKind.PHONE, "(415) 555-0132") == normalise_identifier(
        "phone", "+1 415 555 0132"
    )


UUID = "99812345-1234-4abc-89ab-998123456789"


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "plain"])
@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (f"row {UUID}.", []),
        (UUID.upper(), []),
        (f"{UUID} {UUID}, é: {UUID}", []),
        (f"{UUID} 998123456789", ["account"]),
        (f"99812345 {UUID}", ["account"]),
        (f"{UUID} 99812345 {UUID}", ["account"]),
        (f"{UUID}0", ["account"]),
        (UUID.replace("4abc", "4abg"), ["account", "account"]),
        (f"to {UUID}@library.example", ["email"]),
    ],
)
def test_the_digits_of_a_uuid_are_nobodys_number(text: str, kinds: list[str], fast: bool) -> None:
    values = (("account", "99812345"), ("account", "998123456789"), ("email", f"{UUID}@library.example"))
    known = {
        identifier_digest(KEY, kind, normalise_identifier(kind, value)): (Owner(owner_digest(KEY, "bob"), True, kind),)
        for kind, value in values
    }
    one = Scanner(Knowledge(owners=known, kinds=frozenset({"account", "email", "iban"})), KEY, fast=fast)
    seen = scanned(text, one)
    assert [name for _, name, _ in told(seen)] == kinds
    assert not any("9981" in mark.excerpt for mark in seen.marks)


def test_so_many_numbers_are_looked_up_and_no_more() -> None:
    one = scanner()
    seen = one.scan(event("123456 " * 30_000), 0.0)
    assert seen.marks == () and one.cut_short == 1
    one.use(one.prepare(Knowledge()))
    assert one.cut_short == 1
