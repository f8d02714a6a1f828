"""Whom the edge calls: they waited in its line, and come in without another wait."""

import hmac
import math
from collections.abc import Callable
from typing import NamedTuple

SILENT_S = 15.0
"""As long after the last call it counts how many still wait at the edge: with few entries calls are seconds apart."""

SPARE_S = 5.0
"""Entries that nobody used are kept for so long: those called come when their page asks, not evenly."""

RETURN_S = 10.0
"""Calls are corrected to what is spare within this time, which is about as long as somebody called takes to come."""

FASTER_MAX = 1.25

_WORDS = 4


class Called(NamedTuple):
    """Somebody who was called: when they came, when they were told to be in, and how many of the cell are not called.

    Instants are seconds since 1970 by the clock of the gate.
    """

    came_at: int
    promised_at: int
    waiting: int


ReadCalled = Callable[[bytes], Called | None]


def called_reader(key: str) -> ReadCalled:
    """Reads the header `x-called`, which begins with the key of the edge; without a key nobody is believed."""
    expected = key.encode()

    def read(header: bytes) -> Called | None:
        words = header.split()
        if not expected or len(words) != _WORDS or not hmac.compare_digest(words[0], expected):
            return None
        return Called(*(int(word) for word in words[1:]))

    return read


class Calls:
    """Entries of one worker that are left for those who are called, and how many a second the edge may call.

    `before` stand in lines of the gate and go before them.
    """

    def __init__(self) -> None:
        self._spare = 0.0
        self._waiting = 0
        self._heard_at = -math.inf
        self.per_s = 0.0
        self.before = 0.0

    def hear(self, called: Called, now: float) -> None:
        """Somebody was called."""
        self._waiting, self._heard_at = called.waiting, now

    def waiting(self, now: float) -> int:
        """How many wait at the edge."""
        return self._waiting if self.are_heard(now) else 0

    def are_heard(self, now: float) -> bool:
        """True while an edge calls people, so that nobody else may begin to wait here."""
        return now - self._heard_at < SILENT_S

    def take(self) -> bool:
        """Take one of the entries that are left."""
        if self._spare < 1:
            return False
        self._spare -= 1
        return True

    def turn(self, now: float, rate_per_s: float, unused: float, before: float) -> None:
        """Once a second: of `rate_per_s` entries so many were not used by the lines of the gate, where `before` stand.

        Whoever was called and stays away leaves an entry, and more are called; what waits here is let in first.
        """
        self.before = before
        if rate_per_s == math.inf:
            self._spare = self.per_s = 0.0
            return
        kept = self._spare if self.are_heard(now) else 0.0
        self._spare = min(kept + unused, max(1.0, SPARE_S * rate_per_s))
        ahead_s = (self._spare - before) / max(rate_per_s, 1e-9)
        self.per_s = rate_per_s * min(FASTER_MAX, max(0.0, 1 + (ahead_s - SPARE_S / 2) / RETURN_S))
