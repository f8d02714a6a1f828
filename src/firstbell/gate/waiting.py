"""The waiting room: who is not inside yet, in fair order, with an estimate that does not rise.

Nothing is kept for a person. A ticket is signed and lives in the browser; the server keeps one count for each period of
10 s of each line, and one cursor for each line. Who came in an earlier period goes first; within one the order is the
rank, a keyed hash of the holder, so that neither a faster phone nor another try finds a better place. A browser is
counted when it shows its ticket for the first time: a flood that never comes back is no line.
"""

import math
import struct
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from firstbell.gate.line import BUCKET_S, BUCKETS_MAX, HARDLY_ANYBODY, RANKS, Lane, Line, LineKey, Place, Reach
from firstbell.gate.outlook import Outlook, Prospect
from firstbell.gate.sharing import COUNTS_MAX, LINES_MAX, LinePart, Part, Peers, line_part, told_now
from firstbell.kernel.signing import coder

RATE_MEMORY_S = 10.0
"""The rate is averaged over about this time: long enough to be calm, short enough to be true. A lower one is told at
once: those whose turn was to come sooner than it does are not told so in vain."""
SETTLE_S = 1.0
"""A period that ended so long ago is counted: the last message of each worker has come."""
LEAD_S = 10.0
"""A cursor that is further ahead of another worker's than what enters in this time waits: messages take less."""
HEAR_ALL_S = 2.0
"""After being cut off a worker has heard all counts again within this time."""
RANKS_KEPT = 1_024
"""Ranks that are remembered, of those who asked last."""
AHEAD_BUCKETS = 1
"""How far the clock of another node may be ahead, in periods; counts of later ones are nonsense."""


class Ticket(NamedTuple):
    """A place in a line; instants are whole seconds since 1970.

    `came_at` is the first request, `bucket` the period in which the holder was counted, 0 before that. `booked_at` is
    the entry that somebody booked whom the edge had called, 0 for none; `promised_at` the earliest ever promised.
    """

    school: bytes
    lane: Lane
    holder: bytes
    came_at: int
    bucket: int = 0
    booked_at: int = 0
    promised_at: int = 0


_TICKET = struct.Struct(">16sB8sIIII")
_LANES = tuple(Lane)


def pack_ticket(ticket: Ticket) -> bytes:
    """The ticket as its cookie carries it."""
    return _TICKET.pack(*ticket)


def unpack_ticket(data: bytes) -> Ticket:
    """The ticket of a cookie that we signed."""
    school, lane, *rest = _TICKET.unpack(data)
    return Ticket(school, _LANES[lane], *rest)


