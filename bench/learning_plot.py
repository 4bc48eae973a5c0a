"""Draws learning curves with their intervals as an SVG file."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import drawsvg

from bench.learning_measures import BLOCK, Mean

WIDTH, HEIGHT = 400, 300
LEFT, TOP, GAP, LEGEND = 40, 30, 30, 150
COLORS = {
    "none": "#9ca3af",
    "random": "#a78bfa",
    "earlier rule": "#d97706",
    "most similar": "#0891b2",
    "similarity x reward": "#65a30d",
    "ours": "#dc2626",
    "ceiling": "#111827",
}
TITLES = {"base": "Preferences stay", "drift": "A third changes at 1,000"}
TEXT = {"font_family": "sans-serif", "fill": "#111827"}

Curves = Mapping[str, Sequence[Mean]]


def plot(panels: Mapping[str, Curves], path: Path) -> None:
    """One panel beside the other, the legend at the right."""
    width = LEFT + len(panels) * (WIDTH + GAP) + LEGEND
    drawing = drawsvg.Drawing(width, TOP + HEIGHT + 50)
    drawing.append(drawsvg.Rectangle(0, 0, width, TOP + HEIGHT + 50, fill="white"))
    for number, (name, curves) in enumerate(panels.items()):
        group = drawsvg.Group(transform=f"translate({LEFT + number * (WIDTH + GAP)},{TOP})")
        _axes(group, TITLES.get(name, name), max(map(len, curves.values())) * BLOCK)
        for selector, means in curves.items():
            _curve(group, means, COLORS[selector])
        drawing.append(group)
    _legend(drawing, [*next(iter(panels.values()))], width - LEGEND)
    path.parent.mkdir(parents=True, exist_ok=True)
    drawing.save_svg(str(path))


def _axes(group: drawsvg.Group, title: str, incidents: int) -> None:
    group.append(drawsvg.Text(title, 14, WIDTH / 2, -10, text_anchor="middle", **TEXT))
    for tenths in range(0, 11, 2):
        y = HEIGHT * (1 - tenths / 10)
        group.append(drawsvg.Line(0, y, WIDTH, y, stroke="#e5e7eb"))
        group.append(drawsvg.Text(f"{tenths / 10}", 11, -6, y + 4, text_anchor="end", **TEXT))
    for at in range(0, incidents + 1, 500):
        x = WIDTH * at / incidents
        group.append(drawsvg.Text(f"{at:,}", 11, x, HEIGHT + 16, text_anchor="middle", **TEXT))
    label = "incidents; approval ÷ oracle"
    group.append(drawsvg.Text(label, 12, WIDTH / 2, HEIGHT + 36, text_anchor="middle", **TEXT))


def _curve(group: drawsvg.Group, means: Sequence[Mean], color: str) -> None:
    """Every block of incidents at its middle."""
    xs = [WIDTH * (place + 0.5) / len(means) for place in range(len(means))]
    upper = [(x, HEIGHT * (1 - one.high)) for x, one in zip(xs, means, strict=True)]
    lower = [(x, HEIGHT * (1 - one.low)) for x, one in zip(xs, means, strict=True)]
    line = [(x, HEIGHT * (1 - one.value)) for x, one in zip(xs, means, strict=True)]
    band = [value for point in (*upper, *reversed(lower)) for value in point]
    group.append(drawsvg.Lines(*band, close=True, fill=color, fill_opacity=0.15))
    points = [value for point in line for value in point]
    group.append(drawsvg.Lines(*points, fill="none", stroke=color, stroke_width=2))


def _legend(drawing: drawsvg.Drawing, selectors: Sequence[str], x: float) -> None:
    for place, selector in enumerate(selectors):
        y = TOP + 20 * place + 10
        drawing.append(drawsvg.Line(x, y, x + 20, y, stroke=COLORS[selector], stroke_width=3))
        drawing.append(drawsvg.Text(selector, 12, x + 26, y + 4, **TEXT))
