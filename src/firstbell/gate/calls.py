"""Whom the edge calls: they waited in its line, and come in by the next entry."""

import hmac
import math
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

SILENT_S = 15.0
"""So long after the last call people may still wait at the edge: with few entries calls are seconds apart."""

SPARE_S = 0.25
"""Entries that nobody took are kept for so long: people come when their page asks, not evenly. Any longer, and what was
kept while the queue was full comes in at once and fills it again."""
UNUSED = 0.5
"""When so much of what can be kept is there, who booked it stays away, and whoever comes takes it."""
DEBT_S = 0.5
"""So much too early those who booked may come in together; when more of them come at once, the queue would be full."""
LATE_S = 10.0
"""Whoever is late finds more of it, twice as much from so many seconds on: when fewer can enter than have booked,
everybody comes in a little late, and nobody very late."""

LEFT = 0.5
"""When more of the entries than this are left, those who were called stay away or sleep: more entries would bring
nobody."""

READY_S = 0.5
"""As many as enter in this time shall stand booked, so that no entry stays unused."""
RETURN_S = 10.0
"""Calls are corrected to that within this time, which is about as long as somebody called takes to come."""
MEMORY_S = 60.0
MORE_MAX = 3.0
"""Of those who are called some have left: up to three times as many are called, and it takes a minute to learn that."""

ASLEEP = 0.2
"""When more of a second's entries than this are left and few have booked the next ones, those who were called sleep:
they come when they were told, however early they are called. Who comes meanwhile shall find the line short, or the
worker is idle."""
SOON_S = (1, 2)
"""The seconds in which those who are expected are counted."""
SOONER_MAX = 64.0
"""For each entry that is left so many more people are called, twice as many each second up to this: a line of ten
thousand who sleep, or have gone home, is passed within half a minute. Who then comes too early books."""

_WORDS = 4


