"""The priority cursor: under pressure it cuts by class, then by lesson group, and only where too much is asked.

After DAGOR (Zhou et al., "Overload control for scaling WeChat microservices", SoCC 2018): a request has a level, its
business class first and a hash second; at the end of each window the number of requests to admit shrinks by 5 % when
the server is overloaded and grows by 1 % of the arrivals when it is not, and the cut is the level at which a histogram
of what arrived reaches that number. Ours differs in two ways. The second part hashes the lesson group instead of the
user: half a class of pupils that works is worth nothing, so a class works or waits together; the hash turns every hour,
so that no group is always last. And the number is shared out over the schools by max-min fairness before any is cut: a
school that asks for less than its share by size does not notice another's storm.
"""

import math
from collections.abc import Callable, Iterable

from firstbell.gate.bearable import Bearable
from firstbell.kernel.routes import Priority

GROUPS = 128
"""Steps within a class, as in the paper: one step is under 1 % of a class's load."""
LEVELS = len(Priority) * GROUPS

_HOUR_S = 3_600
_ODD = 0x9E37_79B1
"""Knuth's multiplicative hash: 2 to the 32 divided by the golden ratio."""


def level_of(priority: Priority, group: int, hour: int) -> int:
    """The level of a request, 0 (kept longest) to `LEVELS - 1`; `group` numbers its lesson group, 0 for none."""
    if not group:
        return priority * GROUPS
    return priority * GROUPS + (((group + hour * 40_503) * _ODD & 0xFFFF_FFFF) >> 25)


def hour_of(now_s: float) -> int:
    """The hour by which the hash turns."""
    return int(now_s // _HOUR_S)


class Cursor:
    """The cut of one school and what arrived from it in this window.

    The level above the cut gets what is left: everybody may be of one level, such as strangers, who have no group.
    """

    __slots__ = ("_credit", "_edge_share", "arrived", "cut", "histogram", "worked")

    def __init__(self) -> None:
        self.cut = LEVELS - 1
        self.histogram = [0] * LEVELS
        self.arrived = 0
        self.worked = 0
        self._edge_share = 0.0
        self._credit = 0.0

    def admits(self, level: int) -> bool:
        """Count a request of this level and say whether it goes on."""
        self.histogram[level] += 1
        self.arrived += 1
        if level <= self.cut:
            return True
        if level > self.cut + 1:
            return False
        self._credit += self._edge_share
        if self._credit < 1:
            return False
        self._credit -= 1
        return True

    def aim(self, wanted: float) -> None:
        """Cut where what arrived reaches `wanted`; class P0 is never cut. Begins the next window."""
        self.cut, self._edge_share = self._aimed(wanted)
        self.histogram = [0] * LEVELS
        self.arrived = self.worked = 0

    def _aimed(self, wanted: float) -> tuple[int, float]:
        if wanted < self.arrived:
            left = max(0.0, wanted - sum(self.histogram[:GROUPS]))
            for level in range(GROUPS, LEVELS):
                count = self.histogram[level]
                if count > left:
                    return level - 1, left / count
                left -= count
        return LEVELS - 1, 0.0


class Cursors:
    """One cursor for each school that asked in this window. `worked` is counted by whoever gives out the slots.

    `size_of` gives the weight of a school: what a storm must not take from the others is their share by size.
    """

    def __init__(self, size_of: Callable[[bytes], float]) -> None:
        self._size_of = size_of
        self.bearable = Bearable()
        self.by_school: dict[bytes, Cursor] = {}

    def of(self, school: bytes) -> Cursor:
        """The cursor of a school."""
        cursor = self.by_school.get(school)
        if cursor is None:
            cursor = self.by_school[school] = Cursor()
        return cursor

    def close_window(self, seconds: float, busy: float, *, is_overloaded: bool) -> None:
        """End a window, for which the worker was `busy` (0 to 1), and move the cuts by what can be worked on."""
        # A school of which nothing arrived is not kept: as many as ask are remembered, no more.
        self.by_school = {school: cursor for school, cursor in self.by_school.items() if cursor.arrived}
        arrived = sum(cursor.arrived for cursor in self.by_school.values())
        worked = sum(cursor.worked for cursor in self.by_school.values())
        self.bearable.learn(arrived / seconds, worked / seconds, busy, is_overloaded=is_overloaded)
        wanted = self.bearable.per_s * seconds if is_overloaded or self.cut < LEVELS - 1 else arrived
        sizes = {school: self._size_of(school) for school in self.by_school}
        share = fair_share(wanted, [(cursor.arrived, sizes[school]) for school, cursor in self.by_school.items()])
        for school, cursor in self.by_school.items():
            cursor.aim(share * sizes[school])

    @property
    def cut(self) -> int:
        """The lowest cut of any school; `LEVELS - 1` in peace."""
        return min((cursor.cut for cursor in self.by_school.values()), default=LEVELS - 1)


def fair_share(whole: float, wishes: Iterable[tuple[float, float]]) -> float:
    """What each may have for each unit of its weight so that all get `whole` and nobody more than its wish.

    `wishes` are pairs of wish and weight. Max-min fairness; infinite when all wishes fit.
    """
    ascending = sorted((wish / weight, wish, weight) for wish, weight in wishes)
    left = whole
    weights = sum(weight for _, _, weight in ascending)
    for wish_of_unit, wish, weight in ascending:
        if wish_of_unit * weights > left:
            return left / weights
        left -= wish
        weights -= weight
    return math.inf
