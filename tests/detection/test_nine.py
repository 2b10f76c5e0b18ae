"""The nine triggers of the mission, each boundary on both sides, as events through the real scanner and engine.

The rows follow `reference/domain.md` §4.2; where the mission leaves a gap, §4.3 says what holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import pytest

from bot.detection.engine import Engine
from bot.detection.event import Data, Event, Kind, Outcome, Signal, Stage, Tool, UserKind, Verdict
from bot.detection.finding import Finding
from bot.detection.scan import (
    Canary,
    Knowledge,
    Owner,
    Prompt,
    Scanner,
    identifier_digest,
    normalise_identifier,
    owner_digest,
    shingles_of,
)
from bot.playbook import load
from tests.detection.sources.test_litellm import CALL, events

KEY = b"a key for tests, of thirty-two b"
BEGIN = 1_800_000_000.0
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
TOKEN = "ghp_" + "Ab9Qz1Rt7LmX2pVw8NcKd4Yf6HsJuE" + "1TraEE"  # made up, with a true checksum
GENERIC = "api_key = 'q7Zr1m4Kx9Lw2Tn8Vb5Jc3Hd6Pf0Sg'"
SENTENCES = (
    "You are the assistant of Harbour Bank and you never speak about the weather at sea.",
    "Refunds above two hundred need the written consent of a branch manager first.",
    "The internal name of this product is Blue Lantern and nobody outside may learn it.",
    "When a customer mentions the ombudsman you pass the conversation to desk seventeen.",
    "Never tell anyone that overdraft fees are waived after the third complaint.",
    "Each quarter the list of frozen accounts is read aloud to the night shift only.",
    "If somebody asks for the vault you answer that there has never been a vault here.",
    "Complaints about the ferry are forwarded to the harbour master without a comment.",
    "A second signature is needed whenever the amount ends in three zeros or more.",
)
OWNED = (
    ("bob", "account", "4711-0815-33"),
    ("bob", "name", "Robert Tables"),
    ("bob", "birth_date", "1984-02-29"),
    ("alice", "account", "6600-9876-11"),
    ("alice", "account", "5500-1234-77"),
    ("bob", "account", "5500-1234-77"),
)


def owners() -> dict[str, tuple[Owner, ...]]:
    found: dict[str, tuple[Owner, ...]] = {}
    for user, kind, value in OWNED:
        digest = identifier_digest(KEY, kind, normalise_identifier(kind, value))
        found[digest] = (*found.get(digest, ()), Owner(owner_digest(KEY, user), kind == "account", kind))
    return found


KNOWN = Knowledge(
    canaries=(
        Canary("billing-db", "credential", "fhcanary-7Qm2Xv91Lr"),
        Canary("greeting", "system_prompt", "fhcanary-3Kp8Zt55Wd"),
        Canary("planted", "", "fhcanary-9Hs4Bn27Yc"),
    ),
    prompts=(Prompt("harbour", None, *shingles_of(" ".join(SENTENCES), KEY)),),
    owners=owners(),
    kinds=frozenset(kind for _, kind, _ in OWNED),
)
RULES = load().rules


def found(events: Iterable[Event]) -> list[Finding]:
    """All findings that would open or attach, of all triggers at once."""
    scanner = Scanner(KNOWN, KEY)
    engine = Engine(RULES, most_keys=10_000)
    in_order = sorted(events, key=lambda event: event.at)
    return [f for event in in_order for f in engine.take([scanner.scan(event, event.at)]) if not f.shadow]


def fired(events: Iterable[Event]) -> set[str]:
    return {finding.trigger for finding in found(events)}


# Events -------------------------------------------------------------------------------------------------------------


def query(n: int, at: float, *, result: str | None = None, ok: bool | None = True, user: str = "mallory") -> Event:
    data = Data(ok=ok, result_sha256=result or f"record-{n}")
    return Event(kind=Kind.DATA_QUERY, occurred_at=BEGIN + at, event_id=f"q{n}", user_id=user, app="bank", data=data)


def queries(count: int, span: float, **more: Any) -> list[Event]:
    return [query(n, n * span / (count - 1), **more) for n in range(count)]


def judged(n: int, at: float, *verdicts: tuple[str, Outcome], delivered: bool | None = None, **more: Any) -> Event:
    return Event(
        kind=Kind.GUARDRAIL,
        occurred_at=BEGIN + at,
        event_id=f"g{n}-{at}",
        user_id="mallory",
        app="bank",
        call_id=f"call-{n}",
        stage=Stage.INPUT,
        delivered=delivered,
        verdicts=tuple(Verdict(guardrail=name, outcome=outcome) for name, outcome in verdicts),
        **more,
    )


def blocks(count: int, *, by: str = "filter", outcome: Outcome = Outcome.BLOCK) -> list[Event]:
    return [judged(n, n * 20.0, (by, outcome)) for n in range(count)]


def bypasses(count: int, *, delivered: bool | None = True, **more: Any) -> list[Event]:
    """After all blocks, so that the rate only grows to what the row says."""
    return [judged(1000 + n, 1700 + n, ("shadow", Outcome.FLAG), delivered=delivered, **more) for n in range(count)]


def bypasses_first(count: int) -> list[Event]:
    """So that the rate only falls to what the row says."""
    return [judged(2000 + n, n / 10, ("shadow", Outcome.FLAG), delivered=True) for n in range(count)]


def stopped(count: int) -> list[Event]:
    """Flagged by one guardrail and blocked by another."""
    verdicts = (("shadow", Outcome.FLAG), ("filter", Outcome.BLOCK))
    return [judged(n, n * 20.0, *verdicts, delivered=False) for n in range(count)]


def failed_calls(count: int) -> list[Event]:
    """A provider's 500: the guardrail let it through, nothing was delivered (domain.md §2.3 a)."""
    return [
        Event(
            kind=Kind.LLM_CALL, occurred_at=BEGIN + 20.0 * n, event_id=f"p{n}", user_id="mallory", app="bank",
            call_id=f"failed-{n}", delivered=False, verdicts=(Verdict(guardrail="filter", outcome=Outcome.ALLOW),),
        )
        for n in range(count)
    ]  # fmt: skip


