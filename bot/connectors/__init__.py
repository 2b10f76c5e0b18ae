"""Containment on real systems: one file each, one contract (`bot.connectors.contract`)."""

from bot.connectors.build import build
from bot.connectors.contract import MANUAL, Connector, Connectors, Effect, Nature, Order, Result

__all__ = ["MANUAL", "Connector", "Connectors", "Effect", "Nature", "Order", "Result", "build"]
