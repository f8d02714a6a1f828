"""The played stranger bids as the page of the line does: at the real gate."""

import asyncio
from typing import Any

import pytest

from firstbell.kernel.asgi import Message
from firstbell.rehearsal.bench.connection import Answer
from firstbell.rehearsal.load.bidder import MARK, Bid, bid
from firstbell.rehearsal.load.player import Player
from tests.gate.house import House

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def ask(house: House, request: bytes) -> Answer:
    """What the gate of this process answers, which has entries to give."""
    head, _, body = request.partition(b"\r\n\r\n")
    method, path, _ = head.decode().split(" ", 2)
    lines = head.decode().split("\r\n")
    cookies = next((line.removeprefix("cookie: ") for line in lines if line.startswith("cookie: ")), "")

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    asked = asyncio.create_task(house.ask(path.partition("?")[0], method=method, cookies=cookies, receive=receive))
    while not asked.done():
        house.bidding.fill(house.budget.rate_per_s)
        await asyncio.sleep(0)
    return as_read(asked.result())


def as_read(answer: Any) -> Answer:
    """As it would have come over a line."""
    headers = b"".join(b"\r\n%s: %s" % header for header in answer.headers)
    return Answer(answer.status, b"HTTP/1.1 %d" % answer.status + headers, answer.body)


async def is_taken(house: House, bidding: Bid) -> bool:
    """What becomes of the bid."""
    answer = None
    try:
        while True:
            request = bidding.send(answer)
            answer = await ask(house, request) if request is not None else None
    except StopIteration as end:
        return bool(end.value)


async def test_a_stranger_whose_bid_is_taken_is_inside() -> None:
    house = House(bid_effort_min=1)
    house.be_busy()
    player = Player(role="pupil", host="wilge.test", sign_in_name="", password="", source="", cookies={})
    first = await house.ask()
    assert MARK in first.body
    player.keep(as_read(first))
    assert await is_taken(house, bid(player))
    inside = "; ".join(f"{name}={value}" for name, value in player.cookies.items())
    assert (await house.ask(cookies=inside)).status == 200
