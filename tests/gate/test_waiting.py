"""The waiting room over whole mornings, played by seed."""

from itertools import pairwise

import pytest

from firstbell.gate.line import Lane
from firstbell.gate.sharing import pack
from firstbell.gate.waiting import Ticket, WaitingRoom, rounded_up
from tests.gate.cell import START, play

MORNINGS = {
    "equal schools": [1.0] * 20,
    "one school": [1.0],
    "large and small schools": [1, 1, 2, 2, 3, 5, 8, 13],
}


@pytest.mark.parametrize("schools", MORNINGS.values(), ids=MORNINGS)
@pytest.mark.parametrize("seed", [1, 2])
def test_nine_of_ten_enter_when_they_were_told(seed: int, schools: list[float]) -> None:
    morning = play(seed, people_per_s=20, seconds=120, rates=[5], schools=schools, wobble=0.3)
    assert len(morning.waits) > 1_500
    assert morning.kept >= 0.9
    assert not morning.risen, "an estimate never rises"


def test_who_came_in_an_earlier_period_goes_first() -> None:
    morning = play(3, people_per_s=10, seconds=60, rates=[5], schools=[1.0])
    room_order = [ticket.bucket for _, ticket in morning.entered if ticket.lane is Lane.KNOWN]
    inversions = sum(later < earlier - 2 for earlier, later in pairwise(room_order))
    assert inversions < len(room_order) / 100, "only those who slept past their turn"


def test_the_room_keeps_counts_by_period_however_many_wait() -> None:
    room = WaitingRoom(b"seed", b"worker", unknown_share=0.2)
    for number in range(300_000):
        room.count(Ticket(bytes(16), Lane.KNOWN, number.to_bytes(8), 0), START + number / 100)
    room.let_in(0, START + 3_000, 1.0)
    assert room.waiting == 300_000
    assert len(pack(room.snapshot())) < 10_000


def test_a_storm_at_one_school_does_not_lengthen_the_line_of_another() -> None:
    room = WaitingRoom(b"seed", b"worker", unknown_share=0.2)
    storm, calm = bytes(16), bytes(15) + b"\1"
    for number in range(4_000):
        room.count(Ticket(storm, Lane.KNOWN, number.to_bytes(8), 0), START)
    last = [room.count(Ticket(calm, Lane.KNOWN, number.to_bytes(8), 0), START) for number in range(100)]
    for second in range(12):
        room.let_in(20, START + second, 1.0)
        assert room.last_wait_s(last[0]) < 30, "what is said to those who come is of their own line"
    assert all(room.is_served(ticket) for ticket in last)


def test_places_outlive_a_worker() -> None:
    before, after = (WaitingRoom(b"seed", name, unknown_share=0.2) for name in (b"old", b"new"))
    tickets = [before.count(Ticket(bytes(16), Lane.KNOWN, n.to_bytes(8), 0), START + n) for n in range(100)]
    before.let_in(40, START + 100, 1.0)
    after.restore(before.snapshot(), START + 110)
    assert [before.is_served(ticket) for ticket in tickets] == [after.is_served(ticket) for ticket in tickets]
    assert after.waiting == 60


@pytest.mark.parametrize(("seconds", "said"), [(0, 5), (3, 5), (58, 60), (61, 75), (301, 360), (360, 360)])
def test_a_wait_is_rounded_up(seconds: float, said: int) -> None:
    assert rounded_up(seconds) == said
