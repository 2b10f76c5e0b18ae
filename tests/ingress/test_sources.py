from __future__ import annotations

import base64
import hashlib
import hmac
import json
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlmodel import func, select
from starlette.datastructures import Headers

from bot.cases import acknowledge, finish, roles
from bot.cases.context import Context
from bot.incident.incident import Alert, Incident
from bot.incident.timeline import Happened
from bot.incident.words import Role, Severity, Status
from bot.ingress import auth, mapping
from bot.playbook.source import Auth
from bot.store import Store, queries
from tests import opened as case
from tests.conftest import Clock
from tests.ingress.conftest import SECRET, Build, Connect

FIRING: dict[str, Any] = {
    "status": "firing",
    "labels": {"alertname": "LLMCanaryLeak", "severity": "critical", "service": "chat", "user": "mallory"},
    "annotations": {"summary": "canary in output"},
    "startsAt": "2026-03-01T19:43:01.466736426Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://vm:9090/graph?g0.expr=x",
    "fingerprint": "dcd3d67f076a017a",
}


def delivery(*alerts: dict[str, Any]) -> dict[str, Any]:
    """Alertmanager's webhook, version 4, as Debian's 0.25 sends it (reference: domain §2.3 d)."""
    return {
        "version": "4",
        "receiver": "bot",
        "status": "firing",
        "groupKey": '{}:{alertname="LLMCanaryLeak", user="mallory"}',
        "truncatedAlerts": 0,
        "groupLabels": {"alertname": "LLMCanaryLeak"},
        "commonLabels": {"alertname": "LLMCanaryLeak", "severity": "critical", "service": "chat", "user": "mallory"},
        "commonAnnotations": {"summary": "canary in output"},
        "externalURL": "http://vm:9193",
        "alerts": list(alerts),
    }


def firing(**labels: str) -> dict[str, Any]:
    alert = deepcopy(FIRING)
    alert["labels"] |= labels
    alert["fingerprint"] = hashlib.sha256(repr(sorted(alert["labels"].items())).encode()).hexdigest()[:16]
    return alert


async def send(client: httpx.AsyncClient, bearer: dict[str, str], *alerts: dict[str, Any]) -> list[dict[str, Any]]:
    response = await client.post("/alerts/alertmanager", json=delivery(*alerts), headers=bearer)
    assert response.status_code == 202, response.text
    answers: list[dict[str, Any]] = response.json()["alerts"]
    return answers


async def incidents(store: Store) -> list[Incident]:
    async with store.read() as session:
        return list((await session.exec(select(Incident))).all())


# Alertmanager


async def test_alertmanagers_own_delivery_opens_an_incident(
    client: httpx.AsyncClient, bearer: dict[str, str], store: Store
) -> None:
    assert await send(client, bearer, FIRING) == [{"incident": "INC-1", "status": "opened"}]
    [incident] = await incidents(store)
    assert incident.trigger == "credential_leakage_confirmed"
    assert incident.title == "canary in output"
    assert incident.severity is Severity.SEV1
    assert (incident.subject_kind, incident.subject_id, incident.app) == ("user", "mallory", "chat")
    assert incident.started_at == datetime(2026, 3, 1, 19, 43, 1, 466736, UTC), "nanoseconds are cut, not refused"


async def test_a_repeat_counts_once_and_a_new_start_attaches(client: httpx.AsyncClient, bearer: dict[str, str]) -> None:
    again = FIRING | {"startsAt": "2026-03-01T20:00:00Z"}
    assert await send(client, bearer, FIRING) == [{"incident": "INC-1", "status": "opened"}]
    assert await send(client, bearer, FIRING, again) == [
        {"incident": "INC-1", "status": "repeated"},
        {"incident": "INC-1", "status": "attached"},
    ]


async def test_resolved_is_noted_once_and_never_closes_the_incident(
    client: httpx.AsyncClient, bearer: dict[str, str], store: Store
) -> None:
    await send(client, bearer, FIRING)
    over = FIRING | {"status": "resolved", "endsAt": "2026-03-02T09:30:00Z"}
    for _ in range(2):
        [answer] = await send(client, bearer, over)
        assert answer["incident"] == "INC-1"
        assert "only people end an incident" in answer["ignored"]
    [incident] = await incidents(store)
    assert (incident.status, incident.ended_at) == (Status.OPEN, None)
    async with store.read() as session:
        notes = [entry for entry in await queries.timeline(session, 1) if entry.actor == "alertmanager"]
        assert [entry.kind for entry in notes].count(Happened.NOTE) == 1
        await queries.verify_timeline(session, 1)


async def test_resolved_for_an_alert_that_nobody_sent_opens_nothing(
    client: httpx.AsyncClient, bearer: dict[str, str], store: Store
) -> None:
    [answer] = await send(client, bearer, FIRING | {"status": "resolved"})
    assert "incident" not in answer
    assert await incidents(store) == []


