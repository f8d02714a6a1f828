"""The priority cursor: under pressure it cuts by class, then by lesson group, and only where too much is asked.

After DAGOR (Zhou et al., "Overload control for scaling WeChat microservices", SoCC 2018): a request has a level, its
business class first and a hash second; at the end of each window the number of requests to admit shrinks by 5 % when
the server is overloaded and grows by 1 % of the arrivals when it is not, and the cut is the level at which a histogram
of what arrived reaches that number. Ours differs in two ways. The second part hashes the lesson group instead of the
user: half a class of pupils that works is worth nothing, so a class works or waits together; the hash turns every hour,
so that no group is always last. And the number is shared out over the schools by max-min fairness before any is cut: a
school that asks for less than an equal share does not notice another's storm.
"""

from array import array
from collections.abc import Iterable

from firstbell.kernel.routes import Priority

GROUPS = 128
"""Steps within a class, as in the paper: one step is under 1 % of a class's load."""
LEVELS = len(Priority) * GROUPS

SHRINK = 0.05
GROW = 0.01

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
    """The cut of one school and what arrived from it in this window."""

    __slots__ = ("arrived", "cut", "histogram", "worked")

    def __init__(self) -> None:
        self.cut = LEVELS - 1
        self.histogram = array("L", [0]) * LEVELS
        self.arrived = 0
        self.worked = 0

    def admits(self, level: int) -> bool:
        """Count a request of this level and say whether it goes on."""
        self.histogram[level] += 1
        self.arrived += 1
        return level <= self.cut

    def aim(self, wanted: float) -> None:
        """Cut at the level at which what arrived reaches `wanted`; class P0 is never cut. Begins the next window."""
        self.cut = self._level_reached_by(wanted)
        self.histogram = array("L", [0]) * LEVELS
        self.arrived = self.worked = 0

    def _level_reached_by(self, wanted: float) -> int:
        if wanted >= self.arrived:
            return LEVELS - 1
        total = 0
        for level, count in enumerate(self.histogram):
            total += count
            if total > wanted and level >= GROUPS:
                return level - 1
        return LEVELS - 1


class Cursors:
    """One cursor for each school that asked in this window. `worked` is counted by whoever gives out the slots."""

    def __init__(self) -> None:
        self.by_school: dict[bytes, Cursor] = {}

    def of(self, school: bytes) -> Cursor:
        """The cursor of a school."""
        cursor = self.by_school.get(school)
        if cursor is None:
            cursor = self.by_school[school] = Cursor()
        return cursor

    def close_window(self, *, is_overloaded: bool) -> None:
        """End a window and move the cuts by what arrived in it and what could be worked on."""
        # A school of which nothing arrived is not kept: as many as ask are remembered, no more.
        self.by_school = {school: cursor for school, cursor in self.by_school.items() if cursor.arrived}
        arrived = sum(cursor.arrived for cursor in self.by_school.values())
        worked = sum(cursor.worked for cursor in self.by_school.values())
        wanted = worked * (1 - SHRINK) if is_overloaded else worked + arrived * GROW
        if not is_overloaded and all(cursor.cut == LEVELS - 1 for cursor in self.by_school.values()):
            wanted = arrived
        share = equal_share(wanted, (cursor.arrived for cursor in self.by_school.values()))
        for cursor in self.by_school.values():
            cursor.aim(share)

    @property
    def cut(self) -> int:
        """The lowest cut of any school; `LEVELS - 1` in peace."""
        return min((cursor.cut for cursor in self.by_school.values()), default=LEVELS - 1)


def equal_share(whole: float, wishes: Iterable[float]) -> float:
    """The most that each may have so that all together get `whole`, nobody more than the wish: max-min fairness."""
    ascending = sorted(wishes)
    left = whole
    for place, wish in enumerate(ascending):
        share = left / (len(ascending) - place)
        if wish > share:
            return share
        left -= wish
    return max(ascending, default=0.0)
