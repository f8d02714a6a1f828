"""Keeps the processes of a whole installation running: the one that dies is started again, within limits."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from firstbell.kernel.errors import OperatorError
from firstbell.kernel.processes import Child

RESTARTS_MAX = 5
RESTARTS_SECONDS = 60.0
"""A process that dies more often than so many times in a minute will not stay alive, and its reason is in its log."""

WATCH_SECONDS = 0.25


@dataclass(slots=True)
class _Kept:
    start: Callable[[], Child]
    child: Child
    died_at: deque[float] = field(default_factory=deque)


class Keeper:
    """Starts processes in order, watches them, and stops those it started in the opposite order."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._kept: list[_Kept] = []

    def keep(self, start: Callable[[], Child], child: Child | None = None) -> Child:
        """Start a process, or take over `child`, and start it again with `start` whenever it dies."""
        kept = _Kept(start, child or start())
        self._kept.append(kept)
        return kept.child

    @property
    def children(self) -> list[Child]:
        """What is kept running now, the first started first."""
        return [kept.child for kept in self._kept]

    def renew(self, name: str, meanwhile: Callable[[], None]) -> Child:
        """End the process of that name, do something `meanwhile`, and start it again."""
        kept = next(kept for kept in self._kept if kept.child.name == name)
        kept.child.stop()
        meanwhile()
        kept.child = kept.start()
        return kept.child

    def watch_once(self) -> None:
        """Start again what died.

        Raises:
            OperatorError: it dies too often.
        """
        for kept in self._kept:
            if not kept.child.is_running:
                self._start_again(kept)

    def watch(self) -> None:
        """Watch until an exception, such as the one of a signal, ends it."""
        while True:
            self.watch_once()
            time.sleep(WATCH_SECONDS)

    def stop(self) -> None:
        """End everything, the last started first."""
        while self._kept:
            self._kept.pop().child.stop()

    def _start_again(self, kept: _Kept) -> None:
        now = time.monotonic()
        while kept.died_at and now - kept.died_at[0] > RESTARTS_SECONDS:
            kept.died_at.popleft()
        kept.died_at.append(now)
        name = kept.child.name
        if len(kept.died_at) > RESTARTS_MAX:
            raise OperatorError(
                f"{name} ended {len(kept.died_at)} times within {RESTARTS_SECONDS:.0f} s; its log says why."
            )
        self._tell(f"{name} ended (status {kept.child.process.returncode}) and is started again.")
        time.sleep(0.2 * 2 ** (len(kept.died_at) - 1))
        kept.child = kept.start()
