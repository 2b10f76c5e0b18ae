"""How logs are written: one event a line, ids and outcomes, never a body, never a secret.

Decides the form, and that every value passes the redaction before it is printed: a last guard, not the only one.
"""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from bot.incident.redact import redact

QUIET = ("slack_bolt", "slack_sdk", "uvicorn", "apscheduler", "httpx", "httpcore", "aiosqlite", "alembic", "aiohttp")


def configure(form: Literal["console", "json"], *, level: int = logging.INFO) -> None:
    """Route structlog and the libraries' logging to standard error."""
    shared: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Processor = structlog.processors.JSONRenderer() if form == "json" else _console()
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, _redacted, renderer],  # a trace is redacted too
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s", force=True
    )
    for handler in logging.getLogger().handlers:
        handler.addFilter(_Redacted())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)


def _console() -> Processor:
    # The pretty tracebacks print local variables: among them would be tokens and what an attacker wrote.
    return structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)


def _redacted(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {key: redact(value) if isinstance(value, str) else value for key, value in event.items()}


class _Redacted(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), None
        return True
