"""One line of the waiting room: counts by period, and a cursor that goes through them."""

import bisect
import math
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import accumulate
from typing import NamedTuple

BUCKET_S = 10
"""Arrivals within this many seconds are equals: nobody can tell a network's jitter from being early."""
BUCKETS_MAX = 1_080
"""Three hours of periods in one line; beyond that the oldest are let in, and memory stays bounded."""
RANKS = 1 << 32
CROWD = 2.0
"""So many times as many as can enter in a turn may do so at once: people come unevenly, but a storm is no chance."""
HARDLY_ANYBODY = 0.5
"""Fewer people than that are what sums of shares leave over."""


class Lane(IntEnum):
    """Known devices signed in here before; unknown ones may be anybody, so they wait apart."""

    __hash__ = int.__hash__
    """In every lookup of a line; that of an enumeration runs Python."""

    KNOWN = 0
    UNKNOWN = 1


class LineKey(NamedTuple):
    """Names one line of the waiting room."""

    school: bytes
    lane: Lane


class Place(NamedTuple):
    """A place in a line: a period, and the rank within it."""

    bucket: int
    rank: int


class Reach(NamedTuple):
    """How far a line is let in: everybody before `cursor`.

    `saved` are entries for a period in which people still come: only when it is over its ranks can be dealt out.
    """

    cursor: Place
    saved: float = 0.0


@dataclass(slots=True)
class Opening:
    """Who may enter at once of those who come in the period `number`: nobody waits who came earlier.

    Whoever has a lower rank than `rank`, of them `left` at this worker before the next turn, and `most` at all. Of
    the `counted` at the last turn `entered` came in at once, and what was to spare lets in others of that period.
    """

    number: int
    rank: int = 0
    left: int = 0
    most: float = 0.0
    counted: int = 0
    entered: float = 0.0
    spare: float = 0.0


