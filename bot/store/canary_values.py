"""The values of an application's canaries, for a replay that must notice them in answers.

Decides nothing: what is registered is `registered`'s, under which key `sealing`'s.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import SecretStr

from bot.store import registered
from bot.store.engine import Store
from bot.store.knowledge import find_key


class CanaryValues:
    """`given`: FIRSTHOUR_DETECTION_KEY. The key is looked for only where something is asked."""

    def __init__(self, store: Store, given: SecretStr | None) -> None:
        self._store, self._given = store, given

    async def values(self, app: str | None) -> Sequence[tuple[str, str]]:
        """Name and value. Raises Misconfigured where the key is gone or another one."""
        async with self._store.read() as session:
            mine = [one for one in await registered.canaries(session) if one.app in {None, app}]
        if not mine:
            return ()
        key = await find_key(self._store, self._given)
        return [(one.name, registered.opened(key, one)) for one in mine]