async def test_resolved_after_the_end_changes_nothing(
    client: httpx.AsyncClient, bearer: dict[str, str], ctx: Context, store: Store
) -> None:
    await send(client, bearer, FIRING)
    await acknowledge.acknowledge(ctx, case.ALICE, 1)
    await roles.assign(ctx, case.ALICE, 1, role=Role.COMMANDER, person="U0ALICE")
    await finish.false_positive(ctx, case.ALICE, 1, reason="a test key")
    before = (await case.incident(store, 1)).head_seq
    assert "incident" not in (await send(client, bearer, FIRING | {"status": "resolved"}))[0]
    assert (await case.incident(store, 1)).head_seq == before


async def test_a_watchdog_is_ignored_with_a_reason(client: httpx.AsyncClient, bearer: dict[str, str]) -> None:
    [answer] = await send(client, bearer, firing(alertname="Watchdog"))
    assert set(answer) == {"ignored"}


async def test_a_batch_with_a_bad_alert_takes_the_good_ones_and_names_the_bad_ones(
    client: httpx.AsyncClient, bearer: dict[str, str], store: Store
) -> None:
    no_title = firing(alertname="", user="a")
    no_title["annotations"] = {}
    answers = await send(
        client,
        bearer,
        firing(user="b"),
        no_title,
        "not an alert",  # type: ignore[arg-type]
        firing(alertname="SomethingElse", user="c"),
        firing(user="d"),
    )
    assert [answer.get("status") for answer in answers] == ["opened", None, None, None, "opened"]
    assert [answer.get("index") for answer in answers] == [None, 1, 2, 3, None]
    assert "`title` is missing" in answers[1]["error"]
    assert "no such trigger" in answers[3]["error"]
    assert len(await incidents(store)) == 2


async def test_where_nothing_could_be_taken_the_sender_is_told_by_the_status(
    one_client: httpx.AsyncClient, bearer: dict[str, str]
) -> None:
    body = delivery(firing(alertname="SomethingElse"))
    response = await one_client.post("/alerts/alertmanager", json=body, headers=bearer)
    assert response.status_code == 422
    assert response.json()["alerts"][0]["index"] == 0


async def test_an_empty_batch_is_taken(one_client: httpx.AsyncClient, bearer: dict[str, str]) -> None:
    assert await send(one_client, bearer) == []


@pytest.mark.parametrize("body", ["[]", "{}", '{"alerts": {}}', '"x"', "null", '{"alerts": null}'])
async def test_a_body_without_a_list_of_alerts_is_refused(
    one_client: httpx.AsyncClient, bearer: dict[str, str], body: str
) -> None:
    response = await one_client.post("/alerts/alertmanager", content=body, headers=bearer)
    assert response.status_code == 422
    assert "Prometheus Alertmanager" in response.json()["error"]


async def test_a_batch_that_is_too_long_is_refused_whole(
    one_client: httpx.AsyncClient, bearer: dict[str, str], sqlite_store: Store
) -> None:
    body = delivery(*[FIRING] * 501)
    response = await one_client.post("/alerts/alertmanager", json=body, headers=bearer)
    assert response.status_code == 413
    assert await incidents(sqlite_store) == []


@pytest.mark.parametrize("started", ["0001-01-01T00:00:00Z", "soon", "", None, 5, {"at": 1}])
async def test_a_start_that_cannot_be_read_is_unknown_and_the_alert_still_counts(
    one_client: httpx.AsyncClient, bearer: dict[str, str], sqlite_store: Store, started: object
) -> None:
    await send(one_client, bearer, FIRING | {"startsAt": started})
    [incident] = await incidents(sqlite_store)
    assert incident.started_at is None


async def test_values_that_are_too_long_are_cut_or_named_by_their_digest(
    client: httpx.AsyncClient, bearer: dict[str, str], store: Store
) -> None:
    alert = firing(user="u" * 1000, service="s" * 1000)
    alert["annotations"] = {"summary": "t" * 10_000}
    alert["fingerprint"] = "f" * 1000
    assert [answer["status"] for answer in await send(client, bearer, alert, alert)] == ["opened", "repeated"]
    [incident] = await incidents(store)
    assert str(incident.subject_id).startswith("sha256:")


async def test_a_severity_word_that_the_source_does_not_list_leaves_it_to_the_trigger(
    one_client: httpx.AsyncClient, bearer: dict[str, str], sqlite_store: Store
) -> None:
    await send(one_client, bearer, firing(severity="CRITICAL", user="a"), firing(severity="apocalyptic", user="b"))
    assert [one.severity for one in await incidents(sqlite_store)] == [
        Severity.SEV1,
        case.playbook().triggers["credential_leakage_confirmed"].severity,
    ]


async def test_alerts_without_anything_that_names_them_are_not_taken_for_the_same(
    one_client: httpx.AsyncClient, bearer: dict[str, str], sqlite_store: Store
) -> None:
    nameless = {key: value for key, value in FIRING.items() if key not in {"fingerprint", "startsAt"}}
    assert [answer["status"] for answer in await send(one_client, bearer, nameless, nameless)] == [
        "opened", "attached"
    ]  # fmt: skip


