"""Many times as many people as a worker can serve, from the first second to peace; played by seed."""

from collections.abc import Sequence

import pytest

from firstbell.gate.line import BUCKET_S, Lane, Line, Place, Reach
from firstbell.gate.waiting import Ticket, WaitingRoom
from firstbell.kernel.routes import Priority
from tests.gate.cell import START
from tests.gate.edge_spike import EdgeSpike
from tests.gate.spike import (
    CAPACITY_PER_S,
    MORNING,
    REFUSED_S,
    SCHOOLS,
    SERVED_S,
    Spike,
    mean,
    most_served_per_s,
)

PEOPLE = 1_000


@pytest.mark.parametrize("seed", [1, 2])
def test_at_ten_times_nearly_all_is_served_that_saying_no_leaves(seed: int) -> None:
    spike = Spike(seed)
    spike.come(0.8 * CAPACITY_PER_S, seconds=10)
    assert not spike.seen.refused, "in peace nobody waits"
    spike.come(10 * CAPACITY_PER_S, seconds=45)
    seen, of = spike.seen, (25, 55)  # from when the first period has been called
    most_per_s = most_served_per_s(mean(seen.refused, *of) + mean(seen.cut, *of))
    assert mean(seen.served, *of) >= 0.9 * most_per_s
    assert mean(seen.cut, *of) <= 0.25 * mean(seen.served, *of), "who is inside is seldom sent back"
    assert mean(seen.refused, *of) <= 10 * CAPACITY_PER_S + 300, "who waits asks once more, and when it is the turn"
    assert sum(spike.estimates) >= 0.9 * len(spike.estimates) > 500
    assert seen.p99_s() <= 0.2


def test_behind_the_edge_the_gate_hardly_says_no_and_whoever_is_called_is_there() -> None:
    estimates = []
    for seed in (1, 2):
        spike = EdgeSpike(seed)
        spike.come(0.8 * CAPACITY_PER_S, seconds=30)
        assert not spike.held, "in peace nobody waits"
        spike.come(10 * CAPACITY_PER_S, seconds=60)
        seen, of = spike.seen, (40, 90)
        assert mean(seen.served, *of) >= 0.9 / SERVED_S
        assert mean(seen.refused, *of) <= 2 * CAPACITY_PER_S, "whoever is called comes in at once or at the second try"
        assert mean(seen.cut, *of) <= 0.3 * mean(seen.served, *of)
        assert mean(spike.held, *of) <= 16 * CAPACITY_PER_S, "who waits asks again when it is time"
        assert seen.p99_s() <= 0.2
        estimates += spike.estimates
    assert sum(estimates) >= 0.9 * len(estimates) > 1_000


@pytest.mark.parametrize("part_s", [0.25, 0.8])
def test_the_first_seconds_of_forty_times_are_told_the_truth_whenever_in_a_second_it_begins(part_s: float) -> None:
    spike = EdgeSpike(1)
    spike.come(0.8 * CAPACITY_PER_S, seconds=15 + part_s)
    spike.come(40 * CAPACITY_PER_S, seconds=35)
    assert sum(spike.estimates) >= 0.9 * len(spike.estimates) > 1_000


@pytest.mark.parametrize("kind", [Spike, EdgeSpike])
def test_a_worker_that_starts_cold_into_a_storm_does_not_stay_at_what_it_could_do_first(kind: type[Spike]) -> None:
    spike = kind(4, cold_s=2.0)
    spike.come(0.8 * CAPACITY_PER_S, seconds=12)
    spike.come(10 * CAPACITY_PER_S, seconds=48)
    assert mean(spike.seen.served, 40, 60) >= 0.5 / SERVED_S


def test_a_small_school_that_books_far_ahead_does_not_let_the_others_sleep() -> None:
    spike = EdgeSpike(1, cold_s=2.0, sizes=(10.0, 10.0, 1.0))
    spike.come(0.8 * CAPACITY_PER_S, seconds=12)
    spike.come(10 * CAPACITY_PER_S, seconds=28)
    assert mean(spike.seen.served, 15, 30) >= 0.3 / SERVED_S