class Called(NamedTuple):
    """Somebody who was called: when they came, when they were told to be in, and how many of the cell are not called.

    Instants are seconds since 1970 by the clock of the gate. Where nobody waits, whoever comes is called at once.
    """

    came_at: int
    promised_at: int
    waiting: int

    @property
    def has_waited(self) -> bool:
        """True when they were told to wait."""
        return self.promised_at > self.came_at


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

    Entries come evenly, as from a bucket of tokens. Who finds none books the next that is free, and comes back for
    it. `size_of` gives the weight of a school: whatever one has booked, another waits for its own share alone.
    """

    def __init__(self, size_of: Callable[[bytes], float]) -> None:
        self._size_of = size_of
        self._rate_per_s = self._pace_per_s = 0.0
        self._entries = self._unused = self._filled_at = 0.0
        self._booked: dict[bytes, float] = {}
        """Until when the entries are booked, by school."""
        self._due: Counter[int] = Counter()
        """How many have booked, by the second of their entry."""
        self._standing: dict[bytes, float] = {}
        """The weights of the schools whose people stand booked."""
        self._weight = 0.0
        """Their sum."""
        self._untold = 0
        """How many were sent back before the first turn, and are about to book."""
        self._late = 0
        """How many found no entry since the last turn though they had booked."""
        self._more = self._sooner = 1.0
        self._waiting = 0
        self._heard_at = -math.inf
        self.per_s = 0.0
        self.booked_s = 0.0
        """In how many seconds all can enter who had booked at the last turn, or were about to."""
        self.has_sent_back = False
        """True when somebody found no entry since the last turn."""
        self.have_waited = 0
        """How many came since the last turn whom the edge had told to wait."""

    def hear(self, called: Called, now: float) -> None:
        """Somebody was called."""
        self._waiting, self._heard_at = called.waiting, now
        self.have_waited += called.has_waited

    def waiting(self, now: float) -> int:
        """How many wait at the edge."""
        return self._waiting if self.are_heard(now) else 0

    def are_heard(self, now: float) -> bool:
        """True while an edge calls people, so that nobody else may begin to wait here."""
        return now - self._heard_at < SILENT_S

    def take(self, school: bytes, now: float, *, late_s: float | None) -> bool:
        """Take an entry. `late_s` ago whoever has booked was to be in; None for others.

        Who has booked finds one even when a few came too early, and first of all who is late.
        """
        self._fill(now)
        if late_s is not None:
            debt_s = DEBT_S * (1 + min(1.0, max(0.0, late_s / LATE_S)))
            is_there = self._entries > -debt_s * self._rate_per_s
        else:
            is_free = self._booked.get(school, 0.0) <= now or self._entries >= UNUSED * self._kept
            is_there = is_free and self._entries >= 1
        self._entries -= is_there
        return is_there

    def book(self, school: bytes, now: float, *, is_late: bool) -> int:
        """Book the next entry: in how many seconds it comes; 0 before the first turn of a spike, when none can be told.

        Who booked before and came when there was none `is_late` and comes with the next, as many a second as enter: to
        book for them again would count them twice.
        """
        self.has_sent_back = True
        if not self._pace_per_s:
            self._untold += 1
            return 0
        if is_late:
            self._late += 1
            return math.ceil(self._late / self._pace_per_s)
        step_s = 1 / (self._pace_per_s * self._share(school))
        self._booked[school] = until = max(now, self._booked.get(school, 0.0)) + step_s
        self._due[math.ceil(until)] += 1
        return math.ceil(until - now)

    def are_used(self, now: float) -> bool:
        """True when hardly an entry was left since the last turn, so that more people would come if there were more."""
        self._fill(now)
        return self._unused <= LEFT * self._rate_per_s

    def turn(self, now: float, rate_per_s: float, share: float, pace_per_s: float) -> None:
        """Once a second: `share` of the `rate_per_s` entries is left to who is called; the rate is infinite in peace.

        `pace_per_s` is what the rate will be in the long run, or would be. Whoever was called and stays away leaves an
        entry, and more are called.
        """
        self._fill(now)
        self.has_sent_back, self.have_waited, self._late = False, 0, 0
        unused, self._unused = self._unused, 0.0
        untold, self._untold = self._untold, 0
        if rate_per_s == math.inf:
            self._rate_per_s = self._pace_per_s = self._entries = self.booked_s = 0.0
            self.per_s = pace_per_s
            self._booked, self._due = {}, Counter()
            self._more = self._sooner = 1.0
            return
        self._rate_per_s, self._pace_per_s = max(rate_per_s * share, 1e-9), max(pace_per_s * share, 1e-9)
        self._booked = {school: until for school, until in self._booked.items() if until > now}
        self._standing = {school: self._size_of(school) for school in self._booked}
        self._weight = math.fsum(self._standing.values())
        self._due = Counter({second: people for second, people in self._due.items() if second > now})
        self.booked_s = (self._due.total() + untold) / self._pace_per_s
        missing_s = READY_S - self.booked_s
        self._more = min(MORE_MAX, max(1.0, self._more + missing_s / MEMORY_S)) if self.waiting(now) else 1.0
        # A small school books far ahead, and fills no second with that.
        are_expected = sum(self._due[int(now) + second] for second in SOON_S) > READY_S * self._pace_per_s
        unused = 0.0 if are_expected else unused
        they_sleep = unused > ASLEEP * self._rate_per_s
        self._sooner = min(SOONER_MAX, 2 * self._sooner) if they_sleep else max(1.0, self._sooner / 2)
        self.per_s = max(self._sooner * unused, self._rate_per_s * (self._more + missing_s / RETURN_S))

    @property
    def _kept(self) -> float:
        return max(1.0, SPARE_S * self._rate_per_s)

    def _share(self, school: bytes) -> float:
        """What a school gets of the entries among all that have booked."""
        if school not in self._standing:
            self._standing[school] = self._size_of(school)
            self._weight += self._standing[school]
        return self._standing[school] / self._weight

    def _fill(self, now: float) -> None:
        filled = self._entries + (now - self._filled_at) * self._rate_per_s
        self._filled_at, self._entries = now, min(filled, self._kept)
        self._unused += filled - self._entries
