"""What the gate answers to bids, and who enters by one."""

import time
from typing import NamedTuple
from urllib.parse import parse_qs

from firstbell.gate.asker import School
from firstbell.gate.bids import BODY_BYTES_MAX, Auction, Effort, Puzzles
from firstbell.gate.body import Body, Pace
from firstbell.gate.figures import Outcome
from firstbell.gate.line import Lane
from firstbell.gate.pages import Answer, Voice
from firstbell.gate.waiting import Ticket
from firstbell.kernel.asgi import Receive, Scope
from firstbell.kernel.errors import InvalidError, NotFoundError, SlowBodyError, TooLargeError
from firstbell.kernel.http import SAFE_METHODS

_DIGITS_MAX = 6


class Bid(NamedTuple):
    """What became of a request about a bid; whoever holds `winner` enters."""

    outcome: Outcome
    answer: Answer
    winner: Ticket | None = None


class Bidding:
    """Puzzles, solutions and the auction of one worker."""

    def __init__(self, puzzles: Puzzles, auction: Auction, effort: Effort, voice: Voice, pace: Pace) -> None:
        self._puzzles = puzzles
        self._auction = auction
        self._effort = effort
        self._voice = voice
        self._pace = pace

    async def answer(self, school: School, ticket: Ticket | None, now_s: float, scope: Scope, receive: Receive) -> Bid:
        """Give a puzzle to who waits in the line of strangers, or take its solution."""
        if ticket is None or ticket.lane is not Lane.UNKNOWN:
            return Bid(Outcome.OUTSIDE, self._voice.no(NotFoundError, school, as_page=False))
        if scope["method"] in SAFE_METHODS:
            puzzle = self._puzzles.puzzle(ticket, now_s, _wished(scope))
            return Bid(Outcome.PUZZLE, self._voice.plain(b"application/json", puzzle))
        body = Body(receive, BODY_BYTES_MAX, self._pace)
        try:
            body.check(scope)
            return await self._take(school, ticket, now_s, await body.read())
        except (SlowBodyError, TooLargeError) as error:
            return Bid(Outcome.OUTSIDE, self._voice.no(type(error), school, as_page=False))

    def fill(self, rate_per_s: float) -> None:
        """Every few milliseconds: let bidders in, while `rate_per_s` people may come in."""
        if self._auction:
            self._auction.fill(rate_per_s, time.monotonic())

    def turn(self, seconds: float) -> None:
        """Once a second: move the effort."""
        self._effort.turn(seconds, len(self._auction))

    async def _take(self, school: School, ticket: Ticket, now_s: float, payload: bytes) -> Bid:
        effort = self._puzzles.value(ticket, payload, now_s)
        if not effort:
            return Bid(Outcome.OUTSIDE, self._voice.no(InvalidError, school, as_page=False))
        if await self._auction.bid(effort, time.monotonic()):
            return Bid(Outcome.BID, self._voice.plain(b"text/plain", b""), ticket)
        return Bid(Outcome.OUTBID, self._voice.refusal(school, as_page=False))


def _wished(scope: Scope) -> int:
    """The effort in the address, 0 when there is none."""
    text = parse_qs(scope.get("query_string", b"")[:100]).get(b"effort", [b""])[0]
    return int(text) if text.isdigit() and len(text) <= _DIGITS_MAX else 0
