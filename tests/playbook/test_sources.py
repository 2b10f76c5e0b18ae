"""Alert sources against the payload that Alertmanager really sends (recorded from 0.25)."""

from __future__ import annotations

import jmespath
import pytest
from pydantic import ValidationError

from bot.incident.words import Severity
from bot.playbook import Playbook
from bot.playbook.source import Auth

LABELS = {"alertname": "LLMCanaryLeak", "severity": "critical", "service": "chat", "user": "mallory"}
DELIVERY = {
    "version": "4",
    "receiver": "bot",
    "status": "firing",
    "groupKey": '{}:{alertname="LLMCanaryLeak", user="mallory"}',
    "truncatedAlerts": 0,
    "commonLabels": LABELS,
    "externalURL": "http://vm:9193",
    "alerts": [
        {
            "status": "firing",
            "labels": LABELS,
            "annotations": {"summary": "canary in output"},
            "startsAt": "2026-11-21T19:43:01.466736426Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://vm:9090/graph",
            "fingerprint": "dcd3d67f076a017a",
        }
    ],
}


def test_alertmanagers_delivery_maps_to_a_native_alert(playbook: Playbook) -> None:
    source = playbook.sources["alertmanager"]
    [item] = jmespath.search(source.items, DELIVERY)
    read = {name: jmespath.search(expression, item) for name, expression in source.fields.items()}
    assert read == {
        "trigger": "LLMCanaryLeak",
        "title": "canary in output",
        "severity": "critical",
        "subject_kind": "user",
        "subject_id": "mallory",
        "app": "chat",
        "session_id": None,
        "external_id": "dcd3d67f076a017a",
        "started_at": "2026-11-21T19:43:01.466736426Z",
        "summary": "canary in output",
    }
    assert source.triggers[read["trigger"]] == "credential_leakage_confirmed"
    assert source.severities[read["severity"]] is Severity.SEV1
    assert [jmespath.search(part, item) for part in source.dedup] == [item["fingerprint"], item["startsAt"]]
    assert source.resolved is not None and jmespath.search(source.resolved, item) is False
    assert source.ignore_when is not None and jmespath.search(source.ignore_when, item) is False


@pytest.mark.parametrize(
    ("labels", "kind", "subject"),
    [
        ({"session": "s-1"}, "session", "s-1"),
        ({"api_key_hash": "ab12"}, "api_key", "ab12"),
        ({"client_ip": "192.0.2.7"}, "ip", "192.0.2.7"),
        ({"user": "mallory", "client_ip": "192.0.2.7"}, "user", "mallory"),
        ({}, None, None),
    ],
)
def test_the_subject_is_the_narrowest_that_the_labels_name(
    playbook: Playbook, labels: dict[str, str], kind: str | None, subject: str | None
) -> None:
    fields = playbook.sources["alertmanager"].fields
    item = {"labels": labels}
    assert (jmespath.search(fields["subject_kind"], item) or None) == kind
    assert jmespath.search(fields["subject_id"], item) == subject


def test_a_resolved_alert_is_recognised_and_the_watchdog_ignored(playbook: Playbook) -> None:
    source = playbook.sources["alertmanager"]
    assert source.resolved is not None and source.ignore_when is not None
    assert jmespath.search(source.resolved, {"status": "resolved"}) is True
    assert jmespath.search(source.ignore_when, {"labels": {"alertname": "Watchdog"}}) is True


def test_a_signature_scheme_names_its_algorithm_and_a_bearer_has_none() -> None:
    scheme = Auth(
        kind="hmac", header="X-PagerDuty-Signature", algorithm="sha256", encoding="hex", prefix="v1=", separator=","
    )
    assert scheme.prefix == "v1="
    with pytest.raises(ValidationError):
        Auth(kind="hmac", header="X-Signature")
    with pytest.raises(ValidationError):
        Auth(kind="bearer", header="Authorization", algorithm="sha256", encoding="hex")
