"""The package as the image holds it: what scans texts is compiled (docs/adr/0024).

Decides what stands beside it, so that tests and benchmarks run on it as on the sources. Nothing is compiled among the sources:
there it would be imported in their place.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ("pyproject.toml", "README.md", "LICENSE", "bot", "commands", "playbooks", "migrations")
BESIDE = ("pyproject.toml", "README.md", "docs", "tests")


def build(folder: Path) -> Path:
    """Half a minute. Raises CalledProcessError where no C compiler is installed or it refuses the sources."""
    source, package = folder / "source", folder / "package"
    _copy(SHIPPED, source)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-build-isolation", "--no-deps", "-w", folder, source]
    _run(command, cwd=folder, env=os.environ | {"HATCH_BUILD_HOOKS_ENABLE": "1"})
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(package)
    _copy(BESIDE, package)
    return package


def run(package: Path, *arguments: str) -> str:
    """What Python prints there. Raises CalledProcessError."""
    return _run([sys.executable, *arguments], cwd=package, env=os.environ)


def _copy(names: tuple[str, ...], to: Path) -> None:
    to.mkdir(exist_ok=True)
    for name in names:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, to / name)


def _run(command: list[str | Path], *, cwd: Path, env: Mapping[str, str]) -> str:
    return subprocess.run(command, cwd=cwd, env=env, check=True, capture_output=True, text=True).stdout