def said(text: str, at: float = 0.0, *, delivered: bool | None = True, **more: Any) -> Event:
    known: dict[str, Any] = {"user_id": "alice", "session_id": "s1", "app": "bank", "stage": Stage.OUTPUT}
    given = {"kind": Kind.LLM_CALL} | known | more
    return Event(occurred_at=BEGIN + at, event_id=f"said-{at}", delivered=delivered, text=text, **given)


def asked(text: str, at: float = 0.0, **more: Any) -> Event:
    return said(text, at, delivered=None, stage=Stage.INPUT, **more)


def quoted(count: int, **more: Any) -> list[Event]:
    return [said(f"It says: {SENTENCES[2 * n]}", 10.0 * n, **more) for n in range(count)]


def probes(*kinds: str, span: float = HOUR, user: str = "mallory") -> list[Event]:
    return [
        Event(
            kind=Kind.LLM_CALL, occurred_at=BEGIN + n * span / max(1, len(kinds) - 1), event_id=f"probe-{n}", user_id=user,
            app="bank", stage=Stage.INPUT, signals=(Signal(name=kind),),
        )
        for n, kind in enumerate(kinds)
    ]  # fmt: skip


def ran(*, event: str = "t1", at: float = 0.0, call: str = "call-1", **said: bool | None) -> Event:
    return Event(
        kind=Kind.TOOL_RESULT,
        occurred_at=BEGIN + at,
        event_id=event,
        user_id="mallory",
        app="bank",
        tool=Tool(name="transfer_funds", call_id=call, **said),
    )


def classified(score: float | None, *, delivered: bool | None = True, stage: Stage = Stage.OUTPUT) -> Event:
    verdict = Verdict(guardrail="safety", outcome=Outcome.FLAG, categories=("violence",), score=score)
    return Event(
        kind=Kind.GUARDRAIL, occurred_at=BEGIN, event_id="c1", user_id="mallory", session_id="s1", app="bank",
        call_id="c1", stage=stage, delivered=delivered, verdicts=(verdict,),
    )  # fmt: skip


# The table ----------------------------------------------------------------------------------------------------------


class Row(NamedTuple):
    says: str
    trigger: str
    fires: bool
    events: Sequence[Event]


