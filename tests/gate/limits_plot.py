"""The plot beside docs/decisions/0005-admission.md: goodput and p99 of each limit at each load."""

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 400, 64, 20, 64, 72
GAP = 84
PANEL = (WIDTH - LEFT - RIGHT - GAP) / 2
COLOURS = (("#2456a6", "#86b1f7"), ("#b3541e", "#f0a36b"), ("#18794e", "#6fd0a2"), ("#6d4aa3", "#bfa3ee"),
           ("#a8324a", "#f08ca0"))  # fmt: skip
"""For paper and for the dark, one for each limit."""

DASHES = ("", "7 3", "2 3", "9 3 2 3", "13 4")


class Point(NamedTuple):
    """One limit at one load; `offered` as a multiple of capacity."""

    offered: float
    goodput_rps: float
    p99_ms: float


class _Panel(NamedTuple):
    title: str
    left: float
    marks: Sequence[float]
    value: Callable[[Point], float]
    is_logarithmic: bool

    def x(self, offered: float, loads: Sequence[float]) -> float:
        span = math.log(loads[-1] / loads[0])
        return self.left + PANEL * math.log(offered / loads[0]) / span

    def y(self, value: float) -> float:
        low, high = self.marks[0], self.marks[-1]
        share = math.log(max(value, low) / low) / math.log(high / low) if self.is_logarithmic else value / high
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share


def draw(points: Mapping[str, Sequence[Point]]) -> str:
    """An SVG that reads in the light and in the dark."""
    loads = [point.offered for point in next(iter(points.values()))]
    panels = (
        _Panel("Goodput, requests a second", LEFT, (0, 500, 1_000, 1_500, 2_000), lambda p: p.goodput_rps, False),
        _Panel("p99 of P1, ms", LEFT + PANEL + GAP, (1, 10, 100, 1_000), lambda p: p.p99_ms, True),
    )
    parts = "".join(_panel(panel, points, loads) for panel in panels)
    light = "".join(f".c{number}{{stroke:{pair[0]}}}" for number, pair in enumerate(COLOURS))
    dark = "".join(f".c{number}{{stroke:{pair[1]}}}" for number, pair in enumerate(COLOURS))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
        "<title>Goodput and p99 of five limits from 0.8 to 10 times the capacity of one core</title>"
        f"<style>text{{font:13px system-ui,sans-serif;fill:#5a678a}}.t{{font-weight:600;fill:#1d2b4f}}"
        f".g{{stroke:#dfdccf;fill:none}}.l{{fill:none;stroke-width:2}}.b{{fill:#fdfcf8}}{light}"
        f"@media(prefers-color-scheme:dark){{text{{fill:#a3aecb}}.t{{fill:#e9ecf5}}.g{{stroke:#313b57}}"
        f".b{{fill:#131a2b}}{dark}}}</style>"
        f'<rect class="b" width="{WIDTH}" height="{HEIGHT}"/>{_legend(list(points))}{parts}</svg>\n'
    )


def _legend(names: Sequence[str]) -> str:
    return "".join(
        f'<path class="l c{number}" stroke-dasharray="{DASHES[number]}" d="M{LEFT + number * 155} 20h28"/>'
        f'<text x="{LEFT + number * 155 + 36}" y="24">{escape(name)}</text>'
        for number, name in enumerate(names)
    )


def _panel(panel: _Panel, points: Mapping[str, Sequence[Point]], loads: Sequence[float]) -> str:
    rows = "".join(
        f'<path class="g" d="M{panel.left:.1f} {panel.y(mark):.1f}h{PANEL:.1f}"/>'
        f'<text x="{panel.left - 8:.1f}" y="{panel.y(mark) + 4:.1f}" text-anchor="end">{mark:,}</text>'
        for mark in panel.marks
    )
    ticks = "".join(
        f'<text x="{panel.x(load, loads):.1f}" y="{HEIGHT - BOTTOM + 22}" text-anchor="middle">{load:g}x</text>'
        for load in loads
    )
    lines = "".join(
        f'<path class="l c{number}" stroke-dasharray="{DASHES[number]}" d="M'
        + "L".join(f"{panel.x(p.offered, loads):.1f} {panel.y(panel.value(p)):.1f}" for p in of_limit)
        + '"/>'
        for number, of_limit in enumerate(points.values())
    )
    return (
        f'<text class="t" x="{panel.left}" y="{TOP - 14}">{escape(panel.title)}</text>{rows}{ticks}{lines}'
        f'<text x="{panel.left + PANEL / 2:.1f}" y="{HEIGHT - BOTTOM + 46}" text-anchor="middle">'
        "offered, times the capacity</text>"
    )
