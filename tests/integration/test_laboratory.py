"""The harness itself: what is missing is said, or fails; what was started is gone at the end, whatever the end was."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.laboratory import MUST_RUN, Laboratory, must_run
from tests.integration.systems.process import KEEPER, Missing, started

WHY = "there is no package of it"


def missing(_: Path) -> pytest.MonkeyPatch:
    raise Missing(WHY)


def test_what_is_missing_is_skipped_and_named_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MUST_RUN, raising=False)
    laboratory = Laboratory(tmp_path)
    with pytest.raises(pytest.skip.Exception, match=WHY), laboratory.start("chroma", missing):
        pass
    assert f"NOT RUN  Chroma: {WHY}" in laboratory.told()


def test_what_must_run_and_is_missing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MUST_RUN, "scim, chroma")
    laboratory = Laboratory(tmp_path)
    with pytest.raises(pytest.fail.Exception, match=WHY), laboratory.start("chroma", missing):
        pass
    told = list(laboratory.told())
    assert f"MISSED   Chroma: {WHY}" in told
    assert "MISSED   SCIM server: no test that was selected asks for it" in told


def test_a_mistyped_name_among_those_that_must_run_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MUST_RUN, "chroma unleach")
    with pytest.raises(pytest.UsageError, match="unleach"):
        must_run()


def test_what_does_not_start_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('no such table', flush=True); exit(3)"]
    with started("broken", command, tmp_path) as process, pytest.raises(AssertionError, match="no such table"):
        process.wait_until(lambda: False)


@pytest.mark.parametrize("end", ["let go", "killed"])
def test_a_command_and_what_it_started_are_gone_when_the_asker_is(tmp_path: Path, end: str) -> None:
    """The asker is a process of its own here, so that it can be killed."""
    pids = tmp_path / "pids"
    child = (
        "import os, subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    )
    child += f"; open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{p.pid}} '); time.sleep(60)"
    asker = subprocess.Popen(
        [sys.executable, "-c", ASKER, str(KEEPER), sys.executable, "-c", child], stdin=subprocess.PIPE
    )
    _until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    if end == "killed":
        asker.kill()
    asker.communicate()
    for pid in map(int, pids.read_text().split()):
        _until(lambda pid=pid: not _alive(pid))


ASKER = """
import subprocess, sys
subprocess.Popen([sys.executable, *sys.argv[1:]], stdin=subprocess.PIPE, start_new_session=True)
sys.stdin.read()
"""


def _alive(pid: int) -> bool:
    """A zombie whom nobody has fetched yet is gone, too."""
    status = Path(f"/proc/{pid}/stat")
    try:
        os.kill(pid, 0)
        return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def _until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)
