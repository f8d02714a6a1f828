"""How busy the cores of a process are, with real processes on them."""

import subprocess
import sys
import time

from firstbell.gate.cores import Cores

PLAYED_S = 1.0
IDLE_BESIDE_A_BUSY_ONE = f"""
import os, subprocess, sys, time
from firstbell.gate.cores import Cores
os.sched_setaffinity(0, {{min(os.sched_getaffinity(0))}})
busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
time.sleep(0.2)
cores, began = Cores(), time.monotonic()
time.sleep({PLAYED_S})
print(cores.used_s() / (time.monotonic() - began), time.thread_time())
busy.kill()
"""


def test_what_others_use_of_the_same_core_a_worker_does_not_have() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IDLE_BESIDE_A_BUSY_ONE], capture_output=True, text=True, check=True, timeout=60
    )
    used_share, thread_s = map(float, done.stdout.split())
    assert 0.8 <= used_share <= 1.2
    assert thread_s < 0.5, "its own thread slept"


def test_a_thread_that_is_busy_has_no_more_though_other_cores_are_idle() -> None:
    cores, began = Cores(), time.thread_time()
    while time.thread_time() - began < PLAYED_S:
        pass
    assert cores.used_s() >= PLAYED_S
