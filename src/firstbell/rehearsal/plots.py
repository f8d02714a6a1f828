"""Plots as SVG inside the page: lines over the seconds of a run, drawn with the page's own colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10

WIDTH, HEIGHT = 760, 240
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 14, 28
TICKS = 4
POINTS_MAX = 600
"""More seconds than this are thinned out: a line has no more pixels."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its name, the number of its colour (see the report's style), and a value for each second."""

    name: str
    colour: int
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Span:
    """A phase below the lines."""

    name: str
    from_s: float
    until_s: float


def plot(title: str, unit: str, lines: Sequence[Line], spans: Sequence[Span], *, logarithmic: bool = False) -> str:
    """A figure with its caption, its legend and a description for who does not see it."""
    seconds = max((len(line.values) for line in lines), default=0)
    scale = _Scale(seconds, [value for line in lines for value in line.values if value is not None], logarithmic)
    drawn = "".join(_path(line, scale) for line in lines)
    legend = "".join(f'<li class="c{line.colour}">{escape(line.name)}</li>' for line in lines)
    return (
        f"<figure><figcaption>{escape(title)} <small>{escape(unit)}</small></figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(_described(title, unit, lines))}">'
        f"{_spans(spans, scale)}{_grid(scale)}{drawn}</svg><ul class=legend>{legend}</ul></figure>"
    )


class _Scale:
    """Places seconds and values on the drawing."""

    def __init__(self, seconds: int, values: Sequence[float], logarithmic: bool) -> None:
        self.seconds = max(1, seconds)
        self.logarithmic = logarithmic
        self.top = _round_up(max(values, default=1.0) or 1.0)
        positive = [value for value in values if value > 0]
        self.floor = 10.0 ** floor(log10(min(positive, default=1.0))) if logarithmic else 0.0
        self.top = max(self.top, self.floor * 10 if logarithmic else self.top)

    def x(self, second: float) -> float:
        """From left to right."""
        return LEFT + (WIDTH - LEFT - RIGHT) * second / self.seconds

    def y(self, value: float) -> float:
        """From bottom to top."""
        if self.logarithmic:
            share = log10(max(value, self.floor) / self.floor) / log10(self.top / self.floor)
        else:
            share = value / self.top
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    def marks(self) -> list[float]:
        """The values that have a line of their own."""
        if not self.logarithmic:
            return [self.top * tick / TICKS for tick in range(TICKS + 1)]
        marks, value = [], self.floor
        while value <= self.top:
            marks.append(value)
            value *= 10
        return marks


def _path(line: Line, scale: _Scale) -> str:
    """The line, interrupted where there was nothing to measure."""
    step = max(1, len(line.values) // POINTS_MAX)
    parts, pen = [], "M"
    for second in range(0, len(line.values), step):
        value = line.values[second]
        if value is None:
            pen = "M"
            continue
        parts.append(f"{pen}{scale.x(second + 0.5):.1f} {scale.y(value):.1f}")
        pen = "L"
    return f'<path class="line c{line.colour}" d="{"".join(parts)}"/>' if parts else ""


def _grid(scale: _Scale) -> str:
    rows = "".join(
        f'<path class=rule d="M{LEFT} {scale.y(mark):.1f}H{WIDTH - RIGHT}"/>'
        f'<text class=mark x="{LEFT - 6}" y="{scale.y(mark) + 4:.1f}">{_number(mark)}</text>'
        for mark in scale.marks()
    )
    seconds = "".join(
        f'<text class=tick x="{scale.x(scale.seconds * tick / TICKS):.1f}" y="{HEIGHT - 8}">'
        f"{_clock(scale.seconds * tick / TICKS)}</text>"
        for tick in range(TICKS + 1)
    )
    return rows + seconds


def _spans(spans: Sequence[Span], scale: _Scale) -> str:
    return "".join(
        f'<rect class="span s{number % 2}" x="{scale.x(span.from_s):.1f}" y="{TOP}" '
        f'width="{scale.x(span.until_s) - scale.x(span.from_s):.1f}" height="{HEIGHT - TOP - BOTTOM}"/>'
        f'<text class=phase x="{scale.x(span.from_s) + 5:.1f}" y="{TOP + 13}">{escape(span.name)}</text>'
        for number, span in enumerate(spans)
    )


def _described(title: str, unit: str, lines: Sequence[Line]) -> str:
    highest = (
        f"{line.name} at most {_number(max(values))}"
        for line in lines
        if (values := [value for value in line.values if value is not None])
    )
    return f"{title}, {unit}: {', '.join(highest)}"


def _round_up(value: float) -> float:
    """The next of 1, 2, 4, 5, 8 or 10 times a power of ten."""
    power = 10.0 ** floor(log10(value))
    return next(step * power for step in (1, 2, 4, 5, 8, 10) if step * power >= value * 0.999)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= TICKS or value == 0 else f"{value:.2g}"


def _clock(second: float) -> str:
    minutes, rest = divmod(round(second), 60)
    return f"{minutes}:{rest:02}"
