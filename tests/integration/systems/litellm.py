"""LiteLLM's proxy with a gate of ours as its Generic Guardrail, without a database.

Decides the configuration: the one that we recommend, twice (open and closed when the gate cannot be reached),
neither on by default, so that one proxy serves calls with the gate and calls without it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.systems.installed import venv_program
from tests.integration.systems.process import started
from tests.integration.systems.upstream import CALLER
from tests.ports import free_port

OPEN, CLOSED = "firsthour-open", "firsthour-closed"
"""Guardrails to name in a call's `guardrails`: what happens when the gate does not answer."""
TIMEOUT = 3.0
"""Seconds that the proxy waits for the gate."""
MODELS = ("chat", "other", CALLER)


@dataclass(frozen=True)
class LiteLLM:
    url: str
    """`POST {url}/v1/chat/completions` with the names of `MODELS`; the admin API answers 500 without a database."""
    key: str = "sk-firsthour-integration"
    """The master key, as bearer."""


@contextlib.contextmanager
def running(home: Path, upstream_url: str, gate_url: str, gate_token: str) -> Iterator[LiteLLM]:
    """`gate_url` need not answer yet, and may go away."""
    program, litellm = venv_program("litellm"), LiteLLM(f"http://127.0.0.1:{free_port()}")
    home.mkdir(parents=True, exist_ok=True)
    config = home / "config.yaml"
    config.write_text(json.dumps(_config(upstream_url, gate_url, gate_token)))  # JSON is YAML
    env = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # otherwise it is fetched from GitHub
        "LITELLM_MASTER_KEY": litellm.key,
        "LITELLM_LOG": "WARNING",
    }
    command = [program, "--config", config, "--host", "127.0.0.1", "--port", litellm.url.rpartition(":")[2]]
    with started("litellm", command, home, env) as process:
        process.wait_for_http(f"{litellm.url}/health/liveliness")
        yield litellm


def _config(upstream_url: str, gate_url: str, gate_token: str) -> dict[str, Any]:
    models = [
        {
            "model_name": name,
            "litellm_params": {
                "model": f"openai/{name}",
                "api_base": f"{upstream_url}/v1",
                "api_key": "sk-of-nobody",
                "allowed_openai_params": ["user"],  # so that the provider knows whose call it was
            },
        }
        for name in MODELS
    ]
    guardrails = [
        {
            "guardrail_name": name,
            "litellm_params": {
                "guardrail": "generic_guardrail_api",
                "mode": ["pre_call", "post_call"],
                "api_base": gate_url,
                "api_key": gate_token,
                "unreachable_fallback": fallback,
                "streaming_transform_mode": "incremental_diff",
                "timeout": TIMEOUT,
            },
        }
        for name, fallback in ((OPEN, "fail_open"), (CLOSED, "fail_closed"))
    ]
    return {
        "model_list": models,
        "guardrails": guardrails,
        "litellm_settings": {"num_retries": 0, "telemetry": False},
    }
