"""How the page of the line brings a stranger in sooner: it solves a puzzle, bids with it, and doubles when outbid."""

import base64
import hashlib
from collections.abc import Callable, Generator
from itertools import count
from typing import Any

import msgspec

from firstbell.rehearsal.bench.connection import Answer
from firstbell.rehearsal.load.line import Line
from firstbell.rehearsal.load.loop import Loop
from firstbell.rehearsal.load.player import Player

MARK = b'id="bid"'
"""What the page of a line has in which one may bid."""

PAGE_S = 30.0
TRIES = 3
BIDDERS_MAX = 4
"""At once: each takes up to a twentieth of the generator's core, where in a school each has a device of its own. The
others wait in the line, as those do whose browser runs no scripts; so does everybody while the generator is busy."""

SLICE_HASHES, SLICE_S = 128, 0.002
"""64,000 hashes a second, as a phone has them; the generator is never held up for more than 0.1 ms."""

_TAKEN, _GIVEN, _OUTBID = 204, 200, 503

Bid = Generator[bytes | None, Answer | None, bool]
"""Yields a request and gets its answer, None without one; yields None to rest. Returns True when the bid was taken."""


class Bidder:
    """Bids on an open line; `ended` is told once whether the bid was taken, so that the player is inside."""

    def __init__(self, loop: Loop, player: Player, line: Line, ended: Callable[[bool], None]) -> None:
        self._loop = loop
        self._line = line
        self._ended: Callable[[bool], None] | None = ended
        self._bid = bid(player)
        loop.at(loop.now() + PAGE_S, self._give_up)
        self._go_on(None)

    def stop(self) -> None:
        """Do no more, and tell nobody."""
        self._ended = None

    def _go_on(self, answer: Answer | str | None) -> None:
        if self._ended is None:
            return
        try:
            request = self._bid.send(answer if isinstance(answer, Answer) else None)
        except StopIteration as end:
            self._end(is_taken=end.value)
            return
        if request is None:
            self._loop.at(self._loop.now() + SLICE_S, lambda _due_s: self._go_on(None))
        else:
            self._line.ask(request, self._go_on)

    def _give_up(self, _due_s: float) -> None:
        """The page would have been loaded again by now; what is still asked would be answered to its successor."""
        if self._ended is not None:
            self._line.forget()
            self._end(is_taken=False)

    def _end(self, *, is_taken: bool) -> None:
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(is_taken)


def bid(player: Player) -> Bid:
    """What the page does."""
    wished = 0
    for _ in range(TRIES):
        puzzle = yield player.request("GET", f"/bid?effort={wished}")
        if puzzle is None or puzzle.status != _GIVEN:
            return False
        challenge = msgspec.json.decode(puzzle.body)
        payload = yield from _payload(challenge)
        answer = yield player.request("POST", "/bid", payload, "text/plain")
        if answer is None:
            return False
        player.keep(answer)
        if answer.status != _OUTBID:
            return answer.status == _TAKEN
        wished = 2 * challenge["parameters"]["data"]["effort"]
    return False


def _payload(challenge: dict[str, Any]) -> Generator[None, Answer | None, bytes]:
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
            yield
    raise AssertionError("numbers do not end")
