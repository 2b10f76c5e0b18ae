"""Draws one picture in a process of its own: a sketch on standard input, a PNG on standard output.

Decides how a sketch looks. Runs as `python -m bot.metrics.draw`, so that the bot neither loads matplotlib nor waits for it.
Nothing is drawn that is not there: few values are dots, a group without any is a gap, and only neighbours in time are joined.
"""

from __future__ import annotations

import io
import math
import sys
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bot.metrics import colours
from bot.metrics.sketch import FEW, Panel, Point, Sketch, unpack

COLUMNS, DPI = 2, 110
WIDTH, ROW, HEAD = 12.0, 2.4, 1.55
"""Inches."""
STEPS = (
    1,
    10,
    60,
    300,
    900,
    3600,
    4 * 3600,
    12 * 3600,
    86400,
    3 * 86400,
    7 * 86400,
    30 * 86400,
    90 * 86400,
    365 * 86400,
)
NAMES = ("1 s", "10 s", "1 min", "5 min", "15 min", "1 h", "4 h", "12 h", "1 d", "3 d", "7 d", "30 d", "90 d", "1 y")
LONG = 9
"""Characters from which on a label is written at a slant."""
SHORTEST = 1.0
"""Seconds: a logarithm has no place for zero."""


def draw(sketch: Sketch) -> bytes:
    """A PNG. Text in it is text: no formula is read out of a name."""
    rows = math.ceil(len(sketch.panels) / COLUMNS)
    slanted = any(len(label) > LONG for label in sketch.labels)
    foot = 1.55 if slanted else 0.55
    height = HEAD + ROW * rows + foot
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor=colours.PAPER)
    FigureCanvasAgg(figure)
    figure.patch.set(edgecolor=colours.FRAME, linewidth=3)
    _write(figure, sketch.title, 1 - 0.34 / height, 15, colours.TEXT)
    _write(figure, sketch.subtitle, 1 - 0.64 / height, 10, colours.TEXT)
    _write(figure, sketch.legend, 1 - 0.87 / height, 9, colours.QUIET)
    if rows:
        left, edges = 0.105 if slanted else 0.065, {"top": 1 - HEAD / height, "bottom": foot / height}
        grid = figure.add_gridspec(rows, COLUMNS, left=left, right=0.985, hspace=0.52, wspace=0.14, **edges)
        for index, panel in enumerate(sketch.panels):
            axes = figure.add_subplot(grid[index // COLUMNS, index % COLUMNS])
            _panel(axes, sketch, panel, labelled=index + COLUMNS >= len(sketch.panels), slanted=slanted)
    out = io.BytesIO()
    figure.savefig(out, format="png", facecolor=colours.PAPER, edgecolor=colours.FRAME, metadata={"Software": None})
    return out.getvalue()


def _write(figure: Figure, text: str, y: float, size: float, colour: str) -> None:
    figure.text(0.02, y, text, fontsize=size, color=colour, va="center", parse_math=False)


def _panel(axes: Axes, sketch: Sketch, panel: Panel, *, labelled: bool, slanted: bool) -> None:
    _frame(axes, panel)
    places = range(len(sketch.labels))
    axes.set_xlim(-0.6, max(len(sketch.labels), 1) - 0.4)
    axes.set_xticks(list(places))
    turned: dict[str, Any] = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
    axes.set_xticklabels(sketch.labels if labelled else [""] * len(sketch.labels), parse_math=False, **turned)
    known = [point for point in panel.points if point.n]
    if not known:
        axes.set_yticks([])
        axes.text(0.5, 0.5, "nothing is known", transform=axes.transAxes, ha="center", va="center", color=colours.QUIET)
        return
    _scale(axes, panel)
    if panel.target is not None:
        _target(axes, panel)
    for place, point in enumerate(panel.points):
        if panel.kind == "count":
            _bar(axes, place, point, 0.55 * min(1.0, len(sketch.labels) / 7))
        elif point.n:
            _values(axes, place, point, panel)
    if sketch.timeline and panel.kind != "count":
        _join(axes, panel)


def _frame(axes: Axes, panel: Panel) -> None:
    axes.set_facecolor(colours.PAPER)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(colours.FRAME)
    axes.tick_params(colors=colours.QUIET, labelsize=8.5, length=0)
    axes.grid(axis="y", color=colours.GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_title(panel.title, loc="left", fontsize=10.5, color=colours.TEXT, pad=17, parse_math=False)
    place: dict[str, Any] = {"xycoords": "axes fraction", "xytext": (0, 5), "textcoords": "offset points"}
    axes.annotate(panel.note, (0, 1), fontsize=8.5, color=colours.QUIET, parse_math=False, **place)
    axes.annotate(panel.target_label, (1, 1), ha="right", fontsize=8.5, color=colours.TARGET, **place)


def _scale(axes: Axes, panel: Panel) -> None:
    match panel.kind:
        case "count":
            most = max(point.n for point in panel.points)
            axes.set_ylim(0, most * 1.25)
            axes.set_yticks([])
        case "share":
            axes.set_ylim(-0.05, 1.22)
            axes.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
        case "seconds":
            shown = [value for point in panel.points for value in _drawn(point)]
            shown += [panel.target] if panel.target is not None else []
            low, high = max(min(shown), SHORTEST) / 2, max(*shown, SHORTEST) * 3.2
            low, high = (low / 3, high * 3) if high / low < 20 else (low, high)
            axes.set_yscale("log")
            axes.set_ylim(low, high)
            ticks = [(step, name) for step, name in zip(STEPS, NAMES, strict=True) if low <= step <= high]
            every = math.ceil(len(ticks) / 6) or 1
            axes.set_yticks([step for step, _ in ticks[::every]], [name for _, name in ticks[::every]])
            axes.minorticks_off()


def _drawn(point: Point) -> tuple[float, ...]:
    known = (*point.values, point.p50, point.p90, point.target)
    return tuple(value for value in known if value is not None)


def _target(axes: Axes, panel: Panel) -> None:
    """Its name stands beside the title, where it covers no value."""
    assert panel.target is not None
    axes.axhline(panel.target, color=colours.TARGET, linewidth=1.2, linestyle=(0, (5, 3)), zorder=1.5)


def _bar(axes: Axes, place: int, point: Point, width: float) -> None:
    if point.n:
        axes.bar(place, point.n, width=width, color=colours.VALUE)
        above: dict[str, Any] = {"xytext": (0, 3), "textcoords": "offset points", "ha": "center", "fontsize": 8.5}
        axes.annotate(f"{point.n:,}", (place, point.n), color=colours.TEXT, **above)


def _values(axes: Axes, place: int, point: Point, panel: Panel) -> None:
    lowest = SHORTEST if panel.kind == "seconds" else 0.0
    if point.target is not None:
        ends = [place - 0.4, place + 0.4]
        axes.plot(ends, [point.target] * 2, color=colours.TARGET, linewidth=1.4, linestyle=(0, (4, 2)), zorder=1.5)
    heights = [max(value, lowest) for value in point.values or _range(point)]
    if point.values:
        axes.plot([place] * len(heights), heights, "o", ms=5.5, mfc="none", mec=colours.VALUE, mew=1.4)
    else:
        axes.plot([place] * len(heights), heights, color=colours.RANGE, linewidth=3, solid_capstyle="butt")
        axes.plot([place] * len(heights[1:]), heights[1:], "_", ms=9, mew=2, color=colours.RANGE)
        axes.plot([place], heights[:1], "o", ms=7, color=colours.VALUE, zorder=3)
    above: dict[str, Any] = {"xytext": (0, 7), "textcoords": "offset points", "ha": "center", "fontsize": 7.5}
    halo = {"facecolor": colours.PAPER, "edgecolor": "none", "pad": 0.6}
    axes.annotate(f"n {point.n:,}", (place, max(heights)), color=colours.QUIET, bbox=halo, zorder=4, **above)


def _range(point: Point) -> tuple[float, ...]:
    return tuple(value for value in (point.p50, point.p90) if value is not None)


def _join(axes: Axes, panel: Panel) -> None:
    """Only neighbours that both have a median: no line runs through a month in which nothing is known."""
    for place, (one, other) in enumerate(zip(panel.points, panel.points[1:], strict=False)):
        if one.n >= FEW and other.n >= FEW and one.p50 is not None and other.p50 is not None:
            lowest = SHORTEST if panel.kind == "seconds" else 0.0
            heights = [max(one.p50, lowest), max(other.p50, lowest)]
            axes.plot([place, place + 1], heights, color=colours.VALUE, linewidth=1.3, zorder=2)


def main() -> None:
    sys.stdout.buffer.write(draw(unpack(sys.stdin.buffer.read())))


if __name__ == "__main__":
    main()
