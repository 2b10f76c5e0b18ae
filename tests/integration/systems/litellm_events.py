"""LiteLLM's proxy as a source of events: its callbacks `generic_api` and `otel` post to an address of ours.

Decides the configuration: what `docs/events.md` tells its reader to write, taken from the page, and `otel` beside it, so that one
call shows what each of them says of it. In production one is enough.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.integration.recipes import recipe
from tests.integration.systems.installed import venv_program
from tests.integration.systems.litellm import LiteLLM
from tests.integration.systems.process import started
from tests.ports import free_port

BLOCKED_WORDS, MASKED_WORD = "ignore previous instructions", "my-secret-word"
BROKEN = "broken"
"""The model whose provider does not answer."""
FILTER, GATE = "content-filter", "firsthour"


@contextlib.contextmanager
def running(
    home: Path, upstream_url: str, gate_url: str, gate_token: str, events_url: str, token: str
) -> Iterator[LiteLLM]:
    """`events_url`: base of the addresses of events; it need not answer yet."""
    home = home / "events"
    program, litellm = venv_program("litellm"), LiteLLM(f"http://127.0.0.1:{free_port()}")
    home.mkdir(parents=True, exist_ok=True)
    config = home / "config.yaml"
    told = yaml.safe_load(recipe("docs/events.md", "litellm_settings:", address=events_url, token=token))
    settings = _config(upstream_url, gate_url, gate_token) | {"callback_settings": told["callback_settings"]}
    settings["litellm_settings"] |= {"callbacks": [*told["litellm_settings"].pop("callbacks"), "otel"]} | told[
        "litellm_settings"
    ]
    config.write_text(json.dumps(settings))  # JSON is YAML
    env = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_MASTER_KEY": litellm.key,
        "LITELLM_LOG": "WARNING",
        "DEFAULT_FLUSH_INTERVAL_SECONDS": "1",
        "OTEL_EXPORTER": "otlp_http",
        "OTEL_ENDPOINT": events_url,
        "OTEL_HEADERS": f"Authorization=Bearer {token}",
        "OTEL_BSP_SCHEDULE_DELAY": "1000",
    }
    command = [program, "--config", config, "--host", "127.0.0.1", "--port", litellm.url.rpartition(":")[2]]
    with started("litellm-events", command, home, env) as process:
        process.wait_for_http(f"{litellm.url}/health/liveliness")
        yield litellm


def _config(upstream_url: str, gate_url: str, gate_token: str) -> dict[str, Any]:
    bases = {"chat": f"{upstream_url}/v1", "caller": f"{upstream_url}/v1", BROKEN: "http://127.0.0.1:9/v1"}
    models = [
        {
            "model_name": name,
            "litellm_params": {
                "model": f"openai/{name}",
                "api_base": base,
                "api_key": "sk-of-nobody",
                "max_retries": 0,
            },
        }
        for name, base in bases.items()
    ]
    words = [{"keyword": BLOCKED_WORDS, "action": "BLOCK"}, {"keyword": MASKED_WORD, "action": "MASK"}]
    both = ["pre_call", "post_call"]
    guardrails = [
        {
            "guardrail_name": FILTER,
            "litellm_params": {"guardrail": "litellm_content_filter", "mode": both, "blocked_words": words},
        },
        {
            "guardrail_name": GATE,
            "litellm_params": {
                "guardrail": "generic_guardrail_api", "mode": both, "api_base": gate_url, "api_key": gate_token,
            },
        },
    ]  # fmt: skip
    return {
        "model_list": models,
        "guardrails": guardrails,
        "litellm_settings": {"num_retries": 0, "telemetry": False},
    }
