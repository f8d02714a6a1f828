"""Keeps processors awake, so that a rehearsal measures work and not how long a machine takes to wake up."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from firstbell.kernel.launch import end_with_parent, sleep_exactly

NAP_S = 150e-6
"""The longest that a processor sleeps. A host polls for a moment before it gives the processor away (KVM for 200 us),
and each waking takes the processor 3 us, a fiftieth of its time."""


@contextmanager
def kept_awake(cores: Sequence[int]) -> Iterator[None]:
    """Meanwhile none of these processors sleeps for longer than `NAP_S`.

    The host of a virtual machine gives a processor that sleeps to others, and takes its time to give it back: on one
    that was idle half of the time 30 % were stolen so, and 3 % when it was kept awake; of a hundred wakings the slowest
    took 2 to 4 ms, and then 0.1. A process that never slept would do as well, as SCHED_IDLE behind everybody: but Linux
    6.18 then let others on its processor wait for minutes.
    """
    spawn = multiprocessing.get_context("spawn")
    watches = [spawn.Process(target=_watch, args=(core, os.getpid()), daemon=True) for core in cores]
    for watch in watches:
        watch.start()
    try:
        yield
    finally:
        for watch in watches:
            watch.kill()
            watch.join()


def _watch(core: int, parent: int) -> None:
    """Nap on `core`, and interrupt nobody."""
    end_with_parent(signal.SIGKILL, parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.sched_setaffinity(0, {core})
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    sleep_exactly()
    while True:
        time.sleep(NAP_S)
