"""Processors that are kept awake while a rehearsal measures."""

import multiprocessing
import os
import time
from pathlib import Path

from firstbell.rehearsal.bench.awake import kept_awake

CORE = sorted(os.sched_getaffinity(0))[0]
IDLE = 4
"""The column of `/proc/stat`, see proc(5)."""


def idle_ticks() -> int:
    """How long the core has slept since the machine began, in hundredths of a second."""
    rows = Path("/proc/stat").read_text().splitlines()
    return int(next(row for row in rows if row.startswith(f"cpu{CORE} ")).split()[IDLE])


def test_a_processor_that_is_kept_awake_does_not_sleep() -> None:
    others = set(multiprocessing.active_children())
    with kept_awake([CORE]):
        (watch,) = set(multiprocessing.active_children()) - others
        assert watch.pid is not None
        while os.sched_getscheduler(watch.pid) != os.SCHED_IDLE:
            time.sleep(0.01)
        before = idle_ticks()
        time.sleep(0.5)
        assert idle_ticks() - before <= 1
    assert not watch.is_alive()
