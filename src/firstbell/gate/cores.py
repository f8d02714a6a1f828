"""How busy the cores are on which a worker runs, with all that runs there besides: database, network, passwords."""

import os
import time
from pathlib import Path

_STAT = Path("/proc/stat")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_FIELDS = slice(1, 9)
"""user, nice, system, idle, iowait, irq, softirq, steal (Linux, proc(5)); guests are in user."""
_IDLE = slice(4, 6)


class Cores:
    """The cores of this process, as the utilisation law sees them: they serve what a worker can have served.

    The thread of a worker shows a third to a half of what its requests take, and how much depends on where the
    database runs. What the host of a virtual machine takes counts as used: nobody here can have it.
    """

    def __init__(self) -> None:
        self._names = {f"cpu{number}" for number in os.sched_getaffinity(0)}
        self._used_s = 0.0
        self._thread_s, self._mean_s = time.thread_time(), self._read_mean_s()

    def used_s(self) -> float:
        """Seconds that were used until now: of the mean core, or of this thread where that is more.

        A worker has no more than one thread, and no more than its part of the cores.
        """
        thread_s, mean_s = time.thread_time(), self._read_mean_s()
        self._used_s += max(thread_s - self._thread_s, mean_s - self._mean_s)
        self._thread_s, self._mean_s = thread_s, mean_s
        return self._used_s

    def _read_mean_s(self) -> float:
        lines = (line.split() for line in _STAT.read_text().splitlines() if line.startswith("cpu"))
        ticks = [
            sum(map(int, words[_FIELDS])) - sum(map(int, words[_IDLE])) for words in lines if words[0] in self._names
        ]
        return sum(ticks) / len(ticks) / _TICKS_PER_S