@dataclass(slots=True)
class Line:
    """The people of one school and lane who wait, as counts by period.

    `counted` has what each worker counted, by period; it only grows, so that hearing of it twice or late changes
    nothing. `people` are the sums.
    """

    reach: Reach
    counted: dict[bytes, dict[int, int]] = field(default_factory=dict)
    people: dict[int, int] = field(default_factory=dict)
    _seen: dict[int, int] = field(default_factory=dict)
    _numbers: list[int] = field(default_factory=list)
    _before: list[int] = field(default_factory=lambda: [0])
    _opening: Opening | None = None

    def count(self, worker: bytes, bucket: int, people: int) -> None:
        """Know that `worker` has counted so many in this period until now."""
        counted = self.counted.setdefault(worker, {})
        more = people - counted.get(bucket, 0)
        if more > 0:
            counted[bucket] = people
            self.people[bucket] = self.people.get(bucket, 0) + more

    def counted_by(self, worker: bytes, bucket: int) -> int:
        """How many `worker` has counted in this period."""
        return self.counted.get(worker, {}).get(bucket, 0)

    def has_passed(self, place: Place) -> bool:
        """True when whoever has this place may come in."""
        return place < self.reach.cursor

    def take(self, place: Place) -> bool:
        """True when whoever has just come with this place may enter at once."""
        opening = self._opening
        if opening is None or place.bucket != opening.number or place.rank >= opening.rank or not opening.left:
            return False
        opening.left -= 1
        return True

    def ahead_of(self, place: Place) -> float:
        """How many people go before this place, by the counts of the last `index`."""
        return max(0.0, self._before_place(place) - self._let_in(self.reach))

    def probably_ahead_of(self, place: Place, now: float) -> float:
        """As `ahead_of`, when people go on coming as they do until the place's period, which has begun, ends."""
        passed = min(1.0, max(0.1, now / BUCKET_S - place.bucket))
        people = self.people.get(place.bucket, 0) / passed / RANKS
        (bucket, rank), saved = self.reach
        if bucket == place.bucket:
            return max(0.0, people * (place.rank - rank) - saved / passed)
        earlier = max(0.0, self._before_place(Place(place.bucket, 0)) - self._let_in(self.reach))
        return earlier + people * place.rank

    def lead_over(self, other: Reach) -> float:
        """How many people more this line has let in than `other`, by the counts of the last `index`."""
        return self._let_in(self.reach) - self._let_in(other)

    @property
    def is_open(self) -> bool:
        """True while some of those who come may enter at once."""
        return self._opening is not None

    def is_fresh(self, number: int) -> bool:
        """True for the first who comes in a period, when nobody waits who came earlier."""
        is_begun = self._opening is not None and self._opening.number == number
        return not is_begun and self.waiting <= HARDLY_ANYBODY

    @property
    def waiting(self) -> float:
        """How many people wait, by the counts of the last `index`."""
        return max(0.0, self._before[-1] - self._let_in(self.reach))

    def index(self, keep_from: Place, only: bytes | None = None) -> None:
        """Sum up who waits before each period, and forget the periods before `keep_from`; once a second.

        With `only`, what that worker counted stands for all.
        """
        self._forget([number for number in self.people if number < keep_from.bucket])
        if len(self.people) > BUCKETS_MAX:
            self._forget(sorted(self.people)[:-BUCKETS_MAX])
        self._seen = self.people if only is None else self.counted.get(only, {})
        self._numbers = sorted(self._seen)
        self._before = [0, *accumulate(self._seen[number] for number in self._numbers)]

    def advance(self, people: float, closed: int) -> float:
        """Let the next `people` in, of the periods up to `closed`, and save for later ones; how many could be used."""
        used = min(people, self.waiting)
        (bucket, rank), saved = self.reach
        left = saved + used
        for number in self._numbers[bisect.bisect_left(self._numbers, bucket) :]:
            if number > closed:
                break
            if number > bucket:
                bucket, rank = number, 0
            count = self._seen[number]
            remaining = count * (1 - rank / RANKS)
            if remaining > left:
                rank = min(RANKS, rank + math.ceil(left / count * RANKS))
                left = 0.0
                break
            left -= remaining
            bucket, rank = number + 1, 0
        self.reach = Reach(Place(bucket, rank), left)
        return used

    def begin(self, number: int, most: float, part: float) -> None:
        """Nobody waited until the period `number`: so many may enter at once before the next turn.

        They come to all workers, that `part` of them to this one.
        """
        self._opening = Opening(number, RANKS, math.ceil(CROWD * most * part), most)

    def open(self, number: int, most: float, part: float) -> None:
        """Let people in of the period in which they still come, once nobody waits who came earlier; once a turn.

        `most` may enter in a turn: the ranks are open to as large a part of those who come as that is, and to a smaller
        one as soon as more come. Who is not let in comes back when the period is over, so nothing is saved for them.
        `part` is as in `begin`.
        """
        if self._before_place(Place(number, 0)) - self._let_in(self.reach) > HARDLY_ANYBODY:
            self._opening = None
            return
        last = self._opening
        if last is None or last.number != number:  # only after a whole turn it is seen how many come in one
            last = Opening(number)
        count = self._seen.get(number, 0)
        came = count - last.counted
        at_once = min(came * last.rank / RANKS, CROWD * last.most)
        entered = last.entered + at_once
        spare = last.spare + min(last.most, max(0.0, most - at_once))
        rank = math.ceil(min(1.0, most / came) * RANKS) if came else RANKS
        self._opening = Opening(number, rank, math.ceil(CROWD * most * part), most, count, entered, spare)
        waiting = count - entered
        passed = min(1.0, spare / waiting) if waiting > HARDLY_ANYBODY else 1.0
        self.reach = Reach(Place(number, math.ceil(passed * RANKS)), entered * (1 - passed))

    def _forget(self, numbers: list[int]) -> None:
        for number in numbers:
            del self.people[number]
            for counted in self.counted.values():
                counted.pop(number, None)

    def _let_in(self, reach: Reach) -> float:
        return self._before_place(reach.cursor) + reach.saved

    def _before_place(self, place: Place) -> float:
        """How many of those counted come before this place."""
        before = self._before[bisect.bisect_left(self._numbers, place.bucket)]
        return before + self._seen.get(place.bucket, 0) * place.rank / RANKS
