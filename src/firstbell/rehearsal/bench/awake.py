"""Keeps processors awake, so that a rehearsal measures work and not how long a machine takes to wake up."""

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from firstbell.kernel.launch import end_with_parent


@contextmanager
def kept_awake(cores: Sequence[int]) -> Iterator[None]:
    """Meanwhile none of these processors sleeps; whoever else wants one has it at once.

    The host of a virtual machine gives a processor that sleeps to others, and takes its time to give it back: with half
    of the time idle, a quarter of it was stolen so, of the half in which there was something to do.
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
    """Work for nobody on `core`, behind everybody: see Linux, sched(7), SCHED_IDLE."""
    end_with_parent(signal.SIGKILL, parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.sched_setaffinity(0, {core})
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    while True:
        pass
