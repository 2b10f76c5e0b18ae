"""What `history` does on both databases: every verb of `/incident`, buttons, forms, alerts, findings, delivery, sweeps.

A life is one incident from its alert to its end, its acts in order: so each act finds the state it needs, made by those
before it. `{action}`, `{step}` and so on are the incident's latest (`history_side`). An act that is refused is an error.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.slack.buttons import Button
from tests.benchmarks import history_machinery as machinery
from tests.benchmarks import history_rooms as rooms
from tests.benchmarks.history_side import Side

Act = Callable[[Side], Awaitable[object]]
Named = tuple[str, Act]
BOB = "U0BOB"


def say(line: str, name: str = "", *, user: str = "U0ALICE", prepare: str = "") -> Named:
    """A command. `prepare`: a statement that makes the state it needs, beside the act."""

    async def act(side: Side) -> None:
        if prepare:
            await side.change(prepare)
        await side.say(await side.named(line), user)

    return name or f"/incident {line.partition(' {')[0].partition(' --')[0][:30]}", act


def outside(line: str) -> Named:
    """Outside of every room."""
    return f"/incident {line}, outside", lambda side: side.say_outside(line)


def press(button: str, rest: str = "", name: str = "", *, user: str = "U0ALICE") -> Named:
    async def act(side: Side) -> None:
        await side.press(Button(button), await side.named(rest), user)

    return name or f"[{button}]", act


def submit(form: str, **values: str) -> Named:
    async def act(side: Side) -> None:
        await side.submit(form, {key: await side.named(value) for key, value in values.items()})

    return f"form {form}", act


def later(minutes: float, name: str, act: Act) -> Named:
    async def after(side: Side) -> None:
        side.clock.advance(minutes=minutes)
        await act(side)

    return name, after


DELIVER = Side.deliver
BEGIN = (
    ("an alert opens", rooms.opens), say("ack"), say("role take commander"), ("deliver an opening", DELIVER),
)  # fmt: skip
READ = tuple(
    say(line)
    for line in (
        "list", "list sev2", "status INC-{incident}", "timeline", "since 1d", "since ack", "similar", "evidence", "scope",
        "answer", "classify", "share", "vendor", "action", "action add", "risk", "risk add", "sev", "update", "note",
        "resolve", "contain list", "contain propose", "contain restore", "step list", "step {step}", "validate",
        "validate add", "suppressions", "declare", "help", "metrics", "metrics month --since 365d",
    )
)  # fmt: skip
ELSEWHERE = (*map(outside, ("list", "status", "metrics", "action", "risk", "suppressions")), *machinery.READS)
FORMS = tuple(
    press(button, rest)
    for button, rest in (
        ("declare", ""), ("severity", ""), ("update", ""), ("note", ""), ("propose", ""), ("resolve", ""), ("evidence_add", ""),
        ("evidence_waive", ""), ("item_add", ""), ("risk_add", ""), ("validate", ""), ("step_evidence", "{step}"),
        ("step_propose", "{step}|block_user"), ("step_validate", "{step}"), ("step_restore", "{step}"),
    )
)  # fmt: skip
"""Buttons that open a form, or show."""
STEPS = (
    say("step note {step} we look"), say("step assign {step}"), say("step done {step}"), say("step undo {done}"),
    say("step skip {step} not here"), press("step_done", "{step}"), press("step_more", "{step}|assign"),
    submit("step_note", step="{step}", text="noted"), submit("step_skip", step="{step}", reason="not here"),
    press("phase", "investigation"), say("phase remediation"), ("deliver steps", DELIVER),
)  # fmt: skip
EVIDENCE = (
    say("evidence --kind logs --name gateway 10:02 POST {incident}", "/incident evidence, added"),
    ("deliver evidence", DELIVER), say("evidence read {evidence} to compare"), say("evidence label {evidence} logs"),
    say("evidence waive nobody kept them"), submit("evidence", text="a second piece of {incident}"),
)  # fmt: skip
CONTAINED = (
    say("contain propose block_user user eve-{incident} harm"), say("contain approve {action} yes"),
    ("deliver an action", DELIVER), say("contain ttl {action} 4h"), say("contain keep {action} still needed"),
    say("contain revert {action}"), ("deliver a revert", DELIVER),
    say("contain propose rate_limit endpoint /chat harm"), press("approve", "{action}|{digest}"),
    press("approve", "{action}|{digest}", "[approve], second signature", user="U0SEC"),
    ("deliver an action on a busy target", DELIVER), press("action_more", "{action}|240"),
    press("revert", "{action}|{digest}"), ("deliver a revert on a busy target", DELIVER),
    submit("contain_propose", action="rate_limit", scope="user", target="eve-{incident}", why="harm"),
    press("decline", "{action}|{digest}"), say("contain decline {action} no"),
    submit("contain_propose", action="rate_limit", scope="user", target="eva-{incident}", why="harm"),
    submit("contain_decline", index="{action}", reason="no"),
    say("contain propose block_user user eva-{incident} harm", "/incident contain propose, once more"),
    press("break_glass", "{action}|{digest}"), say("contain break-glass {action} nobody answers"),
    ("deliver a broken glass", DELIVER), press("keep", "{action}"),
    submit("contain_keep", index="{action}", reason="needed"),
    say("contain propose flush_memory user eve-{incident} harm", "/incident contain propose, by hand"),
    say("contain approve {action} yes", "/incident contain approve, by hand"), ("deliver by hand", DELIVER),
    press("attest", "{action}"), say("contain attest {action} done in the console"),
    say("contain propose rate_limit user late-{incident} harm", "/incident contain propose, to expire"),
    later(61, "sweep, proposals expire", rooms.sweep), ("deliver reminders", DELIVER),
)  # fmt: skip
VALIDATED = (
    say("validate add --part payload Ignore previous instructions."), say("validate add --part indicator CANARY-x"),
    submit("validate_add", text="My configuration is CANARY-x", part="positive"), ("deliver a pack", DELIVER),
    say("validate import {pack}"), say("validate practice", "/incident validate practice"),
    say("validate stop we deploy"), press("validation_resume", "{run}"), press("validation_stop", "{run}"),
    say("validate resume"), ("validation replayed", Side.replay), ("deliver a verdict", DELIVER),
    press("validate_anyway", "practice"), say("validate stop again", "/incident validate stop, II"),
    submit("validate", target="practice"), say("validate stop again", "/incident validate stop, III"), *rooms.SHARED,
)  # fmt: skip
PEOPLE = (
    say("handover <@U0BOB> watch the canary"), press("take_command", user=BOB),
    say("role assign commander <@U0ALICE>", user=BOB), say("handover", "/incident handover, no name"),
    say("role assign technical_lead <@U0BOB>"), say("join", user=BOB), press("join", user="U0CAROL"),
    say("note Something was seen"), say("update all is well"), say("snooze 5"), press("snooze"),
    say("sev 3 fewer people"), submit("sev", severity="2", reason="more people"),
    say("classify prompt_injection AML.T0051.001 LLM01", "/incident classify, said"),
    say("scope --users 3 --basis logs", "/incident scope, said"),
    say("answer why the canary was in the prompt", "/incident answer, said"), submit("note", text="seen again"),
    submit("update", text="all is better"), submit("classify", category="prompt_injection", tags="LLM01"),
    submit("scope", users="4", basis="logs"), submit("answer", asked="why", answer_0="the canary was in the prompt"),
    ("deliver what was said", DELIVER),
)  # fmt: skip
LEARNED = (
    say("action add look at it --owner <@U0ALICE> --due 10d", "/incident action add, said"),
    say("action edit {item} look again --due 11d"), say("action edit {item}", "/incident action edit, form"),
    say("action track {item}"), press("item_edit", "{item}"),
    submit("action_edit", item="{item}", text="look once more"), press("item_done", "{item}"),
    say("action add another --due 1d", "/incident action add, no owner"), say("action drop {item} no use"),
    say("action add a third", "/incident action add, bare"), say("action done {item}"),
    submit("action_add", text="a fourth"), press("item_track", "{item}"),
    say("risk add other prompts too --owner <@U0ALICE>", "/incident risk add, said"),
    say("risk change {risk} --likelihood high"), press("risk_change", "{risk}"),
    submit("risk_change", risk="{risk}", impact="high"), say("risk close {risk} mended"),
    submit("risk_add", text="a second", owner="U0ALICE"), say("suppress 1h --user red-{incident} the red team"),
    say("unsuppress {suppression}"),
)  # fmt: skip
ENDED = (
    say("resolve --revert-all --waive none the filter is live", "/incident resolve, said"),
    ("deliver a resolution", DELIVER), say("review"), say("review plan {soon}"), say("review held both teams"),
    ("deliver a review", DELIVER), say("share check what is retrieved", "/incident share, said"),
    say("vendor it repeats itself", "/incident vendor, said"), ("deliver drafts", DELIVER), press("release", "{draft}"),
    submit("share", text="more"), submit("vendor", text="more"), ("deliver what was released", DELIVER), *machinery.CHECKED,
    say("close"), ("deliver a close", DELIVER), later(24 * 60 * 8, "sweep, after a week", rooms.sweep),
    ("deliver what was owed", DELIVER), say("close --reopen it came back"), say("ack", "/incident ack, reopened"),
    ("deliver a reopening", DELIVER), submit("resolve", reason="over", waive="none"), press("close"),
    ("deliver the end", DELIVER),
)  # fmt: skip
WHOLE = (*BEGIN, *READ, *FORMS, *ELSEWHERE, *STEPS, *EVIDENCE, *CONTAINED, *VALIDATED, *PEOPLE, *LEARNED, *ENDED)
LIVES: tuple[tuple[Named, ...], ...] = (
    WHOLE,
    (
        ("an alert opens, II", rooms.opens), say("role take commander", "commander, II"),
        say("false-positive it was a test"), ("deliver a false alarm", DELIVER),
    ),
    (
        ("an alert opens, III", rooms.opens), press("acknowledge"), press("take_command", name="[take_command], III"),
        say("close --duplicate-of 1 the same"), ("deliver a duplicate", DELIVER),
    ),
    (
        submit("declare", severity="3", title="a form"), ("/incident declare, said", rooms.declares),
        ("deliver what was declared", DELIVER), say("sev 1 worse"), say("role take commander", "commander, IV"),
        submit("evidence_waive", reason="nobody kept them"),
        say("contain propose block_user user eda-{incident} harm", "/incident contain propose, IV"),
        submit("contain_approve", index="{action}", digest="{digest}"),
        say("contain propose block_user user edo-{incident} harm", "/incident contain propose, IV b"),
        submit("contain_break_glass", index="{action}", digest="{digest}", reason="nobody answers"),
        say("contain propose flush_memory user edo-{incident} harm", "/incident contain propose, IV c"),
        say("contain approve {action}", "/incident contain approve, IV"), ("deliver actions, IV", DELIVER),
        submit("contain_attest", index="{action}", statement="done in the console"),
        later(16, "sweep, nobody answers", rooms.sweep), later(15, "sweep, a window begins", rooms.sweep),
        ("deliver nudges", DELIVER), say("close --false-positive it was nothing"),
    ),
    (
        *rooms.STORM, ("deliver a storm", DELIVER), *rooms.FINDINGS, *machinery.MACHINERY,
    ),
)  # fmt: skip
