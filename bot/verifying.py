"""`firsthour verify INC-12`: what is opened for it, and what is said. The argument is `bot.proof_cli`'s."""

from __future__ import annotations

from bot.cases.custody import Custody, verify
from bot.environment import read_settings
from bot.evidence import Vault
from bot.evidence.build import build
from bot.incident.narrative import so_many
from bot.playbook import DEFAULT_PATH, load
from bot.playbook.organisation import load_organisation
from bot.store import Store


async def verified(number: int) -> Custody:
    """Raises what `custody.verify` raises, and Misconfigured where the settings or the vault cannot be used."""
    settings = read_settings()
    store = Store(settings.database_url)

    def vault() -> Vault:
        organisation = load_organisation(settings.config, load(DEFAULT_PATH))
        return build(organisation.evidence, settings.database_url, settings.evidence)

    try:
        return await verify(store, vault, number)
    finally:
        await store.close()


def said(name: str, custody: Custody) -> list[str]:
    """Lines; what is wrong is for the error stream."""
    lines = [f"{name}: {custody.entries} entries, the chain is unbroken."]
    if custody.kept:
        lines.append(f"{so_many(custody.kept, 'piece')} of evidence in the vault, as the timeline says.")
    return lines
