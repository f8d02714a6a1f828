"""Counting many in little memory: who comes most often, and how often about."""

import hashlib
import math
import struct
from collections.abc import Hashable
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)


class Talker(NamedTuple, Generic[K]):
    """One of the most frequent: it came between `times - error` and `times` times."""

    key: K
    times: int
    error: int


class SpaceSaving(Generic[K]):
    """The most frequent keys, with `counters` numbers in all.

    Metwally, Agrawal and El Abbadi, "Efficient computation of frequent and top-k elements in data streams" (ICDT 2005):
    a newcomer takes the place of the least frequent and inherits its count as its error. Whoever came more than
    total / counters times has a counter, and no count is over by more than that. Their stream summary, counters grouped
    by count, finds the least in constant time.
    """

    def __init__(self, counters: int) -> None:
        self._counters = counters
        self._counts: dict[K, int] = {}
        self._groups: dict[int, dict[K, int]] = {}
        self._least = 1
        self.total = 0

    def add(self, key: K) -> int:
        """Count one more; how often it came at least."""
        self.total += 1
        count = self._counts.get(key)
        if count is not None:
            error = self._take(key, count)
        elif len(self._counts) < self._counters:
            count = error = 0
            self._least = 1
        else:
            count = error = self._least
            loser = next(iter(self._groups[count]))
            del self._counts[loser]
            self._take(loser, count)
        self._put(key, count + 1, error)
        return count + 1 - error

    def least_count(self, key: K) -> int:
        """How often it came at least, 0 when it has no counter."""
        count = self._counts.get(key)
        return 0 if count is None else count - self._groups[count][key]

    def top(self, number: int) -> list[Talker[K]]:
        """The most frequent ones, the first first."""
        most = sorted(self._counts.items(), key=lambda item: -item[1])[:number]
        return [Talker(key, count, self._groups[count][key]) for key, count in most]

    def fade(self) -> None:
        """Halve all counts: what was long ago matters less."""
        kept = [(key, count // 2, self._groups[count][key] // 2) for key, count in self._counts.items() if count > 1]
        self._counts, self._groups = {}, {}
        for key, count, error in kept:
            self._put(key, count, error)
        self._least = min(self._groups, default=1)
        self.total //= 2

    def _take(self, key: K, count: int) -> int:
        """Take a key out of its group; its error."""
        group = self._groups[count]
        error = group.pop(key)
        if not group:
            del self._groups[count]
            if count == self._least:
                self._least += 1  # the key that left is counted there next, or its heir
        return error

    def _put(self, key: K, count: int, error: int) -> None:
        self._counts[key] = count
        self._groups.setdefault(count, {})[key] = error


class CountMin:
    """How often anything came: never too few, and with probability `1 - failure` at most `share` of all too many.

    Cormode and Muthukrishnan, "An improved data stream summary: the count-min sketch and its applications" (Journal of
    Algorithms, 2005): ceil(e / share) columns, ceil(ln 1 / failure) rows, at most 16. With conservative update (Estan
    and Varghese, "New directions in traffic measurement and accounting", SIGCOMM 2002) only the least of a key's cells
    grow. `salt` keeps others from choosing keys that collide.
    """

    def __init__(self, *, share: float, failure: float, salt: bytes) -> None:
        self._columns = math.ceil(math.e / share)
        self._rows = [[0] * self._columns for _ in range(math.ceil(math.log(1 / failure)))]
        self._salt = salt
        self._places = struct.Struct(f"{len(self._rows)}I")

    def add(self, key: bytes) -> int:
        """Count one more; how often it came about."""
        columns = self._columns_of(key)
        count = min(row[column] for row, column in zip(self._rows, columns, strict=True)) + 1
        for row, column in zip(self._rows, columns, strict=True):
            row[column] = max(row[column], count)
        return count

    def count(self, key: bytes) -> int:
        """How often it came about."""
        return min(row[column] for row, column in zip(self._rows, self._columns_of(key), strict=True))

    def fade(self) -> None:
        """Halve all counts."""
        self._rows = [[cell >> 1 for cell in row] for row in self._rows]

    def _columns_of(self, key: bytes) -> list[int]:
        digest = hashlib.blake2b(key, key=self._salt, digest_size=self._places.size).digest()
        return [place % self._columns for place in self._places.unpack(digest)]