class WaitingRoom:
    """All lines of the cell as one worker knows them. Deterministic: time and seed are given, to replay a morning.

    Every worker counts who comes to it, tells the others and hears of theirs, and moves its own cursors by what all of
    them let in together. The cursors agree because the sums do.
    """

    def __init__(
        self,
        seed: bytes,
        worker: bytes,
        *,
        unknown_share: float,
        silent_s: float = 5.0,
        size_of: Callable[[bytes], float] = lambda school: 1.0,
    ) -> None:
        """`worker` names this one among all of the cell.

        `unknown_share` is what unknown devices get of the entries while known ones wait as well, 0 to 1. Another worker
        that is silent for `silent_s` lets nobody in. `size_of` gives the weight of a school, so that a pupil of a large
        one waits as long as one of a small one.
        """
        self.size_of = size_of
        code = coder(seed)
        # Each answer of the gate asks for the same rank two or three times.
        self._rank_of = lru_cache(maxsize=RANKS_KEPT)(lambda holder: int.from_bytes(code(holder)[:4]))
        self._lines: dict[LineKey, Line] = {}
        self._weights = {Lane.KNOWN: 1 - unknown_share, Lane.UNKNOWN: unknown_share}
        self._silent_s = silent_s
        self._peers = Peers(silent_s)
        self._joins_until = 0.0
        self._is_connected = True
        self._is_alone = False
        self._hears_all_at = 0.0
        self._tells_all_until = 0.0
        self._outlook = Outlook({}, 0.0)
        self.worker = worker
        self._part = self._entries = 0.0
        """Of the entries of the last turn, how large a part was this worker's, and how many there were."""
        self.own_per_s = 0.0
        self.rate_per_s = 0.0
        self.waiting = 0
        self.can_call = False
        """True while somebody waits whose period has closed, who can be let in."""
        self.is_short = False
        """True when somebody of a closed period was left for the next turn."""

    @property
    def cursors(self) -> dict[LineKey, int]:
        """The period that each line has reached."""
        return {key: line.reach.cursor.bucket for key, line in self._lines.items()}

    def has_line(self, key: LineKey) -> bool:
        """True when somebody waits there, or entries are dealt out."""
        return key in self._lines

    def is_waited_in(self, key: LineKey) -> bool:
        """True when somebody waits there, as of the last turn."""
        line = self._lines.get(key)
        return line is not None and line.waiting > HARDLY_ANYBODY

    def waiting_in(self, lane: Lane) -> float:
        """How many people wait in such lines, of all schools."""
        return sum(line.waiting for key, line in self._lines.items() if key.lane is lane)

    def count(self, ticket: Ticket, now: float) -> Ticket:
        """Give the holder a place at the end of the line."""
        bucket = int(now // BUCKET_S)
        key = LineKey(ticket.school, ticket.lane)
        line = self._lines.get(key) or self._lines.setdefault(key, Line(Reach(Place(bucket, 0))))
        if ticket.lane is Lane.KNOWN and line.is_fresh(bucket):
            line.begin(bucket, self._entries * self._weight(key) / self._whole_weight(), self._part)
        line.count(self.worker, bucket, line.counted_by(self.worker, bucket) + 1)
        self.waiting += 1
        return Ticket(ticket.school, ticket.lane, ticket.holder, ticket.came_at, bucket, 0, ticket.promised_at)

    def is_served(self, ticket: Ticket) -> bool:
        """True when a counted holder may come in; also when there is no such line, since nobody waits in it."""
        line = self._lines.get(LineKey(ticket.school, ticket.lane))
        return line is None or line.has_passed(self._place(ticket))

    def takes(self, ticket: Ticket) -> bool:
        """True when a holder who has just been counted may come in at once."""
        return self._lines[LineKey(ticket.school, ticket.lane)].take(self._place(ticket))

    def wait_s(self, ticket: Ticket) -> float:
        """How long the holder will wait as things stand, 0 when that is not known; the page keeps to its promise."""
        key = LineKey(ticket.school, ticket.lane)
        line = self._lines.get(key)
        return 0.0 if line is None else self._outlook.wait_s(key, line.ahead_of(self._place(ticket))) or 0.0

    def probable_wait_s(self, ticket: Ticket, now: float) -> float:
        """How long the holder will probably wait, if people come until the period ends as they did; 0 when unknown.

        Only for when to ask again: it is no estimate yet. To strangers it tells nothing of their rank, or they would
        throw their ticket away until the next one is better.
        """
        key = LineKey(ticket.school, ticket.lane)
        line = self._lines.get(key)
        whole_s = self._outlook.last_s(key)
        if line is None or not whole_s:
            return 0.0
        place = self._place(ticket) if ticket.lane is Lane.KNOWN else Place(ticket.bucket, RANKS)
        return whole_s * line.probably_ahead_of(place, now) / max(1.0, line.waiting)

    def promise(self, ticket: Ticket, now: float) -> Ticket:
        """The ticket with its estimate: made once its period has closed, rounded up, and never later afterwards."""
        if now < (ticket.bucket + 1) * BUCKET_S:
            return ticket
        key = LineKey(ticket.school, ticket.lane)
        line = self._lines.get(key)
        if line is None:
            return ticket
        wait_s = self._outlook.wait_s(key, line.ahead_of(self._place(ticket)))
        if wait_s is None:
            return ticket
        if not ticket.promised_at:
            first_s = rounded_up(wait_s)
            return ticket._replace(promised_at=math.ceil(now) + first_s)
        return ticket._replace(promised_at=min(ticket.promised_at, math.ceil(now + wait_s)))

    def let_in(
        self, rate_per_s: float, now: float, seconds: float, *, kept_share: float = 0.0, pace_per_s: float | None = None
    ) -> float:
        """Let in who may enter since the last call, `seconds` ago, fairly over the schools.

        `rate_per_s` is how many this worker lets in, infinite in peace; the others' is added. `kept_share` of them are
        not for these lines. `pace_per_s` is what the rate will be in the long run, which estimates count on, as if the
        others' differed as much. How many of its own nobody needed.
        """
        self.own_per_s = rate_per_s
        is_alone = not self._is_connected or now < self._hears_all_at
        if is_alone != self._is_alone:
            self._is_alone, self.rate_per_s = is_alone, 0.0  # of other people than before
        whole_per_s = rate_per_s if is_alone else rate_per_s + self._peers.rate_per_s(now)
        ahead = self._index(now, LEAD_S * whole_per_s, only=self.worker if is_alone else None)
        closed = int((now - SETTLE_S) // BUCKET_S) - 1
        here_per_s = whole_per_s * (1 - kept_share)
        people = here_per_s * seconds if whole_per_s < math.inf else sum(line.waiting for line in self._lines.values())
        self.can_call = self._has_people_before(closed + 1)
        shares = self._share_out(people, closed)
        left = people - math.fsum(shares.values())
        self.is_short = self._has_people_before(closed + 1)
        self._part = rate_per_s / whole_per_s if 0 < whole_per_s < math.inf else 0.0
        self._entries = people if self._part else 0.0
        if self._part and closed + 1 == int(now // BUCKET_S):
            self._open(closed + 1, shares)
        for key, reach in ahead.items():
            self._lines[key].reach = reach
        is_limited = self._part > 0
        self._lines = {
            key: line for key, line in self._lines.items() if line.waiting > 0 or (is_limited and line.is_open)
        }
        self._sum_up()
        if self._lines and whole_per_s < math.inf:
            foreseen_per_s = here_per_s
            if pace_per_s is not None and 0 < rate_per_s < math.inf:
                foreseen_per_s *= pace_per_s / rate_per_s
            self.rate_per_s = min(foreseen_per_s, _averaged(self.rate_per_s, foreseen_per_s, seconds))
        self._outlook = Outlook({key: self._prospect(key, line) for key, line in self._lines.items()}, self.rate_per_s)
        unused = left + kept_share * whole_per_s * seconds
        return unused * rate_per_s / whole_per_s if 0 < whole_per_s < math.inf else 0.0

    def longest_wait_s(self) -> float:
        """How long the last of the longest line will wait, 0 when nobody waits."""
        return self._outlook.longest_s

    def last_wait_s(self, ticket: Ticket) -> float:
        """How long the last of the line of this ticket will wait, 0 when that is not known."""
        return self._outlook.last_s(LineKey(ticket.school, ticket.lane))

    def is_limited_elsewhere(self, now: float) -> bool:
        """True when another worker counts entries."""
        return self._peers.are_limited(now)

    def join(self, now: float) -> None:
        """Begin to hear the others: for a while theirs are the better cursors, and nobody waits for these."""
        self._joins_until = now + self._silent_s
        self._hears_all_at = now + HEAR_ALL_S

    def reach(self, now: float, *, is_connected: bool) -> None:
        """Know whether the others can be heard. Who is cut off goes on with what it counted itself, at its own rate."""
        if is_connected and not self._is_connected:
            self._hears_all_at = now + HEAR_ALL_S
        self._is_connected = is_connected

    def tell(self, now: float) -> Part:
        """What the others must know, once a second."""
        asks_all = now < self._hears_all_at
        newest = int(now // BUCKET_S)
        is_whole = (asks_all or now < self._tells_all_until) and self._counts() <= COUNTS_MAX
        lines = []
        for key, line in list(self._lines.items())[:LINES_MAX]:
            counted = line.counted.get(self.worker, {})
            lines.append(line_part(key, line, counted if is_whole else told_now(counted, newest=newest, turn=int(now))))
        return Part(self.worker, int(now * 1_000), self.own_per_s, now < self._joins_until, asks_all, lines)

    def hear(self, part: Part, now: float) -> None:
        """Know what another worker tells."""
        if part.worker == self.worker or not self._peers.hear(part, now):
            return
        if part.asks_all:
            self._tells_all_until = now + HEAR_ALL_S
        for told in part.lines:
            self._hear_line(part.worker, told, now)

    def snapshot(self) -> Part:
        """This worker's own counts and cursors, so that no place is lost when it starts again."""
        lines = [line_part(key, line, line.counted.get(self.worker, {})) for key, line in self._lines.items()]
        return Part(self.worker, 0, self.own_per_s, is_joining=True, asks_all=False, lines=lines)

    def restore(self, part: Part, now: float) -> None:
        """Go on as the worker that left this snapshot."""
        self.worker = part.worker
        self.own_per_s = self.rate_per_s = part.rate_per_s
        for told in part.lines:
            self._hear_line(part.worker, told, now)
        self._index(now, math.inf, only=self.worker)
        self._sum_up()

    def _hear_line(self, worker: bytes, told: LinePart, now: float) -> None:
        line = self._lines.get(told.key)
        if line is None:
            if len(self._lines) >= LINES_MAX:
                return
            line = self._lines[told.key] = Line(told.reach)
        elif now < self._joins_until:
            line.reach = max(line.reach, told.reach)
        newest = int(now // BUCKET_S)
        for bucket, people in told.people.items():
            if newest - BUCKETS_MAX < bucket <= newest + AHEAD_BUCKETS:
                line.count(worker, bucket, people)

    def _index(self, now: float, lead_max: float, *, only: bytes | None) -> dict[LineKey, Reach]:
        """Sum up every line; where those stand that wait for another worker.

        Who was cut off with few of the people went on faster than the others. It waits for them now, since letting
        theirs in at once would be a flood.
        """
        slowest = self._peers.slowest(now)
        ahead = {}
        for key, line in self._lines.items():
            behind = min(slowest.get(key, line.reach), line.reach)
            line.index(behind.cursor, only)
            if line.lead_over(behind) > lead_max:
                ahead[key] = line.reach
        return ahead

    def _has_people_before(self, bucket: int) -> bool:
        return any(line.ahead_of(Place(bucket, 0)) > 0 for line in self._lines.values())

    def _share_out(self, people: float, closed: int) -> dict[LineKey, float]:
        """Let so many in of the periods up to `closed`, by max-min fairness over the lines; how many of each."""
        shares = dict.fromkeys(self._lines, 0.0)
        left = people
        hungry = {key: line for key, line in self._lines.items() if line.waiting > 0}
        while hungry and left > people * 1e-6:
            whole = sum(self._weight(key) for key in hungry)
            budget = left
            for key, line in hungry.items():
                used = line.advance(budget * self._weight(key) / whole, closed)
                shares[key] += used
                left -= used
            hungry = {key: line for key, line in hungry.items() if line.waiting > 0}
        return shares

    def _open(self, bucket: int, shares: Mapping[LineKey, float]) -> None:
        """Let known devices in of the period that has begun: strangers would try for a better rank until one is in.

        A line has its fair share of a turn's entries however long the others are.
        """
        per_weight = self._entries / self._whole_weight() if self._lines else 0.0
        for key, line in self._lines.items():
            if key.lane is Lane.KNOWN:
                line.open(bucket, max(shares[key], per_weight * self._weight(key)), self._part)

    def _whole_weight(self) -> float:
        return sum(self._weight(key) for key in self._lines)

    def _counts(self) -> int:
        return sum(len(line.counted.get(self.worker, ())) for line in self._lines.values())

    def _sum_up(self) -> None:
        self.waiting = math.ceil(sum(line.waiting for line in self._lines.values()))

    def _place(self, ticket: Ticket) -> Place:
        return Place(ticket.bucket, self._rank_of(ticket.holder))

    def _weight(self, key: LineKey) -> float:
        return self.size_of(key.school) * self._weights[key.lane]

    def _prospect(self, key: LineKey, line: Line) -> Prospect:
        return Prospect(line.waiting, self._weight(key))


def _averaged(old: float, new: float, seconds: float) -> float:
    return new if old == 0 else old + (1 - math.exp(-seconds / RATE_MEMORY_S)) * (new - old)


def rounded_up(wait_s: float) -> int:
    """A wait as people say it, never shorter: to 5 s up to a minute, 15 s up to five minutes, whole minutes beyond."""
    minute, five_minutes = 60, 300
    step = 5 if wait_s <= minute else 15 if wait_s <= five_minutes else minute
    return max(step, math.ceil(wait_s / step) * step)
