"""What goes wrong on purpose. Only processes that the rehearsal started are touched, by their ids."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from firstbell.rehearsal.bench.meter import process_tree
from firstbell.rehearsal.scenarios.scenario import Fault

SLOW_SECONDS = 10
SLOW_BYTES = 64_000_000
_WRITE_AND_SYNC = """
import os, sys, time
path, seconds, size = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
until = time.monotonic() + seconds
block = os.urandom(1_000_000)
with open(path, "wb", buffering=0) as file:
    while time.monotonic() < until:
        file.seek(0)
        for _ in range(size // len(block)):
            file.write(block)
            os.fsync(file.fileno())
os.unlink(path)
"""


class Breaker:
    """Breaks things. Whoever keeps the installation starts again what died."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._slowing: subprocess.Popen[bytes] | None = None

    def break_down(self, fault: Fault, processes: Mapping[str, int]) -> None:
        """Do it now; `processes` are the installation's own, by name."""
        if fault is Fault.WORKER_KILLED:
            for worker in sorted(process_tree([processes["serve"]]) - {processes["serve"]})[-1:]:
                os.kill(worker, signal.SIGKILL)
        elif fault is Fault.NATS_STOPPED:
            os.kill(processes["NATS"], signal.SIGTERM)
        elif fault is Fault.POSTGRES_RESTARTED:
            os.kill(processes["PostgreSQL"], signal.SIGINT)
        elif fault is Fault.STORAGE_SLOW:
            self._slow_storage()

    def mend(self) -> None:
        """End what still makes something slow."""
        if self._slowing is not None:
            self._slowing.kill()
            self._slowing.wait()
            self._slowing = None

    def _slow_storage(self) -> None:
        """Somebody else writes and syncs on the same disk for a while, so that everybody's writes queue up."""
        self.mend()
        self._slowing = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _WRITE_AND_SYNC, str(self._folder / "slow"), str(SLOW_SECONDS),
             str(SLOW_BYTES)]
        )  # fmt: skip
