"""Draws curves over seconds as SVG that is readable on light and dark pages; no plotting library, no script."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH: Final = 760
HEIGHT: Final = 300
LEFT: Final = 52
RIGHT: Final = 12
TOP: Final = 62
BOTTOM: Final = 34
# Halfway between black and white each, so that all of them stand out from both.
INK: Final = "#7a828c"
COLOURS: Final = ("#d9762b", "#2a8fbd")
LINES: Final = 5


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve.

    Attributes:
        label: its name.
        values: one a second.
    """

    label: str
    values: Sequence[int]


def draw(title: str, curves: Sequence[Curve], *, first_s: int, outage_s: tuple[int, int]) -> str:
    """Draw curves with a title.

    Args:
        title: what is seen.
        curves: at most two, the one behind first.
        first_s: the second of the first value.
        outage_s: a time that is shaded, from and to.
    """
    step = _step(max(max(one.values) for one in curves))
    most = step * LINES
    plot = _Plot(len(curves[0].values), most, first_s)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f'<g font-family="sans-serif" font-size="12" fill="{INK}">',
        f"<title>{escape(title)}</title>",
        f'<text x="{LEFT}" y="18" font-size="14">{escape(title)}</text>',
        *_shade(plot, outage_s),
        *_axes(plot, step),
        *(line for number, one in enumerate(curves) for line in _curve(plot, one, number)),
        "</g>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


@dataclass(frozen=True, slots=True)
class _Plot:
    """Where values stand.

    Attributes:
        count: how many seconds are seen.
        most: the value at the top.
        first_s: the second at the left.
    """

    count: int
    most: int
    first_s: int

    def x(self, second: float) -> float:
        """Across, of a second."""
        return round(LEFT + (second - self.first_s) * (WIDTH - LEFT - RIGHT) / self.count, 1)

    def y(self, value: float) -> float:
        """Down, of a value."""
        return round(HEIGHT - BOTTOM - value * (HEIGHT - TOP - BOTTOM) / self.most, 1)


def _shade(plot: _Plot, outage_s: tuple[int, int]) -> Iterator[str]:
    left, right = (plot.x(one) for one in outage_s)
    yield (
        f'<rect x="{left}" y="{TOP}" width="{round(right - left, 1)}" height="{HEIGHT - TOP - BOTTOM}" '
        f'fill="{INK}" fill-opacity="0.14"/>'
    )
    yield f'<text x="{round((left + right) / 2, 1)}" y="{TOP + 16}" text-anchor="middle">no line to the backend</text>'


def _axes(plot: _Plot, step: int) -> Iterator[str]:
    for value in range(0, plot.most + 1, step):
        y = plot.y(value)
        yield (
            f'<line x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}" stroke="{INK}" '
            f'stroke-opacity="{1 if value == 0 else 0.25}"/>'
        )
        yield f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{value:,}</text>'
    for second in range(plot.first_s, plot.first_s + plot.count + 1, 10):
        yield f'<text x="{plot.x(second)}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{second} s</text>'


def _curve(plot: _Plot, curve: Curve, number: int) -> Iterator[str]:
    """A line of steps: what is counted in a second is as high for all of it."""
    steps = [f"M{plot.x(plot.first_s)},{plot.y(curve.values[0])}"]
    for second, value in enumerate(curve.values, plot.first_s):
        steps.append(f"V{plot.y(value)}H{plot.x(second + 1)}")
    colour = COLOURS[number]
    yield f'<path d="{"".join(steps)}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
    x = LEFT + number * 220
    yield f'<line x1="{x}" y1="38" x2="{x + 24}" y2="38" stroke="{colour}" stroke-width="3"/>'
    yield f'<text x="{x + 30}" y="42">{escape(curve.label)}</text>'


def _step(highest: int) -> int:
    """The distance of the lines across, as a round number."""
    digits = 1
    while True:
        for one in (1, 2, 5):
            if one * digits * LINES >= highest:
                return one * digits
        digits *= 10
