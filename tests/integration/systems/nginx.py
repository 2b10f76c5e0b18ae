"""nginx from Debian, with a configuration of the test's own."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.integration.systems.installed import debian_program
from tests.integration.systems.process import started
from tests.ports import free_port

MAIN = """daemon off;
worker_processes 1;
pid {home}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location = /nginx-is-ready {{ return 204; }}
{server}
    }}
}}
"""

ASKING = """
        location / {{
            set $firsthour_endpoint $uri;
            auth_request /firsthour;
            auth_request_set $incident $upstream_http_x_firsthour_incident;
            add_header X-Incident $incident always;
            proxy_pass {upstream};
        }}
        location = /firsthour {{
            internal;
            proxy_pass {gate}/auth;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_set_header X-Api-Key {token};
            proxy_set_header X-Firsthour-User $http_x_user;
            proxy_set_header X-Firsthour-Endpoint $firsthour_endpoint;
            proxy_connect_timeout 1s;
            proxy_read_timeout 1s;
        }}
"""


def asking_the_gate(gate: str, token: str, upstream: str) -> str:
    """The `server` block's content as we recommend it. Where the user's name comes from is each site's own."""
    return ASKING.format(gate=gate, token=token, upstream=upstream)


@dataclass(frozen=True)
class Nginx:
    url: str


@contextlib.contextmanager
def running(home: Path, server: str) -> Iterator[Nginx]:
    """`server` is what stands in its one `server` block beside `listen`."""
    program, port = debian_program("nginx"), free_port()
    home.mkdir(parents=True, exist_ok=True)
    # As root its worker would be somebody else, who may not enter a test's folder.
    config = home / "nginx.conf"
    user = "user root;\n" if os.geteuid() == 0 else ""
    config.write_text(user + MAIN.format(home=home, port=port, server=server))
    with started("nginx", [program, "-p", home, "-c", config, "-e", "stderr"], home) as process:
        nginx = Nginx(f"http://127.0.0.1:{port}")
        process.wait_for_http(f"{nginx.url}/nginx-is-ready")
        yield nginx
