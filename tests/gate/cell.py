"""Several workers with one waiting room, and a network between them that loses, delays and cuts; played by seed."""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from firstbell.gate.line import Lane
from firstbell.gate.sharing import pack, unpack
from firstbell.gate.waiting import Ticket, WaitingRoom

START = 1_000.0


@dataclass
class Network:
    """Between workers: `lost` of the messages do not arrive, the others within `delay_s`, in any order.

    `is_cut` says that one worker's messages do not reach another; `is_down` that a worker has no connection at all.
    """

    lost: float = 0.0
    delay_s: tuple[float, float] = (0.0, 0.01)
    is_cut: Callable[[int, int, float], bool] = lambda sender, hearer, now: False
    is_down: Callable[[int, float], bool] = lambda worker, now: False
    _travelling: list[tuple[float, int, int, bytes]] = field(default_factory=list)
    _sent: int = 0

    def send(self, chance: random.Random, sender: int, hearers: int, data: bytes, now: float) -> None:
        """Let everybody hear what `sender` tells."""
        for hearer in range(hearers):
            is_heard = not (self.is_cut(sender, hearer, now) or self.is_down(sender, now) or self.is_down(hearer, now))
            if is_heard and chance.random() >= self.lost:
                self._sent += 1
                arrival = now + chance.uniform(*self.delay_s)
                heapq.heappush(self._travelling, (arrival, self._sent, hearer, data))

    def arrived(self, now: float) -> list[tuple[int, bytes]]:
        """Who hears what by now."""
        heard = []
        while self._travelling and self._travelling[0][0] <= now:
            _, _, hearer, data = heapq.heappop(self._travelling)
            heard.append((hearer, data))
        return heard


@dataclass
class Morning:
    """What the people of one morning met."""

    waits: list[tuple[float, float]] = field(default_factory=list)
    """First estimate, and how long it took from there, in seconds."""
    entered: list[tuple[float, Ticket]] = field(default_factory=list)
    risen: int = 0
    came: int = 0
    message_bytes_max: int = 0

    @property
    def kept(self) -> float:
        """The share of first estimates that came true: within 20 % or 10 s."""
        return sum(abs(told - took) <= max(0.2 * told, 10) for told, took in self.waits) / len(self.waits)

    def entered_by(self, now: float) -> int:
        """How many had come in at an instant."""
        return sum(entered <= now for entered, _ in self.entered)


class Cell:
    """The rooms of several workers, which let in so many each second. Their ticks are spread over the second."""

    def __init__(self, chance: random.Random, rates: list[float], schools: list[float], network: Network) -> None:
        self.chance = chance
        self.rates = rates
        self.network = network
        self.schools = schools
        self.rooms = [self._room(bytes([number])) for number in range(len(rates))]
        self.message_bytes_max = 0

    def _room(self, name: bytes) -> WaitingRoom:
        return WaitingRoom(
            b"seed", name, unknown_share=0.2, size_of=lambda school: self.schools[int.from_bytes(school)]
        )

    def restart(self, number: int, now: float) -> None:
        """A worker ends and starts again with what it kept."""
        kept = unpack(pack(self.rooms[number].snapshot()))
        self.rooms[number] = self._room(b"fresh")
        self.rooms[number].join(now)
        self.rooms[number].restore(kept, now)

    def second(self, now: float, *, wobble: float) -> None:
        """One second of all workers."""
        for number, room in enumerate(self.rooms):
            moment = now + number / len(self.rooms)
            self.deliver(moment)
            room.reach(moment, is_connected=not self.network.is_down(number, moment))
            room.let_in(self.rates[number] * self.chance.uniform(1 - wobble, 1 + wobble), moment, 1.0)
            data = pack(room.tell(moment))
            self.message_bytes_max = max(self.message_bytes_max, len(data))
            self.network.send(self.chance, number, len(self.rooms), data, moment)

    def deliver(self, now: float) -> None:
        """Hand over what has arrived."""
        for hearer, data in self.network.arrived(now):
            self.rooms[hearer].hear(unpack(data), now)

    def any_room(self) -> WaitingRoom:
        """The room of whichever worker a request comes to."""
        return self.chance.choice(self.rooms)


def play(
    seed: int,
    *,
    people_per_s: float,
    seconds: float,
    rates: list[float],
    schools: list[float],
    wobble: float = 0.0,
    network: Network | None = None,
    at: Callable[[Cell, float], None] = lambda cell, now: None,
) -> Morning:
    """People come for `seconds` to schools of these sizes, to any worker, and poll until they are in.

    Each worker lets in its rate each second, up or down by `wobble`; `at` may interfere at each second.
    """
    chance = random.Random(seed)
    cell = Cell(chance, rates, schools, network or Network())
    morning = Morning()
    polls: list[tuple[float, int, Ticket, float]] = []
    now = START
    while now < START + seconds or polls:
        if now < START + seconds:
            for _ in range(int(people_per_s)):
                morning.came += 1
                school = chance.choices(range(len(schools)), schools)[0].to_bytes(16)
                lane = Lane.KNOWN if chance.random() < 0.95 else Lane.UNKNOWN
                ticket = cell.any_room().count(Ticket(school, lane, morning.came.to_bytes(8), int(now)), now)
                heapq.heappush(polls, (now + 10 + chance.uniform(1, 3), morning.came, ticket, 0.0))
        at(cell, now)
        cell.second(now, wobble=wobble)
        now += 1
        cell.deliver(now)
        while polls and polls[0][0] <= now:
            _, holder, ticket, promised_from = heapq.heappop(polls)
            room = cell.any_room()
            if room.is_served(ticket):
                morning.entered.append((now, ticket))
                if ticket.promised_at:
                    morning.waits.append((ticket.promised_at - promised_from, now - promised_from))
                continue
            fresh = room.promise(ticket, now)
            morning.risen += bool(ticket.promised_at) and fresh.promised_at > ticket.promised_at
            left_s = fresh.promised_at - now
            pause_s = min(left_s, min(120, max(15, left_s / 4)) * chance.uniform(0.8, 1.2)) if left_s > 1 else 5.0
            heapq.heappush(polls, (now + pause_s, holder, fresh, promised_from or (now if fresh.promised_at else 0.0)))
        if now > START + 20_000:
            raise AssertionError(f"{len(polls)} people never came in")
    morning.message_bytes_max = cell.message_bytes_max
    return morning
