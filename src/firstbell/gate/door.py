"""The door: who is not inside yet comes in at once, waits in the line, or is told when to come back."""

import math
import random
from enum import Enum
from typing import NamedTuple

from firstbell.gate.asker import Asker, School
from firstbell.gate.bearable import Bearable
from firstbell.gate.calls import Called, Calls
from firstbell.gate.entry import EntryBudget, Load
from firstbell.gate.line import BUCKET_S, BUCKETS_MAX, Lane, LineKey
from firstbell.gate.usual import Usual
from firstbell.gate.waiting import SETTLE_S, Ticket, WaitingRoom, pack_ticket, unpack_ticket
from firstbell.kernel.routes import Priority
from firstbell.kernel.signing import Signer

POLL_S = (15, 120)
"""A waiting page asks again after a quarter of what is left, within these seconds; later when very many wait."""
FIRST_POLL_S = 1
"""Shows that a browser keeps its ticket; short, since somebody unknown enters only after it."""
CALLED_POLL_S = 1
"""Until it is known how many may enter, which is so after a second."""
BOOKED_S = BUCKETS_MAX * BUCKET_S
"""A phone that slept through its entry has the next one, for the three hours that the room remembers; a ticket that is
kept for longer wins nothing."""
OVERDUE_POLL_S = 5
"""The soonest that somebody asks again whom the promise has passed."""
PACE_S_MAX = 600
"""However many wait, everybody hears of the place within ten minutes."""

FORETOLD = 0.75
"""However long the line: who waits hears the estimate when at most so much of the wait has passed."""

JITTER = 0.2
HELD_SHARE = 0.5
"""When people come from a line at the edge and are more than this share of who can enter, entries are counted."""


class Passing(Enum):
    """What the door says."""

    IN = "in"
    WAIT = "wait"
    AWAY = "away"


class Answered(NamedTuple):
    """The answer of the door; `ticket` is the holder's place, and `poll_s` when to ask again."""

    passing: Passing
    ticket: Ticket | None = None
    poll_s: int = 0


_IN = Answered(Passing.IN)
_AWAY = Answered(Passing.AWAY)


