"""The judgement: which rules touch a call, and the strictest of what they ask for. Pure, and the same for every protocol.

Decides how measures combine. Counting a rate limit is the limiter's; what an unknown policy means is the gate's.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from bot.gate.book import Book, Held
from bot.gate.caller import EVERYONE, Caller, Stage, Target
from bot.gate.verdict import APPROVED, NOTHING, Outcome, Verdict
from bot.incident.words import ActionKind, ScopeKind

STRICTEST_FIRST = (
    ActionKind.BLOCK_USER,
    ActionKind.DISABLE_ENDPOINT,
    ActionKind.DISABLE_TOOLS,
    ActionKind.RATE_LIMIT,
    ActionKind.ENABLE_SAFE_MODE,
    ActionKind.RESTRICT_RAG,
)
RANK = {kind: rank for rank, kind in enumerate(STRICTEST_FIRST)}
REFUSES = {
    ActionKind.BLOCK_USER: Outcome.REFUSED,
    ActionKind.DISABLE_ENDPOINT: Outcome.OFF,
    ActionKind.DISABLE_TOOLS: Outcome.TOOLS_REFUSED,
}
"""The measures that end a call by themselves."""
HASHED = 64
"""Digits of a SHA-256, by which detection names an API key. A rule on it is meant for whoever brings the key itself, too."""
SHARED = frozenset({ScopeKind.ENDPOINT, ScopeKind.APPLICATION, ScopeKind.EVERYONE})
"""Scopes with many subjects: a limit on one holds each subject to it, so that one of them cannot use it up for all."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One count that the call must fit into."""

    key: str
    per_minute: int
    incident: int


@dataclass(frozen=True, slots=True)
class Judgement:
    verdict: Verdict
    limits: tuple[Limit, ...] = ()
    """Still to be counted, strictest first; only where the verdict allows."""


UNTOUCHED = Judgement(NOTHING)


def judge(book: Book, caller: Caller) -> Judgement:
    """What the rules that stand say about this call."""
    rules = list(book.on(EVERYONE))
    for target in caller.targets:
        rules += book.on(target)
        if target[0] is ScopeKind.API_KEY and len(target[1]) != HASHED:
            rules += book.on((ScopeKind.API_KEY, sha256(target[1].encode("utf-8", "replace")).hexdigest()))
    withheld = tuple(name for name in caller.documents if _quarantined(book, name)) if caller.documents else ()
    if not rules and not withheld:
        return UNTOUCHED
    rules += [rule for name in withheld for rule in book.on((ScopeKind.DOCUMENT, name))]
    touching = sorted((rule for rule in rules if _touches(rule, caller)), key=_strictness)
    kinds = tuple(dict.fromkeys(rule.kind for rule in touching if rule.kind is not ActionKind.RATE_LIMIT))
    incident = touching[0].incident if touching else None
    if touching and (outcome := REFUSES.get(touching[0].kind)) is not None:
        return Judgement(Verdict(outcome, incident, kinds))
    return Judgement(_allowed(rules, incident, kinds, withheld), _limits(touching, caller))


def _quarantined(book: Book, document: str) -> bool:
    target: Target = (ScopeKind.DOCUMENT, document)
    return any(rule.kind is ActionKind.RESTRICT_RAG for rule in book.on(target))


def _touches(rule: Held, caller: Caller) -> bool:
    """Whether this call would have gone differently without the rule."""
    match rule.kind:
        case ActionKind.DISABLE_TOOLS:
            return caller.tools
        case ActionKind.RATE_LIMIT:
            return caller.stage is Stage.REQUEST  # an answer belongs to a request that was counted
        case ActionKind.RESTRICT_RAG:
            return bool(caller.documents)
        case _:
            return True


def _strictness(rule: Held) -> tuple[int, int, int]:
    return RANK[rule.kind], rule.per_minute, rule.incident


def _allowed(
    rules: list[Held], incident: int | None, kinds: tuple[ActionKind, ...], withheld: tuple[str, ...]
) -> Verdict:
    """What a call that may go on must keep to. Told even where this call has no tools or documents with it (yet)."""
    safe = min((rule for rule in rules if rule.kind is ActionKind.ENABLE_SAFE_MODE), key=_strictness, default=None)
    return Verdict(
        incident=incident,
        measures=kinds,
        withheld=withheld,
        answer=(safe.text or APPROVED) if safe else None,
        tools=not any(rule.kind is ActionKind.DISABLE_TOOLS for rule in rules),
        retrieval=not any(
            rule.kind is ActionKind.RESTRICT_RAG and rule.target[0] is not ScopeKind.DOCUMENT for rule in rules
        ),
    )


def _limits(touching: list[Held], caller: Caller) -> tuple[Limit, ...]:
    """One count a target: of two limits on the same target the stricter one decides."""
    found: dict[Target, Limit] = {}
    for rule in touching:
        if rule.kind is ActionKind.RATE_LIMIT and rule.target not in found:
            found[rule.target] = Limit(_count(rule.target, caller), rule.per_minute, rule.incident)
    return tuple(found.values())


def _count(target: Target, caller: Caller) -> str:
    """The name of a count. Lengths stand in it, so that no id can be written to look like another's."""
    kind, name = target
    each = caller.subject if kind in SHARED else ""
    return f"{'probe' if caller.probe else 'call'}:{kind}:{len(name)}:{name}:{each}"
