"""When people who wait will enter, while several lines share one door."""

import bisect
from collections.abc import Mapping
from itertools import accumulate, pairwise
from typing import Any, NamedTuple


class Prospect(NamedTuple):
    """A line as the outlook sees it: who waits, and its weight."""

    waiting: float
    weight: float


class Outlook:
    """When each line will have let in how many.

    Generalised processor sharing (Parekh and Gallager, 1993): in one unit of virtual time each line lets in as many as
    its weight, so that a line ends at waiting / weight, and leaves its share to the others. Who still comes is not
    foreseen: lines of schools grow as the schools are large, which changes nobody's turn.
    """

    def __init__(self, lines: Mapping[Any, Prospect], rate_per_s: float) -> None:
        self._weights = {key: line.weight for key, line in lines.items()}
        self._rate_per_s = rate_per_s
        ends = sorted((line.waiting / line.weight, line.weight) for line in lines.values())
        self._virtual = [0.0, *(end for end, _ in ends)]
        # The weight of all lines that still wait, between one end and the next.
        self._whole = list(accumulate(weight for _, weight in reversed(ends)))[::-1]
        spans = (later - earlier for earlier, later in pairwise(self._virtual))
        steps = (span * whole for span, whole in zip(spans, self._whole, strict=True))
        self._people = [0.0, *accumulate(steps)]
        self._last_s = {key: self.wait_s(key, line.waiting) or 0.0 for key, line in lines.items()}

    @property
    def longest_s(self) -> float:
        """How long the last of the longest line will wait, 0 when nobody waits or it is not known."""
        return max(self._last_s.values(), default=0.0)

    def last_s(self, key: object) -> float:
        """How long the last of a line will wait, 0 when nobody waits or it is not known."""
        return self._last_s.get(key, 0.0)

    def wait_s(self, key: object, ahead: float) -> float | None:
        """How long until `ahead` people of a line are in; None while that is not known."""
        if self._rate_per_s <= 0 or key not in self._weights:
            return None
        virtual = min(ahead / self._weights[key], self._virtual[-1])
        place = max(0, bisect.bisect_left(self._virtual, virtual) - 1)
        people = self._people[place] + (virtual - self._virtual[place]) * self._whole[place]
        return people / self._rate_per_s
