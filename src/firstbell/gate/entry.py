"""How many people may come inside each second: as many as ask for no more than can be borne."""

import math
from typing import NamedTuple


class Load(NamedTuple):
    """What a second brought, in requests a second: what those inside asked for, what of it was worked on, and what a
    worker bears."""

    is_overloaded: bool
    asked_per_s: float
    worked_per_s: float
    bearable_per_s: float


class EntryBudget:
    """No limit in peace; from the first overload a rate, until nobody waits and all has been well for a while.

    Whoever comes in asks for the rest of a morning later, so that what an entry costs shows after seconds, and a rate
    that moves by what is seen now overshoots both ways. Ours is worked out: what is bearable divided by the requests
    that come for each entry, and corrected by how far those inside ask for more or less than that now.
    """

    MEMORY_S = 60.0
    """How long entries and requests are averaged: several times what lies between an entry and its requests."""
    LAG_S = 10.0
    """About how long after an entry its requests come: compared with those of now they would look too few."""
    BEARABLE_MEMORY_S = 10.0
    """How long what is bearable is averaged: it swings from window to window, and estimates count on the rate."""
    REQUESTS_MIN = 4.0
    """For each entry, whatever was seen: Today, a course, a document, the week. While ever more people come their
    requests lag behind them and look fewer than they will be."""
    SLOWER_MIN, FASTER_MAX = 0.1, 1.5
    """The bounds of the correction: hardly anybody enters until those who were too many are served."""
    ABSENT, PRESENT, ABSENT_MAX = 1.05, 0.9, 20.0
    """Some whose turn it is have left, or look only in a while: when those inside ask for less than `USED_MIN` of what
    is bearable though people wait, 5 % more are called each second, up to twenty times as many."""
    USED_MIN = 0.9
    CALM_S = 10.0

    def __init__(self, *, least_per_s: float) -> None:
        self._least_per_s = least_per_s
        self._calm_s = 0.0
        self._absent = 1.0
        self._bearable_per_s = 0.0
        self._entered = 0
        self._entering_per_s = self._entered_per_s = 1.0
        self._worked_per_s = self.REQUESTS_MIN
        self.rate_per_s = math.inf

    @property
    def is_limited(self) -> bool:
        """True while there is a limit, so that people may have to wait."""
        return self.rate_per_s < math.inf

    @property
    def requests_per_entry(self) -> float:
        """How many requests come for each entry."""
        return max(self.REQUESTS_MIN, self._worked_per_s / max(self._entered_per_s, self._least_per_s))

    def resume(self, rate_per_s: float) -> None:
        """Limit entries from now on, at the rate of before, which could be borne."""
        self.rate_per_s = max(self._least_per_s, rate_per_s)
        self._entering_per_s = self._entered_per_s = self.rate_per_s
        self._bearable_per_s = self._worked_per_s = self.rate_per_s * self.REQUESTS_MIN

    def enter(self) -> None:
        """Count somebody who came in."""
        self._entered += 1

    def adjust(self, seconds: float, load: Load, *, waits: bool, can_call: bool = True, joins: bool = False) -> None:
        """Move the rate by what happened in the last `seconds`, after which somebody `waits`.

        `can_call` tells that those who are called wait here: at the edge they hear of it later, and more are called
        there for those who stay away. A worker that bears its load `joins` those that do not, for people wait in one
        line for all.
        """
        self._average(seconds, load)
        if not (self.is_limited or load.is_overloaded or joins):
            return
        self._calm_s = 0.0 if load.is_overloaded or waits else self._calm_s + seconds
        if self._calm_s >= self.CALM_S:
            self.rate_per_s = math.inf
            return
        used = load.asked_per_s / max(load.bearable_per_s, 1.0)
        change = self.ABSENT if waits and can_call and used < self.USED_MIN else self.PRESENT
        self._absent = min(self.ABSENT_MAX, max(1.0, self._absent * change**seconds))
        correction = min(self.FASTER_MAX, max(self.SLOWER_MIN, 2.0 - used))
        enter_per_s = self._bearable_per_s / self.requests_per_entry * correction
        self.rate_per_s = max(self._least_per_s, enter_per_s * self._absent)

    def _average(self, seconds: float, load: Load) -> None:
        self._entering_per_s += min(1.0, seconds / self.LAG_S) * (self._entered / seconds - self._entering_per_s)
        share = min(1.0, seconds / self.MEMORY_S)
        self._entered_per_s += share * (self._entering_per_s - self._entered_per_s)
        self._worked_per_s += share * (load.worked_per_s - self._worked_per_s)
        self._entered = 0
        share = min(1.0, seconds / self.BEARABLE_MEMORY_S) if self.is_limited else 1.0
        self._bearable_per_s += share * (load.bearable_per_s - self._bearable_per_s)
