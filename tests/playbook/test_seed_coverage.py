"""Nothing of the mission's two documents is lost: each of their items is named in a table, with where it went.

`seed_coverage.tsv` has one row an item: the section, its line in the document (`a` the playbook, `b` the checklist), the
item in a few own words, the SHA-256 of its text, and the paths into our playbook that hold it. The documents are not in
the repository. The hash is of the line, NFKC, without its bullet (`-`, `1.`, `|`) and without a heading glued to its end
(“Step 2: …”), spaces collapsed, case folded: whoever has the documents can check the table against them.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.playbook import Playbook
from bot.playbook.locate import locate

# How many items each section of the documents has, counted there by hand.
COUNTS = {
    **{
        f"a.severity.{number}": 8 for number in (1, 2, 3, 4)
    },  # definition, four examples, response, notified, containment
    "a.trigger.unauthorized_tool_execution": 5,  # name, description, severity, auto_contain, condition
    "a.trigger.credential_leakage_confirmed": 5,
    "a.trigger.bulk_data_extraction": 5,
    "a.trigger.sustained_injection_campaign": 5,
    "a.trigger.system_prompt_exposure": 5,
    "a.trigger.cross_user_data_leakage": 5,
    "a.trigger.jailbreak_success": 5,
    "a.trigger.partial_prompt_extraction": 5,
    "a.trigger.anomalous_probing": 5,
    "a.actions": 8,
    "a.plans": 9,  # 4 + 3 + 1 actions, and the empty plan
    "a.plan_descriptions": 4,
    "a.effects": 6,
    "a.investigation.common": 4,
    "a.investigation.exposure": 5,
    "a.investigation.tools": 5,
    "a.investigation.leakage": 4,
    "a.investigation.campaign": 4,
    "a.investigation.closing": 5,
    "a.functions": 4,
    "a.review.summary": 5,
    "a.review.timeline": 7,
    "a.review.questions": 4,
    "a.review.lists": 2,
    "a.review.action_items": 5,
    "a.pitfalls": 6,
    "a.takeaways": 5,
    "b.preparation.team": 5,
    "b.preparation.technical": 6,
    "b.preparation.documentation": 3,
    "b.triage.channels": 5,
    "b.triage.checklist": 6,
    "b.triage.evidence": 5,
    "b.containment.immediate": 6,
    "b.containment.short_term": 5,
    "b.investigation.vector": 4,
    "b.investigation.categories": 6,
    "b.investigation.impact": 5,
    "b.investigation.cause": 3,
    "b.remediation.technical": 7,
    "b.remediation.process": 4,
    "b.remediation.recovery": 3,
    "b.review.conduct": 4,
    "b.review.reporting": 5,
    "b.metrics": 6,
    "b.scenario.injection_at_scale": 7,  # when it applies, and six steps
    "b.scenario.training_data_poisoning": 7,
    "b.scenario.model_supply_chain": 7,
    "b.first_hour": 6,
}


class Row(NamedTuple):
    section: str
    seed_line: str
    item: str
    sha256: str
    paths: str


def table() -> list[Row]:
    with Path(__file__).with_name("seed_coverage.tsv").open(encoding="utf-8", newline="") as file:
        return [Row(**row) for row in csv.DictReader(file, delimiter="\t")]


ROWS = table()


def test_every_section_of_both_documents_has_all_its_items_in_the_table() -> None:
    assert Counter(row.section for row in ROWS) == COUNTS
    assert len(ROWS) == sum(COUNTS.values()) == 284


@pytest.mark.parametrize("section", COUNTS)
def test_every_item_went_to_a_place_that_exists(playbook: Playbook, section: str) -> None:
    for row in ROWS:
        if row.section == section:
            assert row.paths, row.item
            for path in row.paths.split():
                locate(playbook, path)


def test_no_item_is_named_twice_and_each_has_its_hash() -> None:
    assert len({row.seed_line for row in ROWS}) == len(ROWS)
    assert len({(row.section, row.item) for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert re.fullmatch(r"[0-9a-f]{64}", row.sha256)
        assert re.fullmatch(r"[ab]:\d+", row.seed_line)


def test_every_step_of_the_playbook_answers_an_item_or_is_known_as_ours(playbook: Playbook) -> None:
    named = {
        path.removeprefix("steps/").split("/")[0]
        for row in ROWS
        for path in row.paths.split()
        if path.startswith("steps/")
    }
    named |= {
        path.split("/")[3] for row in ROWS for path in row.paths.split() if path.count("/") == 3 and "/steps/" in path
    }
    ours = {"prep.tune_triggers", "triage.channel", "contain.quarantine_documents", "review.break_glass"}
    assert set(playbook.all_steps) - named == ours
