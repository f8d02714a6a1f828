"""Strangers in numbers: where so many come from that they have to show more than that they came.

What comes from one address is compared with what its school could bring: a thousand pupils stand behind one. Nobody is
shut out by it, and who is inside or known is not even counted: strangers from a busy source wait in the line, or bid.
"""

from collections.abc import Callable

from firstbell.kernel.sketches import SpaceSaving

WINDOW_S = 10.0
"""All counts are halved each time, so that a steady stream stands at no more than twice what it brings in a window."""


class Strangers:
    """Counts the requests of strangers by source and by school, and hears who guesses; in memory that does not grow."""

    def __init__(
        self,
        *,
        size_of: Callable[[bytes], float],
        names_missed: Callable[[bytes], int],
        per_person_s: float,
        least_per_s: float,
        guessed_share: float,
        guessed_min: int,
        sources_max: int,
    ) -> None:
        """A school of `size_of` people may bring `per_person_s` requests of strangers a second for each of them, and
        `least_per_s` in all. `names_missed` tells for how many names the password was wrong lately, at a source or
        school; more than `guessed_share` of the people, and more than `guessed_min`, is a spray.
        """
        self._size_of = size_of
        self._names_missed = names_missed
        self._per_person = 2 * WINDOW_S * per_person_s
        self._least = 2 * WINDOW_S * least_per_s
        self._guessed_share = guessed_share
        self._guessed_min = guessed_min
        self._sources: SpaceSaving[bytes] = SpaceSaving(sources_max)
        self._schools: dict[bytes, int] = {}
        self._elapsed_s = 0.0

    def come(self, school: bytes, source: bytes) -> bool:
        """Count a request of a stranger; True when its source or its school is busy."""
        size = self._size_of(school)
        budget = max(self._least, size * self._per_person)
        from_school = self._schools[school] = self._schools.get(school, 0) + 1
        if self._sources.add(source) > budget or from_school > budget:
            return True
        guessed = max(self._guessed_min, size * self._guessed_share)
        return self._names_missed(source) > guessed or self._names_missed(school) > guessed

    def turn(self, seconds: float) -> None:
        """Once a second: let what was long ago fade."""
        self._elapsed_s += seconds
        if self._elapsed_s >= WINDOW_S:
            self._elapsed_s = 0.0
            self._sources.fade()
            self._schools = {school: count // 2 for school, count in self._schools.items() if count > 1}