class Door:
    """Decides on whoever is not inside. `chance` is injected, so that a morning can be replayed.

    All who wait may ask `questions_per_s` times a second together: a question is a refusal, and takes from those who
    are served.
    """

    def __init__(
        self,
        signer: Signer,
        room: WaitingRoom,
        budget: EntryBudget,
        chance: random.Random,
        *,
        questions_per_s: float,
        unknown_share: float,
    ) -> None:
        self._signer = signer
        self._chance = chance
        self._questions_per_s = questions_per_s
        self._unknown_share = unknown_share
        self.room = room
        self.budget = budget
        self.calls = Calls(room.size_of)
        self._usual = Usual()
        self._was_pressed = False
        self._entered = 0
        """How many came in since the last turn and had nothing to wait for."""

    def ask(
        self, asker: Asker, school: School, now: float, *, is_busy: bool = False, is_pressed: bool = False
    ) -> Answered:
        """Decide on a request of somebody who is not inside.

        `is_busy` when very many strangers come from there; `is_pressed` when those inside have to queue already, from
        when on entries are counted: before a window of the admission is over hundreds would have come in.
        """
        self._was_pressed |= is_pressed
        lane = Lane.KNOWN if asker.device else Lane.UNKNOWN
        if asker.called is not None:
            self.calls.hear(asker.called, now)
        is_closed = is_busy or self._was_pressed or self.budget.is_limited
        key = LineKey(asker.school_id, lane)
        if not is_closed:
            self._usual.come(key)
        is_open = not (is_closed or self.room.has_line(key))
        passes = asker.device and asker.rule.priority is Priority.P0
        if is_open or passes or (is_closed and not is_busy and self._comes_as_usual(key, now)):
            self._entered += 1
            return _IN
        ticket = self.ticket_of(asker, school)
        if ticket is not None and self._may_enter(ticket, now):
            return Answered(Passing.IN, ticket)
        if not asker.wants_page or not asker.is_safe or (ticket is None and self.is_before(asker, now)):
            return _AWAY
        if asker.called is not None and (lane is Lane.KNOWN or (asker.called.has_waited and not is_busy)):
            return self._enter_or_book(asker, asker.called, ticket, lane, now, is_pressed=is_pressed)
        if ticket is None:
            came_at, promised_at, _ = asker.called or (int(now), 0, 0)
            holder = asker.holder or self.new_holder()
            ticket = Ticket(asker.school_id, lane, holder, came_at, promised_at=promised_at)
            if lane is Lane.UNKNOWN:
                return Answered(Passing.WAIT, ticket, FIRST_POLL_S + int(2 * self._chance.random()))
        return self._line_up(ticket, now)

    def _comes_as_usual(self, key: LineKey, now: float) -> bool:
        """True when nobody waits there, and no more come than always: it is others who storm.

        In peace a line is another worker's, and who comes goes behind it.
        """
        return not self.room.is_waited_in(key) and not self.calls.waiting(now) and self._usual.take(key)

    def _may_enter(self, ticket: Ticket, now: float) -> bool:
        """True when it is the holder's turn; in peace, for a stranger from a busy source who came back when told."""
        if ticket.bucket and self.room.is_served(ticket):
            return True
        is_back = ticket.lane is Lane.UNKNOWN and now >= ticket.came_at + FIRST_POLL_S
        return is_back and not self.budget.is_limited and not self._was_pressed

    def resume(self, bearable: Bearable) -> None:
        """Go on as the room was left: who waited before a restart does not come in all at once."""
        if self.room.waiting or 0 < self.room.own_per_s < math.inf:
            self.budget.resume(self.room.own_per_s)
            bearable.per_s = self.budget.rate_per_s * self.budget.REQUESTS

    def turn(self, now: float, seconds: float, load: Load) -> None:
        """Once a second: move the rate, and let the next people in."""
        called = self.calls.waiting(now) > 0 or self.calls.has_sent_back or self.calls.booked_s > 0
        # Strangers wait until their period closes though there is room: as long as some come, some do.
        lacks = called or self.room.is_short or self.room.waiting_in(Lane.KNOWN) > 0
        waits = called or self.room.waiting > 0
        can_call = self.calls.are_used(now) if called else self.room.can_call
        joins = waits and (self._was_pressed or self.room.is_limited_elsewhere(now))
        # The edge lets crowds in at the pace that it knows, and those never show what more there is room for.
        joins |= self.calls.have_waited > HELD_SHARE * self.budget.pace_per_s * seconds
        self._was_pressed = False
        self._usual.turn(seconds, is_peace=not (self.budget.is_limited or load.is_overloaded))
        self.budget.learn(seconds, load, self._entered, can_call=can_call)
        self._entered = 0
        self.budget.adjust(seconds, load, waits=lacks, joins=joins)
        # In peace only strangers from a busy source wait: for as long as it takes to come back.
        rate_per_s, known = self.budget.rate_per_s, self.room.waiting_in(Lane.KNOWN)
        # Known devices that wait at the edge are in no line of ours, which strangers would then have for themselves.
        kept = 1 - self._unknown_share if called and not known else 0.0
        unused = self.room.let_in(rate_per_s, now, seconds, kept_share=kept, pace_per_s=self.budget.pace_per_s)
        self.calls.turn(now, rate_per_s, unused / (rate_per_s * seconds), self.budget.pace_per_s)

    def is_before(self, asker: Asker, now: float) -> bool:
        """True when people wait at the edge and this one was not called: a cookie that it cannot check let it pass."""
        return asker.called is None and self.calls.are_heard(now)

    def cookie_of(self, ticket: Ticket) -> str:
        """The ticket as its cookie carries it."""
        return self._signer.sign(pack_ticket(ticket))

    def new_holder(self) -> bytes:
        """A name for a browser that has none."""
        return self._chance.randbytes(8)

    def ticket_of(self, asker: Asker, school: School) -> Ticket | None:
        """The ticket that somebody shows, when it is ours and of this school."""
        data = self._signer.verify(asker.ticket) if asker.ticket else None
        ticket = None if data is None else unpack_ticket(data)
        return ticket if ticket is not None and ticket.school == school.id.bytes else None

    def _enter_or_book(
        self, asker: Asker, called: Called, ticket: Ticket | None, lane: Lane, now: float, *, is_pressed: bool
    ) -> Answered:
        """Let somebody in who was called, or say when the next entry comes that nobody has booked.

        Strangers who waited at the edge have waited: it calls as many of them as may come in.
        """
        late_s = now - ticket.promised_at if ticket and now - BOOKED_S < ticket.booked_at <= now else None
        if not is_pressed and self.calls.take(asker.school_id, now, late_s=late_s):
            return Answered(Passing.IN, ticket)
        if ticket is None:
            holder = asker.holder or self.new_holder()
            ticket = Ticket(asker.school_id, lane, holder, called.came_at, promised_at=called.promised_at)
        if ticket.booked_at > now:
            return Answered(Passing.WAIT, ticket, math.ceil(ticket.booked_at - now))
        wait_s = self.calls.book(asker.school_id, now, is_late=late_s is not None)
        if not wait_s:
            return Answered(Passing.WAIT, ticket, CALLED_POLL_S)
        booked_at = int(now) + wait_s
        is_promised = ticket.promised_at > ticket.came_at
        ticket = ticket._replace(booked_at=booked_at, promised_at=ticket.promised_at if is_promised else booked_at)
        return Answered(Passing.WAIT, ticket, wait_s)

    def _line_up(self, ticket: Ticket, now: float) -> Answered:
        """Give a place to who has none yet. Of known devices some may enter at once, by their rank in the period."""
        if not ticket.bucket:
            ticket = self.room.count(ticket, now)
            if ticket.lane is Lane.KNOWN and self.room.takes(ticket):
                return Answered(Passing.IN, ticket)
        ticket = self.room.promise(ticket, now)
        return Answered(Passing.WAIT, ticket, self._poll_s(ticket, now))

    def _poll_s(self, ticket: Ticket, now: float) -> int:
        """When to ask again: with jitter, and never after the estimate."""
        pace_s = min(PACE_S_MAX, self.room.waiting / self._questions_per_s)
        jitter = self._chance.uniform(1 - JITTER, 1 + JITTER)
        if not ticket.promised_at:
            ends_s = (ticket.bucket + 1) * BUCKET_S - now
            turn_s = self.room.probable_wait_s(ticket, now) - ends_s
            return max(1, int(ends_s + self._after_period_s(turn_s, pace_s * jitter)))
        left_s = ticket.promised_at - now
        if left_s < 1:  # what was promised did not hold; more questions would make it later still
            left_s = max(OVERDUE_POLL_S, self.room.wait_s(ticket))
        wished = min(max(POLL_S[1], pace_s), max(POLL_S[0], pace_s, left_s / 4)) * jitter
        return max(1, int(min(wished, left_s)))

    def _after_period_s(self, turn_s: float, pace_s: float) -> float:
        """When after the end of a period to ask for the estimate, for whom it is probably the turn `turn_s` after it.

        Who is called soon comes for that: whoever is called and not there lets the others wait for nothing.
        """
        if turn_s <= 0:
            return self._chance.uniform(SETTLE_S, BUCKET_S)
        if turn_s <= BUCKET_S:
            return SETTLE_S + turn_s
        return SETTLE_S + min(turn_s * FORETOLD, max(BUCKET_S, pace_s))
