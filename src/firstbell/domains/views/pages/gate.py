"""The gate of the installation, live, for its operator."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from litestar import Request, Response, get

from firstbell.domains.people.access import Schools
from firstbell.domains.people.model import Role, only
from firstbell.kernel.html import page
from firstbell.kernel.i18n import mark
from firstbell.kernel.pressure import Point, Pressure
from firstbell.kernel.routes import Priority, route

WIDTH, HEIGHT = 300, 48
"""Of a plot, in its own units."""
_POINTS = 60
"""Of five minutes. A gate that began later has fewer: its line grows from the right."""
_CLASSES = (
    mark("Hand-ins and staying signed in"),
    mark("Today and signing in"),
    mark("Pages and documents"),
    mark("Uploads"),
    mark("Search and the rest"),
)


class Plot(NamedTuple):
    """Figures over the last minutes: what each is `now`, the highest (`top`), and the points of each line."""

    title: str
    now: tuple[float, ...]
    top: float
    lines: tuple[str, ...]


class Row(NamedTuple):
    """Requests a second of one class, now; the `lines` of those asked for and not served at once, and their `top`."""

    title: str
    offered: float
    admitted: float
    shed: float
    top: float
    lines: tuple[str, ...]


_PLOTS: tuple[tuple[str, tuple[Callable[[Point], float], ...]], ...] = (
    (mark("Asked for and let in, each second"), (lambda one: sum(one.offered), lambda one: sum(one.admitted))),
    (mark("Not served at once, each second"), (lambda one: sum(one.shed),)),
    (mark("People in the waiting room"), (lambda one: one.waiting,)),
    (mark("Longest estimate, in seconds"), (lambda one: one.longest_wait_s,)),
    (mark("People let in from it, each second"), (lambda one: one.entries_per_s,)),
    (mark("Requests worked on, of the places for them"), (lambda one: one.inflight, lambda one: one.slots)),
    (mark("Time in the queue, in milliseconds"), (lambda one: one.queuing_ms,)),
    (mark("Brownout: parts of pages left out, 0 to 3"), (lambda one: one.brownout,)),
)


@get("/operator/gate", opt=route(only(Role.OPERATOR), Priority.P1))
async def show_gate(request: Request[Any, Any, Any], schools: Schools, pressure: Pressure) -> Response[Any]:
    """What is asked of the gate and what becomes of it; asks for itself again every two seconds."""
    return page(
        request,
        "views/gate.html",
        pressure=pressure,
        plots=[_plot(title, reads, pressure.points) for title, reads in _PLOTS if pressure.points],
        rows=_rows(pressure.points),
        shed=_shed(pressure, {school.id: school.name for school, _ in schools.all}),
        width=WIDTH,
        height=HEIGHT,
    )


def _plot(title: str, reads: Sequence[Callable[[Point], float]], points: Sequence[Point]) -> Plot:
    values = [[read(point) for point in points] for read in reads]
    top, lines = _drawn(values)
    return Plot(title, tuple(line[-1] for line in values), top, lines)


def _drawn(values: Sequence[Sequence[float]]) -> tuple[float, tuple[str, ...]]:
    """The highest of all these, and their lines on one scale."""
    top = max(value for line in values for value in line)
    return top, tuple(_line(line, max(1.0, top)) for line in values)


def _line(values: Sequence[float], top: float) -> str:
    """The points of a polyline, the latest at the right end."""
    values = values if len(values) > 1 else [*values, *values]
    step = WIDTH / (max(_POINTS, len(values)) - 1)
    left = WIDTH - step * (len(values) - 1)
    return " ".join(
        f"{left + number * step:.1f},{HEIGHT - value / top * HEIGHT:.1f}" for number, value in enumerate(values)
    )


def _rows(points: Sequence[Point]) -> list[Row]:
    rows = []
    for number, title in enumerate(_CLASSES if points else ()):
        last = points[-1]
        drawn = _drawn([[point.offered[number] for point in points], [point.shed[number] for point in points]])
        rows.append(Row(title, last.offered[number], last.admitted[number], last.shed[number], *drawn))
    return rows


def _shed(pressure: Pressure, names: dict[UUID, str]) -> list[tuple[str | None, int, float]]:
    """Each school's name, how many of its requests were not served at once, and the length of its bar."""
    most = max((number for school, number in pressure.most_shed if school), default=1)
    return [
        (names.get(UUID(bytes=school)), number, round(number / most * WIDTH, 1))
        for school, number in pressure.most_shed
        if school
    ]
