"""`firstbell serve` and `firstbell work`: the processes of a real installation."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event

import asyncpg
import httpx
import pytest

from firstbell.cli.serve import NETWORK_THREAD
from firstbell.kernel.engines import free_port, running_addresses
from firstbell.settings import Settings
from tests.cli.conftest import Demo, alive, children_of, starting
from tests.conftest import Installation, wait_until

GUEST = {"name": "noor.vermeulen", "password": "eerste-bel", "next": "/"}


@dataclass
class Server:
    """A running `firstbell serve`, and what it wrote."""

    process: subprocess.Popen[bytes]
    address: str
    log: Path

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(self.address + path, headers={"host": "localhost", **headers}, timeout=30)

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory, filled: Path) -> Iterator[Demo]:
    """A demo school whose engines other servers of these tests use."""
    starter = starting(tmp_path_factory.mktemp("output"))
    yield next(starter)(filled, "--pupils", "12").until_ready()
    next(starter, None)


@pytest.fixture(scope="module")
def serve(school: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Starts servers beside the demo's own, which end after these tests."""
    begun: list[Server] = []
    logs = tmp_path_factory.mktemp("serve")

    def start(*options: str, **settings: str) -> Server:
        port = free_port()
        named = {"data_dir": str(school.folder), "drain_pause_ms": "0", "port": str(port), **settings}
        environment = {**os.environ, **{f"FIRSTBELL_{name.upper()}": value for name, value in named.items()}}
        log = logs / f"{len(begun)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "firstbell", "serve", *options], env=environment, stderr=output
            )
        server = Server(process, f"http://127.0.0.1:{port}", log)
        begun.append(server)
        wait_until(lambda: server.get("/health").status_code == 200)
        return server

    yield start
    for server in begun:
        if server.process.poll() is None:
            server.process.terminate()
            server.process.wait(60)


@pytest.fixture(scope="module")
def server(serve: Callable[..., Server]) -> Server:
    """A server with two workers, for tests that leave it as they found it."""
    return serve("--workers", "2")


def test_readiness_names_each_part(server: Server) -> None:
    wait_until(lambda: server.get("/ready").json()["bus"] == "connected")
    assert server.get("/ready").json() == {
        "status": "ready", "database": "ok", "migrations": "up to date", "bus": "connected",
    }  # fmt: skip


def test_the_thread_of_the_network_gives_way_to_the_one_that_answers(server: Server) -> None:
    def gives_way(worker: int) -> bool:
        threads = {int(task.name): (task / "comm").read_text() for task in Path(f"/proc/{worker}/task").iterdir()}
        network = [thread for thread, name in threads.items() if name.strip() == NETWORK_THREAD]
        answering = os.getpriority(os.PRIO_PROCESS, worker)
        steps = [os.getpriority(os.PRIO_PROCESS, thread) - answering for thread in network]
        return steps == [Settings().network_nice]

    workers = children_of(server.process.pid)
    assert len(workers) == 2
    for worker in workers:
        wait_until(partial(gives_way, worker))


def test_a_request_is_one_line_of_json_with_its_id(server: Server) -> None:
    answer = server.get("/sign-in?secret=1", **{"x-request-id": "abc-123"})
    assert answer.headers["x-request-id"] == "abc-123"
    wait_until(lambda: any(line.get("request_id") == "abc-123" for line in server.lines()))
    (line,) = (line for line in server.lines() if line.get("request_id") == "abc-123")
    assert (line["method"], line["route"], line["status"], line["level"]) == ("GET", "/sign-in", 200, "info")
    assert "secret" not in server.log.read_text()


def test_metrics_add_up_over_the_workers(server: Server) -> None:
    def answered() -> float:
        lines = server.get("/metrics").text.splitlines()
        values = [line.rpartition(" ")[2] for line in lines if line.startswith("firstbell_requests_total{")
                  and 'route="/sign-in"' in line and 'status="200"' in line and 'method="GET"' in line]  # fmt: skip
        return sum(map(float, values))

    before = answered()
    for _ in range(20):
        assert server.get("/sign-in").status_code == 200
    assert answered() == before + 20


def test_metrics_are_for_this_machine_or_whoever_has_the_token(server: Server, serve: Callable[..., Server]) -> None:
    assert server.get("/metrics").status_code == 200
    assert server.get("/metrics", **{"x-forwarded-for": "127.0.0.1"}).status_code == 404
    guarded = serve(metrics_token="only-for-prometheus")
    assert guarded.get("/metrics").status_code == 404
    assert guarded.get("/metrics", authorization="Bearer something").status_code == 404
    assert guarded.get("/metrics", authorization="Bearer only-for-prometheus").status_code == 200


