"""Brownout: before anybody is refused, pages leave out what can wait."""

LEVELS_MAX = 3
CALM_SECONDS = 5
"""How long all must be well before a level is taken back: pages that flicker are worse than plain ones."""


class Brownout:
    """A level from 0, nothing is left out, to 3; one up for each second of pressure, one down after five calm ones.

    It never falls below `least`.
    """

    def __init__(self, queuing_s_max: float, least: int = 0) -> None:
        self._queuing_s_max = queuing_s_max
        self._least = least
        self._calm = 0
        self.level = least

    def adjust(self, queuing_s: float) -> None:
        """Once a second: `queuing_s` is the mean queuing time."""
        if queuing_s > self._queuing_s_max / 2:
            self.level = min(LEVELS_MAX, self.level + 1)
            self._calm = 0
        elif queuing_s < self._queuing_s_max / 4:
            self._calm += 1
            if self._calm >= CALM_SECONDS:
                self.level = max(self._least, self.level - 1)
                self._calm = 0
