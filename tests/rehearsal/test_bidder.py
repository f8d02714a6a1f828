"""The played stranger bids as the page of the line does: at the real gate."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from firstbell.kernel.asgi import Message
from firstbell.rehearsal.bench.connection import Answer
from firstbell.rehearsal.load.bidder import MARK, show_work
from firstbell.rehearsal.load.line import Line
from firstbell.rehearsal.load.player import Player
from tests.gate.house import House

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class HouseLine:
    """A line that ends at a gate in this process."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._asked: list[asyncio.Task[None]] = []

    def ask(self, request: bytes, heard: Callable[[Answer | str], None]) -> None:
        self._asked.append(asyncio.create_task(self._answer(request, heard)))

    async def _answer(self, request: bytes, heard: Callable[[Answer | str], None]) -> None:
        head, _, body = request.partition(b"\r\n\r\n")
        method, path, _ = head.decode().split(" ", 2)
        lines = head.decode().split("\r\n")
        cookies = next((line.removeprefix("cookie: ") for line in lines if line.startswith("cookie: ")), "")

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        asked = asyncio.create_task(
            self._house.ask(path.partition("?")[0], method=method, cookies=cookies, receive=receive)
        )
        while not asked.done():
            self._house.bidding.fill(self._house.budget.rate_per_s)
            await asyncio.sleep(0)
        answer = asked.result()
        sent = b"".join(b"\r\n%s: %s" % header for header in answer.headers)
        heard(Answer(answer.status, b"HTTP/1.1 %d" % answer.status + sent, answer.body))


async def test_a_stranger_whose_bid_is_taken_is_inside() -> None:
    house = House(bid_effort_min=1)
    house.be_busy()
    player = Player(role="pupil", host="wilge.test", sign_in_name="", password="", source="", cookies={})
    first = await house.ask()
    assert MARK in first.body
    player.keep(Answer(first.status, b"".join(b"\r\n%s: %s" % header for header in first.headers), first.body))
    line: Any = HouseLine(house)
    assert await show_work(player, cast(Line, line))
    inside = "; ".join(f"{name}={value}" for name, value in player.cookies.items())
    assert (await house.ask(cookies=inside)).status == 200
