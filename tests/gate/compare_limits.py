"""The experiment behind docs/decisions/0005-admission.md: `python -m tests.gate.compare_limits` prints its table.

With the name of a file it draws the plot there.

Limits that learn and limits that do not, on one simulated worker whose capacity is about 1,950 requests a second on one
core; the same seeds for all.
"""

import math
import sys
from collections import deque
from pathlib import Path
from typing import NamedTuple

from firstbell.gate.admission import Limit
from firstbell.gate.limit import QueuingLimit, WindowReport
from tests.gate.limits_plot import Point, draw
from tests.gate.simulation import Simulation

CAPACITIES = {1: 1_950.0, 2: 3_200.0}
"""Requests a second that the simulated worker serves, by cores."""

PLOTTED = (0.8, 1, 1.5, 2, 3, 5, 10)


class FixedLimit:
    """Does not learn."""

    def __init__(self, slots: int) -> None:
        self.slots = slots

    def learn(self, window: WindowReport) -> None:
        """Nothing."""


class GradientLimit:
    """The gradient of response times: how the recent 90th percentile stands to a slow baseline.

    queue = limit x (1 - baseline / recent); below 3 log10(limit) one step up, above 6 log10(limit) one step down, each
    step log10(limit), and never more than five times what is in flight.
    """

    def __init__(self, start: int, least: int, most: int) -> None:
        self._least, self._most = least, most
        self._exact = float(start)
        self._recent: deque[float] = deque(maxlen=300)
        self._baseline_s = 0.0
        self._inflight = 0

    @property
    def slots(self) -> int:
        """The limit now."""
        return int(self._exact)

    def sample(self, seconds: float, inflight: int) -> None:
        """One response."""
        self._recent.append(seconds)
        self._inflight = max(self._inflight, inflight)

    def learn(self, window: WindowReport) -> None:
        """Move by what a window told."""
        if not self._recent:
            return
        recent_s = sorted(self._recent)[int(0.9 * len(self._recent))]
        self._baseline_s = recent_s if not self._baseline_s else self._baseline_s * 0.98 + recent_s * 0.02
        step = max(1.0, math.log10(self._exact))
        queue = self._exact * (1 - min(1.0, self._baseline_s / recent_s))
        if queue > 6 * math.log10(self._exact):
            self._exact -= step
        elif queue < 3 * math.log10(self._exact):
            self._exact += step
        self._exact = min(max(self._exact, self._least), self._most, max(5 * self._inflight, self._least))
        self._inflight = 0
        self._recent.clear()


class Outcome(NamedTuple):
    """One row of the table; seconds are p99 from the intended start."""

    goodput_rps: float
    p0_served: float
    p1_s: float
    slots: int


def play(seed: int, limit: Limit, times: float, *, cores: int, capacity_rps: float, seconds: float = 7) -> Outcome:
    """`times` the capacity, after a calm beginning."""
    simulation = Simulation(seed, limit, cores=cores)
    simulation.offer(lambda now: capacity_rps * (0.8 if now < 5 else times), 5 + seconds)
    simulation.run_until(8)
    simulation.measure_from_now()
    simulation.run_until(6 + seconds)
    first, second = simulation.by_class[0], simulation.by_class[1]
    return Outcome(
        simulation.served / (seconds - 3),
        first.served / max(1, first.offered),
        second.percentile(0.99),
        limit.slots,
    )


def limits() -> dict[str, Limit]:
    """Those that are compared, by name, as they begin."""
    return {
        "queuing time": QueuingLimit(start=8, least=4, most=16, lag_s_max=0.005),
        "gradient": GradientLimit(16, 4, 200),
        "fixed 4": FixedLimit(4),
        "fixed 16": FixedLimit(16),
        "fixed 200": FixedLimit(200),
    }


def print_table() -> None:
    """As Markdown."""
    print("| cores | limit | offered | goodput/s | P0 served | p99 of P1, ms | slots at the end |")
    print("|---|---|---|---|---|---|---|")
    for cores, capacity_rps in CAPACITIES.items():
        for times in (0.8, 2, 10) if cores == 1 else (0.8, 2, 5):
            for name, limit in limits().items():
                got = play(1, limit, times, cores=cores, capacity_rps=capacity_rps)
                print(
                    f"| {cores} | {name} | {times}x | {got.goodput_rps:,.0f} | {got.p0_served:.4f} "
                    f"| {got.p1_s * 1000:.0f} | {got.slots} |",
                    flush=True,
                )


def plot(file: Path) -> None:
    """One core, drawn."""
    points: dict[str, list[Point]] = {name: [] for name in limits()}
    for times in PLOTTED:
        for name, limit in limits().items():
            got = play(1, limit, times, cores=1, capacity_rps=CAPACITIES[1])
            points[name].append(Point(times, got.goodput_rps, got.p1_s * 1_000))
    file.write_text(draw(points))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        plot(Path(sys.argv[1]))
    else:
        print_table()
