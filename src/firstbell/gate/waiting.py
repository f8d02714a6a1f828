"""The waiting room: who is not inside yet, in fair order, with an estimate that does not rise.

Nothing is kept for a person. A ticket is signed and lives in the browser; the server keeps one count for each period of
10 s of each line, and one cursor for each line. Who came in an earlier period goes first; within one the order is the
rank, an HMAC of the holder, so that neither a faster phone nor another try finds a better place. A browser is counted
when it shows its ticket for the first time: a flood that never comes back is no line.
"""

import bisect
import hashlib
import hmac
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import accumulate
from typing import NamedTuple

import msgspec

from firstbell.gate.outlook import Outlook, Prospect

BUCKET_S = 10
"""Arrivals within this many seconds are equals: nobody can tell a network's jitter from being early."""
BUCKETS_MAX = 1_080
"""Three hours of periods in one line; beyond that the oldest are let in, and memory stays bounded."""
RANKS = 1 << 32
RATE_MEMORY_S = 10.0
"""The rate is averaged over about this time: long enough to be calm, short enough to be true."""


class Lane(IntEnum):
    """Known devices signed in here before; unknown ones may be anybody, so they wait apart."""

    KNOWN = 0
    UNKNOWN = 1


class Ticket(NamedTuple):
    """A place in a line; instants are whole seconds since 1970.

    `came_at` is the first request, `bucket` the period in which the holder was counted, 0 before that. `first_wait_s`
    is the first estimate, 0 before there is one; `promised_at` the earliest instant that was ever promised.
    """

    school: bytes
    lane: Lane
    holder: bytes
    came_at: int
    bucket: int = 0
    first_wait_s: int = 0
    promised_at: int = 0


_TICKET = struct.Struct(">16sB8sIIII")


def pack_ticket(ticket: Ticket) -> bytes:
    """The ticket as its cookie carries it."""
    return _TICKET.pack(*ticket)


def unpack_ticket(data: bytes) -> Ticket:
    """The ticket of a cookie that we signed."""
    school, lane, *rest = _TICKET.unpack(data)
    return Ticket(school, Lane(lane), *rest)


class LineKey(NamedTuple):
    """Names one line of the waiting room."""

    school: bytes
    lane: Lane


@dataclass(slots=True)
class Line:
    """The people of one school and lane who wait, as counts by period.

    Who came before `bucket`, or in it with a rank below `rank`, has been let in.
    """

    bucket: int
    rank: int = 0
    people: dict[int, int] = field(default_factory=dict)
    _numbers: list[int] = field(default_factory=list)
    _before: list[int] = field(default_factory=lambda: [0])

    def has_passed(self, bucket: int, rank: int) -> bool:
        """True when the cursor has passed this place."""
        return (bucket, rank) < (self.bucket, self.rank)

    def ahead_of(self, bucket: int, rank: int) -> float:
        """How many people go before this place, by the counts of the last `index`."""
        if self.has_passed(bucket, rank):
            return 0.0
        return max(0.0, self._place(bucket, rank) - self._place(self.bucket, self.rank))

    @property
    def waiting(self) -> float:
        """How many people wait, by the counts of the last `index`."""
        return max(0.0, self._before[-1] - self._place(self.bucket, self.rank))

    def index(self) -> None:
        """Sum up who waits before each period; called once for each round of letting in."""
        for number in [number for number in self.people if number < self.bucket]:
            del self.people[number]
        while len(self.people) > BUCKETS_MAX:
            del self.people[min(self.people)]
        self._numbers = sorted(self.people)
        self._before = [0, *accumulate(self.people[number] for number in self._numbers)]

    def advance(self, people: float) -> float:
        """Let the next `people` in; how many there were."""
        left = people
        for number in self._numbers:
            if number < self.bucket:
                continue
            if number > self.bucket:
                self.bucket, self.rank = number, 0
            count = self.people[number]
            remaining = count * (1 - self.rank / RANKS)
            if remaining > left:
                self.rank = min(RANKS, self.rank + math.ceil(left / count * RANKS))
                return people
            left -= remaining
            self.bucket, self.rank = number + 1, 0
        return people - left

    def _place(self, bucket: int, rank: int) -> float:
        """How many of those counted come before this place."""
        before = self._before[bisect.bisect_left(self._numbers, bucket)]
        return before + self.people.get(bucket, 0) * rank / RANKS


