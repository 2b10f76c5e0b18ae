"""Prometheus Alertmanager from Debian, with one webhook receiver."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.integration.systems.installed import debian_program
from tests.integration.systems.process import Missing, started
from tests.ports import free_port

TEMPLATES = Path("/usr/share/prometheus/alertmanager/default.tmpl")
"""Debian's build reads it there, and nowhere else."""


@dataclass(frozen=True)
class Alertmanager:
    url: str
    """Alerts go in at `POST {url}/api/v2/alerts`, as Prometheus sends them."""


@contextlib.contextmanager
def running(home: Path, webhook: str, token: str) -> Iterator[Alertmanager]:
    """Every group of alerts is told to `webhook`, at once and then every second, with `token` as bearer."""
    program, port = debian_program("prometheus-alertmanager"), free_port()
    if not TEMPLATES.exists():
        raise Missing(
            f"it needs {TEMPLATES}. Install the package prometheus-alertmanager, or run `make integration` as root."
        )
    home.mkdir(parents=True, exist_ok=True)
    config = home / "alertmanager.yml"
    config.write_text(json.dumps(_config(webhook, token)))  # JSON is YAML
    command = [
        program,
        f"--config.file={config}",
        f"--storage.path={home / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with started("alertmanager", command, home) as process:
        alertmanager = Alertmanager(f"http://127.0.0.1:{port}")
        process.wait_for_http(f"{alertmanager.url}/-/ready")
        yield alertmanager


def _config(webhook: str, token: str) -> dict[str, object]:
    receiver = {
        "url": webhook,
        "send_resolved": True,
        "http_config": {"authorization": {"type": "Bearer", "credentials": token}},
    }
    route = {
        "receiver": "firsthour",
        "group_by": ["alertname", "user"],
        "group_wait": "0s",
        "group_interval": "1s",
        "repeat_interval": "1s",
    }
    return {"route": route, "receivers": [{"name": "firsthour", "webhook_configs": [receiver]}]}
