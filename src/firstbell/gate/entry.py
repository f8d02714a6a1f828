"""How many people may come inside each second: as many as ask for no more than can be borne."""

import math
from collections import deque
from typing import NamedTuple


class Load(NamedTuple):
    """A second, in requests a second: what those inside asked for and how much of it was cut, what a worker bears."""

    is_overloaded: bool
    asked_per_s: float
    cut_per_s: float
    bearable_per_s: float
    most_per_s: float = math.inf
    """What it bears at most."""


class EntryBudget:
    """No limit in peace; from the first overload a rate, until nobody waits and all has been well for a while.

    Whoever comes in asks for the rest of a morning within seconds. So the rate is what is bearable divided by the
    requests of an entry, corrected at once by how far those inside ask for more or less than they shall. Those requests
    are counted: what is asked for now, without what was cut and is asked for again, against how many could come in
    before. They stay the same when the machine becomes slower or faster, and the promises of the waiting room hold: to
    correct the rate until as much is asked for as shall be, as an integral controller does, takes the people who came
    too early for people who ask for more, and swings by twice (ADR 5).
    """

    REQUESTS = 5.0
    """For each entry, to begin with: Today, a course, a document, the week, and one that has to be asked twice."""
    LATER_S = 8
    """Requests follow an entry by about so much: what is asked for now belongs to those who came then."""
    AGAIN_S = 8
    """What was cut is asked for again about so much later: our pages wait for 4 to 12 s."""
    MEMORY_S, PEACE_MEMORY_S = 20.0, 60.0
    """How long requests and entries are averaged, while entries are limited and in peace."""
    SURE_PEOPLE = 300.0
    """Of fewer people in a minute peace teaches nothing."""
    USUAL = (4.0, 7.5)
    """The bounds of what peace can teach: a quiet hour is no morning, in which at least four are asked for."""
    BOUNDS = (0.25, 25.0)
    """The same while entries are limited: a line of which all but one have left, or a class that opens 25 pages."""
    BEARABLE_MEMORY_S = 20.0
    """How long what is bearable is averaged: it swings from window to window, and estimates count on the rate."""
    SURELY = 0.8
    """The average is never less than this share of what is bearable now: a worker that has just started, or was held up
    for a moment, soon bears many times as much."""
    AIM = 0.88
    """The share of what is bearable that those inside shall ask for: the rest is left for chance."""
    LESS, MORE = 0.5, 1.0
    """How much the correction takes off at once of what is too much, and adds of what is missing: what comes in a
    second is half chance. Less is taken off, because those who wait were promised; an idle core helps nobody."""
    SLOWER_MIN, FASTER_MAX = 0.1, 1.5
    """The bounds of the correction: hardly anybody enters until those who were too many are served."""
    CALM_S = 10.0

    def __init__(self, *, least_per_s: float) -> None:
        self._least_per_s = least_per_s
        self._calm_s = 0.0
        self._bearable_per_s = 0.0
        self._requests = self._usual = self.REQUESTS
        """For each entry: as counted now, and in peace."""
        self._asked_per_s = self._entered_per_s = 0.0
        self._entered: deque[float] = deque(maxlen=self.LATER_S)
        """How many could come in during each of the last turns; not a number when it is not known."""
        self._cut_per_s: deque[float] = deque([0.0] * self.AGAIN_S, maxlen=self.AGAIN_S)
        self.rate_per_s = math.inf

    @property
    def is_limited(self) -> bool:
        """True while there is a limit, so that people may have to wait."""
        return self.rate_per_s < math.inf

    @property
    def pace_per_s(self) -> float:
        """What the rate will be when those inside ask for what they shall."""
        return max(self._least_per_s, self.AIM * self._bearable_per_s / self._requests)

    def resume(self, rate_per_s: float) -> None:
        """Limit entries from now on, at the rate of before, which could be borne."""
        self.rate_per_s = max(self._least_per_s, rate_per_s)
        self._bearable_per_s = self.rate_per_s * self._requests / self.AIM
        self._begin()

    def learn(self, seconds: float, load: Load, entered: int, *, can_call: bool = True) -> None:
        """Know how many requests follow an entry.

        In the last `seconds` so many people came in without having to wait. While entries are limited everybody counts
        who may enter, also who stays away, unless there was nobody to come: `can_call`.
        """
        then = self._entered[0] if len(self._entered) == self.LATER_S else math.nan
        may_enter = self.rate_per_s * seconds if can_call else math.nan
        self._entered.append(may_enter if self.is_limited else entered)
        asked_per_s = max(0.0, load.asked_per_s - math.fsum(self._cut_per_s) / self.AGAIN_S)
        self._cut_per_s.append(load.cut_per_s)
        if math.isnan(then):
            return
        share = min(1.0, seconds / (self.MEMORY_S if self.is_limited else self.PEACE_MEMORY_S))
        self._asked_per_s += share * (asked_per_s - self._asked_per_s)
        self._entered_per_s += share * (then / seconds - self._entered_per_s)
        if self.is_limited:
            self._requests = self._counted(*self.BOUNDS)
        elif self._entered_per_s * self.PEACE_MEMORY_S >= self.SURE_PEOPLE:
            self._requests = self._usual = self._counted(*self.USUAL)

    def adjust(self, seconds: float, load: Load, *, waits: bool, joins: bool = False) -> None:
        """Move the rate by what happened in the last `seconds`, after which somebody `waits`.

        A worker that bears its load `joins` those that do not, for people wait in one line for all.
        """
        share = min(1.0, seconds / self.BEARABLE_MEMORY_S) if self.is_limited else 1.0
        self._bearable_per_s += share * (load.bearable_per_s - self._bearable_per_s)
        self._bearable_per_s = max(self._bearable_per_s, self.SURELY * load.bearable_per_s)
        self._bearable_per_s = min(self._bearable_per_s, load.most_per_s)
        if not (self.is_limited or load.is_overloaded or joins):
            return
        self._calm_s = 0.0 if load.is_overloaded or waits else self._calm_s + seconds
        if self._calm_s >= self.CALM_S:
            self._rest()
            return
        if not self.is_limited:
            self._begin()
        short = self.AIM - load.asked_per_s / max(self._bearable_per_s, 1.0)
        gain = self.MORE if short > 0 else self.LESS
        correction = min(self.FASTER_MAX, max(self.SLOWER_MIN, 1 + gain * short))
        self.rate_per_s = max(self._least_per_s, self.pace_per_s * correction)

    def _counted(self, least: float, most: float) -> float:
        return min(most, max(least, self._asked_per_s / self._entered_per_s))

    def _begin(self) -> None:
        """Count anew, as if it had been as in peace: what the first seconds bring says little."""
        self._entered.clear()
        self._entered_per_s = self.pace_per_s
        self._asked_per_s = self._requests * self._entered_per_s

    def _rest(self) -> None:
        """Limit nothing any more. What a storm taught, in which some had left, is not for the next one."""
        self.rate_per_s, self._requests = math.inf, self._usual
        self._asked_per_s = self._entered_per_s = 0.0
        self._entered.clear()
