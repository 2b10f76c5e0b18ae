"""Promises over all verbs at once: they are found, explained, and named right wherever a message names one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.cases.context import Context
from bot.slack.parse import choose
from bot.store import Store
from commands import FEATURES
from tests.opened import context
from tests.spoken import asking, said, spoken

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"/incident ([a-z]+(?:-[a-z]+)*(?: [a-z-]+)?)")


@pytest.fixture
def ctx(sqlite_store: Store) -> Context:
    return context(sqlite_store)


def test_verbs_and_forms_are_unique() -> None:
    verbs = [feature.verb for feature in FEATURES]
    forms = [form.callback_id for feature in FEATURES for form in feature.forms]
    assert len(set(verbs)) == len(verbs) and len(set(forms)) == len(forms)


async def test_the_help_lists_every_verb_in_one_message(ctx: Context) -> None:
    text = said(await spoken(ctx, "help"))
    assert len(text) < 3000, "one section of a message, which a phone can show"
    lines = {re.findall(r"`/incident ([a-z-]+)`", line)[0]: line for line in text.splitlines()[1:]}
    for feature in FEATURES:
        word, _, rest = feature.verb.partition(" ")
        assert rest in lines[word] and (rest or feature.summary in lines[word])


async def test_the_help_about_one_word_lists_every_verb_that_begins_with_it(ctx: Context) -> None:
    text = said(await spoken(ctx, "help contain"))
    for feature in FEATURES:
        assert (f"`/incident {feature.verb}`" in text) == feature.verb.startswith("contain ")
    both = said(await spoken(ctx, "help step"))
    assert "Show one step." in both and "`/incident step undo`" in both


async def test_every_verb_explains_itself_with_its_usage_and_an_example(ctx: Context) -> None:
    for feature in FEATURES:
        text = said(await spoken(ctx, f"help {feature.verb}"))
        assert feature.examples[0].replace("@", "") in text.replace("@", ""), feature.verb


def test_only_help_and_status_are_open_to_guests() -> None:
    assert {feature.verb for feature in FEATURES if feature.guests} == {"help", "status"}


def test_every_verb_that_a_message_names_exists() -> None:
    for room in ("bot", "commands", "playbooks"):
        for file in (ROOT / room).rglob("*"):
            if file.suffix in {".py", ".yaml"} and "practice" not in file.parts:
                for named in NAMED.findall(file.read_text()):
                    assert choose(FEATURES, named), f"{file}: /incident {named}"


async def test_a_guest_sees_no_more_than_the_public_line(ctx: Context) -> None:
    await spoken(ctx, "declare sev1 The quarterly figures leaked")
    text = said(await spoken(ctx, "status 1", asking("U0GINA", member=False)))
    assert "INC-1" in text and "quarterly" not in text
