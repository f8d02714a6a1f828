"""A spike of people at one worker: the real door and the real admission, simulated time on one core.

People come, wait as they are told, and go through a morning whose requests come one after the other; who is refused
comes back. What the core does takes its time in order, refusals as well. Everything follows from the seed.
"""

import heapq
import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from firstbell.gate.admission import Verdict
from firstbell.gate.asker import Asker, Rule
from firstbell.gate.build import admission_of
from firstbell.gate.calls import Called
from firstbell.gate.cursor import hour_of, level_of
from firstbell.gate.door import Answered, Door, Passing
from firstbell.gate.entry import EntryBudget, Load
from firstbell.gate.queue import Waiting
from firstbell.gate.waiting import Ticket, WaitingRoom
from firstbell.kernel.routes import Priority
from firstbell.kernel.signing import Key, Signer
from firstbell.settings import Settings

SERVED_S, REFUSED_S = 2.3e-3, 0.1e-3
"""CPU of a served step and of a refusal, PostgreSQL's included, as rehearsals find them."""
COLD = 12
"""So many times as much while nothing is in any cache."""
SLICES = 3
TICK_S = 0.01
HASTE = 4.0
"""As in rehearsals: people read so many times faster than in a school."""
Morning = Sequence[tuple[Priority, float]]
MORNING: Morning = ((Priority.P1, 0.0), (Priority.P1, 4.0), (Priority.P2, 10.0), (Priority.P0, 2.0), (Priority.P1, 8.0))
"""The requests of a morning: class, and mean seconds of thought before it."""
CAPACITY_PER_S = 1 / (SERVED_S * len(MORNING))
"""People whose mornings one core can serve each second."""
RETRY_S = (4.0, 12.0)
START = 1_000_000_000.0


class Place(msgspec.Struct, frozen=True):
    """A school."""

    id: UUID
    name: str = "De Wilge"
    locale: str = "nl"
    zone: ZoneInfo = ZoneInfo("Europe/Brussels")


SCHOOLS = [Place(UUID(int=number)) for number in (1, 2, 3)]


@dataclass(slots=True)
class Person:
    """Somebody on a known device; `done` requests of the morning have been served.

    The edge says when they came, what it promised, and whether they are `called`.
    """

    school: Place
    device: bytes
    group: int
    ticket: str = ""
    is_inside: bool = False
    done: int = 0
    told_at: float = 0.0
    told_s: float = 0.0
    let_in_at: float = math.inf
    came_ms: int = 0
    promised_at: int = 0
    called: Called | None = None


@dataclass(slots=True)
class Seen:
    """What was seen: counts by second, seconds that served requests took, and who was told to wait."""

    served: Counter[int] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)
    cut: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    held_up: Counter[Place] = field(default_factory=Counter)
    """How often people of each school were told to wait for coming in."""
    told: list[Person] = field(default_factory=list)
    """Who was told an estimate, in order."""

    def p99_s(self) -> float:
        """Of the time that served requests took."""
        return sorted(self.seconds)[int(0.99 * len(self.seconds))]


