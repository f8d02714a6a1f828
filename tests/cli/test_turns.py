"""How requests begin, at the real Granian."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from firstbell.cli.turns import TURN_MAX
from firstbell.kernel.engines import free_port
from tests.conftest import wait_until


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.cli.at_once", str(port)])
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: httpx.get(f"{address}/said").status_code == 200)
        yield address
    finally:
        process.terminate()
        process.wait(60)


@pytest.mark.parametrize("path", ["/said", "/layered"])
def test_what_is_said_at_once_needs_no_task(server: str, path: str) -> None:
    assert httpx.get(f"{server}{path}").text == "no task"


def test_an_answer_that_waits_has_a_task_of_its_own(server: str) -> None:
    assert httpx.get(f"{server}/later").text == "a task"


@pytest.mark.parametrize("path", ["/broken", "/ended", "/broken-later"])
def test_an_application_that_fails_is_an_error_of_the_server(server: str, path: str) -> None:
    assert httpx.get(f"{server}{path}").status_code == 500
    assert httpx.get(f"{server}/said").status_code == 200, "those behind it begin"


def test_each_of_many_requests_is_answered(server: str) -> None:
    paths = ["/said", "/later", "/said"] * TURN_MAX

    async def ask_all() -> list[str]:
        limits = httpx.Limits(max_connections=len(paths))
        async with httpx.AsyncClient(base_url=server, limits=limits, timeout=60) as client:
            return [answer.text for answer in await asyncio.gather(*(client.get(path) for path in paths))]

    assert asyncio.run(ask_all()) == ["no task", "a task", "no task"] * TURN_MAX
