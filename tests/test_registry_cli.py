"""`firsthour canary`, `prompt`, `owner`: a value is printed once, secrets are in no argument, no output and no file."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.__main__ import app
from bot.doctor import Finding, examine

PROMPT = "You are the helper of the shop Lumen, and the staff discount code hides in the third drawer."
VALUE = "sk-7k4m2q9xw3t5h8"


class Shell:
    def __init__(self, home: Path, url: str) -> None:
        self.home, self.env = home, {"DATABASE_URL": url, "FIRSTHOUR_DETECTION_KEY": "", "FIRSTHOUR_CONFIG": ""}

    def __call__(self, line: str, given: str | None = None, **env: str) -> Result:
        return CliRunner().invoke(app, line.split(), input=given, env={**self.env, **env})

    def files(self) -> bytes:
        """All that lies on the disk, but for the key."""
        return b"".join(one.read_bytes() for one in self.home.iterdir() if not one.name.endswith(".key"))


@pytest.fixture
def shell(tmp_path: Path, sqlite_url: str) -> Shell:
    return Shell(tmp_path, sqlite_url)


def test_a_made_canary_is_printed_once_and_stands_nowhere(shell: Shell) -> None:
    for kind in ("credential", "system_prompt"):
        done = shell(f"canary add {kind}-one --kind {kind} --app shop")
        assert done.exit_code == 0, done.output
        value = done.stdout.strip()
        assert value and "\n" not in value
        assert value not in shell("canary list").output
        assert value.encode() not in shell.files()
    assert "credential-one\tcredential\tshop" in shell("canary list").output
    assert shell("canary remove credential-one").exit_code == 0
    assert "credential-one" not in shell("canary list").output


def test_a_value_from_standard_input_is_never_repeated(shell: Shell) -> None:
    assert VALUE not in shell("canary add mine --stdin", f"{VALUE}\n").output
    again, poor = shell("canary add other --stdin", f"{VALUE}\n"), shell("canary add poor --stdin", "hunter2\n")
    assert (again.exit_code, poor.exit_code) == (1, 1)
    assert "registered already, as mine" in again.output and "will not do as a canary" in poor.output
    assert VALUE not in again.output and "hunter2" not in poor.output
    assert VALUE.encode() not in shell.files()


def test_a_prompt_is_kept_as_hashes_without_what_is_public(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "welcome.txt").write_text("Hi! " + PROMPT[:52])
    done = shell(f"prompt add shop - --app shop --public {tmp_path}/welcome.txt", PROMPT)
    assert done.exit_code == 0, done.output
    assert "shop is registered: 7 shingles, 4 more are public" in done.output
    (tmp_path / "welcome.txt").unlink()
    assert b"drawer" not in shell.files()
    assert "shop\tshop\t7 shingles" in shell("prompt list").output
    assert "8 words in a row" in shell("prompt add short -", "Be kind.").output
    assert shell("prompt remove shop").exit_code == 0
    assert "No prompt is registered" in shell("prompt list").output


def test_a_prompt_of_an_earlier_version_is_listed_with_what_to_do(shell: Shell, sqlite_url: str) -> None:
    shell("prompt add shop -", PROMPT)
    assert "until it is registered again" not in shell("prompt list").output
    with contextlib.closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as database:
        database.execute("UPDATE prompt SET anchors = NULL")
        database.commit()
    assert "every text is slow to scan until it is registered again" in shell("prompt list").output
    shell("prompt add shop -", PROMPT)
    assert "until it is registered again" not in shell("prompt list").output


def test_owners_are_imported_counted_and_forgotten(shell: Shell) -> None:
    lines = "owner,kind,value\nbob,email,bob@shop.example\nann,email,ann@shop.example\nann,emial,zoe@shop.example\n"
    done = shell("owner import -", lines)
    assert done.exit_code == 1, "a script must notice that a line was bad"
    assert "line 4: The kind is none of" in done.output and "zoe" not in done.output
    assert "Identifiers taken: 2, of them new: 2. Bad lines: 1." in done.output
    assert "email\t2" in shell("owner list").output
    assert b"shop.example" not in shell.files()
    assert "Identifiers removed: 1" in shell("owner remove bob").output
    assert shell("owner remove").exit_code == shell("owner remove ann --all").exit_code == 2
    assert "Identifiers removed: 1" in shell("owner remove --all").output


def test_bytes_that_are_no_text_are_a_bad_line_or_a_refusal(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_bytes(b"\xef\xbb\xbfowner,kind,value\nbob,name,\xff\xfe\nbob,email,bob@shop.example\n")
    assert "line 2: The line is not UTF-8 text." in shell(f"owner import {tmp_path}/o.csv").output
    (tmp_path / "p.txt").write_bytes(b"\xff\xfe" * 100)
    assert shell(f"prompt add shop {tmp_path}/p.txt").exit_code == 2


def test_a_wrong_key_is_refused_in_a_sentence_and_what_needs_none_still_works(shell: Shell) -> None:
    shell("canary add mine --stdin", f"{VALUE}\n")
    for key, why in (("c2hvcnQ=", "holds no key"), ("QUJD" * 11, "database holds (1 canary)")):
        done = shell("canary add second", FIRSTHOUR_DETECTION_KEY=key)
        assert done.exit_code == 1 and why in done.output and "Traceback" not in done.output and key not in done.output
    assert "mine" in shell("canary list", FIRSTHOUR_DETECTION_KEY="QUJD" * 11).output
    assert shell("canary remove nothing").output.startswith("There is no canary of this name")


def test_a_database_that_is_not_there_yet_is_made_ready(tmp_path: Path) -> None:
    new = Shell(tmp_path, f"sqlite:///{tmp_path}/new.db")
    assert new("canary add first").exit_code == 0
    assert "first\tunknown\t-" in new("canary list").output


async def test_the_doctor_says_whether_the_key_is_the_right_one(shell: Shell) -> None:
    async def told(**env: str) -> Finding:
        return {found.name: found async for found in examine({**shell.env, **env})}["detection key"]

    assert (await told()).detail == "nothing is registered yet"
    assert not list(shell.home.glob("*.key")), "looking makes nothing"
    await asyncio.to_thread(shell, "canary add mine")
    assert (await told()).well
    other = await told(FIRSTHOUR_DETECTION_KEY="QUJD" * 11)
    assert not other.well and "database holds (1 canary)" in other.detail and other.mend
    next(shell.home.glob("*.key")).unlink()
    assert "is gone" in (await told()).detail