class WaitingRoom:
    """All lines of this node. Deterministic: time and seed are given, so that a morning can be replayed."""

    def __init__(
        self, seed: bytes, *, unknown_share: float, size_of: Callable[[bytes], float] = lambda school: 1.0
    ) -> None:
        """`unknown_share` is what unknown devices get of the entries while known ones wait as well, 0 to 1.

        `size_of` gives the weight of a school, so that a pupil of a large one waits as long as one of a small one.
        """
        self._size_of = size_of
        self._seed = seed
        self._lines: dict[LineKey, Line] = {}
        self._weights = {Lane.KNOWN: 1 - unknown_share, Lane.UNKNOWN: unknown_share}
        self.rate_per_s = 0.0
        self._outlook = Outlook({}, 0.0)
        self.waiting = 0
        self.served = 0.0

    @property
    def cursors(self) -> dict[LineKey, int]:
        """The period that each line has reached."""
        return {key: line.bucket for key, line in self._lines.items()}

    def has_line(self, school: bytes, lane: Lane) -> bool:
        """True when somebody waits there."""
        return LineKey(school, lane) in self._lines

    def count(self, ticket: Ticket, now: float) -> Ticket:
        """Give the holder a place at the end of the line."""
        bucket = int(now // BUCKET_S)
        line = self._lines.setdefault(LineKey(ticket.school, ticket.lane), Line(bucket))
        line.people[bucket] = line.people.get(bucket, 0) + 1
        self.waiting += 1
        return ticket._replace(bucket=bucket)

    def is_served(self, ticket: Ticket) -> bool:
        """True when a counted holder may come in; also when there is no such line, since nobody waits in it."""
        line = self._lines.get(LineKey(ticket.school, ticket.lane))
        return line is None or line.has_passed(ticket.bucket, self._rank(ticket))

    def promise(self, ticket: Ticket, now: float) -> Ticket:
        """The ticket with its estimate: made once its period has closed, rounded up, and never later afterwards."""
        key = LineKey(ticket.school, ticket.lane)
        line = self._lines.get(key)
        if line is None or now < (ticket.bucket + 1) * BUCKET_S:
            return ticket
        wait_s = self._outlook.wait_s(key, line.ahead_of(ticket.bucket, self._rank(ticket)))
        if wait_s is None:
            return ticket
        if not ticket.promised_at:
            first_s = rounded_up(wait_s)
            return ticket._replace(first_wait_s=first_s, promised_at=math.ceil(now) + first_s)
        return ticket._replace(promised_at=min(ticket.promised_at, math.ceil(now + wait_s)))

    def let_in(self, people: float, seconds: float) -> float:
        """Let the next `people` in, fairly over the schools; how many there were.

        `seconds` is the time since the last call, from which the room learns its rate.
        """
        for line in self._lines.values():
            line.index()
        left = people
        hungry = {key: line for key, line in self._lines.items() if line.waiting > 0}
        while hungry and left > people * 1e-6:
            whole = sum(self._weight(key) for key in hungry)
            budget = left
            for key, line in hungry.items():
                left -= line.advance(budget * self._weight(key) / whole)
            hungry = {key: line for key, line in hungry.items() if line.waiting > 0}
        self._lines = {key: line for key, line in self._lines.items() if line.waiting > 0}
        self.waiting = math.ceil(sum(line.waiting for line in self._lines.values()))
        if self._lines:
            self.rate_per_s = _averaged(self.rate_per_s, people / seconds, seconds)
        self._outlook = Outlook({key: self._prospect(key, line) for key, line in self._lines.items()}, self.rate_per_s)
        return people - left

    def longest_wait_s(self) -> float:
        """How long the last of the longest line will wait, 0 when nobody waits."""
        waits = (self._outlook.wait_s(key, line.waiting) or 0.0 for key, line in self._lines.items())
        return max(waits, default=0.0)

    def snapshot(self) -> bytes:
        """Counts and cursors, so that no place is lost when a worker starts again."""
        rows = [(key.school, key.lane, line.bucket, line.rank, line.people) for key, line in self._lines.items()]
        return msgspec.msgpack.encode((self.rate_per_s, rows))

    def restore(self, snapshot: bytes) -> None:
        """Take up the counts and cursors of `snapshot`.

        Raises:
            msgspec.MsgspecError: these are not the bytes of a snapshot.
        """
        self.rate_per_s, rows = msgspec.msgpack.decode(snapshot, type=_Snapshot)
        self._lines = {
            LineKey(school, Lane(lane)): Line(bucket, rank, people) for school, lane, bucket, rank, people in rows
        }
        for line in self._lines.values():
            line.index()
        self.waiting = math.ceil(sum(line.waiting for line in self._lines.values()))

    def _rank(self, ticket: Ticket) -> int:
        return int.from_bytes(hmac.digest(self._seed, ticket.holder, hashlib.sha256)[:4])

    def _weight(self, key: LineKey) -> float:
        return self._size_of(key.school) * self._weights[key.lane]

    def _prospect(self, key: LineKey, line: Line) -> Prospect:
        return Prospect(line.waiting, self._weight(key))


def _averaged(old: float, new: float, seconds: float) -> float:
    return new if old == 0 else old + (1 - math.exp(-seconds / RATE_MEMORY_S)) * (new - old)


_Snapshot = tuple[float, list[tuple[bytes, int, int, int, dict[int, int]]]]


def rounded_up(wait_s: float) -> int:
    """A wait as people say it, never shorter: to 5 s up to a minute, 15 s up to five minutes, whole minutes beyond."""
    minute, five_minutes = 60, 300
    step = 5 if wait_s <= minute else 15 if wait_s <= five_minutes else minute
    return max(step, math.ceil(wait_s / step) * step)
