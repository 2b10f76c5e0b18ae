"""Two replicas on PostgreSQL, either of which is killed: the other takes over (design laws 13 and 14)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.crash.storm import storm

KILLS = max(5, int(os.environ.get("KILLS", "15")) // 3)
SEED = int(os.environ.get("SEED", "1"))


@pytest.mark.timeout(300 + 20 * KILLS)
async def test_of_two_replicas_either_may_die_and_the_other_takes_over(tmp_path: Path, postgres_url: str) -> None:
    verdict = await storm(tmp_path, postgres_url, kills=KILLS, seed=SEED, replicas=2)
    assert not verdict.problems, str(verdict)