# Who may send


async def test_a_source_is_not_known_is_answered_with_those_that_are(
    one_client: httpx.AsyncClient, bearer: dict[str, str]
) -> None:
    response = await one_client.post("/alerts/pagermaster", json={}, headers=bearer)
    assert response.status_code == 404
    assert "alertmanager" in response.json()["error"]
    assert "pagermaster" not in response.text


async def test_a_source_with_a_secret_of_its_own_takes_that_and_not_the_common_token(
    build: Build, connect: Connect, bearer: dict[str, str]
) -> None:
    async with connect(build(source_secrets={"alertmanager": "its-own"})) as client:
        body = delivery(FIRING)
        common = await client.post("/alerts/alertmanager", json=body, headers=bearer)
        own = await client.post("/alerts/alertmanager", json=body, headers={"Authorization": "Bearer its-own"})
    assert (common.status_code, own.status_code) == (401, 202)


async def test_a_source_without_any_secret_takes_nothing(
    build: Build, connect: Connect, bearer: dict[str, str], sqlite_store: Store
) -> None:
    async with connect(build(token=None, source_secrets={})) as client:
        for source in ("alertmanager", "siren"):
            response = await client.post(f"/alerts/{source}", json=delivery(FIRING), headers=bearer)
            assert response.status_code == 503
            assert "FIRSTHOUR_CONFIG" in response.json()["error"]
    assert await incidents(sqlite_store) == []


EVENT = {"event": {"id": "e-1", "rule": "credential_leakage_confirmed", "name": "A siren", "at": 1772440000}}


def signed(body: bytes, secret: str = SECRET) -> str:
    return "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


async def test_a_signed_delivery_is_taken(client: httpx.AsyncClient, store: Store) -> None:
    body = json.dumps(EVENT).encode()
    during_a_rotation = f"{signed(body, 'the old one')}, {signed(body)}"
    for signature in (signed(body), during_a_rotation, signed(body).upper().replace("V1=", "v1=")):
        response = await client.post("/alerts/siren", content=body, headers={"X-Siren-Signature": signature})
        assert response.status_code == 202
    assert len(await incidents(store)) == 1


@pytest.mark.parametrize(
    "signature",
    ["", "v1=", "v1=00", signed(b"another body"), signed(json.dumps(EVENT).encode(), "wrong"),
     signed(json.dumps(EVENT).encode())[3:], "v1=é"],
)  # fmt: skip
async def test_a_bad_signature_changes_nothing(
    one_client: httpx.AsyncClient, sqlite_store: Store, bearer: dict[str, str], signature: str
) -> None:
    headers = [(b"x-siren-signature", signature.encode("latin-1")), (b"authorization", b"Bearer let-me-in")]
    response = await one_client.post("/alerts/siren", content=json.dumps(EVENT).encode(), headers=headers)
    assert response.status_code == 401
    assert await incidents(sqlite_store) == []
    async with sqlite_store.read() as session:
        assert (await session.exec(select(func.count()).select_from(Alert))).one() == 0


async def test_a_delivery_without_a_signature_is_refused(one_client: httpx.AsyncClient) -> None:
    assert (await one_client.post("/alerts/siren", json=EVENT)).status_code == 401


def test_a_signature_over_a_timestamp_cannot_be_replayed_later(clock: Clock) -> None:
    stamped = Auth(kind="hmac", header="X-Signature", algorithm="sha256", encoding="base64", timestamp_header="X-Time")
    body, now = json.dumps(EVENT).encode(), int(clock.now.timestamp())
    digest = hmac.new(SECRET.encode(), f"{now}:".encode() + body, hashlib.sha256).digest()
    good = {"X-Signature": base64.b64encode(digest).decode(), "X-Time": str(now)}

    def refused(headers: dict[str, str]) -> bool:
        try:
            auth.require_signature(Headers(headers), body, stamped, SECRET, now=clock.now)
        except auth.HTTPException as error:
            return error.status_code == 401
        return False

    assert not refused(good)
    for stamp in (str(now + 1), "", "soon", "9" * 40, "-1"):
        assert refused(good | {"X-Time": stamp})
    clock.advance(minutes=6)
    assert refused(good)


# The mapping by itself


def test_an_item_that_breaks_an_expression_is_bad_and_breaks_nothing_else() -> None:
    source = case.playbook().sources["alertmanager"].model_copy(update={"ignore_when": "contains(labels.x, 'y')"})
    assert isinstance(mapping.read_item(source, FIRING), mapping.Bad)


@pytest.mark.parametrize("item", [None, 7, "x", [], {}, {"labels": []}, {"labels": {"alertname": {"a": 1}}}])
def test_an_item_of_any_shape_is_answered(item: object) -> None:
    assert isinstance(mapping.read_item(case.playbook().sources["alertmanager"], item), mapping.Bad)
