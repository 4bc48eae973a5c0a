"""The learning curve as a picture: SVG without scripts, for light and dark, read out by its words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

import svg

from app.domain.words import counted
from app.learning.curve import CURVE_WINDOW, CurvePoint

NARROWEST, WIDEST, USUAL_WIDTH = 280, 1600, 760
PLOT_HEIGHT = 220
LEFT, RIGHT, TOP = 48, 12, 12
AXIS_HEIGHT = 46
ROW_HEIGHT = 20
LEGEND_COLUMN = 264
"""Pixels that the longest entry takes."""
DASH = 4
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
TITLE_ID, DESCRIPTION_ID = "curve-title", "curve-description"
TITLE = "Learning curve"
STYLE = """
text { font: 12px system-ui, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif; fill: #525d6b; }
.grid { stroke: #d5dbe3; }
.axis { stroke: #7c8795; }
.band { fill: #1a57b5; opacity: 0.16; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.changes { stroke: #1a57b5; }
.all { stroke: #7a4a00; stroke-dasharray: 6 4; }
.reward { stroke: #17663a; stroke-dasharray: 2 4; }
@media (prefers-color-scheme: dark) {
  text { fill: #a0abba; }
  .grid { stroke: #2c3645; }
  .axis { stroke: #77849a; }
  .band { fill: #86b4ff; opacity: 0.2; }
  .changes { stroke: #86b4ff; }
  .all { stroke: #f0c263; }
  .reward { stroke: #7ad6a0; }
}
"""
"""The page's own colours: every text meets WCAG AA on white, and on the page's dark surfaces."""
LEGEND = (
    ("changes", "Changes approved (95 %)"),
    ("all", "All commands approved"),
    ("reward", "Average reward"),
)
AXIS = f"Decided plans; every line is over the last {CURVE_WINDOW} of them"
NARROW_AXIS = f"Decided plans, by the last {CURVE_WINDOW}"


def draw_curve(points: Sequence[CurvePoint], width: int) -> str:
    """The picture, `width` pixels wide; in any other size it scales."""
    canvas = _Canvas(width, points[0].number if points else 0, points[-1].number if points else 0)
    drawing = svg.SVG(
        viewBox=svg.ViewBoxSpec(0, 0, width, canvas.height),
        width=width,
        height=canvas.height,
        extra={"role": "img", "aria-labelledby": f"{TITLE_ID} {DESCRIPTION_ID}"},
        elements=[
            svg.Title(id=TITLE_ID, text=TITLE),
            # The library writes texts as they are.
            svg.Desc(id=DESCRIPTION_ID, text=escape(description_of(points))),
            svg.Style(text=STYLE),
            *_grid(canvas),
            *(_curves(canvas, points) if points else _nothing(canvas)),
            *_legend(canvas),
        ],
    )
    return str(drawing)


def description_of(points: Sequence[CurvePoint]) -> str:
    """What the picture shows, for those who do not see it."""
    if not points:
        return "Nothing was decided yet; the curve begins with the first decision."
    last = points[-1]
    return (
        f"After {counted(last.number, 'decided plan')}, over the last "
        f"{min(CURVE_WINDOW, last.number)}: "
        f"{_changes(last)}; all commands, reads too, {_percent(last.recent_approval_rate)} approved"
        f"{_reward(last)}."
    )


def _changes(last: CurvePoint) -> str:
    """The main line's end."""
    rate, interval = last.recent_change_approval_rate, last.recent_change_interval
    if rate is None or interval is None:
        return "no changing command was decided"
    return (
        f"{_percent(rate)} of the changing commands approved "
        f"(95 %: {_percent(interval.low)} to {_percent(interval.high)})"
    )


def _reward(last: CurvePoint) -> str:
    reward = last.recent_average_reward
    return "" if reward is None else f"; average reward {reward:.2f}"


@dataclass(frozen=True, slots=True)
class _Canvas:
    """Where things are, in pixels from the upper left corner."""

    width: int
    first: int
    """Numbers of the plans at both ends."""
    last: int

    @property
    def right(self) -> float:
        return self.width - RIGHT

    @property
    def bottom(self) -> float:
        """Of the plot."""
        return TOP + PLOT_HEIGHT

    @property
    def columns(self) -> int:
        return max(min((self.width - LEFT) // LEGEND_COLUMN, len(LEGEND)), 1)

    @property
    def height(self) -> int:
        rows = -(-len(LEGEND) // self.columns)
        return TOP + PLOT_HEIGHT + AXIS_HEIGHT + rows * ROW_HEIGHT + TOP

    def x(self, number: int) -> float:
        """Of a plan; the middle while there is one alone."""
        span = self.last - self.first
        share = (number - self.first) / span if span else 0.5
        return round(LEFT + share * (self.right - LEFT), 1)

    def y(self, value: float) -> float:
        """Of a share from 0 to 1."""
        return round(self.bottom - value * PLOT_HEIGHT, 1)


def _grid(canvas: _Canvas) -> Iterator[svg.Element]:
    for tick in TICKS:
        y = canvas.y(tick)
        kind = "grid" if tick else "axis"
        yield svg.Line(x1=LEFT, x2=canvas.right, y1=y, y2=y, class_=[kind])
        yield svg.Text(x=LEFT - 8, y=y + 4, text_anchor="end", text=_percent(tick))


def _curves(canvas: _Canvas, points: Sequence[CurvePoint]) -> Iterator[svg.Element]:
    yield svg.Polygon(class_=["band"], points=_band(canvas, points))
    lines = (
        ("reward", [(point.number, point.recent_average_reward) for point in points]),
        ("all", [(point.number, point.recent_approval_rate) for point in points]),
        ("changes", [(point.number, point.recent_change_approval_rate) for point in points]),
    )
    for kind, values in lines:
        known = [(number, value) for number, value in values if value is not None]
        yield svg.Polyline(class_=["line", kind], points=_line(canvas, known))
    yield from _numbers(canvas)


def _line(canvas: _Canvas, values: Sequence[tuple[int, float]]) -> list[svg.Point]:
    """Through all values; one alone is a short dash, as a point would not be seen."""
    places = [svg.Point(canvas.x(number), canvas.y(value)) for number, value in values]
    if len(places) == 1:
        only = places[0]
        return [svg.Point(only.x - DASH, only.y), svg.Point(only.x + DASH, only.y)]
    return places


def _band(canvas: _Canvas, points: Sequence[CurvePoint]) -> list[svg.Point]:
    """Along the upper ends of the intervals, and back along the lower ones."""
    known = [(point.number, point.recent_change_interval) for point in points]
    there = [(number, interval.high) for number, interval in known if interval]
    back = [(number, interval.low) for number, interval in known if interval]
    return [*_line(canvas, there), *reversed(_line(canvas, back))]


def _numbers(canvas: _Canvas) -> Iterator[svg.Element]:
    middle = (canvas.first + canvas.last) // 2
    numbers = sorted({canvas.first, middle, canvas.last})
    for number in numbers:
        is_end = number == canvas.last and len(numbers) > 1
        yield svg.Text(
            x=canvas.x(number),
            y=canvas.bottom + 18,
            text_anchor="end" if is_end else "middle",
            text=f"{number:,}",
        )
    yield svg.Text(
        x=(LEFT + canvas.right) / 2,
        y=canvas.bottom + 36,
        text_anchor="middle",
        text=AXIS if canvas.width >= USUAL_WIDTH else NARROW_AXIS,
    )


def _nothing(canvas: _Canvas) -> Iterator[svg.Element]:
    yield svg.Text(
        x=(LEFT + canvas.right) / 2,
        y=canvas.y(0.5) - 6,
        text_anchor="middle",
        text="It begins with the first decision.",
    )


def _legend(canvas: _Canvas) -> Iterator[svg.Element]:
    for place, (kind, words) in enumerate(LEGEND):
        row, column = divmod(place, canvas.columns)
        x = LEFT + column * LEGEND_COLUMN
        y = canvas.bottom + AXIS_HEIGHT + (row + 0.5) * ROW_HEIGHT
        if kind == "changes":
            yield svg.Rect(x=x, y=y - 7, width=28, height=14, class_=["band"])
        yield svg.Line(x1=x, x2=x + 28, y1=y, y2=y, class_=["line", kind])
        yield svg.Text(x=x + 36, y=y + 4, text=words)


def _percent(share: float) -> str:
    return f"{round(100 * share)} %"
