"""How a long command ends when somebody asks it to: in order, with everything that it started."""

import signal
from types import FrameType
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """Somebody asked us to end: Ctrl-C, SIGTERM, or the terminal was closed."""


def end_on_signals() -> None:
    """From now on a signal raises `Ended`, wherever we are."""
    for number in _SIGNALS:
        signal.signal(number, _end)


def end_undisturbed() -> None:
    """From now on a signal changes nothing: we are ending already."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Ended
