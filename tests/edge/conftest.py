"""The real HAProxy with our configuration, in front of an application that says what it was asked."""

import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from firstbell.gate.line import Lane
from firstbell.gate.waiting import Ticket, pack_ticket
from firstbell.kernel.engines import free_port
from firstbell.kernel.signing import Key, Signer
from firstbell.rehearsal.edge import Edge
from tests.conftest import wait_until

KEYS = (Key("t", secrets.token_bytes(32)),)
SCHOOL = b"s" * 16


@dataclass
class Front:
    """HAProxy as it stands in front."""

    process: Edge

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.process.port

    def ask(
        self, path: str = "/", *, host: str, method: str = "GET", source: str = "127.0.0.1", **headers: str
    ) -> httpx.Response:
        """One request of its own connection from `source`; `cookie="a=b"` and other headers by name."""
        with self.browser(source) as browser:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return browser.request(method, path, headers={"host": host, "accept": "text/html", **named})

    def browser(self, source: str = "127.0.0.1") -> httpx.Client:
        transport = httpx.HTTPTransport(local_address=source)
        return httpx.Client(base_url=f"http://127.0.0.1:{self.process.port}", transport=transport, timeout=15)

    def tell(self, age_s: int = 0, **entries: int) -> None:
        """Let the map of the gate be as `firstbell edge` wrote it so many seconds ago."""
        file = self.process.maps / "gate.map"
        self.command(f"clear map {file}")
        at = int(time.time()) - age_s
        written = {"written": at, "written/cell1": at, **entries}
        for key, value in written.items():
            self.command(f"add map {file} {key} {value}")

    def command(self, words: str) -> str:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(self.process.socket))
            line.sendall(f"{words}\n".encode())
            return b"".join(iter(lambda: line.recv(65_536), b"")).decode()

    def forget(self) -> None:
        """Empty the counters and what was told."""
        for table in ("sources", "schools", "devices"):
            self.command(f"clear table {table}")
        self.command(f"clear map {self.process.maps / 'gate.map'}")


@pytest.fixture(scope="session")
def cell() -> Iterator[int]:
    """`tests/edge/echo.py` under Granian; its port."""
    port = free_port()
    granian = [sys.executable, "-m", "granian", "--interface", "asgi", "--port", str(port), "--no-log"]
    process = subprocess.Popen([*granian, "tests.edge.echo:app"])
    try:
        wait_until(lambda: httpx.get(f"http://127.0.0.1:{port}/ready").status_code == 200)
        yield port
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="session")
def haproxy(cell: int) -> Iterator[Front]:
    """HAProxy in front of the cell."""
    # Not the long folder of pytest: a socket's path has at most 100 characters.
    with tempfile.TemporaryDirectory(prefix="firstbell-edge-") as folder:
        process = Edge(Path(folder), cell, ["wilge.example", "linde.example"])
        process.start()
        yield Front(process)
        process.stop()


@pytest.fixture
def front(haproxy: Front) -> Front:
    """HAProxy that has counted nothing and was told nothing."""
    haproxy.forget()
    return haproxy


def ticket_cookie(*, bucket: float, came_at: float, promised_at: float) -> str:
    """A place in the line of known devices."""
    ticket = Ticket(SCHOOL, Lane.KNOWN, b"h" * 8, int(came_at), int(bucket), 60, int(promised_at))
    return Signer(KEYS, "ticket").sign(pack_ticket(ticket))
