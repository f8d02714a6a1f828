"""What the gate did, counted in plain numbers on the way and handed to Prometheus each second."""

from enum import IntEnum
from typing import NamedTuple

from prometheus_client import Counter, Gauge

from firstbell.kernel.routes import Priority


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
    DEVICE = 8
    """One device that asks for more than a person can."""
    LARGE = 9
    SLOW = 10
    """A body over its limit, or that did not arrive in time."""
    UNREAD = 11
    """An answer of which nobody read on."""
    PUZZLE = 12
    BID = 13
    OUTBID = 14
    """Work asked for; shown, and let in by it; shown, when others showed more."""


_NOT_NOW = (Outcome.CUT, Outcome.FULL, Outcome.LATE)
"""Told to people who are inside, who ask again."""

DECISIONS = Counter("firstbell_gate_decisions_total", "Decisions of the gate", ["priority", "outcome"])
SHED = Counter("firstbell_gate_shed_total", "Requests not served at once, by the id of the school", ["school"])
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


class Figures:
    """The counts of one worker."""

    def __init__(self) -> None:
        self.by_class = [[0] * len(Outcome) for _ in Priority]
        self.shed_by_school: dict[bytes, int] = {}
        self._decisions = [
            [DECISIONS.labels(priority.name, outcome.name.lower()) for outcome in Outcome] for priority in Priority
        ]

    def count(self, priority: Priority, outcome: Outcome, school: bytes) -> None:
        """Count one decision."""
        self.by_class[priority][outcome] += 1
        if outcome is not Outcome.ADMITTED:
            self.shed_by_school[school] = self.shed_by_school.get(school, 0) + 1

    def asked(self) -> int:
        """Requests of people who are inside, in this second."""
        return self.cut() + sum(row[Outcome.ADMITTED] for row in self.by_class)

    def cut(self) -> int:
        """How many of these were not served, and are asked for again."""
        return sum(row[outcome] for row in self.by_class for outcome in _NOT_NOW)

    def refused(self) -> int:
        """Requests that were answered without work, in this second."""
        return sum(sum(row) - row[Outcome.ADMITTED] for row in self.by_class)

    def close_second(self, state: State) -> "Counts":
        """Hand over what was counted since the last call."""
        for row, decisions in zip(self.by_class, self._decisions, strict=True):
            for outcome, number in enumerate(row):
                if number:
                    decisions[outcome].inc(number)
        for school, number in self.shed_by_school.items():
            SHED.labels(school.hex()).inc(number)
        for name, value in state._asdict().items():
            STATE.labels(name).set(value)
        counts = Counts(self.by_class, self.shed_by_school)
        self.by_class = [[0] * len(Outcome) for _ in Priority]
        self.shed_by_school = {}
        return counts


class Counts(NamedTuple):
    """Decisions by class and outcome, and what was not served at once by the id of the school."""

    by_class: list[list[int]]
    shed: dict[bytes, int]
