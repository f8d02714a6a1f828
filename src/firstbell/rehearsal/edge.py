"""HAProxy with the configuration of `deploy/edge`, in front of a cell of one node on this machine."""

import base64
import os
import resource
import secrets
import shutil
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from firstbell.kernel.engines import free_port
from firstbell.kernel.errors import OperatorError
from firstbell.kernel.processes import Child, start_child

CONFIGURATION = Path(__file__).parents[3] / "deploy/edge"
CELL = "cell1"
OWN_FILES = 200
"""What HAProxy needs beside two file descriptors for each connection, and some room."""

CONNECTIONS_MAX = 40_000
"""As many as the configuration takes where nothing else is given."""

START_SECONDS = 5.0


def find_haproxy() -> str:
    """The program.

    Raises:
        OperatorError: it is not installed, or its configuration is not here.
    """
    if not CONFIGURATION.is_dir():
        raise OperatorError("The configuration of the edge is in deploy/edge of a checkout; this is none.")
    program = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise OperatorError("The edge needs HAProxy 2.6 or newer: on Debian and Ubuntu, apt-get install haproxy.")
    return program


def new_edge_key() -> str:
    """A key that an edge and its cells share."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _connections() -> int:
    """As many as this session may have, two file descriptors each."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTIONS_MAX if hard == resource.RLIM_INFINITY else min(CONNECTIONS_MAX, (hard - OWN_FILES) // 2)


class Edge:
    """One HAProxy. Its maps lie in a folder of its own, so that `hosts` are mapped to the cell and to nothing else."""

    def __init__(
        self, folder: Path, cell_port: int, hosts: Sequence[str], *, key: str = "", **environment: str
    ) -> None:
        """`key` is that of the cell, a new one unless given; `environment` adds to what the configuration reads."""
        self.port = free_port()
        self.maps = folder / "maps"
        self.socket = folder / "haproxy.sock"
        self._folder = folder
        self._cell_port = cell_port
        self._children: list[Child] = []
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
            "EDGE_CONNECTIONS": str(_connections()),
            "EDGE_KEY": key or new_edge_key(),
            **environment,
        }

    def start(self) -> None:
        """Start HAProxy and wait until it answers.

        Raises:
            OperatorError: it does not start, or `find_haproxy` finds none.
        """
        files = [CONFIGURATION / "haproxy.cfg", CONFIGURATION / "cells.cfg"]
        log = self._folder / "haproxy.log"
        child = self._begin("haproxy", [find_haproxy(), *(word for file in files for word in ("-f", str(file)))])
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if not child.is_running or time.monotonic() > deadline:
                self.stop()
                raise OperatorError(f"HAProxy does not start: {log.read_text().strip()}")
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        """The process of HAProxy, which was started first."""
        return self._children[0].process.pid

    def follow_gate(self) -> None:
        """Start `firstbell edge`, which tells HAProxy what the gate of the cell would refuse."""
        cell = f"{CELL}=http://127.0.0.1:{self._cell_port}"
        self._begin("edge", [sys.executable, "-m", "firstbell", "edge", "--cell", cell])

    def stop(self) -> None:
        """End what was started."""
        while self._children:
            self._children.pop().stop()

    def _begin(self, name: str, command: Sequence[str]) -> Child:
        log = self._folder / f"{name}.log"
        child = start_child(name, command, run=self._folder, environment=self.environment, log=log)
        self._children.append(child)
        return child

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True
