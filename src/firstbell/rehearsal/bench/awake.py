"""Keeps processors awake, so that a rehearsal measures work and not how long a machine takes to wake up; says how fast
each is meanwhile."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.sharedctypes import SynchronizedArray
from typing import NamedTuple

from firstbell.kernel.launch import end_with_parent, sleep_exactly

NAP_S = 150e-6
"""The longest that a processor sleeps. A host polls for a moment before it gives the processor away (KVM for 200 us),
and each waking takes the processor 3 us, a fiftieth of its time."""

WORK_EVERY_S = 0.1
WORK_STEPS = 500
"""A piece of work takes 30 to 50 us: three of them each time are a seventh of a per cent of a processor."""


class WorkReading(NamedTuple):
    """What the same piece of work took a processor until one moment: how often it was done, and nanoseconds of CPU."""

    times: int = 0
    ns: int = 0

    def us_since(self, earlier: "WorkReading") -> float:
        """CPU microseconds of one since `earlier`; 0.0 when none was done."""
        times = self.times - earlier.times
        return (self.ns - earlier.ns) / times / 1_000 if times else 0.0


class Waker:
    """A process on one processor that naps, so that this does not, and now and then does the same piece of work."""

    def __init__(self, core: int) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._done: SynchronizedArray[int] = spawn.Array("Q", len(WorkReading._fields))
        self._process = spawn.Process(target=_keep_awake, args=(core, os.getpid(), self._done), daemon=True)
        self._process.start()

    def work(self) -> WorkReading:
        """What its work has taken until now."""
        return WorkReading(*self._done[:])

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.join()


@contextmanager
def kept_awake(cores: Sequence[int]) -> Iterator[list[Waker]]:
    """Meanwhile none of these processors sleeps for longer than `NAP_S`; yields what keeps each awake.

    The host of a virtual machine gives a processor that sleeps to others, and takes its time to give it back: on one
    that was idle half of the time 30 % were stolen so, and 3 % when it was kept awake; of a hundred wakings the slowest
    took 2 to 4 ms, and then 0.1. A process that never slept would do as well, as SCHED_IDLE behind everybody: but Linux
    6.18 then let others on its processor wait for minutes.
    """
    wakers = [Waker(core) for core in cores]
    try:
        yield wakers
    finally:
        for waker in wakers:
            waker.stop()


def _keep_awake(core: int, parent: int, done: "SynchronizedArray[int]") -> None:
    """Nap on `core`, and interrupt nobody."""
    end_with_parent(signal.SIGKILL, parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.sched_setaffinity(0, {core})
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    sleep_exactly()
    due_s = time.monotonic()
    while True:
        time.sleep(NAP_S)
        if time.monotonic() >= due_s:
            due_s = time.monotonic() + WORK_EVERY_S
            took_ns = _work_ns()
            with done:
                done[:] = [done[0] + 1, done[1] + took_ns]


def _work_ns() -> int:
    """CPU nanoseconds of a piece of work that needs nothing but the processor: the median of three."""
    took_ns = []
    for _ in range(3):
        began_ns, total = time.thread_time_ns(), 0
        for number in range(WORK_STEPS):
            total += number * number
        took_ns.append(time.thread_time_ns() - began_ns)
    return sorted(took_ns)[1]
