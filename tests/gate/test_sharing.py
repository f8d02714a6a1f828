"""One waiting room for all workers of a cell: over a bad network, while it is cut, over restarts; played by seed."""

import random
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstbell.gate.entry import EntryBudget, Load
from firstbell.gate.line import Lane, LineKey
from firstbell.gate.sharing import LINES_MAX, pack, unpack
from firstbell.gate.waiting import Ticket, WaitingRoom
from tests.gate.cell import START, Cell, Morning, Network, play

SIZES = [1.0, 1, 2, 2, 3, 5, 8, 13]
CELLS: dict[str, dict[str, Any]] = {
    "four workers": {"rates": [1.25] * 4},
    "unequal workers": {"rates": [0.5, 1.0, 3.5]},
    "messages are lost, late and out of order": {
        "rates": [1.25] * 4,
        "network": Network(lost=0.3, delay_s=(0.0, 3.0)),
    },
    "nobody hears anybody for 100 s": {
        "rates": [2.5, 2.5],
        "network": Network(is_down=lambda worker, now: 40 <= now - START < 140),
    },
    "a worker starts again": {
        "rates": [2.5, 2.5],
        "at": lambda cell, now: cell.restart(1, now) if now == START + 60 else None,
    },
}
CUT = Network(is_cut=lambda sender, hearer, now: 40 <= now - START < 140 and (sender == 0) is not (hearer == 0))
TORN = {**CELLS, "the bus is torn in two": {"rates": [1.25] * 4, "network": CUT}}


@cache
def morning_of(name: str) -> Morning:
    """Played once for all that must hold of it."""
    return play(1, people_per_s=20, seconds=120, schools=SIZES, wobble=0.3, **TORN[name])


@pytest.mark.parametrize("name", CELLS)
def test_nine_of_ten_enter_when_they_were_told_whichever_worker_they_meet(name: str) -> None:
    morning = morning_of(name)
    assert len(morning.waits) > 2_000
    assert morning.kept >= 0.9
    assert not morning.risen, "an estimate never rises"


@pytest.mark.parametrize("name", TORN)
def test_no_more_come_in_than_all_workers_together_let_in(name: str) -> None:
    morning, rate = morning_of(name), sum(TORN[name]["rates"])
    for second in range(10, 500, 10):
        assert morning.entered_by(START + second) <= rate * (second + 15), f"after {second} s"


@pytest.mark.parametrize("name", TORN)
def test_nobody_loses_a_place(name: str) -> None:
    morning = morning_of(name)
    assert len({ticket.holder for _, ticket in morning.entered}) == morning.came == 2_400


def test_who_came_earlier_goes_first_whichever_worker_counted() -> None:
    morning = play(1, people_per_s=10, seconds=60, rates=[1.0, 2.0, 2.0], schools=[1.0])
    order = [ticket.bucket for _, ticket in morning.entered if ticket.lane is Lane.KNOWN]
    inversions = sum(later < earlier - 2 for earlier, later in pairwise(order))
    assert inversions < len(order) / 100, "only those who slept past their turn"


def test_a_place_that_one_worker_gave_is_served_by_another() -> None:
    cell = Cell(random.Random(1), [1.0, 1.0], [1.0], Network())
    for number in range(20):
        ticket = cell.rooms[0].count(Ticket(bytes(16), Lane.KNOWN, number.to_bytes(8), 0), START)
    cell.second(START, wobble=0)
    cell.second(START + 1, wobble=0)
    assert cell.rooms[1].has_line(LineKey(bytes(16), Lane.KNOWN))
    assert not cell.rooms[1].is_served(ticket)
    for second in range(2, 14):
        cell.second(START + second, wobble=0)
    assert cell.rooms[1].is_served(ticket)


def test_a_worker_that_is_silent_lets_nobody_in_and_its_people_keep_their_places() -> None:
    cell = Cell(random.Random(1), [1.0, 1.0], [1.0], Network())
    for number in range(100):
        cell.rooms[number % 2].count(Ticket(bytes(16), Lane.KNOWN, number.to_bytes(8), 0), START)
    for second in range(12):
        cell.second(START + second, wobble=0)
    alone = cell.rooms[0]
    waiting = alone.waiting
    for second in range(12, 72):
        alone.let_in(1.0, START + second, 1.0)
    assert waiting - 60 - 5 <= alone.waiting <= waiting - 60, "for five seconds more than its own"
    assert alone.rate_per_s == pytest.approx(1.0, abs=0.02)


def test_hearing_again_what_was_heard_changes_nothing() -> None:
    teller, hearer = (WaitingRoom(b"seed", name, unknown_share=0.2) for name in (b"a", b"b"))
    for number in range(40):
        teller.count(Ticket(bytes(16), Lane.KNOWN, number.to_bytes(8), 0), START)
    early, late = teller.tell(START + 1), teller.tell(START + 2)
    for part in (late, early, late):
        hearer.hear(unpack(pack(part)), START + 2)
    hearer.let_in(0.0, START + 2, 1.0)
    assert hearer.waiting == 40


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 20)), min_size=1, max_size=30), st.randoms())
def test_the_sums_are_the_same_in_whatever_order_messages_come(arrivals: list[tuple[int, int]], chance: Any) -> None:
    tellers = [WaitingRoom(b"seed", bytes([number]), unknown_share=0.2) for number in range(3)]
    told = []
    for second, (number, people) in enumerate(arrivals):
        for _ in range(people):
            tellers[number].count(Ticket(bytes(16), Lane.KNOWN, b"somebody", 0), START)
        told.append(tellers[number].tell(START + second / 10))
    hearer = WaitingRoom(b"seed", b"hearer", unknown_share=0.2)
    chance.shuffle(told)
    for part in [*told, *told]:
        hearer.hear(part, START + 5)
    hearer.let_in(0.0, START + 5, 1.0)
    assert hearer.waiting == sum(people for _, people in arrivals)


def test_a_message_of_a_long_morning_at_500_schools_fits_the_bus() -> None:
    room = WaitingRoom(b"seed", b"worker", unknown_share=0.2)
    for bucket in range(0, 180, 6):
        for line in range(LINES_MAX + 10):
            school = (line // 2).to_bytes(16)
            room.count(Ticket(school, Lane(line % 2), b"somebody", 0), START + bucket * 10)
    told = room.tell(START + 1_801)
    assert len(told.lines) == LINES_MAX
    assert len(pack(told)) < 200_000
    room.join(START + 1_801)
    assert len(pack(room.tell(START + 1_801))) < 1_000_000, "also for whoever asks for all"


def test_counts_of_another_day_or_of_tomorrow_are_not_believed() -> None:
    teller, hearer = (WaitingRoom(b"seed", name, unknown_share=0.2) for name in (b"a", b"b"))
    teller.count(Ticket(bytes(16), Lane.KNOWN, b"somebody", 0), START)
    for now in (START + 86_400, START - 3_600):
        hearer.hear(teller.tell(START + 1), now)
        hearer.let_in(0.0, now, 1.0)
        assert not hearer.waiting


def test_a_worker_in_peace_that_joins_a_line_lets_in_what_it_bears() -> None:
    budget, peace = EntryBudget(least_per_s=1.0), Load(False, 90.0, 0.0, 99.0)
    for _ in range(60):
        budget.adjust(1.0, peace, waits=False)
    assert not budget.is_limited
    budget.adjust(1.0, peace, waits=True, joins=True)
    assert 15 <= budget.rate_per_s <= 20, "five requests each, and 99 can be borne"
