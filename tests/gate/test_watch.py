"""What the operator learns of the gates of all workers."""

from datetime import UTC, datetime, timedelta

import pytest

from firstbell.gate.figures import Counts, Figures, Outcome, State
from firstbell.gate.watch import SLOT_S, SLOTS, SUBJECT, Watch
from firstbell.kernel.clock import StoppedClock
from firstbell.kernel.routes import Priority

pytestmark = pytest.mark.anyio
CALM = State(16, 3, 0, 1.5, 639, 0, 0.0, 0.0, 0)
PRESSED = State(8, 8, 40, 25.0, 200, 120, 60.0, 2.0, 2)


class Cell:
    """Workers that hear each other on one stopped clock."""

    def __init__(self, workers: int) -> None:
        self.clock = StoppedClock(datetime(2026, 9, 1, 6, 30, tzinfo=UTC))
        self.sent: list[bytes] = []
        self.watches = [Watch(self.clock, self._publish) for _ in range(workers)]

    def _publish(self, subject: str, payload: bytes) -> bool:
        assert subject == SUBJECT
        self.sent.append(payload)
        return True

    async def second(self, *states: State, counts: Counts) -> None:
        """Each worker tells a second, and everybody hears it."""
        for watch, state in zip(self.watches, states, strict=True):
            watch.tell(1.0, state, counts)
        for payload in self.sent:
            for watch in self.watches:
                await watch.hear(payload)
        self.sent.clear()
        self.clock.instant += timedelta(seconds=1)


def counts_of(admitted: int, cut: int, school: bytes = b"s" * 16) -> Counts:
    figures = Figures()
    for outcome, number in ((Outcome.ADMITTED, admitted), (Outcome.CUT, cut)):
        for _ in range(number):
            figures.count(Priority.P2, outcome, school)
    return Counts(figures.by_class, figures.shed_by_school)


async def test_the_figures_of_all_workers_come_together_at_each_of_them() -> None:
    cell = Cell(3)
    for _ in range(SLOT_S):
        await cell.second(CALM, CALM, PRESSED, counts=counts_of(10, 4))
    for watch in cell.watches:
        pressure = watch.pressure()
        [point] = pressure.points
        assert (pressure.workers, pressure.hears_others) == (3, True)
        assert (point.offered[Priority.P2], point.admitted[Priority.P2], point.shed[Priority.P2]) == (42, 30, 12)
        assert (point.slots, point.inflight, point.entries_per_s) == (40, 14, 2.0)
        assert (point.waiting, point.longest_wait_s, point.queuing_ms, point.brownout) == (120, 60.0, 25.0, 2)
        assert pressure.most_shed == [(b"s" * 16, 60)]


async def test_only_the_last_five_minutes_are_remembered() -> None:
    cell = Cell(1)
    for _ in range(3 * SLOT_S * SLOTS):
        await cell.second(CALM, counts=counts_of(1, 0))
    assert len(cell.watches[0].pressure().points) == SLOTS
    cell.clock.instant += timedelta(hours=1)
    assert cell.watches[0].pressure().points == []


async def test_a_worker_that_reaches_nobody_says_so() -> None:
    watch = Watch(StoppedClock(datetime(2026, 9, 1, 6, 30, tzinfo=UTC)), lambda subject, payload: False)
    watch.tell(1.0, CALM, counts_of(1, 0))
    assert not watch.pressure().hears_others
