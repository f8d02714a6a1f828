"""How many requests a worker works on at once, found from how long callbacks wait for the event loop.

Additive increase, multiplicative decrease (Chiu and Jain, 1989) on queuing time, the signal of DAGOR: response times
also grow with what is asked for, and processor use says nothing once it is full. ADR 5 compares
this with a gradient of response times.
"""

from typing import NamedTuple


class WindowReport(NamedTuple):
    """What one window told. Times are mean seconds; `waited`: somebody waited for a slot."""

    lag_s: float
    slot_wait_s: float
    waited: bool


class QueuingLimit:
    """One more slot after a window in which somebody waited and the loop was free; a tenth fewer when it was not."""

    DECREASE = 0.9

    def __init__(self, *, start: int, least: int, most: int, lag_s_max: float) -> None:
        self._least = least
        self._most = most
        self._lag_s_max = lag_s_max
        self._exact = float(start)

    @property
    def slots(self) -> int:
        """The limit now."""
        return int(self._exact)

    def learn(self, window: WindowReport) -> None:
        """Move by what a window told."""
        if window.lag_s > self._lag_s_max:
            self._exact = max(self._least, self._exact * self.DECREASE)
        elif window.waited and window.lag_s < self._lag_s_max / 2:
            self._exact = min(self._most, self._exact + 1)
