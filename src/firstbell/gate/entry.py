"""How many people may come inside each second: as many as ask for no more than can be borne."""

import math
from collections import deque
from typing import NamedTuple


class Load(NamedTuple):
    """A second, in requests a second: what those inside asked for, what a worker bears, and what it bears at most."""

    is_overloaded: bool
    asked_per_s: float
    bearable_per_s: float
    most_per_s: float = math.inf


class EntryBudget:
    """No limit in peace; from the first overload a rate, until nobody waits and all has been well for a while.

    Whoever comes in asks for the rest of a morning within seconds. So the rate is what is bearable divided by those
    requests, corrected at once by how far those inside ask for more or less than that now, and slowly by how far they
    did so all the time: a proportional and integral controller.
    """

    REQUESTS = 5.0
    """For each entry, to begin with: Today, a course, a document, the week, and one that has to be asked twice."""
    USUAL_MEMORY_S = 60.0
    """How long it is averaged what people ask for in peace."""
    LATER_S = 15
    """Requests follow an entry by about so much: what is asked for now belongs to those who came then."""
    SURE_PEOPLE = 300.0
    """Of fewer people in that time nothing is learnt."""
    USUAL_MIN, USUAL_MAX = 0.67, 1.25
    """The bounds of what peace can teach: a quiet hour is no morning, in which at least four are asked for."""
    BEARABLE_MEMORY_S = 20.0
    """How long what is bearable is averaged: it swings from window to window, and estimates count on the rate."""
    SURELY = 0.8
    """The average is never less than this share of what is bearable now: a worker that has just started, or was held up
    for a moment, soon bears many times as much."""
    AIM = 0.9
    """The share of what is bearable that those inside shall ask for: a little is left for chance."""
    GAIN = 0.5
    """How much of what is missing the correction adds at once: what comes in a second is half chance."""
    SLOWER_MIN, FASTER_MAX = 0.1, 1.5
    """The bounds of the correction at once: hardly anybody enters until those who were too many are served."""
    LEARNING_PER_S = 0.1
    """How fast the slow correction moves: several times slower than requests follow an entry, or it would swing."""
    BACKLOG = 0.1
    """In a storm no more is learnt at once from those inside who ask for too much: when less can suddenly be served,
    they came before that, and ask again. What entries bring is seen after a while."""
    FEWER_MIN, MORE_MAX = 0.2, 20.0
    """The bounds of the slow one: a class that asks for 25 pages each, or a line of which all but one have left."""
    CALM_S = 10.0

    def __init__(self, *, least_per_s: float) -> None:
        self._least_per_s = least_per_s
        self._calm_s = 0.0
        self._bearable_per_s = 0.0
        self._learnt = self._usual = 1.0
        self._asked_per_s = self._entered_per_s = 0.0
        self._entered: deque[int] = deque(maxlen=self.LATER_S)
        """How many came in during each of the last turns in peace."""
        self.rate_per_s = math.inf

    @property
    def is_limited(self) -> bool:
        """True while there is a limit, so that people may have to wait."""
        return self.rate_per_s < math.inf

    @property
    def pace_per_s(self) -> float:
        """What the rate will be when those inside ask for what they shall."""
        return max(self._least_per_s, self._bearable_per_s / self.REQUESTS * self._learnt)

    def resume(self, rate_per_s: float) -> None:
        """Limit entries from now on, at the rate of before, which could be borne."""
        self.rate_per_s = max(self._least_per_s, rate_per_s)
        self._bearable_per_s = self.rate_per_s * self.REQUESTS

    def learn(self, seconds: float, asked_per_s: float, entered: int) -> None:
        """Know, in peace, how many requests follow an entry: during the last `seconds` so many people came in."""
        if self.is_limited:
            return
        if len(self._entered) == self.LATER_S:
            share = min(1.0, seconds / self.USUAL_MEMORY_S)
            self._asked_per_s += share * (asked_per_s - self._asked_per_s)
            self._entered_per_s += share * (self._entered[0] / seconds - self._entered_per_s)
        self._entered.append(entered)
        if self._entered_per_s * self.USUAL_MEMORY_S >= self.SURE_PEOPLE:
            usual = self.REQUESTS * self._entered_per_s / max(self._asked_per_s, 1.0)
            self._learnt = self._usual = min(self.USUAL_MAX, max(self.USUAL_MIN, usual))

    def adjust(self, seconds: float, load: Load, *, waits: bool, can_call: bool = True, joins: bool = False) -> None:
        """Move the rate by what happened in the last `seconds`, after which somebody `waits`.

        `can_call` tells that somebody could come in for each entry that is added. A worker that bears its load `joins`
        those that do not, for people wait in one line for all.
        """
        share = min(1.0, seconds / self.BEARABLE_MEMORY_S) if self.is_limited else 1.0
        self._bearable_per_s += share * (load.bearable_per_s - self._bearable_per_s)
        self._bearable_per_s = max(self._bearable_per_s, self.SURELY * load.bearable_per_s)
        self._bearable_per_s = min(self._bearable_per_s, load.most_per_s)
        if not (self.is_limited or load.is_overloaded or joins):
            return
        self._calm_s = 0.0 if load.is_overloaded or waits else self._calm_s + seconds
        if self._calm_s >= self.CALM_S:
            self.rate_per_s, self._learnt = math.inf, self._usual
            self._entered.clear()
            return
        short = self.AIM - load.asked_per_s / max(self._bearable_per_s, 1.0)
        if short < 0 or can_call:
            is_backlog = load.most_per_s < math.inf and self._learnt <= self._usual
            lesson = max(-self.BACKLOG, short) if is_backlog else short
            learnt = self._learnt * math.exp(self.LEARNING_PER_S * lesson * seconds)
            self._learnt = min(self.MORE_MAX, max(self.FEWER_MIN, learnt))
        correction = min(self.FASTER_MAX, max(self.SLOWER_MIN, 1 + self.GAIN * short))
        self.rate_per_s = max(self._least_per_s, self.pace_per_s * correction)
