"""The text of `/incident …`: phones, mentions, quotes, flags; and that nothing but Invalid is ever raised."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel

from bot.incident.errors import Invalid
from bot.incident.words import Role, Severity, SubjectKind
from bot.slack.feature import Feature
from bot.slack.parse import choose, names_only_an_incident, parse, usage
from commands import FEATURES

VERBS = {feature.verb: feature for feature in FEATURES}


def read(line: str) -> Any:
    feature, rest = choose(FEATURES, line)
    return parse(feature, rest)


def refused(line: str) -> str:
    with pytest.raises(Invalid) as error:
        read(line)
    return str(error.value)


@pytest.mark.parametrize(("spelled", "meant"), [("1", 1), ("sev2", 2), ("SEV-3", 3), ("P4", 4), ("sev 2", 2)])
def test_a_severity_may_be_spelled_as_people_spell_it(spelled: str, meant: int) -> None:
    assert read(f'sev "{spelled}"').severity is Severity(meant)


def test_the_last_text_takes_the_rest_of_the_line_and_flags_may_stand_in_it() -> None:
    form = read("sev 1 a second tenant --incident INC-12 is affected")
    assert (form.severity, form.reason, form.incident) == (Severity.SEV1, "a second tenant is affected", 12)


def test_what_a_phone_typed_is_undone() -> None:
    form = read("declare\u00a0sev1 “Canary leaked” —subject-kind user —subject-id “u 42”")
    assert (form.title, form.subject_kind, form.subject_id) == ("Canary leaked", SubjectKind.USER, "u 42")


def test_a_dash_inside_prose_stays_a_dash() -> None:
    assert read("note it leaked — twice — then stopped").text == "it leaked — twice — then stopped"
    assert read("note the flag --verbose was set").text == "the flag --verbose was set"


def test_quotes_inside_prose_stay_and_a_lone_quote_is_no_error() -> None:
    assert read('note he said "ignore all rules" twice').text == 'he said "ignore all rules" twice'
    assert read('note a 5" screen').text == 'a 5" screen'
    assert read('note "all of it"').text == "all of it"
    assert read("note don't touch it").text == "don't touch it"


def test_a_mention_is_a_person_where_one_is_wanted_and_words_in_prose() -> None:
    form = read("role assign commander <@U0BOB|bob>")
    assert (form.role, form.person) == (Role.COMMANDER, "U0BOB")
    assert read("note ask <@U0BOB|bob> in <#C1|general> about <https://x.example|x>").text == (
        "ask @bob in #general about https://x.example"
    )
    assert read("note <!channel> look").text == "!channel look"


def test_entities_that_slack_sends_become_the_text_that_was_typed() -> None:
    assert read("note a &lt;b&gt; &amp;amp; c").text == "a <b> &amp; c"
    assert read("note &lt;@U0BOB&gt;").text == "<@U0BOB>"


def test_an_incident_may_be_named_first_or_by_its_flag_or_as_a_number() -> None:
    assert read("ack INC-12").incident == read("ack inc-12").incident == read("ack 12").incident == 12
    assert read("note inc-7 seen again").incident == 7
    assert read("note seen again --incident 7").incident == 7
    assert read("note as in INC-7").incident is None
    assert names_only_an_incident(" INC-12 ") == 12
    assert names_only_an_incident("INC-12 x") is None and names_only_an_incident("12") is None


def test_words_are_forgiven_their_case_and_hyphens() -> None:
    assert read("role take Technical-Lead").role is Role.TECHNICAL_LEAD
    assert read("ROLE TAKE scribe").role is Role.SCRIBE


def test_a_bare_flag_is_true_and_the_longest_verb_wins() -> None:
    form = read("close --false-positive the load test sent it")
    assert form.false_positive and form.reason == "the load test sent it"
    assert choose(FEATURES, "step done triage.scope")[0].verb == "step done"
    assert choose(FEATURES, "step triage.scope")[0].verb == "step"


def test_a_time_without_a_zone_is_utc() -> None:
    form = read("declare 2 It leaks --started-at 2026-11-21T14:05")
    assert form.started_at == datetime(2026, 11, 21, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("sev", "The severity is missing."),
        ("sev 9", "is not a severity"),
        ("role assign comander @bob", "Did you mean commander?"),
        ("role assign commander bob", "is not a person"),
        ("ack 12 now", "“now” is more than this verb takes."),
        ("ack --incidnet 12", "Did you mean `--incident`?"),
        ("sev 1 --incident", "`--incident` needs a value"),
        ("sev 1 --severity 2 x", "given twice"),
        ("contain approve three", "must be a number"),
        ("contain approve 0", "cannot be 0"),
        ("snooze 100000", "cannot be 100000"),
        ("close --reopen", "Say why"),
        ("close --reopen --false-positive x", "Use only one of"),
        ("declare 2 It leaks --started-at yesterday", "A time is written like"),
        ("ack INC-99999999999999999999", "cannot be"),
        ("contain", "`/incident contain propose`"),
        ("acknowlege", "There is no verb"),
        ("lst", "Did you mean `/incident list`?"),
    ],
)
def test_an_error_says_what_was_wrong_and_what_would_work(line: str, says: str) -> None:
    message = refused(line)
    assert says in message and "/incident" in message


def test_the_example_of_an_error_is_one_that_works() -> None:
    for feature in FEATURES:
        for shown in feature.examples:
            line = shown.removeprefix("/incident ").replace("@bob", "<@U0BOB|bob>")
            found, rest = choose(FEATURES, line)
            assert found is feature
            opens_its_form = feature.bare is not None and not rest
            assert opens_its_form or isinstance(parse(feature, rest), BaseModel), shown


def test_what_was_typed_cannot_mention_or_format_in_an_error() -> None:
    message = refused("<!channel>`*x*")
    assert "<!" not in message and "&lt;!" not in message
    assert "&lt;b&gt;" in refused("ack 12 &lt;b&gt;")


def test_the_usage_is_made_from_the_model() -> None:
    assert usage(VERBS["sev"]) == "/incident sev <severity> [reason …] [--incident INC-12]"
    assert usage(VERBS["ack"]) == "/incident ack [INC-12]"
    assert "[--false-positive]" in usage(VERBS["close"])


PIECES = st.sampled_from(
    [*VERBS, "--incident", "--reason", "--all", "INC-12", "INC-²", "12", '"', "“", "—why", "<@U1|a>", "<@", "&lt;", "²"]
)


@given(st.lists(PIECES | st.text(max_size=12), max_size=8).map(" ".join))
@example("INC-" + "9" * 5000)
@example("snooze " + "9" * 5000)
@example("note \ud800")
@example("\x00")
def test_nothing_but_invalid_is_ever_raised(line: str) -> None:
    names_only_an_incident(line)
    with contextlib.suppress(Invalid):
        feature, rest = choose(FEATURES, line)
        assert isinstance(parse(feature, rest), feature.model)


@given(st.sampled_from(FEATURES), st.text(max_size=60))
def test_no_verb_raises_anything_but_invalid(feature: Feature[Any], text: str) -> None:
    with contextlib.suppress(Invalid):
        assert isinstance(parse(feature, text), feature.model)
