"""A playbook to break: a copy of the shipped one, with one edit."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.playbook import DEFAULT_PATH, Playbook, PlaybookError, Problem, load


@pytest.fixture(scope="session")
def playbook() -> Playbook:
    return load(DEFAULT_PATH)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "playbooks"
    shutil.copytree(DEFAULT_PATH, copy)
    return copy


Edit = Callable[[str, str, str], Path]


@pytest.fixture
def edit(folder: Path) -> Edit:
    """Replace the first `old` in a file by `new`. Returns the folder."""

    def apply(file: str, old: str, new: str) -> Path:
        path = folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} no longer holds {old!r}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return folder

    return apply


Refused = Callable[[str, str, str], tuple[Problem, ...]]


@pytest.fixture
def refused(edit: Edit) -> Refused:
    """As `edit`, then the problems that the loader names."""

    def apply(file: str, old: str, new: str) -> tuple[Problem, ...]:
        return problems_of(edit(file, old, new))

    return apply


def problems_of(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(PlaybookError) as caught:
        load(folder)
    return caught.value.problems


def line_of(folder: Path, file: str, text: str) -> int:
    lines = (folder / file).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)