class Spike:
    """One worker and everybody who comes to it."""

    def __init__(self, seed: int, *, morning: Morning = MORNING, cold_s: float = 0.0) -> None:
        made = Settings()
        self.morning = morning
        self._warm_at = START + cold_s
        self.seen = Seen()
        self._chance = random.Random(seed)
        self._now = self._free_at = self._due = self._second = START
        self._asked = 0
        self._used_s = 0.0
        self.slow = 1.0
        """So many times as long takes all that the core does."""
        self._events: list[tuple[float, int, Callable[..., None], tuple[object, ...]]] = []
        self._admission = admission_of(made, START, lambda school: 1.0)
        room = WaitingRoom(b"seed", b"worker", unknown_share=made.unknown_entries_share)
        budget = EntryBudget(least_per_s=made.entries_per_second_min)
        tickets = Signer((Key("t", bytes(32)),), "ticket")
        self._door = Door(
            tickets,
            room,
            budget,
            random.Random(seed),
            questions_per_s=made.waiting_questions_per_second,
            unknown_share=made.unknown_entries_share,
        )
        self._at(START + TICK_S, self._tick)

    def expect(self, people_per_s: float, *, seconds: float, schools: Sequence[Place] = SCHOOLS) -> None:
        """Have people come to these schools for so long from now on."""
        moment = end = self._now
        end += seconds
        while (moment := moment + self._chance.expovariate(people_per_s)) < end:
            device = self._chance.randbytes(16)
            self._at(moment, self._ask, Person(self._chance.choice(schools), device, self._chance.randrange(1, 999)))

    def come(self, people_per_s: float, *, seconds: float, schools: Sequence[Place] = SCHOOLS) -> None:
        """Have people come to these schools for so long from now on, and play it."""
        self.expect(people_per_s, seconds=seconds, schools=schools)
        end = self._now + seconds
        while self._events[0][0] < end:
            self._now, _, act, arguments = heapq.heappop(self._events)
            act(*arguments)
        self._now = end

    def _at(self, moment: float, act: Callable[..., None], *arguments: object) -> None:
        heapq.heappush(self._events, (moment, self._chance.getrandbits(60), act, arguments))

    def _run(self, seconds: float, then: Callable[..., None], *arguments: object) -> None:
        """Work for so long, after everything that came before."""
        taken_s = seconds * self.slow * self._chance.uniform(0.5, 1.5) * (COLD if self._now < self._warm_at else 1)
        self._used_s += taken_s
        self._free_at = max(self._free_at, self._now) + taken_s
        self._at(self._free_at, then, *arguments)

    def _ask(self, person: Person) -> None:
        self._run(0.0, self._decide, person, self._now)

    def _decide(self, person: Person, asked_at: float) -> None:
        priority, _ = self.morning[person.done]
        if not person.is_inside and not self._comes_in(person, Rule(priority)):
            return
        self._asked += 1
        school = person.school.id.bytes
        level = level_of(priority, person.group, hour_of(self._now))
        turned_away = self._admission.turn_away(school, priority, level)
        verdict = turned_away or self._admission.enter(school, priority, self._now)
        if isinstance(verdict, Waiting):
            verdict.wake = lambda is_in: self._work(person, asked_at, SLICES) if is_in else self._cut(person)
        elif verdict is Verdict.ADMITTED:
            self._work(person, asked_at, SLICES)
        else:
            self._cut(person)

    def _comes_in(self, person: Person, rule: Rule) -> bool:
        school = person.school
        asker = Asker(
            school,
            school.id.bytes,
            rule,
            None,
            person.device,
            person.ticket,
            wants_page=True,
            is_safe=True,
            called=person.called,
        )
        answered = self._door.ask(asker, school, self._now, is_pressed=self._admission.is_pressed)
        person.is_inside = answered.passing is Passing.IN
        if not person.is_inside:
            self.seen.refused[self._elapsed] += 1
            self.seen.held_up[school] += 1
            self._run(REFUSED_S, self._wait, person, answered)
        else:
            person.let_in_at = self._now
        return person.is_inside

    def _wait(self, person: Person, answered: Answered) -> None:
        ticket: Ticket | None = answered.ticket
        if ticket is not None:
            person.ticket = self._door.cookie_of(ticket)
            if ticket.promised_at > ticket.came_at and not person.told_at:
                self._tell_estimate(person, ticket.promised_at - self._now)
        self._at(self._now + answered.poll_s, self._ask, person)

    def _tell_estimate(self, person: Person, seconds: float) -> None:
        person.told_at, person.told_s = self._now, seconds
        self.seen.told.append(person)

    @property
    def estimates(self) -> list[bool]:
        """Which first estimates came true, of those of which that is known by now."""
        wrong_s = [(person, max(10.0, 0.2 * person.told_s)) for person in self.seen.told]
        return [
            abs(person.let_in_at - person.told_at - person.told_s) <= most_s
            for person, most_s in wrong_s
            if person.told_at + person.told_s + most_s < self._now
        ]

    def _cut(self, person: Person) -> None:
        self.seen.cut[self._elapsed] += 1
        self._run(REFUSED_S, lambda: None)
        self._at(self._now + self._chance.uniform(*RETRY_S), self._ask, person)

    def _work(self, person: Person, asked_at: float, slices: int) -> None:
        if slices:
            self._run(SERVED_S / SLICES, self._work, person, asked_at, slices - 1)
            return
        self._admission.leave(person.school.id.bytes, self._now)
        self.seen.served[self._elapsed] += 1
        self.seen.seconds.append(self._now - asked_at)
        person.done += 1
        if person.done < len(self.morning):
            _, think_s = self.morning[person.done]
            self._at(self._now + self._chance.expovariate(HASTE / think_s), self._ask, person)

    @property
    def _elapsed(self) -> int:
        return int(self._now - START)

    def _tick(self) -> None:
        self._run(0.0, self._look)

    def _look(self) -> None:
        self._admission.tick(self._now, max(0.0, self._now - self._due), lambda: self._used_s)
        seconds = self._now - self._second
        if seconds >= 1:
            bearable, second = self._admission.bearable, self._elapsed - 1
            bearable.refuse(self.seen.refused[second] + self.seen.cut[second])
            asked_per_s, cut_per_s = self._asked / seconds, self.seen.cut[second] / seconds
            load = Load(self._admission.is_overloaded, asked_per_s, cut_per_s, bearable.per_s, bearable.most_per_s)
            self._door.turn(self._now, seconds, load)
            if not self._door.budget.is_limited:
                bearable.rest()
            self._asked, self._second = 0, self._now
        self._due = self._now + TICK_S
        self._at(self._due, self._tick)


def most_served_per_s(refused_per_s: float) -> float:
    """What saying no so often leaves of a core."""
    return max(0.0, 1 - refused_per_s * REFUSED_S) / SERVED_S


def mean(counts: Counter[int], first: int, end: int) -> float:
    """Of the seconds from `first` until `end`."""
    return math.fsum(counts[second] for second in range(first, end)) / (end - first)
