"""The organisation's file against the playbook: what is mistyped does not start, and says what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.playbook import Playbook, PlaybookError
from bot.playbook.organisation import load_organisation


def test_a_trigger_is_switched_by_name(playbook: Playbook, tmp_path: Path) -> None:
    file = tmp_path / "org.yaml"
    file.write_text("auto_contain_triggers:\n  cross_user_data_leakage: false\n  jailbreak_success: true\n")
    assert load_organisation(file, playbook).auto_contain_triggers == {
        "cross_user_data_leakage": False,
        "jailbreak_success": True,
    }


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("jailbreak_succes: true", "did you mean “jailbreak_success”"),
        ("jailbreak_success: sometimes", "jailbreak_success"),
    ],
)
def test_a_mistyped_switch_does_not_start(playbook: Playbook, tmp_path: Path, line: str, what: str) -> None:
    file = tmp_path / "org.yaml"
    file.write_text(f"auto_contain_triggers:\n  {line}\n")
    with pytest.raises(PlaybookError, match=what) as refused:
        load_organisation(file, playbook)
    assert refused.value.problems[0].line == 2


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("tracker:\n  kind: github\n  repositry: a/b\n  token_env: T\n", "unknown key “repositry”.*“repository”"),
        ("tracker:\n  kind: github\n  token_env: T\n", "needs `repository: owner/name`"),
    ],
)
def test_a_tracker_that_is_half_said_does_not_start(playbook: Playbook, tmp_path: Path, text: str, what: str) -> None:
    file = tmp_path / "org.yaml"
    file.write_text(text)
    with pytest.raises(PlaybookError, match=what):
        load_organisation(file, playbook)
