"""The store: engine, unit of work, leases, queries. The only truth (design law 1)."""

from bot.store.engine import Store
from bot.store.unit import Unit

__all__ = ["Store", "Unit"]
