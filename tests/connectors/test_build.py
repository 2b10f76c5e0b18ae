from __future__ import annotations

import importlib
import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pytest

from bot.connectors.build import build
from bot.connectors.contract import MANUAL, HandedIn, Nature
from bot.connectors.kinds import GROUP, load
from bot.connectors.manual import Manual
from bot.incident.errors import Misconfigured
from bot.incident.words import ActionKind
from bot.settings import Organisation

ENV = {"SOAR_SECRET": "s3cret-value", "ADMIN": "admin-token", "CHAT": "chat-token"}
SOAR = {
    "kind": "webhook",
    "url": "https://soar.example/hook",
    "secret_env": "SOAR_SECRET",
    "actions": ["block_user"],
}
PRACTICE = {
    "kind": "practice",
    "url": "http://127.0.0.1:9",
    "secret_env": "ADMIN",
    "probe_secret_env": "CHAT",
    "actions": ["rate_limit"],
}


def org(**connectors: dict[str, Any]) -> Organisation:
    return Organisation.model_validate({"connectors": connectors})


async def test_what_no_connector_claims_is_done_by_hand() -> None:
    connectors = build(org(soar=SOAR), ENV)
    assert connectors.name_for(ActionKind.BLOCK_USER) == "soar"
    assert connectors.name_for(ActionKind.RATE_LIMIT) == MANUAL
    assert connectors.named(MANUAL).nature is Nature.BY_HAND
    await connectors.close()


async def test_a_drill_never_reaches_a_real_system() -> None:
    alone = build(org(soar=SOAR), ENV)
    assert alone.name_for(ActionKind.BLOCK_USER, drill=True) == MANUAL
    both = build(org(soar=SOAR, practice=PRACTICE), ENV)
    assert both.name_for(ActionKind.BLOCK_USER, drill=True) == "practice"
    assert both.name_for(ActionKind.RATE_LIMIT, drill=True) == "practice"
    assert both.name_for(ActionKind.BLOCK_USER) == "soar"
    await alone.close()
    await both.close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"secret_env": None}, "secret_env"),
        ({"secret_env": "NOT_THERE"}, "NOT_THERE is not set"),
        ({"actions": ["block_usr"]}, "no action “block_usr”"),
        ({"url": "soar.example"}, r"connectors\.soar\.url: Input should be a valid URL"),
        ({"url": "http://soar.example/hook"}, "use https"),
        ({"verify_url": "http://10.0.0.1/verify"}, "use https"),
        ({"revert_url": "http://localhost.evil.example/"}, "use https"),
        ({"url": "https://me:pass@soar.example/"}, "no name or password"),
        ({"timeout_seconds": 60}, r"connectors\.soar\.timeout_seconds: .* less than or equal to 10"),
        ({"verify_ulr": "https://soar.example/"}, r"soar\.verify_ulr: .* no such key\. Its keys are: .*verify_url"),
        ({"kind": "webhok"}, "no kind “webhok”. Kinds are: .*, practice, .*, webhook"),
    ],
)
def test_a_connector_that_cannot_be_used_keeps_the_process_from_starting(change: dict[str, Any], words: str) -> None:
    with pytest.raises(Misconfigured, match=words) as refused:
        build(org(soar=SOAR | change), ENV)
    assert "s3cret-value" not in str(refused.value)
    assert "pass@" not in str(refused.value)


def test_an_empty_secret_is_no_secret() -> None:
    with pytest.raises(Misconfigured, match="SOAR_SECRET is not set"):
        build(org(soar=SOAR), {"SOAR_SECRET": "  "})


def test_two_connectors_cannot_claim_one_action() -> None:
    with pytest.raises(Misconfigured, match=r"claimed by connectors\.soar already"):
        build(org(soar=SOAR, other=SOAR), ENV)


def test_the_name_manual_is_taken() -> None:
    with pytest.raises(Misconfigured, match="taken by work by hand"):
        build(org(manual=SOAR), ENV)


@pytest.mark.parametrize("key", ["secret_env", "probe_secret_env", "url"])
def test_a_key_that_a_kind_needs_is_named(key: str) -> None:
    with pytest.raises(Misconfigured, match=rf"connectors\.practice\.{key}: a practice connector needs this key"):
        build(org(practice={name: value for name, value in PRACTICE.items() if name != key}), ENV)


def test_a_secret_that_stands_in_the_file_by_mistake_is_not_repeated() -> None:
    with pytest.raises(Misconfigured) as refused:
        build(org(soar=SOAR | {"secret": "pasted-s3cret", "expect_status": "pasted-s3cret"}), ENV)
    assert "pasted-s3cret" not in str(refused.value)
    assert refused.value.__context__ is None, "pydantic's error holds the values"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/x", "http://localhost/x", "http://[::1]:80/x"])
async def test_plain_http_is_accepted_for_this_machine(url: str) -> None:
    await build(org(soar=SOAR | {"url": url}), ENV).close()


def handed_in(*enforces: ActionKind) -> HandedIn:
    """What the bot's own process brings: it needs a room that no file can name."""
    return HandedIn(Manual("gate"), frozenset(enforces))


