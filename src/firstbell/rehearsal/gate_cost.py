"""What the gate adds to a request that it admits: the same page from two webs, with the gate and without it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from statistics import median

from firstbell.rehearsal.bench.connection import AnswerError, Connection, browser_request
from firstbell.rehearsal.bench.meter import CpuReading
from firstbell.rehearsal.load.player import Player

HOST = "127.0.0.1"
BLOCK_REQUESTS = 400
IN_FLIGHT = 4
PAGE = "/sign-in"
"""The cheapest page, so that the gate is the largest part of what differs; it asks no database."""

_OK = 200


@dataclass(frozen=True, slots=True)
class Web:
    """A web on this machine."""

    port: int
    process: int


async def gate_cost_us(gated: Web, bare: Web, people: Sequence[Player], rounds: int) -> float:
    """The median over `rounds` of the difference in CPU microseconds a request.

    The webs are asked in turn, block by block, so that what else the machine does meets both alike.

    Raises:
        AnswerError: a request was not admitted.
    """
    requests = await _requests_from_inside(gated, people)
    await _block_us(gated, requests)
    await _block_us(bare, requests)
    differences = [await _block_us(gated, requests) - await _block_us(bare, requests) for _ in range(rounds)]
    return round(median(differences), 1)


async def _requests_from_inside(gated: Web, people: Sequence[Player]) -> list[bytes]:
    """The page as each of `people` asks for it from inside."""
    connection = await Connection.open(HOST, gated.port)
    requests = []
    for player in people:
        device = {"device": player.cookies["device"]}
        answer = await connection.ask(browser_request("GET", player.host, PAGE, device))
        requests.append(browser_request("GET", player.host, PAGE, device | answer.cookies()))
    connection.close()
    return requests


async def _block_us(web: Web, requests: Sequence[bytes]) -> float:
    """CPU microseconds of the web for one request of a block."""
    turns = iter(range(BLOCK_REQUESTS))
    waiting = cycle(requests)
    before = CpuReading.now([web.process])

    async def ask_in_turn() -> None:
        connection = await Connection.open(HOST, web.port)
        for _ in turns:
            answer = await connection.ask(next(waiting))
            if answer.status != _OK:
                raise AnswerError(f"{PAGE} was answered with {answer.status}; nobody else may ask meanwhile")
        connection.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(ask_in_turn())
    return CpuReading.now([web.process]).since(before) / BLOCK_REQUESTS / 1_000
