"""How requests begin: in turns that a test takes by hand, and at the real Granian."""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from firstbell.cli.turns import TURN_MAX, Turns
from firstbell.kernel.asgi import Message, Receive, Said, Scope, Send
from firstbell.kernel.engines import free_port
from tests.conftest import wait_until

GATHER_S = 0.003


class Loop:
    """An event loop that a test turns by hand."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, Callable[[], None]]] = []

    def call_later(self, delay_s: float, callback: Callable[[], None], **_: Any) -> None:
        self.calls.append((delay_s, callback))

    def call_soon(self, callback: Callable[[], None], **_: Any) -> None:
        self.calls.append((0.0, callback))

    call_soon_threadsafe = call_soon

    def create_task(self, work: Coroutine[Any, Any, None]) -> None:
        with suppress(StopIteration):
            work.send(None)

    def turn(self) -> float:
        """Run what is due next, the only thing that is; for how long that had to wait."""
        [(delay_s, callback)] = self.calls
        self.calls.clear()
        callback()
        return delay_s


class Desk:
    """Turns on a loop that is turned by hand. Of the requests, "no" is refused and anything else is worked on."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.worked = self.refused = 0
        self.turns = Turns(self._answer, cast(asyncio.AbstractEventLoop, self.loop), GATHER_S)

    def bring(self, path: str) -> None:
        protocol = SimpleNamespace(receive=None, send=self._send)
        done = {"taskref": lambda task: None, "done": lambda: None}
        self.turns.bring(SimpleNamespace(scope={"path": path}, proto=protocol, **done))

    def _answer(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return Said(send, 503, [], b"") if scope["path"] == "no" else self._work()

    async def _work(self) -> None:
        self.worked += 1

    async def _send(self, message: Message) -> None:
        self.refused += message["type"] == "http.response.body"


def test_in_peace_each_request_begins_at_once() -> None:
    desk = Desk()
    for number in range(3):
        desk.bring("yes")
        assert desk.loop.turn() == 0
        assert desk.worked == number + 1
        assert not desk.loop.calls


def test_after_a_refusal_requests_are_gathered_and_begin_together() -> None:
    desk = Desk()
    desk.bring("no")
    desk.loop.turn()
    desk.bring("yes")
    desk.bring("no")
    assert desk.worked == 0
    assert desk.loop.turn() == GATHER_S
    assert (desk.worked, desk.refused) == (1, 2)


def test_gathering_ends_with_the_refusals() -> None:
    desk = Desk()
    desk.bring("no")
    desk.loop.turn()
    assert desk.loop.turn() == GATHER_S
    assert not desk.loop.calls, "nobody came, so nobody is waited for"
    desk.bring("yes")
    assert desk.loop.turn() == 0


def test_a_flood_is_not_held_up_by_gathering() -> None:
    desk = Desk()
    for _ in range(3 * TURN_MAX):
        desk.bring("no")
    assert [desk.loop.turn() for _ in range(3)] == [0, 0, 0]
    assert desk.refused == 3 * TURN_MAX


def test_what_is_more_than_a_turn_goes_on_in_the_next() -> None:
    desk = Desk()
    for _ in range(TURN_MAX + 1):
        desk.bring("yes")
    assert desk.loop.turn() == 0
    assert desk.worked == TURN_MAX
    assert desk.loop.turn() == 0
    assert desk.worked == TURN_MAX + 1


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