async def test_what_is_handed_in_takes_what_the_file_does_not_claim() -> None:
    connectors = build(org(soar=SOAR), ENV, [handed_in(ActionKind.BLOCK_USER, ActionKind.RATE_LIMIT)])
    assert connectors.name_for(ActionKind.BLOCK_USER) == "soar"
    assert connectors.name_for(ActionKind.RATE_LIMIT) == "gate"
    assert connectors.name_for(ActionKind.FLUSH_MEMORY) == MANUAL
    await connectors.close()


def test_the_name_of_what_is_handed_in_is_taken() -> None:
    with pytest.raises(Misconfigured, match="the name “gate” is taken"):
        build(org(gate=SOAR), ENV, [handed_in()])


TURNSTILE = """
from typing import ClassVar, Literal
from bot.connectors.contract import ConnectorSettings
from bot.connectors.manual import Manual
from bot.incident.words import ActionKind

class Settings(ConnectorSettings):
    kind: Literal["turnstile"]
    floor: int
    enforces: ClassVar = frozenset({ActionKind.BLOCK_USER})

    def connect(self, name, env):
        return Manual(f"{name} on floor {self.floor}")
"""
OURS_TOO = "[firsthour.connectors]\nturnstile = turnstile_{n}:Settings\n"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Installs a package of somebody else's beside the bot: a module, and the metadata that pip would write."""
    counted = itertools.count(1)

    def install(source: str = TURNSTILE, points: str = OURS_TOO, requires: str = "") -> None:
        n = next(counted)
        (tmp_path / f"turnstile_{n}.py").write_text(source)
        info = tmp_path / f"turnstile_{n}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: turnstile-{n}\nVersion: 1.0\n{requires}")
        (info / "entry_points.txt").write_text(points.format(n=n))
        importlib.invalidate_caches()

    monkeypatch.syspath_prepend(tmp_path)
    yield install
    for name in [name for name in sys.modules if name.startswith("turnstile_")]:
        del sys.modules[name]


GATE = {"kind": "turnstile", "floor": 3, "actions": ["block_user"]}


async def test_a_connector_of_somebody_elses_package_is_found_and_used(installed: Callable[..., None]) -> None:
    installed()
    connectors = build(org(lobby=GATE), {})
    assert connectors.named(connectors.name_for(ActionKind.BLOCK_USER)).name == "lobby on floor 3"
    with pytest.raises(Misconfigured, match=r"connectors\.lobby\.flor: a turnstile connector has no such key"):
        build(org(lobby=GATE | {"flor": 3}), {})


def test_an_action_beyond_the_kind_is_refused_at_the_start(installed: Callable[..., None]) -> None:
    installed()
    with pytest.raises(Misconfigured, match=r"cannot carry out rate_limit\. It can: block_user"):
        build(org(lobby=GATE | {"actions": ["rate_limit"]}), {})


def test_two_packages_with_one_kind_are_refused(installed: Callable[..., None]) -> None:
    installed()
    installed()
    with pytest.raises(Misconfigured, match="several packages bring a kind “turnstile”"):
        build(org(lobby=GATE), {})


def test_a_library_that_is_missing_is_named_with_its_extra(installed: Callable[..., None]) -> None:
    installed("import bar_code", requires="Provides-Extra: scan\nRequires-Dist: bar-code>=2; extra == 'scan'\n")
    with pytest.raises(Misconfigured, match=r"needs the library bar_code, .*: `pip install turnstile-1\[scan\]`"):
        build(org(lobby=GATE), {})


def test_a_kind_whose_module_is_not_there_fails_only_where_it_is_used(installed: Callable[..., None]) -> None:
    installed(points="[firsthour.connectors]\nturnstile = turnstile_gone:Settings\n")
    assert build(org(), {})
    with pytest.raises(Misconfigured, match="the kind “turnstile” is not in this version"):
        build(org(lobby=GATE), {})


@pytest.mark.parametrize("source", ["Settings = dict", "Setings = None"])
def test_what_is_no_settings_is_refused(installed: Callable[..., None], source: str) -> None:
    installed(source)
    with pytest.raises(Misconfigured, match="is no ConnectorSettings"):
        build(org(lobby=GATE), {})


def test_no_kind_is_imported_before_the_file_names_it() -> None:
    looked = "import sys, bot.connectors; print(sorted(m for m in sys.modules if m.startswith('bot.connectors')))"
    ran = subprocess.run([sys.executable, "-c", looked], capture_output=True, text=True, check=True)
    assert "webhook" not in ran.stdout
    assert "aws" not in ran.stdout


OURS = [point for point in entry_points(group=GROUP) if point.module.startswith("bot.")]


@pytest.mark.parametrize("point", OURS, ids=lambda point: point.name)
def test_every_kind_that_we_bring_loads_and_its_keys_are_documented(point: EntryPoint) -> None:
    settings = load("any", point.name)
    written = (Path(__file__).parents[2] / "docs" / "connectors.md").read_text(encoding="utf-8")
    assert [key for key in settings.model_fields if f"`{key}`" not in written and f"{key}:" not in written] == []
    assert f"`{point.name}`" in written
