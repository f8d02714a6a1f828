"""Installations that tests start as people do, with the command line, and that end with their test."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from firstbell.kernel.engines import free_port
from tests.conftest import START_S, wait_until

Start = Callable[..., "Demo"]


def alive(pid: int) -> bool:
    """Whether a process runs; a dead one whose parent did not ask yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def children_of(pid: int) -> dict[int, str]:
    """The living processes below `pid`, with their command lines; one that ends meanwhile is left out."""
    found: dict[int, str] = {}
    with suppress(OSError):
        for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
            if alive(child):
                found |= {child: command_of(child)} | children_of(child)
    return found


def command_of(pid: int) -> str:
    """The command line of a process, empty when it has just ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""


@dataclass
class Demo:
    """A running `firstbell demo`."""

    process: subprocess.Popen[str]
    output: Path
    port: int
    folder: Path
    pids: set[int] = field(default_factory=set)

    @property
    def text(self) -> str:
        return self.output.read_text()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def is_ready(self) -> bool:
        return httpx.get(f"{self.address}/ready", timeout=30).status_code == 200

    def until_ready(self) -> "Demo":
        """Wait for the last sentence that says so."""
        wait_until(lambda: "Ctrl-C ends everything." in self.text or self.process.poll() is not None, START_S)
        assert self.process.poll() is None, self.text
        self.pids |= children_of(self.process.pid).keys()
        return self

    def pid_of(self, words: str) -> int | None:
        """The child whose command line has these words; a worker is behind its parent."""
        found = (pid for pid, command in children_of(self.process.pid).items() if words in command)
        return next(found, None)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


def starting(outputs: Path) -> Iterator[Start]:
    """Something that starts demos with these options; whatever it leaves running is ended after the fixture."""
    begun: list[Demo] = []

    def start_demo(folder: Path, *options: str, port: int = 0, limit_kb: int | None = None) -> Demo:
        port = port or free_port()
        path = outputs / f"{len(begun)}.txt"
        where = ["--port", str(port), "--data-dir", str(folder)]
        # What may write no larger file meets what a full disk is.
        limit = [] if limit_kb is None else ["sh", "-c", f'ulimit -f {limit_kb} && exec "$@"', "sh"]
        with path.open("w") as output:
            process = subprocess.Popen(
                [*limit, sys.executable, "-m", "firstbell", "demo", *options, *where],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                env={name: value for name, value in os.environ.items() if not name.startswith("FIRSTBELL_")},
            )
        begun.append(Demo(process, path, port, folder))
        return begun[-1]

    yield start_demo
    for demo in begun:
        if demo.process.poll() is None:
            demo.process.terminate()
            demo.process.wait(60)


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts demos that end with the test."""
    yield from starting(tmp_path_factory.mktemp("output"))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """An empty demo for tests that leave it as they found it."""
    starter = starting(tmp_path_factory.mktemp("output"))
    yield next(starter)(tmp_path_factory.mktemp("running"), "--empty").until_ready()
    next(starter, None)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder for the whole run, filled by the first demo that starts on it."""
    return tmp_path_factory.mktemp("demo") / "data"
