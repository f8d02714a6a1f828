"""Budgets by key: so many at once, so many each second after that; in memory that does not grow.

The generic cell rate algorithm (ITU-T I.371) keeps one instant for each key: when its budget will be whole again. Keys
stand in two generations. Whoever asks moves to the young one; when that is full the old one is forgotten, so that room
for newcomers costs nothing, and a key that keeps asking is never forgotten.
"""

from collections.abc import Hashable


class Budgets:
    """One budget for each key, of at most `keys_max`. Times in seconds, given with every call."""

    __slots__ = ("_generation_max", "_interval_s", "_old", "_span_s", "_young")

    def __init__(self, *, per_s: float, burst: float, keys_max: int) -> None:
        """`burst` at once, and `per_s` more each second after that."""
        self._interval_s = 1 / per_s
        self._span_s = burst / per_s
        self._generation_max = keys_max // 2
        self._young: dict[Hashable, float] = {}
        self._old: dict[Hashable, float] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def take(self, key: Hashable, now_s: float) -> bool:
        """Use one; False when nothing is left, which costs nothing more."""
        whole_at = self._young.get(key)
        if whole_at is None:
            whole_at = self._settle(key, now_s)
        limit = now_s + self._span_s
        if whole_at < now_s:
            whole_at = now_s
        elif whole_at > limit:
            whole_at = limit  # a clock that was set back keeps nobody out
        if whole_at + self._interval_s > limit:
            self._young[key] = whole_at
            return False
        self._young[key] = whole_at + self._interval_s
        return True

    def give_back(self, key: Hashable) -> None:
        """What was taken was not used after all."""
        for generation in (self._young, self._old):
            if key in generation:
                generation[key] -= self._interval_s
                return

    def wait_s(self, key: Hashable, now_s: float) -> float:
        """How long until there is one again, 0 when there is one now."""
        whole_at = self._young.get(key, self._old.get(key, 0.0))
        return max(0.0, min(whole_at - now_s, self._span_s) + self._interval_s - self._span_s)

    def _settle(self, key: Hashable, now_s: float) -> float:
        """Move a key to the young generation, or begin it."""
        if len(self._young) >= self._generation_max:
            self._old, self._young = self._young, {}
        whole_at = self._old.pop(key, now_s)
        self._young[key] = whole_at
        return whole_at
