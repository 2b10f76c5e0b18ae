"""What the loader refuses, and that it says where, what and how to mend it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from bot.playbook import PlaybookError, Problem, load


class Mistake(NamedTuple):
    name: str
    file: str
    old: str
    new: str
    at: str
    """Text on the line that must be named, after the edit."""
    what: str
    fix: str


MISTAKES = tuple(
    Mistake(**row) for row in yaml.safe_load(Path(__file__).with_name("mistakes.yaml").read_text(encoding="utf-8"))
)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name.replace(" ", "-"))
def test_a_mistake_is_refused_with_its_file_line_and_fix(mistake: Mistake, folder: Path) -> None:
    path = folder / mistake.file
    text = path.read_text(encoding="utf-8")
    assert mistake.old in text
    path.write_text(text.replace(mistake.old, mistake.new, 1), encoding="utf-8")
    with pytest.raises(PlaybookError) as caught:
        load(folder)
    lines = path.read_text(encoding="utf-8").splitlines()
    named = [
        problem
        for problem in caught.value.problems
        if problem.file == mistake.file and mistake.what in problem.what and mistake.fix in problem.fix
    ]
    assert named, str(caught.value)
    assert any(mistake.at in lines[problem.line - 1] for problem in named), [str(problem) for problem in named]


def problems_of(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(PlaybookError) as caught:
        load(folder)
    return caught.value.problems


def test_a_file_that_is_not_utf8_is_refused_at_its_line(folder: Path) -> None:
    (folder / "metrics.yaml").write_bytes(b"metrics:\n  - id: \xff\n")
    assert problems_of(folder) == (Problem("metrics.yaml", 2, "the file is not UTF-8 text", "save it as UTF-8"),)


def test_a_list_whose_only_entry_is_wrong_is_not_called_empty(folder: Path) -> None:
    path = folder / "triggers/bulk_data_extraction.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("[data_query, retrieval, tool_result]", "[data_quary]", 1), encoding="utf-8")
    assert [problem.what for problem in problems_of(folder)] == ["`events`: “data_quary” is not known"]


def test_a_missing_file_is_refused(folder: Path) -> None:
    (folder / "metrics.yaml").unlink()
    [problem] = problems_of(folder)
    assert (problem.file, problem.fix) == ("metrics.yaml", "restore the file")


def test_an_empty_file_is_refused(folder: Path) -> None:
    (folder / "metrics.yaml").write_text("# nothing yet\n", encoding="utf-8")
    [problem] = problems_of(folder)
    assert (problem.file, problem.line, problem.what) == ("metrics.yaml", 1, "the file is empty")


def test_a_file_of_the_wrong_shape_is_refused(folder: Path) -> None:
    (folder / "metrics.yaml").write_text("- just\n- a list\n", encoding="utf-8")
    [problem] = problems_of(folder)
    assert (problem.file, problem.line) == ("metrics.yaml", 1)


def test_a_file_that_nothing_reads_is_refused(folder: Path) -> None:
    (folder / "severitis.yaml").write_text("severities: []\n", encoding="utf-8")
    assert problems_of(folder) == (
        Problem("severitis.yaml", 1, "nothing reads this file", "did you mean “severities.yaml”?"),
    )


def test_a_trigger_in_a_mistyped_folder_is_refused(folder: Path) -> None:
    (folder / "trigger").mkdir()
    (folder / "triggers/jailbreak_success.yaml").rename(folder / "trigger/mine.yml")
    fixes = {problem.file: problem.fix for problem in problems_of(folder)}
    assert fixes["trigger/mine.yml"] == "did you mean “triggers/mine.yaml”?"


def test_hidden_files_of_editors_and_mounts_are_left_alone(folder: Path) -> None:
    (folder / "..2026_11_21").mkdir()
    (folder / "..2026_11_21/severities.yaml").write_text("nonsense", encoding="utf-8")
    (folder / ".#plans.yaml").write_text("nonsense", encoding="utf-8")
    load(folder)


def test_a_folder_without_triggers_is_refused(folder: Path) -> None:
    for path in (folder / "triggers").iterdir():
        path.unlink()
    assert "no .yaml file here" in {problem.what for problem in problems_of(folder) if problem.file == "triggers"}


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    [problem] = problems_of(tmp_path / "nowhere")
    assert problem.what == "there is no such folder"


def test_a_phase_without_a_checklist_is_refused(folder: Path) -> None:
    (folder / "checklists/review.yaml").unlink()
    assert "the phase `review` has no checklist" in {problem.what for problem in problems_of(folder)}


def test_all_problems_of_all_files_are_told_at_once(folder: Path) -> None:
    for file, old, new in (
        ("severities.yaml", "notify: [ciso", "notfy: [ciso"),
        ("plans.yaml", "action: block_user", "action: blok_user"),
        ("checklists/triage.yaml", "due: 5m", "due: soon"),
    ):
        path = folder / file
        path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PlaybookError) as caught:
        load(folder)
    files = {problem.file for problem in caught.value.problems}
    assert files == {"severities.yaml", "plans.yaml", "checklists/triage.yaml"}
    message = str(caught.value)
    assert message.startswith(f"The playbook has {len(caught.value.problems)} problems; it was not loaded.")
    for problem in caught.value.problems:
        assert str(problem) in message


def test_problems_are_sorted_and_each_reads_as_file_line_what_fix(folder: Path) -> None:
    path = folder / "severities.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("alias:", "alais:"), encoding="utf-8")
    problems = problems_of(folder)
    assert [problem.line for problem in problems] == sorted(problem.line for problem in problems)
    for problem in problems:
        assert re.match(r"^severities\.yaml:\d+: .+ → .+$", str(problem))


def test_nothing_in_a_playbook_is_executed(folder: Path, tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    path = folder / "announcements.yaml"
    path.write_text(f"announcement: !!python/object/apply:os.mkdir ['{mark}']\n", encoding="utf-8")
    problems_of(folder)
    assert not mark.exists()


def test_a_bomb_of_aliases_is_refused_at_once(folder: Path) -> None:
    rows = ["a0: &a0 [x, x, x, x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    (folder / "metrics.yaml").write_text("\n".join(rows), encoding="utf-8")
    [problem] = problems_of(folder)
    assert "anchors and aliases" in problem.what and problem.line == 1


def test_deep_nesting_is_refused(folder: Path) -> None:
    (folder / "metrics.yaml").write_text("[" * 60 + "]" * 60, encoding="utf-8")
    [problem] = problems_of(folder)
    assert problem.what == "nested too deeply"
