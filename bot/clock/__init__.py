"""The clock's room: APScheduler lives here and nowhere else. Rows are the truth; the clock only ticks."""

from bot.clock.clock import Clock

__all__ = ["Clock"]