@pytest.mark.parametrize("seed", [1, 2])
def test_at_forty_times_estimates_count_on_what_saying_no_leaves(seed: int) -> None:
    spike = Spike(seed)
    spike.come(0.8 * CAPACITY_PER_S, seconds=15)
    spike.come(40 * CAPACITY_PER_S, seconds=40)
    refused = mean(spike.seen.refused, 25, 55) + mean(spike.seen.cut, 25, 55)
    assert refused * REFUSED_S > 0.3, "of the core"
    assert mean(spike.seen.served, 25, 55) >= 0.9 * most_served_per_s(refused)
    assert mean(spike.seen.cut, 25, 55) <= 0.3 * mean(spike.seen.served, 25, 55), "who is inside is seldom sent back"
    assert sum(spike.estimates) >= 0.8 * len(spike.estimates) > 500


@pytest.mark.parametrize("seed", [1, 2])
def test_while_one_school_comes_forty_times_as_strong_nobody_waits_at_the_others(seed: int) -> None:
    spike, (storm, *others) = Spike(seed), SCHOOLS
    spike.come(0.3 * CAPACITY_PER_S, seconds=40)
    spike.expect(40 * CAPACITY_PER_S, seconds=40, schools=[storm])
    spike.come(0.2 * CAPACITY_PER_S, seconds=40, schools=others)
    assert spike.seen.held_up[storm] > 40 * CAPACITY_PER_S * 30
    assert not [school for school in others if spike.seen.held_up[school]]


@pytest.mark.parametrize("kind", [Spike, EdgeSpike])
@pytest.mark.parametrize("slow", [0.75, 1.3])
def test_what_is_promised_holds_though_the_machine_becomes_faster_or_slower(kind: type[Spike], slow: float) -> None:
    spike = kind(1)
    spike.come(0.8 * CAPACITY_PER_S, seconds=30)
    spike.come(10 * CAPACITY_PER_S, seconds=8)
    spike.slow = slow
    spike.come(10 * CAPACITY_PER_S, seconds=27)
    spike.slow = 1.0
    spike.come(10 * CAPACITY_PER_S, seconds=25)
    assert sum(spike.estimates) >= 0.85 * len(spike.estimates) > 500


@pytest.mark.parametrize("kind", [Spike, EdgeSpike])
def test_people_who_ask_for_less_than_others_do_are_not_kept_out_of_an_idle_school(kind: type[Spike]) -> None:
    spike = kind(5, morning=[(Priority.P2, 10.0)] * 2)
    spike.come(CAPACITY_PER_S, seconds=30)
    spike.come(6 * CAPACITY_PER_S, seconds=40)
    assert mean(spike.seen.served, 50, 70) >= 0.5 / SERVED_S


def test_after_a_spike_those_who_come_back_are_served_in_turn() -> None:
    spike = Spike(3)
    spike.come(5 * CAPACITY_PER_S, seconds=20)
    spike.come(0.2 * CAPACITY_PER_S, seconds=120)
    assert mean(spike.seen.served, 60, 100) >= 0.8 / SERVED_S
    assert sum(spike.seen.served.values()) >= 0.95 * len(MORNING) * 120 * CAPACITY_PER_S


def room_with(people: int) -> tuple[WaitingRoom, list[Ticket]]:
    """A room into which so many came in the first second of a period, and its tickets."""
    room = WaitingRoom(b"seed", b"worker", unknown_share=0.2)
    came = [Ticket(bytes(16), Lane.KNOWN, number.to_bytes(8), 0) for number in range(people)]
    tickets = [room.count(ticket, START + number / people) for number, ticket in enumerate(came)]
    room.let_in(10.0, START + 1, 1.0)
    return room, tickets


