"""Who comes to a school as people always do, while others storm another one."""

from collections import Counter

from firstbell.gate.line import Lane, LineKey

MEMORY_S = 60.0
"""How long arrivals are averaged: as long as a morning's rush takes to come up."""
SURE_S = 10.0
"""Less of peace says nothing of what is usual."""
TIMES = 2.0
"""Twice as many as usual are no storm: people come unevenly."""
TOGETHER = 4.0
TOGETHER_S = 2.0
"""So many may come together to the smallest school, and to a larger one what comes in so many seconds besides."""
LEAST_PER_S = 1e-3
"""A school to which hardly anybody comes is forgotten, in ten minutes."""
ALL = LineKey(b"", Lane.KNOWN)
"""Stands for all lines: when every school storms, the few of each would be thousands."""


class Usual:
    """Arrivals of people who are not inside yet, by line, as one worker sees them in peace.

    While entries are limited, as many as usual come in where nobody waits, whatever happens elsewhere: a fair share by
    people would not do, of the little that refusals leave of a worker. A bucket of tokens for each line (RFC 2697).
    """

    def __init__(self) -> None:
        self._came: Counter[LineKey] = Counter()
        self._per_s: dict[LineKey, float] = {}
        self._learnt_s = 0.0
        self._taken: Counter[LineKey] = Counter()

    def come(self, key: LineKey) -> None:
        """Somebody came in peace."""
        self._came.update((key, ALL))

    def take(self, key: LineKey) -> bool:
        """True when somebody who comes now is one of as many as always."""
        is_usual = self._learnt_s >= SURE_S and key in self._per_s and self._has_room(key) and self._has_room(ALL)
        if is_usual:
            self._taken.update((key, ALL))
        return is_usual

    def turn(self, seconds: float, *, is_peace: bool) -> None:
        """Once a second: learn from the last `seconds`, unless they were a storm, and let as many come again."""
        left = {key: taken - TIMES * seconds * self._per_s.get(key, 0.0) for key, taken in self._taken.items()}
        self._taken = Counter({key: taken for key, taken in left.items() if taken > 0})
        came, self._came = self._came, Counter()
        if not is_peace:
            return
        self._learnt_s = min(MEMORY_S, self._learnt_s + seconds)
        share = min(1.0, seconds / self._learnt_s)
        per_s = {
            key: (1 - share) * self._per_s.get(key, 0.0) + share * came[key] / seconds
            for key in self._per_s.keys() | came.keys()
        }
        self._per_s = {key: rate_per_s for key, rate_per_s in per_s.items() if rate_per_s > LEAST_PER_S}

    def _has_room(self, key: LineKey) -> bool:
        return self._taken[key] + 1 <= TOGETHER + TOGETHER_S * self._per_s[key]