BULK, CAMPAIGN, EXPOSURE = "bulk_data_extraction", "sustained_injection_campaign", "system_prompt_exposure"
PARTIAL, PROBING, TOOL = "partial_prompt_extraction", "anomalous_probing", "unauthorized_tool_execution"
LEAK, FOREIGN, JAILBREAK = "credential_leakage_confirmed", "cross_user_data_leakage", "jailbreak_success"
CANARY, PROMPT_CANARY, UNKNOWN_CANARY = "fhcanary-7Qm2Xv91Lr", "fhcanary-3Kp8Zt55Wd", "fhcanary-9Hs4Bn27Yc"
KINDS = ("prompt_extraction", "role_play", "encoding", "tool_enumeration")
BOBS, ALICES, JOINT = "Account 4711-0815-33.", "Account 6600-9876-11.", "Account 5500-1234-77."

ROWS = (
    Row("101 different results in 60:00", BULK, True, queries(101, HOUR)),
    Row("100 different results in 60:00", BULK, False, queries(100, HOUR)),
    Row("101 different results in 60:01", BULK, False, queries(101, HOUR + 1)),
    Row("100 different results in 60:01", BULK, False, queries(100, HOUR + 1)),
    Row("150 queries with the same result", BULK, False, queries(150, HOUR, result="the same")),
    Row("150 failures", BULK, False, queries(150, HOUR, ok=False)),
    Row("150 queries of which nobody said whether they succeeded", BULK, False, queries(150, HOUR, ok=None)),
    Row("101 results and 49 failures", BULK, True, queries(101, 50 * MINUTE) + queries(49, HOUR, ok=False)),
    Row("101 results of two users", BULK, False, queries(60, HOUR) + queries(60, HOUR, user="trudy")),
    #
    Row("51 blocks and 6 bypasses, 10.5 %", CAMPAIGN, True, blocks(51) + bypasses(6)),
    Row("51 blocks and 5 bypasses, 8.9 %", CAMPAIGN, False, blocks(51) + bypasses(5)),
    Row("50 blocks and 20 bypasses", CAMPAIGN, False, blocks(50) + bypasses(20)),
    Row("exactly 10 %", CAMPAIGN, False, blocks(54) + bypasses(6)),
    Row("just above 10 %", CAMPAIGN, True, blocks(53) + bypasses(6)),
    Row("51 blocks and no bypass", CAMPAIGN, False, blocks(51) + bypasses(1, delivered=False)),
    Row("what was flagged was stopped", CAMPAIGN, False, blocks(51) + bypasses(20, delivered=False)),
    Row("nobody knows whether what was flagged arrived", CAMPAIGN, False, blocks(51) + bypasses(20, delivered=None)),
    Row("the model refused what was flagged", CAMPAIGN, False, blocks(51) + bypasses(20, refused=True)),
    Row("80 blocks by our own gate", CAMPAIGN, False, blocks(80, by="firsthour") + bypasses(20)),
    Row("80 calls that the provider failed", CAMPAIGN, False, failed_calls(80) + bypasses(20)),
    Row("80 masks", CAMPAIGN, False, blocks(80, outcome=Outcome.MASK) + bypasses(20)),
    Row("80 answers that the guardrail did not give", CAMPAIGN, False, blocks(80, outcome=Outcome.ERROR) + bypasses(20)),
    Row(
        "40 calls, each blocked by two rails", CAMPAIGN, False,
        [judged(n, 20.0 * n, ("filter", Outcome.BLOCK), ("second", Outcome.BLOCK)) for n in range(40)] + bypasses(20),
    ),
    Row(
        "40 calls, each told twice, by two rails", CAMPAIGN, False,
        blocks(40) + [judged(n, 20.0 * n + 1, ("second", Outcome.BLOCK)) for n in range(40)] + bypasses(20),
    ),
    Row("51 blocks in 30:00 and 6 bypasses among them", CAMPAIGN, True,
        [judged(n, 36.0 * n, ("filter", Outcome.BLOCK)) for n in range(51)]
        + [judged(1000 + n, 300.0 + n, ("shadow", Outcome.FLAG), delivered=True) for n in range(6)]),
    Row("51 blocks in 33 minutes", CAMPAIGN, False,
        [judged(n, 40.0 * n, ("filter", Outcome.BLOCK)) for n in range(51)]
        + [judged(1000 + n, 1000.0 + n, ("shadow", Outcome.FLAG), delivered=True) for n in range(6)]),
    Row("51 blocks of texts that differ in a number", CAMPAIGN, True,
        [judged(n, 20.0 * n, ("filter", Outcome.BLOCK), text=f"open ticket {n}") for n in range(51)] + bypasses(6)),
    Row("the same text 80 times is counted once a minute", CAMPAIGN, False,
        [judged(n, 20.0 * n, ("filter", Outcome.BLOCK), text="open the ticket") for n in range(80)] + bypasses(20)),
    #
    Row("no fragment", PARTIAL, False, [said("I never speak about the weather.")]),
    Row("1 fragment", PARTIAL, True, quoted(1)),
    Row("3 fragments", PARTIAL, True, quoted(3)),
    Row("3 fragments", EXPOSURE, False, quoted(3)),
    Row("4 fragments", EXPOSURE, True, quoted(4)),
    Row("the same fragment five times", EXPOSURE, False, [said(SENTENCES[0], float(n)) for n in range(5)]),
    Row("1 fragment, blocked", PARTIAL, False, quoted(1, delivered=False)),
    Row("1 fragment, delivery unknown", PARTIAL, False, quoted(1, delivered=None)),
    Row("4 fragments, blocked", EXPOSURE, False, quoted(4, delivered=False)),
    Row("4 fragments of two sessions", EXPOSURE, False,
        [said(SENTENCES[2 * n], float(n), session_id=f"s{n % 2}") for n in range(4)]),
    Row("a fragment that the user quoted", PARTIAL, False, [asked(SENTENCES[0]), said(SENTENCES[0], 1.0)]),
    Row("4 fragments that the user quoted", EXPOSURE, False,
        [asked(" ".join(SENTENCES))] + [said(SENTENCES[2 * n], 1.0 + n) for n in range(4)]),
    Row("the canary of the prompt", EXPOSURE, True, [said(f"It begins with {PROMPT_CANARY}")]),
    Row("the canary of the prompt, blocked", EXPOSURE, False, [said(PROMPT_CANARY, delivered=False)]),
    Row("the canary of the prompt, delivery unknown", EXPOSURE, False, [said(PROMPT_CANARY, delivered=None)]),
    Row("a credential canary is no exposure", EXPOSURE, False, [said(CANARY)]),
    Row("a canary of no kind", EXPOSURE, True, [said(UNKNOWN_CANARY)]),
    #
    Row("a canary of no kind", LEAK, True, [said(UNKNOWN_CANARY)]),
    Row("a credential canary", LEAK, True, [said(CANARY)]),
    Row("a canary of the prompt is no credential", LEAK, False, [said(PROMPT_CANARY)]),
    Row("a token", LEAK, True, [said(f"Use {TOKEN} to push")]),
    Row("a token, blocked", LEAK, False, [said(f"Use {TOKEN} to push", delivered=False)]),
    Row("a token, delivery unknown", LEAK, False, [said(f"Use {TOKEN} to push", delivered=None)]),
    Row("a token that the user pasted", LEAK, False, [asked(f"Why is {TOKEN} refused?"), said(f"{TOKEN} is old", 1.0)]),
    Row("a token that another user pasted", LEAK, True,
        [asked(f"Why is {TOKEN} refused?", user_id="bob", session_id="s2"), said(f"{TOKEN} is old", 1.0)]),
    Row("a placeholder", LEAK, False, [said("export KEY=sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")]),
    Row("a key of the documentation", LEAK, False, [said("For example AKIAIOSFODNN7EXAMPLE is an access key id.")]),
    Row("the generic pattern alone", LEAK, False, [said(GENERIC)]),
    #
    Row("Bob's account to Alice", FOREIGN, True, [said(BOBS)]),
    Row("Bob's account to Alice, blocked", FOREIGN, False, [said(BOBS, delivered=False)]),
    Row("Bob's account to Alice, delivery unknown", FOREIGN, False, [said(BOBS, delivered=None)]),
    Row("Alice's own account", FOREIGN, False, [said(ALICES)]),
    Row("a joint account", FOREIGN, False, [said(JOINT)]),
    Row("1 weak identifier", FOREIGN, False, [said("Robert Tables wrote.")]),
    Row("2 weak identifiers", FOREIGN, True, [said("Robert Tables was born on 1984-02-29.")]),
    Row("an account that Alice had named", FOREIGN, False, [asked("Send 20 to 4711-0815-33"), said(BOBS, 1.0)]),
    *(Row(f"Bob's account to the user of {kind}", FOREIGN, False, [said(BOBS, user_id="k", user_kind=kind)])
      for kind in UserKind if kind is not UserKind.END_USER),
    Row("Bob's account to nobody in particular", FOREIGN, False, [said(BOBS, user_id=None)]),
    #
    Row("4 kinds of probing in 24 h", PROBING, True, probes(*KINDS, span=DAY)),
    Row("3 kinds of probing in 24 h", PROBING, False, probes(*KINDS[:3], span=DAY)),
    Row("4 kinds of probing in more than 24 h", PROBING, False, probes(*KINDS, span=DAY + 1)),
    Row("the same kind forty times", PROBING, False, probes(*["role_play"] * 40)),
    Row("51 blocks, and what was flagged was stopped", PROBING, True, blocks(51) + bypasses(1, delivered=False)),
    Row("50 blocks, and what was flagged was stopped", PROBING, False, blocks(50) + bypasses(1, delivered=False)),
    Row("51 calls, each flagged and blocked", PROBING, True, stopped(51)),
    Row("50 calls, each flagged and blocked", PROBING, False, stopped(50)),
    Row("51 calls, each flagged and blocked", CAMPAIGN, False, stopped(51)),
    Row("54 blocks and 6 bypasses, exactly 10 %", PROBING, True, bypasses_first(6) + blocks(54)),
    Row("53 blocks and 6 bypasses, 10.2 %", PROBING, False, bypasses_first(6) + blocks(53)),
    Row("51 blocks and nothing is flagged", PROBING, False, blocks(51)),
    Row("51 blocks, and nobody knows whether what was flagged arrived", PROBING, False,
        blocks(51) + bypasses(20, delivered=None)),
    Row("80 blocks by our own gate", PROBING, False, blocks(80, by="Firsthour-PDP") + bypasses(1, delivered=False)),
    #
    Row("completed, side effect, not authorised", TOOL, True, [ran(completed=True, side_effect=True, authorized=False)]),
    Row("denied", TOOL, False, [ran(completed=False, side_effect=False, authorized=False)]),
    Row("only reads", TOOL, False, [ran(completed=True, side_effect=False, authorized=False)]),
    Row("authorised", TOOL, False, [ran(completed=True, side_effect=True, authorized=True)]),
    Row("nobody said whether it was authorised", TOOL, False, [ran(completed=True, side_effect=True)]),
    Row("nobody said whether it had a side effect", TOOL, False, [ran(completed=True, authorized=False)]),
    Row("denied by the gateway, completed by the tool", TOOL, True,
        [ran(event="call", authorized=False), ran(event="result", at=2.0, completed=True, side_effect=True)]),
    Row("completed, and the gateway tells later that it had denied", TOOL, True,
        [ran(event="result", completed=True, side_effect=True), ran(event="call", at=2.0, authorized=False)]),
    Row("one call denied, another completed", TOOL, False,
        [ran(authorized=False), ran(event="t2", call="call-2", completed=True, side_effect=True)]),
    #
    Row("0.93", JAILBREAK, True, [classified(0.93)]),
    Row("exactly 0.5", JAILBREAK, True, [classified(0.5)]),
    Row("0.49", JAILBREAK, False, [classified(0.49)]),
    Row("no score", JAILBREAK, True, [classified(None)]),
    Row("0.93, blocked", JAILBREAK, False, [classified(0.93, delivered=False)]),
    Row("0.93, delivery unknown", JAILBREAK, False, [classified(0.93, delivered=None)]),
    Row("0.93, of the question", JAILBREAK, False, [classified(0.93, stage=Stage.INPUT)]),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.trigger}: {row.says}".replace(" ", "-"))
