"""What goes wrong on purpose. Only processes that the rehearsal started are touched, by their ids."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from firstbell.rehearsal import slow_storage
from firstbell.rehearsal.bench.meter import process_tree
from firstbell.rehearsal.scenarios.scenario import Fault

SLOW_SECONDS = 10


class Breaker:
    """Breaks things. Whoever keeps the installation starts again what died."""

    def __init__(self, folder: Path) -> None:
        """`folder` is where the installation keeps everything."""
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
            self._slowing.terminate()
            self._slowing.wait()
            self._slowing = None

    def _slow_storage(self) -> None:
        self.mend()
        arguments = [str(os.getpid()), str(self._folder), str(SLOW_SECONDS)]
        self._slowing = subprocess.Popen([sys.executable, "-I", "-S", slow_storage.__file__, *arguments])
