"""Admission: which requests a worker works on now, which wait a moment, which are told when to come back.

Time comes in with every call, so that a morning can be replayed. Nothing here does I/O or knows of a framework.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from firstbell.gate.bearable import Bearable
from firstbell.gate.cursor import Cursors
from firstbell.gate.limit import WindowReport
from firstbell.gate.queue import Bounds, Queue, Waiting
from firstbell.kernel.routes import Priority

PRESSED_SHARE = 0.35
"""Of the queue: what a worker serves in a third of the time that a request may wait."""


class Limit(Protocol):
    """A number of slots that learns."""

    @property
    def slots(self) -> int:
        """The limit now."""

    def learn(self, window: WindowReport) -> None:
        """Move by what a window told."""


class Verdict(Enum):
    """What becomes of a request when it arrives."""

    ADMITTED = "admitted"
    CUT = "cut"
    FULL = "full"


@dataclass(slots=True)
class _Window:
    """What is counted between two looks. `passed` are the arrivals that the cursor let through."""

    began: float
    arrivals: int = 0
    passed: int = 0
    ticks: int = 0
    wait_s: float = 0.0
    lag_s: float = 0.0
    waited: bool = False


class Admission:
    """Slots, queue and cursor of one worker."""

    def __init__(
        self, bounds: Bounds, limit: Limit, now: float, size_of: Callable[[bytes], float] = lambda school: 1.0
    ) -> None:
        self.bounds = bounds
        self.limit = limit
        self.cursors = Cursors(size_of)
        self.queue = Queue(bounds)
        self.inflight = 0
        self.is_overloaded = False
        self.queuing_s = 0.0
        self._expected = 0
        self._coming = 0
        self._held: dict[bytes, int] = {}
        self._used_s = 0.0
        self._begin_window(now)

    @property
    def bearable(self) -> Bearable:
        """What this worker can work on."""
        return self.cursors.bearable

    @property
    def is_pressed(self) -> bool:
        """True when so many are in the queue that nobody more should come: a storm shows here before it is measured."""
        return self.queue.size + self._expected >= self.bounds.queue_max * PRESSED_SHARE

    def expect(self) -> None:
        """Somebody new was let in, whose request arrives in a moment."""
        self._expected += 1

    def turn_away(self, school: bytes, priority: Priority, level: int) -> Verdict | None:
        """Decide on one request: CUT, FULL, or None for one that is to `enter` in a moment."""
        cursor = self.cursors.of(school)
        self._expected = max(0, self._expected - 1)
        self._window.arrivals += 1
        if not cursor.admits(level):
            return Verdict.CUT
        self._window.passed += 1
        if not self._has_slot_for(school, self._coming) and self._is_full_for(school, priority):
            self._window.waited = True
            self._window.wait_s += self.bounds.wait_s_max
            return Verdict.FULL
        self._coming += 1
        return None

    def enter(self, school: bytes, priority: Priority, now: float) -> Verdict | Waiting:
        """ADMITTED, who must `leave`, or a `Waiting`, which is in the queue.

        In the task of the request: what is given here must find somebody to give it back.
        """
        self._coming = max(0, self._coming - 1)
        if self._has_slot_for(school):
            self.cursors.of(school).worked += 1
            self._take_slot(school)
            return Verdict.ADMITTED
        self._window.waited = True
        waiting = Waiting(school, priority, now)
        self.queue.put(waiting)
        return waiting

    def leave(self, school: bytes, now: float) -> None:
        """Give a slot back; whoever is next gets it."""
        self._release(school)
        self._fill(now)

    def step_in(self, school: bytes) -> None:
        """Take a slot again after `leave`, at once, since the work has begun."""
        self._take_slot(school)

    def tick(self, now: float, lag_s: float, used_s: Callable[[], float]) -> bool:
        """Each few milliseconds: `lag_s` is how late this call came. True when a window was closed.

        For each window it is asked once how many seconds were used of what the worker has, since it began.
        """
        self._expected = self._coming = 0  # they have arrived, or gone
        self._window.lag_s += lag_s
        self._window.ticks += 1
        for waiting in self.queue.drop_late(now):
            self._dismiss(waiting)
        self._fill(now)
        is_over = (
            now - self._window.began >= self.bounds.window_s or self._window.arrivals >= self.bounds.window_requests
        )
        if is_over and self._window.ticks:
            self._close_window(now, used_s())
        return is_over

    def _fill(self, now: float) -> None:
        while self.queue.size and self.inflight < self.limit.slots:
            waiting = self.queue.take(self._may_have_slot, now)
            if waiting is None:
                return
            if self.queue.is_late(waiting, now) or waiting.is_gone():
                self._dismiss(waiting)
                continue
            self._window.wait_s += now - waiting.since
            self.cursors.of(waiting.school).worked += 1
            self._take_slot(waiting.school)
            waiting.wake(True)

    def _dismiss(self, waiting: Waiting) -> None:
        # Counts as a full wait however short it was, or a short deadline would hide that there is no room.
        self._window.wait_s += self.bounds.wait_s_max
        waiting.wake(False)

    def _is_full_for(self, school: bytes, priority: Priority) -> bool:
        room = self.bounds.queue_max * (2 if priority is Priority.P0 else 1)
        if self.queue.size + self._coming >= room:
            return True
        is_alone = len(self.cursors.by_school) == 1
        return not is_alone and self.queue.size_of(school) >= room * self.bounds.school_share

    def _has_slot_for(self, school: bytes, coming: int = 0) -> bool:
        return self.inflight + coming < self.limit.slots and not self.queue.size and self._may_have_slot(school)

    def _may_have_slot(self, school: bytes) -> bool:
        if len(self.cursors.by_school) == 1:
            return True
        return self._held.get(school, 0) < max(1, self.limit.slots * self.bounds.school_share)

    def _take_slot(self, school: bytes) -> None:
        self.inflight += 1
        self._held[school] = self._held.get(school, 0) + 1

    def _release(self, school: bytes) -> None:
        self.inflight -= 1
        if self._held[school] == 1:
            del self._held[school]
        else:
            self._held[school] -= 1

    def _begin_window(self, now: float) -> None:
        self._window = _Window(now)

    def _close_window(self, now: float, used_s: float) -> None:
        lag_s = self._window.lag_s / self._window.ticks
        wait_s = self._window.wait_s / self._window.passed if self._window.passed else 0.0
        # Lateness that few requests did not make is another program's: refusing them would gain nothing.
        is_ours = self._window.waited or self._window.arrivals >= self.bounds.window_requests_min
        self.queuing_s = lag_s + wait_s if is_ours else 0.0
        self.is_overloaded = self.queuing_s > self.bounds.queuing_s_max
        seconds = max(now - self._window.began, 1e-3)
        self.limit.learn(WindowReport(lag_s, wait_s, self._window.waited))
        busy, self._used_s = min(1.0, (used_s - self._used_s) / seconds), used_s
        self.cursors.close_window(seconds, busy, is_overloaded=self.is_overloaded)
        self._begin_window(now)
