"""Processors that are kept awake while a rehearsal measures."""

import multiprocessing
import os
import re
import time
from pathlib import Path

from firstbell.rehearsal.bench.awake import WorkReading, kept_awake

CORE = sorted(os.sched_getaffinity(0))[0]


def wakings(process: int) -> int:
    """How often it has slept and woken."""
    found = re.search(r"^voluntary_ctxt_switches:\s+(\d+)", Path(f"/proc/{process}/status").read_text(), re.M)
    assert found is not None
    return int(found[1])


def test_a_processor_that_is_kept_awake_wakes_again_and_again() -> None:
    others = set(multiprocessing.active_children())
    with kept_awake([CORE]):
        (watch,) = set(multiprocessing.active_children()) - others
        assert watch.pid is not None
        while os.sched_getaffinity(watch.pid) != {CORE} or os.sched_getscheduler(watch.pid) != os.SCHED_BATCH:
            time.sleep(0.01)
        wanted, given_up_at = wakings(watch.pid) + 1_000, time.monotonic() + 10
        while wakings(watch.pid) < wanted and time.monotonic() < given_up_at:
            time.sleep(0.01)
        assert wakings(watch.pid) >= wanted
    assert not watch.is_alive()


def test_it_is_known_what_a_piece_of_work_takes_a_processor_that_is_kept_awake() -> None:
    with kept_awake([CORE]) as (waker,):
        given_up_at = time.monotonic() + 30
        while waker.work().times < 3 and time.monotonic() < given_up_at:
            time.sleep(0.05)
        reading = waker.work()
        assert reading.times >= 3
        assert 1 < reading.us_since(WorkReading()) < 10_000
    assert reading.us_since(reading) == 0.0, "nothing was done since"
