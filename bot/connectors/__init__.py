"""Containment on real systems: one file each, one contract (`bot.connectors.contract`)."""

from bot.connectors.contract import Connector, Connectors, Effect, Order

__all__ = ["Connector", "Connectors", "Effect", "Order"]