def test_what_is_probable_before_a_period_is_over_counts_on_who_still_comes() -> None:
    room, tickets = room_with(PEOPLE)
    waits_s = [room.probable_wait_s(ticket, START + 1) for ticket in tickets]
    assert min(waits_s) < 10
    assert 0.9 < max(waits_s) / (BUCKET_S * PEOPLE / 10.0) < 1.1


def test_a_stranger_learns_nothing_of_the_rank_from_when_to_ask_again() -> None:
    room = WaitingRoom(b"seed", b"worker", unknown_share=0.2)
    tickets = [room.count(Ticket(bytes(16), Lane.UNKNOWN, bytes([number]), 0), START) for number in range(100)]
    room.let_in(10.0, START + 1, 1.0)
    assert len({room.probable_wait_s(ticket, START + 1) for ticket in tickets}) == 1


def test_entries_that_nobody_could_use_are_not_used_all_at_once() -> None:
    line = Line(Reach(Place(0, 0)))
    line.count(b"worker", 0, PEOPLE)
    line.index(Place(0, 0))
    line.advance(10.0, closed=-1)
    line.open(0, 10.0, 1.0)
    line.advance(10.0, closed=0)
    assert round(PEOPLE - line.waiting) == 10


def test_of_those_who_come_in_an_open_period_as_many_enter_as_can() -> None:
    line = Line(Reach(Place(0, 0)))
    for turn in range(1, 21):
        line.count(b"worker", 0, 100 * turn)
        line.index(Place(0, 0))
        line.advance(10.0, closed=-1)
        line.open(0, 10.0, 1.0)
    assert 0.09 <= 1 - line.waiting / 2_000 <= 0.11


def limited_room(entries_per_s: float, schools: Sequence[bytes]) -> WaitingRoom:
    """A room in which for a while one person a second came to each school, when more could enter."""
    room = WaitingRoom(b"seed", b"worker", unknown_share=0.02)
    for second in range(25):
        for school in schools:
            room.count(Ticket(school, Lane.KNOWN, second.to_bytes(8), 0), START + second)
        room.let_in(entries_per_s, START + second, 1.0)
    return room


def enters(room: WaitingRoom, school: bytes, number: int, moment: float) -> bool:
    """True when somebody who comes then may enter at once."""
    return room.takes(room.count(Ticket(school, Lane.KNOWN, number.to_bytes(8), 0), moment))


@pytest.mark.parametrize("entries_per_s", [20.0, 80.0])
def test_a_crowd_that_comes_while_everybody_may_enter_is_held_before_the_second_is_over(entries_per_s: float) -> None:
    room = limited_room(entries_per_s, [bytes(16)])
    entered = [sum(enters(room, bytes(16), number, START + 25.5) for number in range(3_000))]
    for second in range(26, 29):
        room.let_in(entries_per_s, START + second, 1.0)
        entered.append(sum(enters(room, bytes(16), 5_000 * second + who, START + second + 0.5) for who in range(3_000)))
    assert entered[0] <= 2 * entries_per_s + 1, "and one of whom a part may"
    assert all(0.3 * entries_per_s < people <= 2 * entries_per_s for people in entered[1:])


def test_while_one_school_storms_nobody_waits_who_comes_to_another_as_always() -> None:
    storm, calm = bytes(16), bytes(15) + b"\1"
    room = limited_room(20.0, [storm, calm])
    for second in range(25, 60):
        for number in range(500):
            room.count(Ticket(storm, Lane.KNOWN, (10_000 + 1_000 * second + number).to_bytes(8), 0), START + second)
        assert all(enters(room, calm, 100 * second + number, START + second + 0.2) for number in range(5))
        room.let_in(20.0, START + second + 0.9, 1.0)


def test_a_short_line_is_gone_as_soon_as_there_was_room_for_all_of_it() -> None:
    line = Line(Reach(Place(0, 0)))
    line.count(b"worker", 0, 30)
    line.index(Place(0, 0))
    for _ in range(4):
        line.advance(10.0, closed=-1)
        line.open(0, 10.0, 1.0)
    assert line.waiting == 0