def test_each_boundary_of_the_nine_holds_on_both_sides(row: Row) -> None:
    assert (row.trigger in fired(row.events)) is row.fires


def test_every_one_of_the_nine_is_tested_on_both_sides() -> None:
    nine = {name for name, trigger in load().triggers.items() if trigger.mission}
    assert {row.trigger for row in ROWS if row.fires} == {row.trigger for row in ROWS if not row.fires} == nine


def test_the_same_tool_call_delivered_again_is_no_second_hit() -> None:
    first = ran(completed=True, side_effect=True, authorized=False)
    again = ran(event="t2", at=5.0, completed=True, side_effect=True, authorized=False)
    assert [f.first for f in found([first, first, again]) if f.trigger == TOOL] == [True]


def test_an_answer_with_a_canary_of_no_kind_is_both_a_leak_and_an_exposure() -> None:
    assert {LEAK, EXPOSURE} <= fired([said(UNKNOWN_CANARY)])


def test_a_fourth_fragment_escalates_what_the_first_began() -> None:
    assert [f.trigger for f in found(quoted(4)) if f.first] == [PARTIAL, EXPOSURE]
    assert fired(quoted(3)) == {PARTIAL}


@pytest.mark.parametrize(
    ("events", "suspicion"),
    [
        ([ran(completed=False, authorized=False)], "unauthorized_tool_attempt"),
        ([ran(completed=True, side_effect=False, authorized=False)], "unauthorized_tool_attempt"),
        ([ran(completed=True, side_effect=True)], "unauthorized_tool_attempt"),
        ([said(f"Use {TOKEN} to push", delivered=None)], "credential_leakage_suspected"),
        ([said(GENERIC, signals=(Signal(name="credential_lookup"),))], "credential_leakage_suspected"),
        ([said(f"Use {TOKEN} to push", delivered=None, kind=Kind.GUARDRAIL)], "credential_leakage_suspected"),
        (blocks(51), "injection_campaign_unmeasured"),
        (blocks(51) + bypasses(20, delivered=None), "injection_campaign_unmeasured"),
    ],
)
def test_what_is_not_certain_is_a_suspicion_of_severity_3(events: list[Event], suspicion: str) -> None:
    assert fired(events) == {suspicion}
    assert load().triggers[suspicion].severity == 3


