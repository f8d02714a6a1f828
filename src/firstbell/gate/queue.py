"""Requests that wait a moment for a slot.

Deadlines and order as in Maurer, "Fail at scale" (ACM Queue, 2015): a short wait is a burst, a line that never becomes
empty is overload, and then the newest are the ones whose readers still look. Each school has a line of its own, so that
one which stands does not shorten the patience with another.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import NamedTuple

from firstbell.kernel.routes import Priority


class Bounds(NamedTuple):
    """The numbers of admission; `settings.py` says why. Times in seconds."""

    queue_max: int
    school_share: float
    wait_s_max: float
    wait_standing_s_max: float
    wait_first_s_max: float
    queuing_s_max: float
    window_s: float
    window_requests: int
    window_requests_min: int


class Waiting:
    """One request in the queue. `wake` is called once: True for a slot, False when the wait was in vain."""

    __slots__ = ("is_gone", "priority", "school", "since", "wake")

    def __init__(self, school: bytes, priority: Priority, since: float) -> None:
        self.school = school
        self.priority = priority
        self.since = since
        self.wake: Callable[[bool], None] = _nobody
        self.is_gone: Callable[[], bool] = _never


def _nobody(_: bool) -> None:
    """Replaced as soon as somebody waits."""


def _never() -> bool:
    return False


class _Line:
    """The requests of one school by class; `began` is when it was last empty."""

    __slots__ = ("began", "by_class")

    def __init__(self, now: float) -> None:
        self.began = now
        self.by_class: tuple[deque[Waiting], ...] = tuple(deque() for _ in Priority)


class Queue:
    """Schools in turn, in each the most urgent class first."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._lines: OrderedDict[bytes, _Line] = OrderedDict()
        self.size = 0

    def size_of(self, school: bytes) -> int:
        """How many of a school wait."""
        line = self._lines.get(school)
        return 0 if line is None else sum(map(len, line.by_class))

    def put(self, waiting: Waiting) -> None:
        """Wait at the end of the own class."""
        line = self._lines.get(waiting.school)
        if line is None:
            line = self._lines[waiting.school] = _Line(waiting.since)
        line.by_class[waiting.priority].append(waiting)
        self.size += 1

    def take(self, may_have_slot: Callable[[bytes], bool], now: float) -> Waiting | None:
        """The next one: from the first school in turn that may have a slot; the newest when its line stands."""
        for school, line in self._lines.items():
            if may_have_slot(school):
                urgent = next(part for part in line.by_class if part)
                waiting = urgent.pop() if self._stands(line, now) else urgent.popleft()
                self.size -= 1
                if any(line.by_class):
                    self._lines.move_to_end(school)
                else:
                    del self._lines[school]
                return waiting
        return None

    def drop_late(self, now: float) -> list[Waiting]:
        """Remove who has waited too long."""
        dropped = []
        for school, line in list(self._lines.items()):
            for priority, part in zip(Priority, line.by_class, strict=True):
                oldest = now - self._patience_s(line, priority, now)
                while part and part[0].since < oldest:
                    dropped.append(part.popleft())
            if not any(line.by_class):
                del self._lines[school]
        self.size -= len(dropped)
        return dropped

    def is_late(self, waiting: Waiting, now: float) -> bool:
        """True when somebody who was taken has waited too long."""
        line = self._lines.get(waiting.school)
        return now - waiting.since > self._patience_s(line, waiting.priority, now)

    def _patience_s(self, line: _Line | None, priority: Priority, now: float) -> float:
        if priority is Priority.P0:
            return self._bounds.wait_first_s_max
        is_standing = line is not None and self._stands(line, now)
        return self._bounds.wait_standing_s_max if is_standing else self._bounds.wait_s_max

    def _stands(self, line: _Line, now: float) -> bool:
        return now - line.began > self._bounds.wait_s_max
