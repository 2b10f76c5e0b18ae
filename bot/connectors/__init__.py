"""Containment on real systems: one file each, one contract (`bot.connectors.contract`)."""

from bot.connectors.build import build
from bot.connectors.contract import (
    MANUAL,
    Connector,
    Connectors,
    ConnectorSettings,
    Effect,
    HandedIn,
    Nature,
    Order,
    Plan,
    Result,
)

__all__ = [
    "MANUAL",
    "Connector",
    "ConnectorSettings",
    "Connectors",
    "Effect",
    "HandedIn",
    "Nature",
    "Order",
    "Plan",
    "Result",
    "build",
]
