"""Serves the page: three static files, no build step, no foreign address, a strict content security policy.

The page speaks the control API with the key in its address' fragment (which browsers never send), so that no other
local page can drive the workspace.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

FOLDER = Path(__file__).parent / "page"
FILES = {
    "": ("index.html", "text/html"),
    "page.css": ("page.css", "text/css"),
    "page.js": ("page.js", "text/javascript"),
}
AI_FILES = {
    "": ("ai.html", "text/html"),
    "page.css": ("page.css", "text/css"),
    "ai.js": ("ai.js", "text/javascript"),
}
"""Of the practice AI app: its holes with a button each, its version, and what was said last."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


async def serve(request: web.Request) -> web.Response:
    """One of the files."""
    return _file(FILES, request.match_info.get("file", ""))


async def serve_ai(request: web.Request) -> web.Response:
    """One of the AI app's."""
    return _file(AI_FILES, request.match_info.get("file", ""))


def _file(files: Mapping[str, tuple[str, str]], wanted: str) -> web.Response:
    if wanted == "favicon.ico":
        return web.Response(status=204)
    found = files.get(wanted)
    if found is None:
        return web.Response(status=404)
    name, kind = found
    return web.Response(body=(FOLDER / name).read_bytes(), content_type=kind, charset="utf-8", headers=HEADERS)


def mount(app: web.Application) -> None:
    """Add the routes."""
    app.router.add_get("/", serve)
    app.router.add_get("/{file}", serve)
