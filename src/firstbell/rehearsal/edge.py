"""HAProxy with the configuration of `deploy/edge`, in front of one cell on this machine."""

import os
import shutil
import socket
import time
from pathlib import Path

from firstbell.kernel.engines import free_port
from firstbell.kernel.errors import OperatorError
from firstbell.kernel.processes import Child, start_child

CONFIGURATION = Path(__file__).parents[3] / "deploy/edge"
CELL = "cell1"
CONNECTIONS = 8_000
"""Twice as many file descriptors fit what a session has by default on Debian and Ubuntu."""

START_SECONDS = 5.0


class EdgeProcess:
    """One HAProxy. Its maps lie in a folder of its own, so that `hosts` are mapped to the cell and to nothing else."""

    def __init__(self, folder: Path, cell_port: int, hosts: list[str]) -> None:
        self.port = free_port()
        self.maps = folder / "maps"
        self.socket = folder / "haproxy.sock"
        self._folder = folder
        shutil.copytree(CONFIGURATION / "maps", self.maps)
        (self.maps / "cells.map").write_text("".join(f"{host} {CELL}\n" for host in hosts))
        self.environment = {
            **os.environ,
            "EDGE_BIND": f"127.0.0.1:{self.port}",
            "EDGE_MAPS": str(self.maps),
            "EDGE_PAGES": str(CONFIGURATION / "pages"),
            "EDGE_SOCKET": str(self.socket),
            "EDGE_CELL": f"127.0.0.1:{cell_port}",
            "EDGE_COOKIES": "",
            "EDGE_CONNECTIONS": str(CONNECTIONS),
        }

    def start(self) -> Child:
        """Start HAProxy and wait until it answers.

        Raises:
            OperatorError: it is not installed, or does not start.
        """
        program = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if program is None:
            raise OperatorError("The edge needs HAProxy 2.6 or newer: on Debian and Ubuntu, apt-get install haproxy.")
        files = [CONFIGURATION / "haproxy.cfg", CONFIGURATION / "cells.cfg"]
        log = self._folder / "haproxy.log"
        child = start_child(
            "haproxy",
            [program, *(word for file in files for word in ("-f", str(file)))],
            run=self._folder,
            environment=self.environment,
            log=log,
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if not child.is_running or time.monotonic() > deadline:
                child.stop()
                raise OperatorError(f"HAProxy does not start: {log.read_text().strip()}")
            time.sleep(0.05)
        return child

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True
