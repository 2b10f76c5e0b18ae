"""One promise a test, kept by every file that ships."""

from __future__ import annotations

import json
import re
import string
import unicodedata
from collections.abc import Iterator

import pytest

from bot.incident.words import ActionKind, Category, DetectionMethod, Phase, Role, Severity, StepButton
from bot.playbook import DEFAULT_PATH, Playbook, load
from bot.playbook.announcement import PUBLIC
from bot.playbook.locate import Nowhere, locate

FILES = sorted(path for path in DEFAULT_PATH.rglob("*") if path.suffix in {".yaml", ".json"})
MISSION = {
    "unauthorized_tool_execution": (1, True),
    "credential_leakage_confirmed": (1, True),
    "bulk_data_extraction": (1, True),
    "sustained_injection_campaign": (2, False),
    "system_prompt_exposure": (2, False),
    "cross_user_data_leakage": (2, True),
    "jailbreak_success": (3, False),
    "partial_prompt_extraction": (3, False),
    "anomalous_probing": (4, False),
}


def characters() -> Iterator[tuple[str, int, str]]:
    for path in FILES:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            for character in line:
                yield path.name, number, character


def test_no_file_holds_a_cjk_character() -> None:
    wide = [
        (name, number)
        for name, number, character in characters()
        if unicodedata.east_asian_width(character) in "WF" or "CJK" in unicodedata.name(character, "")
    ]
    assert not wide


def test_no_file_holds_invisible_or_bidirectional_characters() -> None:
    assert not [place for *place, character in characters() if unicodedata.category(character) in {"Cf", "Co", "Cs"}]


def test_the_nine_triggers_have_the_missions_severity_and_auto_containment(playbook: Playbook) -> None:
    nine = {name: trigger for name, trigger in playbook.triggers.items() if trigger.mission}
    assert {name: (trigger.severity.value, trigger.auto_contain) for name, trigger in nine.items()} == MISSION


def test_a_trigger_beyond_the_nine_contains_nobody_by_itself(playbook: Playbook) -> None:
    assert not [trigger.id for trigger in playbook.triggers.values() if trigger.auto_contain and not trigger.mission]


def test_triggers_are_listed_most_severe_first(playbook: Playbook) -> None:
    severities = [trigger.severity for trigger in playbook.triggers.values()]
    assert severities == sorted(severities)


def test_each_trigger_file_is_named_after_its_trigger(playbook: Playbook) -> None:
    assert {path.stem for path in (DEFAULT_PATH / "triggers").iterdir()} == set(playbook.triggers)


def test_only_what_other_systems_must_report_ships_in_shadow(playbook: Playbook) -> None:
    assert {trigger.id for trigger in playbook.triggers.values() if trigger.rule.shadow} == {
        "configuration_drift",
        "guardrail_false_positive_surge",
        "poisoned_content_reported",
        "supply_chain_advisory",
    }


def test_every_id_of_atlas_and_owasp_exists_in_the_shipped_index(playbook: Playbook) -> None:
    for tagged in (*playbook.triggers.values(), *playbook.categories.values()):
        assert set(tagged.atlas) <= set(playbook.atlas.techniques)
        assert set(tagged.owasp) <= set(playbook.owasp.risks)
    assert playbook.atlas.version == "5.6.0"
    assert playbook.atlas.licence == "Apache-2.0"
    assert "MITRE" in playbook.atlas.attribution
    assert len(playbook.atlas.techniques) == 170 and len(playbook.atlas.mitigations) == 35


def test_every_word_of_the_vocabulary_is_described(playbook: Playbook) -> None:
    assert set(playbook.severities) == set(Severity)
    assert set(playbook.actions) == set(ActionKind)
    assert set(playbook.categories) == set(Category)
    assert set(playbook.checklists) == set(Phase)
    assert set(playbook.room_roles) == set(Role)
    assert set(playbook.channels) == set(DetectionMethod) - {DetectionMethod.DRILL}


def test_every_step_fits_slack_and_ends_as_a_sentence(playbook: Playbook) -> None:
    for step in playbook.all_steps.values():
        assert len(step.text) <= 280, step.id
        assert step.text[0].isupper() and step.text.endswith("."), step.id


def test_titles_fit_a_button(playbook: Playbook) -> None:
    titled = [*playbook.actions.values(), *playbook.triggers.values(), *playbook.scenarios.values()]
    titled += [*playbook.categories.values(), *playbook.first_hour.windows]
    for item in titled:
        assert 3 <= len(item.title) <= 75


def test_no_two_steps_say_the_same(playbook: Playbook) -> None:
    texts = [step.text.casefold() for step in playbook.all_steps.values()]
    assert len(texts) == len(set(texts))


def test_each_of_the_eight_actions_can_be_proposed_somewhere(playbook: Playbook) -> None:
    planned = {entry.action for plan in playbook.plans.values() for entry in plan.actions}
    planned |= {entry.action for trigger in playbook.triggers.values() for entry in trigger.actions.add}
    assert planned == set(ActionKind)


def test_every_kind_of_button_is_used(playbook: Playbook) -> None:
    assert {step.button for step in playbook.all_steps.values()} - {None} == set(StepButton)


def test_validation_is_a_step_at_every_severity(playbook: Playbook) -> None:
    for severity in Severity:
        steps = {step.id: step for step in playbook.steps(severity)}
        assert steps["fix.validate"].button is StepButton.START_VALIDATION


