"""How the page of the line brings a stranger in sooner: it solves a puzzle, bids with it, and doubles when outbid."""

import asyncio
import base64
import hashlib
from itertools import count
from typing import Any

import msgspec

from firstbell.rehearsal.bench.connection import Answer
from firstbell.rehearsal.load.line import Line
from firstbell.rehearsal.load.player import Player

MARK = b'id="bid"'
"""What the page of a line has in which one may bid."""

PAGE_S = 30.0
TRIES = 3
BIDDERS_MAX = 2
"""At once: each takes up to a tenth of the generator's core, where in a school each has a device of its own. The others
wait in the line, as those do whose browser runs no scripts."""

SLICE_HASHES, SLICE_S = 128, 0.002
"""64,000 hashes a second, as a phone has them; the generator is never held up for more than 0.1 ms."""

_TAKEN, _GIVEN, _OUTBID = 204, 200, 503


async def show_work(player: Player, line: Line) -> bool:
    """Bid on an open line; True when the bid was taken, so that the player is inside.

    Raises:
        TimeoutError: the page would have been loaded again by now.
    """
    async with asyncio.timeout(PAGE_S):
        return await _bid(player, line)


async def _bid(player: Player, line: Line) -> bool:
    wished = 0
    for _ in range(TRIES):
        puzzle = await _ask(line, player.request("GET", f"/bid?effort={wished}"))
        if puzzle is None or puzzle.status != _GIVEN:
            return False
        challenge = msgspec.json.decode(puzzle.body)
        answer = await _ask(line, player.request("POST", "/bid", await _payload(challenge), "text/plain"))
        if answer is None:
            return False
        player.keep(answer)
        if answer.status != _OUTBID:
            return answer.status == _TAKEN
        wished = 2 * challenge["parameters"]["data"]["effort"]
    return False


async def _ask(line: Line, request: bytes) -> Answer | None:
    heard: asyncio.Future[Answer | str] = asyncio.get_running_loop().create_future()
    line.ask(request, lambda answer: None if heard.done() else heard.set_result(answer))
    answer = await heard
    return None if isinstance(answer, str) else answer


async def _payload(challenge: dict[str, Any]) -> bytes:
    """The solution as ALTCHA's payload."""
    parameters = challenge["parameters"]
    start = bytes.fromhex(parameters["salt"] + parameters["nonce"])
    prefix = bytes.fromhex(parameters["keyPrefix"])
    for counter in count():
        key = hashlib.sha256(start + counter.to_bytes(4)).digest()
        if key.startswith(prefix):
            solution = {"counter": counter, "derivedKey": key.hex()}
            return base64.b64encode(msgspec.json.encode({"challenge": challenge, "solution": solution}))
        if counter % SLICE_HASHES == 0:
            await asyncio.sleep(SLICE_S)
    raise AssertionError("numbers do not end")
