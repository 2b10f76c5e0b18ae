"""What the documents say is what the code does."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from bot.incident.lifecycle import diagram
from bot.playbook import DEFAULT_PATH, load
from bot.playbook.organisation import load_organisation
from commands import FEATURES
from commands.help import table

ROOT = Path(__file__).resolve().parents[2]


def test_the_commands_in_the_readme_are_those_of_the_registry() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    written = readme.partition("<!-- commands -->")[2].partition("<!-- /commands -->")[0].strip()
    assert written == table(FEATURES), "run: python -m tests.docs.commands"


def test_the_lifecycle_in_the_architecture_is_the_table_of_moves() -> None:
    assert diagram() in (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")


def test_the_example_of_an_organisation_loads() -> None:
    organisation = load_organisation(ROOT / "docs" / "organisation.example.yaml", load(DEFAULT_PATH))
    assert set(organisation.connectors) == {"gateway"}


def test_every_link_to_a_file_leads_somewhere() -> None:
    for document in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "playbooks" / "README.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name} → {target}"


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_the_locked_requirements_name_versions_and_hashes_and_no_index(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "index" not in text
    requirements = re.findall(r"^[a-z0-9][^ ]*==[^ ]+", text, flags=re.MULTILINE)
    assert len(requirements) > 40
    assert text.count("--hash=sha256:") >= len(requirements)


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    for dependency in project["dependencies"]:
        name = re.split(r"[\[><=]", dependency)[0]
        assert f"\n{name}==" in f"\n{locked}", dependency
