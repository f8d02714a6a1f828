"""The waiting room over whole mornings, played by seed."""

import heapq
import random
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from firstbell.gate.waiting import Lane, Ticket, WaitingRoom, rounded_up

START = 1_000.0


@dataclass
class Morning:
    """What the people of one morning met."""

    waits: list[tuple[float, float]] = field(default_factory=list)
    """First estimate, and how long it took from there, in seconds."""
    entered: list[Ticket] = field(default_factory=list)
    risen: int = 0


def play(
    seed: int, *, people_per_s: float, seconds: float, rate: float, schools: list[float], wobble: float
) -> Morning:
    """People come for `seconds` to schools of these sizes; `rate` are let in each second, up or down by `wobble`."""
    chance = random.Random(seed)
    room = WaitingRoom(b"seed", unknown_share=0.2, size_of=lambda school: schools[int.from_bytes(school)])
    morning = Morning()
    polls: list[tuple[float, int, Ticket, float]] = []
    number, now = 0, START
    while now < START + seconds or polls:
        if now < START + seconds:
            for _ in range(int(people_per_s)):
                number += 1
                school = chance.choices(range(len(schools)), schools)[0].to_bytes(16)
                lane = Lane.KNOWN if chance.random() < 0.95 else Lane.UNKNOWN
                ticket = room.count(Ticket(school, lane, number.to_bytes(8), int(now)), now)
                heapq.heappush(polls, (now + 10 + chance.uniform(1, 3), number, ticket, 0.0))
        room.let_in(rate * chance.uniform(1 - wobble, 1 + wobble), 1.0)
        now += 1
        while polls and polls[0][0] <= now:
            _, holder, ticket, promised_from = heapq.heappop(polls)
            if room.is_served(ticket):
                morning.entered.append(ticket)
                if ticket.first_wait_s:
                    morning.waits.append((ticket.first_wait_s, now - promised_from))
                continue
            fresh = room.promise(ticket, now)
            morning.risen += bool(ticket.promised_at) and fresh.promised_at > ticket.promised_at
            left_s = fresh.promised_at - now
            pause_s = min(left_s, min(120, max(15, left_s / 4)) * chance.uniform(0.8, 1.2)) if left_s > 1 else 5.0
            heapq.heappush(polls, (now + pause_s, holder, fresh, promised_from or (now if fresh.promised_at else 0.0)))
    return morning


MORNINGS = {
    "equal schools": [1.0] * 20,
    "one school": [1.0],
    "large and small schools": [1, 1, 2, 2, 3, 5, 8, 13],
}


@pytest.mark.parametrize("schools", MORNINGS.values(), ids=MORNINGS)
@pytest.mark.parametrize("seed", [1, 2])
def test_nine_of_ten_enter_when_they_were_told(seed: int, schools: list[float]) -> None:
    morning = play(seed, people_per_s=20, seconds=120, rate=5, schools=schools, wobble=0.3)
    kept = [abs(told - took) <= max(0.2 * told, 10) for told, took in morning.waits]
    assert len(kept) > 1_500
    assert sum(kept) / len(kept) >= 0.9
    assert not morning.risen, "an estimate never rises"


def test_who_came_in_an_earlier_period_goes_first() -> None:
    morning = play(3, people_per_s=10, seconds=60, rate=5, schools=[1.0], wobble=0.0)
    room_order = [ticket.bucket for ticket in morning.entered if ticket.lane is Lane.KNOWN]
    inversions = sum(later < earlier - 2 for earlier, later in pairwise(room_order))
    assert inversions < len(room_order) / 100, "only those who slept past their turn"


def test_the_room_keeps_counts_by_period_however_many_wait() -> None:
    room = WaitingRoom(b"seed", unknown_share=0.2)
    for number in range(300_000):
        room.count(Ticket(bytes(16), Lane.KNOWN, number.to_bytes(8), 0), START + number / 100)
    room.let_in(0, 1.0)
    assert room.waiting == 300_000
    assert len(room.snapshot()) < 10_000


def test_a_storm_at_one_school_does_not_lengthen_the_line_of_another() -> None:
    room = WaitingRoom(b"seed", unknown_share=0.2)
    storm, calm = bytes(16), bytes(15) + b"\1"
    for number in range(4_000):
        room.count(Ticket(storm, Lane.KNOWN, number.to_bytes(8), 0), START)
    last = [room.count(Ticket(calm, Lane.KNOWN, number.to_bytes(8), 0), START) for number in range(100)]
    for _ in range(10):
        room.let_in(20, 1.0)
    assert all(room.is_served(ticket) for ticket in last)


def test_places_outlive_a_worker() -> None:
    before, after = (WaitingRoom(b"seed", unknown_share=0.2) for _ in range(2))
    tickets = [before.count(Ticket(bytes(16), Lane.KNOWN, n.to_bytes(8), 0), START + n) for n in range(100)]
    before.let_in(40, 1.0)
    after.restore(before.snapshot())
    assert [before.is_served(ticket) for ticket in tickets] == [after.is_served(ticket) for ticket in tickets]
    assert after.waiting == 60


@pytest.mark.parametrize(("seconds", "said"), [(0, 5), (3, 5), (58, 60), (61, 75), (301, 360), (360, 360)])
def test_a_wait_is_rounded_up(seconds: float, said: int) -> None:
    assert rounded_up(seconds) == said
