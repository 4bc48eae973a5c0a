"""Draws learning curves with their intervals as an SVG file."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import svg

from bench.learning_measures import BLOCK, Mean

WIDTH, HEIGHT = 400, 300
LEFT, TOP, GAP, LEGEND, BOTTOM = 40, 30, 30, 150, 50
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
FONT, INK = "sans-serif", "#111827"

Curves = Mapping[str, Sequence[Mean]]


def plot(panels: Mapping[str, Curves], path: Path) -> None:
    """One panel beside the other, the legend at the right."""
    width, height = LEFT + len(panels) * (WIDTH + GAP) + LEGEND, TOP + HEIGHT + BOTTOM
    drawing = svg.SVG(
        viewBox=svg.ViewBoxSpec(0, 0, width, height),
        width=width,
        height=height,
        elements=[
            svg.Rect(x=0, y=0, width=width, height=height, fill="white"),
            *(_panel(place, name, curves) for place, (name, curves) in enumerate(panels.items())),
            *_legend([*next(iter(panels.values()))], width - LEGEND),
        ],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(str(drawing), encoding="utf-8")


def _panel(place: int, name: str, curves: Curves) -> svg.G:
    incidents = max(map(len, curves.values())) * BLOCK
    drawn = (one for selector, means in curves.items() for one in _curve(selector, means))
    return svg.G(
        transform=[svg.Translate(LEFT + place * (WIDTH + GAP), TOP)],
        elements=[*_axes(TITLES.get(name, name), incidents), *drawn],
    )


def _axes(title: str, incidents: int) -> Iterator[svg.Element]:
    yield _text(title, 14, WIDTH / 2, -10, "middle")
    for tenths in range(0, 11, 2):
        y = HEIGHT * (1 - tenths / 10)
        yield svg.Line(x1=0, y1=y, x2=WIDTH, y2=y, stroke="#e5e7eb")
        yield _text(f"{tenths / 10}", 11, -6, y + 4, "end")
    for at in range(0, incidents + 1, 500):
        yield _text(f"{at:,}", 11, WIDTH * at / incidents, HEIGHT + 16, "middle")
    yield _text("incidents; approval ÷ oracle", 12, WIDTH / 2, HEIGHT + 36, "middle")


def _curve(selector: str, means: Sequence[Mean]) -> Iterator[svg.Element]:
    """Every block of incidents at its middle."""
    color, xs = (
        COLORS[selector],
        [WIDTH * (place + 0.5) / len(means) for place in range(len(means))],
    )
    upper, line, lower = (
        [_point(x, share) for x, share in zip(xs, shares, strict=True)]
        for shares in zip(*((one.high, one.value, one.low) for one in means), strict=True)
    )
    yield svg.Polygon(points=[*upper, *reversed(lower)], fill=color, fill_opacity=0.15)
    yield svg.Polyline(points=line, fill="none", stroke=color, stroke_width=2)


def _point(x: float, share: float) -> svg.Point:
    return svg.Point(round(x, 1), round(HEIGHT * (1 - share), 1))


def _legend(selectors: Sequence[str], x: float) -> Iterator[svg.Element]:
    for place, selector in enumerate(selectors):
        y = TOP + 20 * place + 10
        yield svg.Line(x1=x, y1=y, x2=x + 20, y2=y, stroke=COLORS[selector], stroke_width=3)
        yield _text(selector, 12, x + 26, y + 4, "start")


def _text(
    text: str, size: int, x: float, y: float, anchor: Literal["start", "middle", "end"]
) -> svg.Text:
    return svg.Text(
        text=text,
        x=x,
        y=y,
        font_size=size,
        font_family=FONT,
        fill=INK,
        text_anchor=anchor,
    )
