"""Killed at random instants under traffic, faults and latency: nothing is lost, nothing happens twice (design law 13)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.crash.storm import storm

KILLS = int(os.environ.get("KILLS", "15"))
SEED = int(os.environ.get("SEED", "1"))


@pytest.mark.timeout(300 + 20 * KILLS)
async def test_a_process_killed_again_and_again_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    verdict = await storm(tmp_path, f"sqlite:///{tmp_path / 'firsthour.db'}", kills=KILLS, seed=SEED)
    assert not verdict.problems, str(verdict)