def test_workers_end_with_their_server(serve: Callable[..., Server]) -> None:
    server = serve("--workers", "2")
    workers = children_of(server.process.pid)
    assert len(workers) == 2
    server.process.kill()
    server.process.wait(10)
    wait_until(lambda: not any(map(alive, workers)))


def slow_form(goes_on: Event) -> Iterator[bytes]:
    """The form of somebody whose line is dead for a while."""
    body = str(httpx.QueryParams(GUEST)).encode()
    yield body[:10]
    goes_on.wait(30)
    yield body[10:]


def sign_in(server: Server, form: Iterator[bytes] | bytes) -> int:
    """The status, or 0 when there was no whole answer."""
    headers = {"host": "localhost", "content-type": "application/x-www-form-urlencoded"}
    try:
        return httpx.post(server.address + "/sign-in", content=form, headers=headers, timeout=30).status_code
    except httpx.TransportError:
        return 0


def test_a_server_that_is_told_to_end_finishes_what_it_began(serve: Callable[..., Server], school: Demo) -> None:
    """First it is not ready and still serves, then it takes nothing new, and what it acknowledged is kept."""
    server = serve("--workers", "2", drain_pause_ms="2000")
    before, takes_nothing_new = sessions(school), Event()
    with ThreadPoolExecutor(4) as people:
        slow = [people.submit(sign_in, server, slow_form(takes_nothing_new)) for _ in range(4)]
        time.sleep(0.5)
        server.process.terminate()
        wait_until(lambda: server.get("/ready").status_code == 503)
        answered = 0
        while sign_in(server, str(httpx.QueryParams(GUEST)).encode()) == 303:
            answered += 1
        takes_nothing_new.set()
        assert [asked.result() for asked in slow] == [303] * 4
    server.process.wait(60)
    assert server.process.returncode == 0
    assert answered > 0
    assert sessions(school) - before >= answered + 4


def sessions(school: Demo) -> int:
    addresses = running_addresses(school.folder)
    assert addresses is not None

    async def count() -> int:
        connection = await asyncpg.connect(addresses.database_url("firstbell_owner"))
        try:
            return int(await connection.fetchval("SELECT count(*) FROM session"))
        finally:
            await connection.close()

    return asyncio.run(count())


def test_work_goes_on_without_the_bus(server: Server, school: Demo) -> None:
    wait_until(lambda: server.get("/ready").json()["bus"] == "connected")
    killed = school.pid_of("nats-server")
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    assert server.get("/sign-in").status_code == 200
    assert server.get("/ready").status_code == 200
    wait_until(lambda: server.get("/ready").json()["bus"] == "connected")


def test_a_server_is_not_ready_while_the_database_does_not_answer(serve: Callable[..., Server], school: Demo) -> None:
    server = serve(ready_timeout_ms="300", database_connections_max="1")
    pid = school.pid_of("bin/postgres -D")
    assert pid is not None
    backends = [child for child, command in children_of(pid).items() if "firstbell_app" in command]
    for backend in backends:
        os.kill(backend, signal.SIGSTOP)
    try:
        answer = server.get("/ready")
        assert answer.status_code == 503 and answer.json()["database"] == "too slow"
        assert server.get("/health").status_code == 200
    finally:
        for backend in backends:
            os.kill(backend, signal.SIGCONT)
    wait_until(lambda: server.get("/ready").status_code == 200)


def refused_serve(installation: Installation, **settings: str) -> subprocess.CompletedProcess[str]:
    """How `firstbell serve` ends when it must not begin."""
    return subprocess.run(
        [sys.executable, "-m", "firstbell", "serve"],
        env=installation.environment(**settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_nothing_is_served_on_a_schema_that_lacks_migrations(installation: Installation) -> None:
    name = installation.sql("SELECT max(name) AS name FROM migration WHERE name ~ '^[0-9]'")[0]["name"]
    digest = installation.sql("DELETE FROM migration WHERE name = $1 RETURNING sha256", name)[0]["sha256"]
    try:
        done = refused_serve(installation)
        assert done.returncode == 1
        assert done.stderr == f"The database lacks {name}: run `firstbell migrate` first.\n"
    finally:
        installation.sql("INSERT INTO migration (name, sha256) VALUES ($1, $2)", name, digest)


def test_a_real_installation_names_its_secret_keys(installation: Installation) -> None:
    done = refused_serve(installation, secret_keys="")
    assert done.returncode == 1 and done.stderr.startswith("FIRSTBELL_SECRET_KEYS is empty")


def test_migrating_again_changes_nothing(installation: Installation) -> None:
    done = installation.run("migrate")
    assert (done.returncode, done.stdout) == (0, "The database is up to date.\n")
