"""How much a worker bears: requests a second, found from moments that were too much and moments that were not."""

import math
from collections import deque

SHRINK = 0.05
SHRINK_MAX = 0.2
"""At most this much less than before, reached by four overloaded windows in a row: one may be a burst in which the loop
was late and worked on little, which says nothing about how much there could be."""

GROW = 0.01
RECOVER = 0.1
"""At least this much more than before: 1 % of few arrivals takes a quarter of a minute."""

PROBED = 0.9
"""Only when at least this share of it arrived, more is believed: what nobody asked for nobody has borne."""

CALM = 60
"""After so many windows without overload, a minute, nothing has tried what is believed."""
PEACE = 0.2
"""The weight of a window in the mean of what was worked on: one that was busy by chance shows nothing that lasts."""
BEYOND = 1.2
"""So many times that mean can be borne, as far as peace can tell."""

REFUSAL = 1 / 30
"""What a refusal takes of what a request takes: 75 us of the thread beside 2.3 ms, as long as nothing else is known."""
LEFT = 0.3
"""By that reckoning refusals never leave less than this share."""

AT_FIRST_PER_S = 100.0
"""What a worker is believed to bear before it has worked: 10 ms a request, several times what one takes later. Its
first second in a storm shows less, and is not what it can do."""
SURE_PER_S = 20.0
"""With so many requests a second a window shows what one takes; with fewer it shows what the worker does besides."""
SURE_BUSY = 0.4
"""From this share of a core on it shows that they take more than was known: with less to do the worker does less of it
together, and one request takes twice as much."""
STORM = 0.3
"""Refusals that take more than this share of what is believed are a storm: at forty times they take 0.8, at ten times
0.13, behind the edge 0.1 at worst. Without one what is believed is averaged, and estimates are better for it."""
SURE_WINDOWS = 3
"""In a storm so many overloaded windows in a row show what can be borne, as the best of them. One may be a burst."""
HARDLY = 1.15
"""Nor is it more than so many times what is believed: entries at the rate of before would bring twice as many requests
as can be served, for half a minute."""
STEPS_MAX = 5
"""Each calm window in a row allows a step of `RECOVER` more, up to so many."""


class Bearable:
    """What can be worked on, remembered from window to window.

    After a storm the old cut lets hardly anybody through, which says nothing about how many there could be. Shrinks and
    grows as DAGOR moves its number of requests to admit (Zhou et al., SoCC 2018), within bounds.
    """

    __slots__ = ("_calm", "_mean_per_s", "_overloaded", "_taken_per_s", "_worked", "cost_s", "per_s")

    def __init__(self) -> None:
        self.per_s = AT_FIRST_PER_S
        self._mean_per_s = 0.0
        self._taken_per_s = 0.0
        """How many requests a second could be borne besides, were it not for refusals."""
        self.cost_s = 1 / AT_FIRST_PER_S
        """How much of what the worker has a request takes, in seconds: see `Cores`."""
        self._calm = self._overloaded = 0
        self._worked: deque[float] = deque(maxlen=SURE_WINDOWS)
        """What was worked on in each of the last overloaded windows in a row."""

    def resume(self, cost_s: float) -> None:
        """Begin with what a request took of an earlier worker."""
        self.cost_s = cost_s
        self.per_s = self._possible_per_s

    def learn(self, arrived_per_s: float, worked_per_s: float, busy: float, *, is_overloaded: bool) -> None:
        """Move by a window in which so many requests arrived and were worked on each second.

        For them the worker was `busy`, a share of the window.
        """
        self._mean_per_s += PEACE * (worked_per_s - self._mean_per_s)
        if worked_per_s >= SURE_PER_S and (busy >= SURE_BUSY or busy < self.cost_s * worked_per_s):
            self.cost_s += PEACE * (busy / worked_per_s - self.cost_s)
        if is_overloaded:
            self._calm = 0
            self._overloaded += 1
            self._worked.append(worked_per_s)
            most = min(SHRINK_MAX, SHRINK * self._overloaded)
            self.per_s = max(self.per_s * (1 - most), worked_per_s * (1 - SHRINK))
            return
        self._calm += 1
        self._overloaded = 0
        self._worked.clear()
        if arrived_per_s >= self.per_s * PROBED:
            self.per_s += max(arrived_per_s * GROW, self.per_s * RECOVER)
        next_per_s = self.per_s * (1 + RECOVER * min(STEPS_MAX, self._calm))
        self.per_s = max(self.per_s, worked_per_s, min(next_per_s, self._possible_per_s))

    def refuse(self, refused_per_s: float) -> None:
        """Know how many requests a second were answered without work: what they take, others do not have.

        So a storm is met in its first second, before it is seen that less can be served, and its end as well.
        """
        whole_per_s = self.per_s + self._taken_per_s
        self._taken_per_s = min(REFUSAL * refused_per_s, (1 - LEFT) * whole_per_s)
        self.per_s = whole_per_s - self._taken_per_s

    def rest(self) -> None:
        """Nobody is kept out now, so what was worked on was all that anybody asked for.

        While somebody is kept out it would prove nothing: less is let in because less is believed.
        """
        if self._calm > CALM:
            self.per_s = max(BEYOND * self._mean_per_s, self._possible_per_s)

    @property
    def most_per_s(self) -> float:
        """What can be borne at most, as far as the last seconds tell; infinite unless there is a storm."""
        if self._taken_per_s < STORM * self.per_s:
            return math.inf
        seen_per_s = max(self._worked) if len(self._worked) == SURE_WINDOWS else math.inf
        return HARDLY * min(self.per_s, seen_per_s)

    @property
    def _possible_per_s(self) -> float:
        """What all that the worker has is enough for, at what a request takes of it: the utilisation law."""
        return 1 / self.cost_s
