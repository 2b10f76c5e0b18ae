"""The package as the image holds it, compiled: it is the compiled one, and what is tested of the sources holds of it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.compiled import build, run
from tests.integration.laboratory import must_run

FILES = "from bot.detection.scan import scanner, sought; print(scanner.__file__, sought.__file__)"


def test_what_is_found_is_the_same_once_it_is_compiled(tmp_path: Path) -> None:
    if shutil.which("cc") is None:
        (pytest.fail if must_run() else pytest.skip)("no C compiler is installed here")
    try:
        package = build(tmp_path)
        assert [Path(file).suffix for file in run(package, "-c", FILES).split()] == [".so", ".so"]
        told = run(package, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", "tests/detection")
    except subprocess.CalledProcessError as failed:
        pytest.fail(f"{failed.stdout[-4000:]}\n{failed.stderr[-4000:]}")
    assert "passed" in told
