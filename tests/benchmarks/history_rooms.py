"""Acts of `history` that nobody types: alerts, storms, findings, sweeps, Home tabs, messages that are saved."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable

from bot.cases import home
from bot.cases.finding import report as report_findings
from bot.cases.remind import sweep as sweep_due
from bot.clock import Clock as Ticking
from bot.detection.finding import Finding
from bot.slack.feature import Heard, SharedMessage
from commands import evidence_message
from tests.benchmarks.history_side import Side
from tests.spoken import asking, spoken

Act = Callable[[Side], Awaitable[object]]
APP = "practice-chat"
LEAK, BULK = "credential_leakage_confirmed", "bulk_data_extraction"


async def opens(side: Side) -> None:
    """About the application that most of the year was about, by somebody new."""
    side.target = await side.told(LEAK, user=f"eve-{next(side.fresh)}", app=APP)


async def declares(side: Side) -> None:
    line = (
        "declare sev2 somebody asks for prompts --trigger system_prompt_exposure --subject-kind user --subject-id eve"
    )
    await spoken(side.ctx, f"{line} --app {APP}", asking())
    side.target = await side.value("SELECT max(number) FROM incident")


async def attaches(side: Side) -> None:
    """The alert that opened the incident fires again."""
    who = await side.value("SELECT subject_id FROM incident WHERE number = :of")
    assert await side.told(LEAK, user=who, app=APP) == side.target


async def first_of_storm(side: Side) -> None:
    """Three rooms were opened: whatever comes now is gathered in the oldest of them."""
    side.target = await side.told(LEAK, user=f"storm-{next(side.fresh)}", app=APP)


async def gathered(side: Side) -> None:
    assert await side.told(LEAK, user=f"storm-{next(side.fresh)}", app=APP) == side.target


async def finding(side: Side, trigger: str, *, n: int) -> None:
    now = side.clock.now.timestamp()
    who = f"found-{side.target}"
    await report_findings(
        side.ctx,
        [
            Finding(
                trigger=trigger, subject_kind="user", subject_id=who, app=APP, session_id=f"s-{who}", first=n == 1,
                id=f"{trigger}-{who}-{n}", started_at=now - 60, completed_at=now - 1, counts={"distinct results": 101.0},
                window_seconds=3600.0, event_ids=("e-1",),
            )
        ],
    )  # fmt: skip


async def ended(side: Side) -> None:
    """Its incident has just ended: within the cool-down the finding is counted there."""
    await side.change("UPDATE incident SET ended_at = :now, status = 'resolved' WHERE ended_at IS NULL")
    await finding(side, LEAK, n=3)


async def sweep(side: Side) -> None:
    await sweep_due(side.ctx)


async def tidy(side: Side) -> None:
    await Ticking(side.ctx).tidy()


async def home_opened(side: Side) -> None:
    await home.opened(side.ctx, "U0ALICE", f"home-{next(side.fresh)}")
    await side.deliver()


async def message_saved(side: Side) -> None:
    """“Save as evidence” on a message, and its form."""
    about = f"what was written about INC-{side.target}"
    message = SharedMessage("C0ELSEWHERE", "1790000000.000100", "U0CAROL", about)
    await evidence_message.opened(side.ctx, asking(incident=side.target, message=message))
    ids = {"channel": message.channel, "ts": message.ts, "author": message.author, "shared": "", "permalink": ""}
    await side.submit("evidence_message", {"sha256": hashlib.sha256(about.encode()).hexdigest(), **ids})


async def file_shared(side: Side) -> None:
    heard = Heard("file_shared", f"file-{next(side.fresh)}", "U0CAROL", incident=side.target, files=("F0000001",))
    await evidence_message.shared(side.ctx, heard)


SHARED: tuple[tuple[str, Act], ...] = (("a message is saved", message_saved), ("a file is shared", file_shared))
STORM: tuple[tuple[str, Act], ...] = (
    ("an alert opens, storm 1", opens), ("an alert attaches", attaches), ("an alert opens, storm 2", opens),
    ("an alert opens, storm 3", opens), ("first of a storm", first_of_storm), ("an alert in a storm", gathered),
)  # fmt: skip
FINDINGS: tuple[tuple[str, Act], ...] = (
    ("a finding opens", lambda side: finding(side, BULK, n=1)), ("a finding attaches", lambda side: finding(side, BULK, n=2)),
    ("a worse finding escalates", lambda side: finding(side, LEAK, n=1)), ("deliver a finding", Side.deliver),
    ("a finding is counted", ended),
)  # fmt: skip
