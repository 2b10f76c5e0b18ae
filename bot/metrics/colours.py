"""The colours of a picture. It brings its own background, so it reads the same on Slack's light and dark theme.

Decides colours only; a test holds them against WCAG 2.2: 4.5 for text, 3 for what is drawn.
"""

from __future__ import annotations

PAPER = "#f8f8f6"
FRAME = "#8a8d91"
"""The edge of the paper, seen on either theme."""
TEXT = "#1d1c1d"
QUIET = "#55585c"
GRID = "#dcdcd8"
VALUE = "#1264a3"
RANGE = "#5f87ab"
TARGET = "#b3261e"
READ = (TEXT, QUIET, TARGET, VALUE)
"""Written in these."""
DRAWN = (VALUE, RANGE, TARGET, FRAME)
"""Drawn in these."""
