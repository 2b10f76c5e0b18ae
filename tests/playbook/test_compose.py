"""What one incident gets: proposals, steps and windows, by value and by property."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.incident.words import ActionKind, Category, Phase, Role, ScopeKind, Severity, SubjectKind
from bot.playbook import Playbook, load
from bot.playbook.checklist import Step

PLAYBOOK = load()
SEVERITIES = st.sampled_from(Severity)
TRIGGERS = st.sampled_from([None, "not_in_this_playbook", *PLAYBOOK.triggers])
CATEGORIES = st.sampled_from([None, *Category])
SCENARIOS = st.sampled_from([None, "not_in_this_playbook", *PLAYBOOK.scenarios])
SUBJECTS = st.sampled_from(SubjectKind)


def offered(
    severity: Severity,
    trigger: str | None,
    subject: SubjectKind = SubjectKind.USER,
    category: Category | None = None,
    evidence: tuple[str, ...] = (),
) -> list[str]:
    """`action@scope`, with `!` where it runs by itself and `|other` where it is an alternative."""
    return [
        f"{proposal.action}@{proposal.scope}{'!' if proposal.auto else ''}"
        f"{f'|{proposal.alternative_to}' if proposal.alternative_to else ''}"
        for proposal in PLAYBOOK.proposals(severity, trigger, subject, category=category, evidence=evidence)
    ]


def ids(steps: tuple[Step, ...], *phases: Phase) -> list[str]:
    return [step.id for step in steps if not phases or step.phase in phases]


@pytest.mark.parametrize(
    ("severity", "trigger", "subject", "expected"),
    [
        (
            Severity.SEV1,
            "credential_leakage_confirmed",
            SubjectKind.USER,
            [
                "block_user@user!",
                "disable_tools@user",
                "rotate_credentials@credential",
                "enable_safe_mode@endpoint",
                "disable_endpoint@endpoint|enable_safe_mode",
                "disable_tools@application",
            ],
        ),
        (
            Severity.SEV1,
            "bulk_data_extraction",
            SubjectKind.API_KEY,
            [
                "block_user@api_key!",
                "disable_tools@api_key",
                "enable_safe_mode@endpoint",
                "disable_endpoint@endpoint|enable_safe_mode",
                "disable_tools@application",
            ],
        ),
        (
            Severity.SEV2,
            "cross_user_data_leakage",
            SubjectKind.SESSION,
            [
                "block_user@session!",
                "rate_limit@session!",
                "flush_memory@session",
                "restrict_rag@document",
                "rate_limit@endpoint",
                "restrict_rag@application",
            ],
        ),
        (
            Severity.SEV2,
            "sustained_injection_campaign",
            SubjectKind.USER,
            ["block_user@user", "rate_limit@user", "flush_memory@user", "rate_limit@endpoint"],
        ),
        (Severity.SEV3, "jailbreak_success", SubjectKind.USER, ["rate_limit@user"]),
        (Severity.SEV3, "jailbreak_success", SubjectKind.UNKNOWN, []),
        (
            Severity.SEV3,
            "credential_leakage_confirmed",
            SubjectKind.IP,
            ["rate_limit@ip!", "rotate_credentials@credential"],
        ),
        (Severity.SEV4, "anomalous_probing", SubjectKind.USER, []),
        (Severity.SEV4, "credential_leakage_confirmed", SubjectKind.USER, []),
        (Severity.SEV2, None, SubjectKind.UNKNOWN, ["rate_limit@endpoint"]),
        (Severity.SEV2, "not_in_this_playbook", SubjectKind.DOCUMENT, ["rate_limit@endpoint"]),
    ],
)
def test_proposals_by_value(severity: Severity, trigger: str | None, subject: SubjectKind, expected: list[str]) -> None:
    assert offered(severity, trigger, subject) == expected


def test_a_severity_1_that_a_person_declared_offers_the_whole_plan_and_runs_nothing_by_itself() -> None:
    names = offered(Severity.SEV1, None)
    assert {name.split("@")[0] for name in names} == {
        "block_user",
        "disable_tools",
        "enable_safe_mode",
        "disable_endpoint",
    }
    assert not [name for name in names if "!" in name]


def test_poisoned_data_brings_the_restriction_of_retrieval() -> None:
    names = offered(Severity.SEV2, None, SubjectKind.DOCUMENT, Category.DATA_POISONING)
    assert names == ["restrict_rag@document", "rate_limit@endpoint", "restrict_rag@application"]


def test_credentials_are_rotated_only_where_they_are_at_stake() -> None:
    offering = {t for t in PLAYBOOK.triggers for s in Severity if any("rotate" in name for name in offered(s, t))}
    assert offering == {"credential_leakage_confirmed", "system_prompt_exposure"}
    assert "rotate_credentials@credential" not in offered(Severity.SEV1, None)


@pytest.mark.parametrize("trigger", [None, *PLAYBOOK.triggers])
def test_evidence_of_a_credential_brings_its_rotation_at_every_severity_that_contains(trigger: str | None) -> None:
    for severity in (Severity.SEV1, Severity.SEV2, Severity.SEV3):
        names = offered(severity, trigger, evidence=("alert", "credential"))
        assert names.count("rotate_credentials@credential") == 1
    assert offered(Severity.SEV4, trigger, evidence=("credential",)) == []


@pytest.mark.parametrize("said", [True, False])
def test_the_organisation_overrides_single_triggers_both_ways(said: bool) -> None:
    for trigger in PLAYBOOK.triggers:
        proposals = PLAYBOOK.proposals(Severity.SEV1, trigger, SubjectKind.USER, auto_contain=said)
        assert any(proposal.auto for proposal in proposals) is said
    assert not any(p.auto for p in PLAYBOOK.proposals(Severity.SEV1, None, SubjectKind.USER, auto_contain=True))


def test_an_endpoint_is_disabled_at_severity_1_only() -> None:
    for severity in Severity:
        for trigger in (None, *PLAYBOOK.triggers):
            disables = [name for name in offered(severity, trigger) if name.startswith("disable_endpoint")]
            assert bool(disables) is (severity is Severity.SEV1)


@given(severity=SEVERITIES, trigger=TRIGGERS, subject=SUBJECTS, category=CATEGORIES)
def test_proposals_grow_in_scope_and_never_repeat(
    severity: Severity, trigger: str | None, subject: SubjectKind, category: Category | None
) -> None:
    proposals = PLAYBOOK.proposals(severity, trigger, subject, category=category)
    sizes = [list(ScopeKind).index(proposal.scope) for proposal in proposals]
    assert sizes == sorted(sizes)
    assert len({(proposal.action, proposal.scope) for proposal in proposals}) == len(proposals)
    for proposal in proposals:
        assert proposal.scope in PLAYBOOK.actions[proposal.action].scopes


@given(severity=SEVERITIES, trigger=TRIGGERS, subject=SUBJECTS, category=CATEGORIES)
def test_only_a_reversible_action_on_the_single_subject_runs_by_itself(
    severity: Severity, trigger: str | None, subject: SubjectKind, category: Category | None
) -> None:
    for proposal in PLAYBOOK.proposals(severity, trigger, subject, category=category):
        if proposal.auto:
            assert trigger is not None and PLAYBOOK.triggers[trigger].auto_contain
            assert PLAYBOOK.actions[proposal.action].reversible
            assert not PLAYBOOK.actions[proposal.action].evidence_first
            assert not proposal.scope.system_wide
            assert proposal.scope.value == subject.value and proposal.on_subject


def test_the_organisations_switch_turns_self_running_containment_off(edit) -> None:  # type: ignore[no-untyped-def]
    off = load(edit("plans.yaml", "auto_contain: true", "auto_contain: false"))
    for trigger in off.triggers:
        assert not any(p.auto for s in Severity for p in off.proposals(s, trigger, SubjectKind.USER))


def test_dropping_an_action_drops_its_alternative_too(edit) -> None:  # type: ignore[no-untyped-def]
    playbook: Playbook = load(
        edit("triggers/bulk_data_extraction.yaml", "rule:", "actions:\n  drop: [enable_safe_mode]\nrule:")
    )
    kinds = {p.action for p in playbook.proposals(Severity.SEV1, "bulk_data_extraction", SubjectKind.USER)}
    assert not kinds & {ActionKind.ENABLE_SAFE_MODE, ActionKind.DISABLE_ENDPOINT}


def test_approvers_can_differ_by_severity(edit) -> None:  # type: ignore[no-untyped-def]
    playbook: Playbook = load(
        edit(
            "actions.yaml",
            "    approvers: [commander]\n",
            "    approvers: [commander]\n    approvers_at:\n      - {severity: 3, roles: [commander, technical_lead]}\n",
        )
    )
    block = playbook.actions[ActionKind.BLOCK_USER]
    assert block.approvers_for(Severity.SEV1) == ("commander",)
    assert block.approvers_for(Severity.SEV3) == ("commander", "technical_lead")


EXPOSURE = [f"exposure.{name}" for name in ("what", "used", "rotate", "public", "notification")]
TOOLS = [f"tools.{name}" for name in ("audit", "actions", "impact", "reverse", "authorization")]
CAMPAIGN = [f"campaign.{name}" for name in ("payloads", "bypasses", "tests", "exfiltration")]


@pytest.mark.parametrize(
    ("trigger", "own"),
    [
        ("credential_leakage_confirmed", EXPOSURE),
        ("credential_leakage_suspected", EXPOSURE),
        ("system_prompt_exposure", EXPOSURE),
        ("planted_canary_exposed", EXPOSURE),
        ("unauthorized_tool_execution", TOOLS),
        ("unauthorized_tool_attempt", TOOLS),
        ("bulk_data_extraction", TOOLS),
        ("cross_user_data_leakage", ["leakage.users", "leakage.scope", "leakage.memory", "leakage.notify"]),
        ("sustained_injection_campaign", CAMPAIGN),
        ("coordinated_injection_campaign", CAMPAIGN),
        ("injection_campaign_unmeasured", CAMPAIGN),
        ("jailbreak_success", []),
        ("partial_prompt_extraction", []),
        ("anomalous_probing", []),
    ],
)
def test_a_trigger_brings_its_own_investigation(trigger: str, own: list[str]) -> None:
    for severity in Severity:
        found = ids(PLAYBOOK.steps(severity, trigger))
        groups = ("exposure.", "tools.", "leakage.", "campaign.")
        assert [step for step in found if step.startswith(groups)] == own


def test_every_incident_has_the_common_and_the_closing_steps() -> None:
    common = ["triage.confirm", "triage.affected", "evidence.conversations", "investigate.classify"]
    closing = ["cause.document", "fix.root_cause", "fix.validate", "fix.guardrails", "review.schedule"]
    for severity in Severity:
        for trigger in (None, *PLAYBOOK.triggers):
            found = ids(PLAYBOOK.steps(severity, trigger))
            assert [step for step in found if step in {*common, *closing}] == [*common, *closing]


def test_a_severity_4_is_short_and_contains_nothing() -> None:
    steps = PLAYBOOK.steps(Severity.SEV4, "anomalous_probing")
    assert ids(steps, Phase.CONTAINMENT) == ["contain.watch", "contain.backlog"]
    assert len(steps) < len(PLAYBOOK.steps(Severity.SEV3, "anomalous_probing")) / 1.5
    assert len(steps) <= 30


def test_only_a_severity_1_asks_whether_to_go_offline_with_offline_as_the_default() -> None:
    asked = [severity for severity in Severity if "contain.offline_decision" in ids(PLAYBOOK.steps(severity))]
    assert asked == [Severity.SEV1]


@pytest.mark.parametrize("category", Category)
def test_a_category_brings_its_own_focus_and_no_other(category: Category) -> None:
    found = {step for step in ids(PLAYBOOK.steps(Severity.SEV2, category=category)) if step.startswith("investigate.")}
    focuses = {f"investigate.{other}" for other in Category}
    assert found & focuses == {f"investigate.{category}"}


def test_the_category_given_wins_over_the_triggers_own() -> None:
    found = ids(PLAYBOOK.steps(Severity.SEV2, "sustained_injection_campaign", Category.SUPPLY_CHAIN))
    assert "investigate.supply_chain" in found and "investigate.prompt_injection" not in found


def test_a_scenario_brings_its_six_steps_and_its_category() -> None:
    for scenario in PLAYBOOK.scenarios.values():
        steps = PLAYBOOK.steps(Severity.SEV2, scenario=scenario.id)
        own = [step for step in steps if step.section == scenario.title]
        assert len(own) == 6
        assert f"investigate.{scenario.category}" in ids(steps)
        assert {step.id: step.phase for step in own} == {step.id: step.phase for step in scenario.steps}


@given(severity=SEVERITIES, trigger=TRIGGERS, category=CATEGORIES, scenario=SCENARIOS)
def test_steps_are_in_the_order_of_phases_unique_and_never_preparation(
    severity: Severity, trigger: str | None, category: Category | None, scenario: str | None
) -> None:
    steps = PLAYBOOK.steps(severity, trigger, category, scenario)
    order = [list(Phase).index(step.phase) for step in steps]
    assert order == sorted(order)
    assert len({step.id for step in steps}) == len(steps)
    assert {step.phase for step in steps} == set(Phase) - {Phase.PREPARATION}
    known = {role.value for role in Role} | set(PLAYBOOK.roster_roles)
    assert {step.role for step in steps} <= known


@given(severity=SEVERITIES, trigger=TRIGGERS, category=CATEGORIES)
def test_raising_the_severity_only_adds_steps_but_for_those_of_one_severity(
    severity: Severity, trigger: str | None, category: Category | None
) -> None:
    if severity is Severity.SEV1:
        return
    worse = Severity(severity - 1)
    gone = set(ids(PLAYBOOK.steps(severity, trigger, category))) - set(ids(PLAYBOOK.steps(worse, trigger, category)))
    assert gone <= {"contain.watch", "contain.backlog", "contain.filter_rules", "contain.enhanced_filtering"}


def test_due_times_of_the_first_hour_stretch_with_the_severity_and_later_ones_stand() -> None:
    def due(severity: Severity, step: str) -> int | None:
        return next(item.due_minutes for item in PLAYBOOK.steps(severity) if item.id == step)

    assert [due(severity, "triage.confirm") for severity in Severity] == [5, 5, 120, None]
    assert [due(severity, "fix.validate") for severity in Severity] == [4320] * 4
    schedule = next(item for item in PLAYBOOK.steps(Severity.SEV4) if item.id == "review.schedule")
    assert (schedule.due_minutes, schedule.due_from) == (14 * 24 * 60, "phase")


WINDOWS = [
    ("confirm", 0, 5),
    ("command", 5, 10),
    ("evidence", 10, 15),
    ("contain", 15, 30),
    ("scope", 30, 45),
    ("brief", 45, 60),
]


@pytest.mark.parametrize(("severity", "factor"), [(Severity.SEV1, 1), (Severity.SEV2, 1), (Severity.SEV3, 24)])
def test_the_six_windows_at_each_pace(severity: Severity, factor: int) -> None:
    windows = [(window.id, window.start_minutes, window.end_minutes) for window in PLAYBOOK.windows(severity)]
    assert windows == [(name, start * factor, end * factor) for name, start, end in WINDOWS]


def test_a_severity_4_has_no_first_hour() -> None:
    assert PLAYBOOK.windows(Severity.SEV4) == ()


def test_a_severity_3_is_not_hurried_before_its_response_time() -> None:
    commanded = next(window for window in PLAYBOOK.windows(Severity.SEV3) if window.id == "command")
    assert commanded.end_minutes == PLAYBOOK.severities[Severity.SEV3].response.minutes


@pytest.mark.parametrize("severity", [Severity.SEV1, Severity.SEV2, Severity.SEV3])
def test_what_a_window_needs_can_be_done_in_every_incident_of_its_severity(severity: Severity) -> None:
    for trigger in (None, *PLAYBOOK.triggers):
        steps = {step.id: step for step in PLAYBOOK.steps(severity, trigger)}
        for window in PLAYBOOK.windows(severity):
            assert window.nudge_minutes_before < window.end_minutes - window.start_minutes
            for need in window.needs:
                if need.kind == "step":
                    due = steps[need.id].due_minutes
                    assert due is not None and due <= window.end_minutes, need.id


def test_each_fact_is_needed_in_one_window() -> None:
    facts = [need.id for window in PLAYBOOK.windows(Severity.SEV1) for need in window.needs if need.kind == "fact"]
    assert facts == ["acknowledged", "severity_confirmed", "commander", "evidence", "contained", "scope", "briefed"]


@pytest.mark.parametrize(
    ("severity", "alias", "minutes", "next_day", "notify", "trials"),
    [
        (Severity.SEV1, "P1", 15, False, {"ciso", "engineering_lead", "legal", "on_call"}, 30),
        (Severity.SEV2, "P2", 60, False, {"security_team_lead", "engineering_lead"}, 20),
        (Severity.SEV3, "P3", 240, False, {"security_team", "ai_team"}, 10),
        (Severity.SEV4, "P4", None, True, {"ai_team"}, 5),
    ],
)
def test_severities_by_value(
    severity: Severity, alias: str, minutes: int | None, next_day: bool, notify: set[str], trials: int
) -> None:
    policy = PLAYBOOK.severities[severity]
    assert (policy.alias, policy.response.minutes, policy.response.next_business_day) == (alias, minutes, next_day)
    assert set(policy.notify) == notify
    assert policy.validation_trials == trials
    assert len(policy.examples) == 4
