"""What the gate did, counted in plain numbers on the way and handed to Prometheus and the operator page each second."""

from collections import deque
from enum import IntEnum
from typing import NamedTuple

from prometheus_client import Counter, Gauge

from firstbell.kernel.routes import Priority

HISTORY_S = 120
"""Seconds that the operator page looks back."""


class Outcome(IntEnum):
    """What became of a request."""

    ADMITTED = 0
    WAITED = 1
    """In the waiting room: a page with a place in the line."""
    CUT = 2
    FULL = 3
    LATE = 4
    GONE = 5
    HASHING = 6
    OUTSIDE = 7
    """A program that is not inside while others wait."""


DECISIONS = Counter("firstbell_gate_decisions_total", "Decisions of the gate", ["priority", "outcome"])
STATE = Gauge(
    "firstbell_gate_state", "The gate of a worker: slots, queue, waiting, entries a second and so on", ["what"],
    multiprocess_mode="livesum",
)  # fmt: skip


class State(NamedTuple):
    """How the gate of one worker stands. Times in milliseconds."""

    slots: int
    inflight: int
    queued: int
    queuing_ms: float
    cut: int
    waiting: int
    longest_wait_s: float
    entries_per_s: float
    brownout: int


class Second(NamedTuple):
    """One second of one worker: the decisions by outcome, and the state at its end."""

    by_outcome: tuple[int, ...]
    state: State


class Figures:
    """The counts of one worker."""

    def __init__(self) -> None:
        self.by_class = [[0] * len(Outcome) for _ in Priority]
        self.totals = [[0] * len(Outcome) for _ in Priority]
        self.shed_by_school: dict[bytes, int] = {}
        self.history: deque[Second] = deque(maxlen=HISTORY_S)
        self._decisions = [
            [DECISIONS.labels(priority.name, outcome.name.lower()) for outcome in Outcome] for priority in Priority
        ]

    def count(self, priority: Priority, outcome: Outcome, school: bytes) -> None:
        """Count one decision."""
        self.by_class[priority][outcome] += 1
        if outcome is not Outcome.ADMITTED:
            self.shed_by_school[school] = self.shed_by_school.get(school, 0) + 1

    def close_second(self, state: State) -> None:
        """Hand over what was counted since the last call."""
        by_outcome = tuple(sum(row[outcome] for row in self.by_class) for outcome in Outcome)
        self.history.append(Second(by_outcome, state))
        for row, total, decisions in zip(self.by_class, self.totals, self._decisions, strict=True):
            for outcome, number in enumerate(row):
                if number:
                    decisions[outcome].inc(number)
                    total[outcome] += number
        for name, value in state._asdict().items():
            STATE.labels(name).set(value)
        self.by_class = [[0] * len(Outcome) for _ in Priority]