def test_only_reversible_actions_that_keep_evidence_run_alone(playbook: Playbook) -> None:
    alone = {action.id for action in playbook.actions.values() if action.runs_alone}
    assert alone == {ActionKind.BLOCK_USER, ActionKind.RATE_LIMIT}
    assert playbook.policy.auto_contain is True
    assert playbook.policy.second_person.system_wide and playbook.policy.second_person.irreversible


def test_a_room_is_private_unless_a_person_says_otherwise(playbook: Playbook) -> None:
    assert {severity.visibility for severity in playbook.severities.values()} == {"private"}


def test_announcements_hold_only_what_may_be_public(playbook: Playbook) -> None:
    for name in type(playbook.announcement).model_fields:
        wording = getattr(playbook.announcement, name)
        used = {field for _, field, _, _ in string.Formatter().parse(wording) if field}
        assert used <= set(PUBLIC)
        assert "{" not in wording.format(
            number="INC-12", severity="SEV-1", status="open", declared="9:00", next_update="9:30"
        )


def test_every_legal_clock_names_its_source_and_the_day_it_was_checked(playbook: Playbook) -> None:
    for clock in playbook.clocks.values():
        assert clock.source and clock.applies_if
        assert clock.updated_on.isoformat() == "2026-11-21"
    off = {clock.id for clock in playbook.clocks.values() if not clock.enabled}
    assert off == {"ai_act", "sb53", "circia"}
    assert playbook.clocks["ai_act"].freezes_system
    assert "advice" in playbook.clock_notice


def test_deadlines_start_where_the_law_starts_them(playbook: Playbook) -> None:
    def starts(clock: str) -> dict[str, tuple[str, str | None]]:
        return {step.id: (step.starts, step.after) for step in playbook.clocks[clock].steps}

    assert playbook.clocks["gdpr"].steps[0].due.hours == 72
    assert starts("dora") == {
        "initial": ("classified", None),
        "intermediate": ("report_filed", "initial"),
        "final": ("report_filed", "intermediate"),
    }
    assert starts("sec_8k") == {"filing": ("materiality", None)}
    assert playbook.clocks["sec_8k"].steps[0].due.business_days == 4


def test_the_six_metrics_have_the_missions_targets(playbook: Playbook) -> None:
    of_mission = [metric for metric in playbook.metrics.values() if metric.id != "time_to_acknowledge"]
    limits = {metric.id: metric.under_minutes for metric in of_mission}
    assert limits == {
        "time_to_detect": 60,
        "time_to_contain": 240,
        "time_to_remediate": 72 * 60,
        "detection_method": None,
        "evidence_quality": None,
        "time_to_notify": 60,
    }
    assert playbook.metrics["time_to_detect"].starts == "started"
    assert {metric.starts for metric in of_mission} == {"started", "detected", None}
    assert playbook.metrics["detection_method"].preferred is DetectionMethod.AUTOMATED


def test_the_time_to_acknowledge_is_held_against_the_severitys_own_response_time(playbook: Playbook) -> None:
    metric = playbook.metrics["time_to_acknowledge"]
    assert (metric.starts, metric.ends, metric.within, metric.under_minutes) == (
        "declared", "acknowledged", "response", None,
    )  # fmt: skip


def test_the_review_asks_four_questions_and_starts_with_five_action_items(playbook: Playbook) -> None:
    assert [question.id for question in playbook.review.questions] == ["what", "why", "detection_gap", "defence_gap"]
    assert len(playbook.review.action_items) == 5
    assert {item.status for item in playbook.review.action_items} == {"pending"}
    assert playbook.review.blank == "NOT PROVIDED"
    assert playbook.review.hold_within_days == 14
    assert playbook.review.monitor_days == (30, 90)


def test_every_pitfall_is_answered_by_something_that_exists(playbook: Playbook) -> None:
    assert len(playbook.pitfalls) == 6
    for pitfall in playbook.pitfalls.values():
        for path in pitfall.answered_by:
            locate(playbook, path)


def test_a_path_that_leads_nowhere_says_where_it_ends(playbook: Playbook) -> None:
    with pytest.raises(Nowhere) as caught:
        locate(playbook, "review/questions/whom")
    assert caught.value.part == "whom" and "why" in caught.value.known


def test_escalation_never_hangs_on_one_person(playbook: Playbook) -> None:
    for severity in playbook.severities.values():
        reachable = set(severity.escalate) | {
            b for role in severity.escalate for b in playbook.roster_roles[role].backup
        }
        assert len(reachable) >= 2, severity.id
    for role in playbook.room_roles.values():
        assert role.backup


def test_the_digest_changes_with_the_content_and_not_with_the_place(playbook: Playbook, folder, edit) -> None:  # type: ignore[no-untyped-def]
    assert re.fullmatch(r"[0-9a-f]{64}", playbook.digest)
    assert load(folder).digest == playbook.digest
    assert load(edit("severities.yaml", "label: Critical", "label: Worst")).digest != playbook.digest


def test_the_loaded_playbook_cannot_be_changed(playbook: Playbook) -> None:
    with pytest.raises(TypeError):
        playbook.triggers["mine"] = playbook.triggers["jailbreak_success"]  # type: ignore[index]
    with pytest.raises(ValueError, match="frozen"):
        playbook.severities[Severity.SEV1].label = "Worst"
    with pytest.raises(AttributeError):
        playbook.digest = "x"  # type: ignore[misc]


def test_the_shipped_index_is_plain_json() -> None:
    for name in ("atlas.json", "owasp.json"):
        json.loads((DEFAULT_PATH / name).read_text(encoding="utf-8"))
