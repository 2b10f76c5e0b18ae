"""`firsthour export --metrics csv`: the metrics of the store that the environment names, as text.

Decides what is read. Arguments and exit codes are `bot.proof_cli`'s.
"""

from __future__ import annotations

from bot.environment import read_settings
from bot.incident.deadlines import calendar
from bot.incident.errors import Invalid
from bot.metrics.export import exported
from bot.metrics.form import Form
from bot.metrics.report import report
from bot.metrics.span import DEFAULT, span
from bot.playbook import DEFAULT_PATH, load
from bot.playbook.organisation import load_organisation
from bot.store import Store

EXAMPLE = "firsthour export --metrics csv --since 365d --out metrics.csv"


async def metrics(form: Form, since: str | None, until: str | None) -> str:
    """Raises Invalid where a span of time cannot be read, Misconfigured where settings cannot be used."""
    settings = read_settings()
    playbook = load(DEFAULT_PATH)
    hours = load_organisation(settings.config, playbook).business_hours
    store = Store(settings.database_url)
    try:
        now = store.now()
        begins, ends = span(since or DEFAULT, until, now)
        working = calendar(hours.timezone, hours.starts, hours.days, hours.holidays)
        found = await report(store, playbook, working, since=begins, until=ends, speed=settings.speed)
        return exported(found, form, now)
    except ValueError as error:
        raise Invalid(str(error), example=EXAMPLE) from None
    finally:
        await store.close()
