"""Whom the edge calls: they waited in its line, and come in by the next entry."""

import hmac
import math
from collections.abc import Callable
from typing import NamedTuple

SILENT_S = 15.0
"""So long after the last call people may still wait at the edge: with few entries calls are seconds apart."""

SPARE_S = 1.0
"""Entries that nobody took are kept for so long, and who booked may come so much too early: people come when their page
asks, not evenly."""
UNUSED = 0.5
"""When so much of what can be kept is there, who booked it stayed away, and whoever comes takes it."""

READY_S = 0.5
"""As many as enter in this time shall stand booked, so that no entry stays unused."""
RETURN_S = 10.0
"""Calls are corrected to that within this time, which is about as long as somebody called takes to come."""
MEMORY_S = 60.0
MORE_MAX = 3.0
"""Of those who are called some have left: up to three times as many are called, and it takes a minute to learn that."""

_WORDS = 4


class Called(NamedTuple):
    """Somebody who was called: when they came, when they were told to be in, and how many of the cell are not called.

    Instants are seconds since 1970 by the clock of the gate. Where nobody waits, whoever comes is called at once.
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
    """Entries of one worker for those who are called, and how many a second the edge may call.

    Entries come evenly, as from a bucket of tokens. Who finds none books the next that is free, and comes back for it.
    `size_of` gives the weight of a school: whatever one has booked, another waits for its own share alone.
    """

    def __init__(self, size_of: Callable[[bytes], float]) -> None:
        self._size_of = size_of
        self._rate_per_s = self._pace_per_s = 0.0
        self._entries = self._unused = self._filled_at = 0.0
        self._booked: dict[bytes, float] = {}
        """Until when the entries are booked, by school; those of `b""` are for who came when there was none."""
        self._more = 1.0
        self._waiting = 0
        self._heard_at = -math.inf
        self.per_s = 0.0
        self.has_sent_back = False
        """True when somebody found no entry since the last turn."""

    def hear(self, called: Called, now: float) -> None:
        """Somebody was called."""
        self._waiting, self._heard_at = called.waiting, now

    def waiting(self, now: float) -> int:
        """How many wait at the edge."""
        return self._waiting if self.are_heard(now) else 0

    def are_heard(self, now: float) -> bool:
        """True while an edge calls people, so that nobody else may begin to wait here."""
        return now - self._heard_at < SILENT_S

    def take(self, school: bytes, now: float, *, has_booked: bool) -> bool:
        """Take an entry. Who has booked finds one even when a few came too early."""
        self._fill(now)
        if has_booked:
            is_there = self._entries > -self._kept
        else:
            is_free = self._booked.get(school, 0.0) <= now or self._entries >= UNUSED * self._kept
            is_there = is_free and self._entries >= 1
        self._entries -= is_there
        return is_there

    def book(self, school: bytes, now: float, *, is_late: bool) -> int:
        """Book the next entry: in how many seconds it comes; 0 before the first turn of a spike, when none can be told.

        Who booked before and came when there was none `is_late`, and goes before those who have never booked.
        """
        self.has_sent_back = True
        if not self._pace_per_s:
            return 0
        booked, share = (b"", 1.0) if is_late else (school, self._share(school, now))
        until = max(now, self._booked.get(booked, 0.0)) + 1 / (self._pace_per_s * share)
        self._booked[booked] = until
        return math.ceil(until - now)

    def booked_s(self, now: float) -> float:
        """How far ahead entries are booked, on the average of the schools whose people stand there."""
        ahead = [until - now for school, until in self._booked.items() if school and until > now]
        late = max(0.0, self._booked.get(b"", 0.0) - now)
        return late + sum(ahead) / max(1, len(ahead))

    def turn(self, now: float, rate_per_s: float, share: float, pace_per_s: float) -> None:
        """Once a second: `share` of the `rate_per_s` entries is left to who is called; the rate is infinite in peace.

        `pace_per_s` is what the rate will be in the long run. Whoever was called and stays away leaves an entry, and
        more are called.
        """
        self._fill(now)
        self.has_sent_back = False
        unused, self._unused = self._unused, 0.0
        if rate_per_s == math.inf:
            self._rate_per_s = self._pace_per_s = self._entries = self.per_s = 0.0
            self._booked, self._more = {}, 1.0
            return
        self._rate_per_s, self._pace_per_s = max(rate_per_s * share, 1e-9), max(pace_per_s * share, 1e-9)
        self._booked = {school: until for school, until in self._booked.items() if until > now}
        missing_s = READY_S - self.booked_s(now)
        self._more = min(MORE_MAX, max(1.0, self._more + missing_s / MEMORY_S)) if self.waiting(now) else 1.0
        self.per_s = max(unused, self._rate_per_s * (self._more + missing_s / RETURN_S))

    @property
    def _kept(self) -> float:
        return max(1.0, SPARE_S * self._rate_per_s)

    def _share(self, school: bytes, now: float) -> float:
        """What a school gets of the entries among all that have booked."""
        sizes = {other: self._size_of(other) for other, until in self._booked.items() if other and until > now}
        own = sizes[school] = self._size_of(school)
        return own / sum(sizes.values())

    def _fill(self, now: float) -> None:
        filled = self._entries + (now - self._filled_at) * self._rate_per_s
        self._filled_at, self._entries = now, min(filled, self._kept)
        self._unused += filled - self._entries
