"""Carries validation runs out: claims them, replays, keeps what is learnt, hands back what does not end in time."""

from __future__ import annotations

from bot.validating.worker import Validating

__all__ = ["Validating"]
