"""One validation of a fix in the room: how far it is, what it came to, and what each payload allows to be said (law 6).

Decides the words. A payload is its short hash and a redacted beginning, never its text; reasons and bounds are the run's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from slack_sdk.models.blocks import Block

from bot.incident.narrative import so_many
from bot.incident.validation import ValidationRun
from bot.incident.words import RunState, Verdict
from bot.slack.buttons import Button, value
from bot.slack.cards.scene import Scene
from bot.slack.kit import Message, actions, button, context, header, message, section
from bot.slack.text import Md, code, join, md, safe, when, who

MOST_PAYLOADS, MOST_REASONS = 12, 12
EXCERPT_CHARS = 60
MARKS = {Verdict.VERIFIED: "✅", Verdict.INCOMPLETE: "❌", Verdict.INCONCLUSIVE: "⚠️"}


def validation(scene: Scene) -> Message:
    run = next((one for one in scene.file.validations if str(one.id) == scene.part), None)
    if run is None:
        return message(md("A validation of {} that is not stored any more.", scene.name))
    blocks: list[Block] = [header(f"Validation {run.id} of {scene.name}"), section(_about(run)), section(standing(run))]
    if reasons := _texts(run, "reasons"):
        blocks.append(section(_listed(reasons)))
    if lines := payload_lines(run):
        blocks.append(section(join("\n", lines)))
    if notes := _texts(run, "notes"):
        blocks.append(context(_listed(notes)))
    blocks += _buttons(scene, run)
    return Message(md("Validation {} of {}: {}", run.id or 0, scene.name, standing(run)), tuple(blocks))


def _about(run: ValidationRun) -> Md:
    version = code(run.target_version) if run.target_version else Md("not known")
    vulnerable = code(run.vulnerable_version) if run.vulnerable_version else Md("not known")
    by = Md("by the calendar") if run.regression else md("by {}", who(run.started_by))
    return md(
        "*Target* {}, version {} · *vulnerable* {}\nBegun {} {} · pack {}",
        code(run.target, 80),
        version,
        vulnerable,
        by,
        when(run.started_at, "both"),
        code(run.pack[:12]),
    )


def standing(run: ValidationRun) -> Md:
    """In one line: how far it is, or the verdict."""
    if run.state is RunState.FINISHED:
        return verdict(run)
    progress = run.report.get("progress")
    if not isinstance(progress, Mapping):
        return Md("Waiting to begin.") if run.state is not RunState.STOPPED else Md("Stopped before it began.")
    done = md(
        "{} of {}, {}",
        _count(progress, "payloads_done"),
        so_many(_count(progress, "payloads"), "payload"),
        so_many(_count(progress, "trials"), "trial"),
    )
    outcomes = _outcomes(progress.get("outcomes"))
    bad = _count(progress, "succeeded")
    succeeded = md(" · *the attack succeeded with {}*", bad) if bad else Md("")
    state = {RunState.QUEUED: "Goes on soon", RunState.STOPPED: "*Stopped*"}.get(run.state, "*Running*")
    return md("{}: {}{}{}", Md(state), done, md(" ({})", outcomes) if outcomes else Md(""), succeeded)


def verdict(run: ValidationRun) -> Md:
    """`✅ VERIFIED`: the word alone is never the whole truth where containment was in force."""
    if run.verdict is None:
        return Md("Ended without a verdict.")
    under = Md(" *under containment only*") if run.contained_meanwhile else Md("")
    return md("{} *{}*{}", MARKS[run.verdict], run.verdict.value.upper(), under)


def payload_lines(run: ValidationRun) -> list[Md]:
    """One line for each payload, what did not pass first."""
    listed = run.report.get("payloads")
    results = [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, Sequence) else []
    excerpts = run.report.get("excerpts")
    shown = [_payload(one, excerpts if isinstance(excerpts, Mapping) else {}) for one in results[:MOST_PAYLOADS]]
    left = int(run.report.get("payloads_total") or len(results)) - len(shown)
    return [*shown, md("… and {} more payloads", left)] if shown and left > 0 else shown


def _payload(result: Mapping[str, Any], excerpts: Mapping[str, Any]) -> Md:
    digest = str(result.get("payload", ""))
    said = str(excerpts.get(digest, ""))
    excerpt = md(" “{}”", safe(said, EXCERPT_CHARS)) if said else Md("")
    mark = "✅" if result.get("passed") else "❌" if result.get("successes") else "⚠️"
    why = md(" · {}", str(result["reason"])) if result.get("reason") else Md("")
    return md("{} {}{}: {}{}", mark, code(digest[:12]), excerpt, bound(result), why)


def bound(result: Mapping[str, Any]) -> Md:
    """“0 of 30: at most 9.5 % at 95 % confidence”, or how often it worked."""
    successes, valid = int(result.get("successes", 0)), int(result.get("valid", 0))
    if successes:
        tried = valid + int(result.get("variant_valid", 0))
        lower, upper = float(result.get("lower", 0)), float(result.get("upper", 1))
        return md("{} of {}: between {} and {} at 95 % confidence", successes, tried, _percent(lower), _percent(upper))
    if not valid:
        return Md("nothing was learnt")
    return md("0 of {}: at most {} at 95 % confidence", valid, _percent(float(result.get("upper", 1))))


def _percent(share: float) -> str:
    return f"{share * 100:.2g} %" if share < 0.1 else f"{share * 100:.0f} %"


def _outcomes(counted: object) -> Md:
    if not isinstance(counted, Mapping):
        return Md("")
    return join(
        ", ", [md("{} {}", int(count), str(name).replace("_", " ")) for name, count in counted.items() if count]
    )


def _count(progress: Mapping[str, Any], name: str) -> int:
    return int(progress.get(name) or 0)


def _texts(run: ValidationRun, name: str) -> list[str]:
    given = run.report.get(name)
    return [str(one) for one in given] if isinstance(given, Sequence) and not isinstance(given, str) else []


def _listed(texts: Sequence[str]) -> Md:
    more = [md("… and {} more", len(texts) - MOST_REASONS)] if len(texts) > MOST_REASONS else []
    return join("\n", [*(md("• {}", safe(one, 400)) for one in texts[:MOST_REASONS]), *more])


def _buttons(scene: Scene, run: ValidationRun) -> list[Block]:
    number, block_id = scene.incident.number, f"validation:{run.incident}:{run.id}"
    if run.state in {RunState.QUEUED, RunState.RUNNING}:
        stop = button("Stop", Button.VALIDATION_STOP, value(number, run.id or 0), style="danger")
        return [actions(stop, block_id=block_id)]
    if scene.ended:
        return []
    if run.state is RunState.STOPPED:
        resume = button("Resume", Button.VALIDATION_RESUME, value(number, run.id or 0), style="primary")
        return [actions(resume, block_id=block_id)]
    if run.verdict is Verdict.VERIFIED and not run.contained_meanwhile:
        return []
    return [actions(button("Validate again", Button.VALIDATE, value(number)), block_id=block_id)]
