"""How many people may come inside each second, found from whether those inside are served in time."""

import math


class EntryBudget:
    """No limit in peace. From the first overload a rate, at least a tenth lower after each bad second and a little
    higher after each good one; peace again when nobody waits and all has been well for a while.

    A second is bad when the worker was late, and when it turned away some of those who are inside: then too many are.
    """

    DECREASE = 0.9
    DECREASE_MOST = 0.8
    SERVED_SHARE_MIN = 0.95
    INCREASE = 0.05
    CALM_S = 10.0

    def __init__(self, *, least_per_s: float) -> None:
        self._least_per_s = least_per_s
        self._calm_s = 0.0
        self._entered = 0
        self._entered_per_s = 0.0
        self.rate_per_s = math.inf

    @property
    def is_limited(self) -> bool:
        """True while there is a limit, so that people may have to wait."""
        return self.rate_per_s < math.inf

    def resume(self, rate_per_s: float) -> None:
        """Limit entries from now on, at the rate of before."""
        self.rate_per_s = max(self._least_per_s, rate_per_s)

    def join(self) -> None:
        """Limit entries because another worker does: to what this one has shown that it bears."""
        self.resume(self._entered_per_s)

    def enter(self) -> None:
        """Count somebody who came in."""
        self._entered += 1

    def adjust(self, seconds: float, *, is_overloaded: bool, waiting: int, served_share: float = 1.0) -> None:
        """Move the rate by what happened in the last `seconds`; `served_share` of those who are inside were served."""
        now_per_s = self._entered / seconds
        self._entered_per_s += min(1.0, seconds / self.CALM_S) * (now_per_s - self._entered_per_s)
        self._entered = 0
        if is_overloaded or served_share < self.SERVED_SHARE_MIN:
            self._calm_s = 0.0
            came_from = self.rate_per_s if self.is_limited else max(self._entered_per_s, now_per_s)
            factor = max(self.DECREASE_MOST, min(self.DECREASE, served_share))
            self.rate_per_s = max(self._least_per_s, came_from * factor)
        elif self.is_limited:
            self._calm_s = 0.0 if waiting else self._calm_s + seconds
            self.rate_per_s += max(self._least_per_s, self.rate_per_s * self.INCREASE) * seconds
            if self._calm_s >= self.CALM_S:
                self.rate_per_s = math.inf
