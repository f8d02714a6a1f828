"""Guessing of passwords: how often a name may be tried, and who tries many names.

Attempts are bounded as OWASP's device cookies do it: all unknown devices together share one budget for each name, and
each known device has its own, so that who guesses cannot lock out the one whose name it is. Somebody who tries a common
password on many names never uses up any of these; failures are therefore also counted by place, each name once:
a count-min sketch tells whether a name is new there, and Space-Saving in which places most names are.
"""

import math
from typing import NamedTuple

from firstbell.kernel.budgets import Budgets
from firstbell.kernel.errors import FirstbellError
from firstbell.kernel.i18n import mark
from firstbell.kernel.sketches import CountMin, SpaceSaving

_FADE_S = 300.0
"""Failures count half after five minutes: a spray that is slower tries a school's names for days."""
_SHARE, _FAILURE = 0.001, 0.01
_PLACES_MAX = 1_024
_MINUTE_S = 60


class TooManyGuessesError(FirstbellError):
    """This name was tried too often lately."""

    status = 429
    kind = "too-many-guesses"
    title = mark("Somebody tried this name too often.")
    advice = mark(
        "Try again in %(minutes)s min. On a device where you signed in before, you can sign in now; "
        "if you do not know your password any more, ask the school for a new one."
    )

    def __init__(self, wait_s: float) -> None:
        self.retry_after_s = math.ceil(wait_s)
        super().__init__(minutes=math.ceil(wait_s / _MINUTE_S))


class Attempt(NamedTuple):
    """One attempt to sign in: `name` in one school, from a known device (else None) at a source, as the gate says."""

    school: bytes
    name: str
    device: bytes | None
    source: bytes


class Guesses:
    """The attempts of one worker, in memory that does not grow. Times in seconds."""

    def __init__(self, *, per_s: float, burst: float, names_max: int, salt: bytes) -> None:
        """`burst` attempts at once for each name, and `per_s` more each second after that."""
        self._budgets = Budgets(per_s=per_s, burst=burst, keys_max=names_max)
        self._pairs = CountMin(share=_SHARE, failure=_FAILURE, salt=salt)
        self._names: SpaceSaving[bytes] = SpaceSaving(_PLACES_MAX)
        self._faded_s = 0.0

    def begin(self, attempt: Attempt, now_s: float) -> None:
        """Count an attempt before its password is looked at: those that come together are not looked at together.

        Raises:
            TooManyGuessesError: the budget of this name is used up, on this device or on unknown ones.
        """
        key = _key(attempt)
        if not self._budgets.take(key, now_s):
            raise TooManyGuessesError(self._budgets.wait_s(key, now_s))

    def was_none(self, attempt: Attempt) -> None:
        """It was no guess: the password was right, or nobody could look at it."""
        self._budgets.give_back(_key(attempt))

    def was_wrong(self, attempt: Attempt, now_s: float) -> None:
        """The password was wrong, or there is no such name."""
        self._fade(now_s)
        name = attempt.name.encode()
        for place in (attempt.source, attempt.school):
            if self._pairs.add(place + b"\0" + name) == 1:
                self._names.add(place)

    def names_missed(self, place: bytes) -> int:
        """For how many names, at least, the password was wrong lately at a source or a school."""
        return self._names.least_count(place)

    def _fade(self, now_s: float) -> None:
        if abs(now_s - self._faded_s) >= _FADE_S:
            self._faded_s = now_s
            self._pairs.fade()
            self._names.fade()


def _key(attempt: Attempt) -> tuple[bytes, str, bytes | None]:
    return attempt.school, attempt.name, attempt.device