@pytest.mark.parametrize("hidden", [0, 1])
@pytest.mark.parametrize("told", [blocks, stopped])
def test_no_flagged_message_hides_more_than_fifty_blocks(told: Callable[[int], list[Event]], hidden: int) -> None:
    assert fired(told(51) + bypasses(hidden, delivered=False)) & {"injection_campaign_unmeasured", PROBING}
    assert fired(bypasses_first(hidden) + told(51)) & {"injection_campaign_unmeasured", PROBING}
    assert fired(told(50) + bypasses(hidden, delivered=False)) == set()


def test_a_real_record_without_an_end_user_alarms_nobody_about_an_applications_own_data() -> None:
    """As LiteLLM posts it where the application sends no `user`: everybody is behind one key."""

    def fires(**changed: str) -> set[str]:
        response = {"choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": BOBS}}]}
        metadata = CALL["metadata"] | {"user_api_key_end_user_id": changed["end_user"]}
        record = CALL | changed | {"response": response, "metadata": metadata}
        return fired(events(record))

    assert fires(end_user="alice") == {FOREIGN}
    assert fires(end_user="bob") == fires(end_user="") == set()


@pytest.mark.parametrize("kind", [Kind.GUARDRAIL, Kind.LLM_CALL])
def test_what_a_guardrail_saw_in_the_question_is_no_leak_and_excuses_the_answer(kind: Kind) -> None:
    pasted = asked(f"Why is {TOKEN} refused?", kind=kind)
    assert fired([pasted]) == set()
    assert fired([pasted, said(f"{TOKEN} has expired", 1.0, delivered=None)]) == set()


ALLOWED = [ran(event="call", authorized=True), ran(event="result", at=2.0, completed=True, side_effect=True)]


@pytest.mark.parametrize("events", [[said(GENERIC)], blocks(50), [ran(completed=True)], [said(ALICES)], ALLOWED])
def test_what_is_ordinary_is_quiet_everywhere(events: list[Event]) -> None:
    assert fired(events) == set()
