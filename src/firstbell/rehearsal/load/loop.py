"""What drives a generator: due moments and sockets, looked at together once a millisecond."""

import select
import time
from collections.abc import Callable
from heapq import heappop, heappush

TURN_S = 0.001
"""What is due and what has come within a millisecond is done together: waking for each costs more than doing it."""

AT_ONCE_MAX = 8
"""So many due acts and so many sockets in one turn, so that neither keeps the other waiting."""


class Loop:
    """Calls what is due and whose socket is ready, in turns.

    Plain calls on bare sockets: tasks, futures and transports for a hundred thousand people would cost a generator more
    than all the rest. `note_lag` is told how late each due act is, and when.
    """

    def __init__(self, begins_at: float, note_lag: Callable[[float, float], None]) -> None:
        self._begins_at = begins_at
        self._note_lag = note_lag
        self._epoll = select.epoll()
        self._ready: dict[int, Callable[[], None]] = {}
        self._due: list[tuple[float, int, Callable[[float], None]]] = []
        self._serial = 0

    def now(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._begins_at

    @property
    def sockets(self) -> int:
        """How many are watched."""
        return len(self._ready)

    def at(self, due_s: float, act: Callable[[float], None]) -> None:
        """Call `act` with `due_s` when that second has come."""
        self._serial += 1
        heappush(self._due, (due_s, self._serial, act))

    def watch(self, number: int, events: int, ready: Callable[[], None]) -> None:
        """Call `ready` whenever the socket of that number has one of `events`, now and then for nothing.

        A socket that was forgotten within this turn may have left its event to the one that has its number now.
        """
        if number in self._ready:
            self._epoll.modify(number, events)
        else:
            self._epoll.register(number, events)
        self._ready[number] = ready

    def forget(self, number: int) -> None:
        """Watch no more; call this before the socket is closed, which is what takes it from the kernel's list."""
        self._ready.pop(number, None)

    def run(self, until_s: float) -> None:
        """Play until that second has come."""
        while (begun_s := self.now()) < until_s:
            is_more_heard, is_more_due = self._hear(), self._act()
            rest_s = begun_s + TURN_S - self.now()
            if rest_s > 0 and not is_more_heard and not is_more_due:
                time.sleep(rest_s)

    def close(self) -> None:
        """Nothing is watched any more."""
        self._epoll.close()

    def _hear(self) -> bool:
        """Let those act who have something to read or room to write; True when there may be more of them."""
        events = self._epoll.poll(0, AT_ONCE_MAX)
        for number, _events in events:
            ready = self._ready.get(number)
            if ready is not None:
                ready()
        return len(events) == AT_ONCE_MAX

    def _act(self) -> bool:
        """Do what is due; True when there may be more of it."""
        for _ in range(AT_ONCE_MAX):
            if not self._due or self._due[0][0] > (now_s := self.now()):
                return False
            due_s, _serial, act = heappop(self._due)
            self._note_lag(now_s, now_s - due_s)
            act(due_s)
        return True
