"""Whom the edge held in its line and called: they come in at once, and nobody gets past the others by a lie."""

import random
import re
from collections import Counter

import pytest

from firstbell.gate.calls import MORE_MAX, READY_S, RETURN_S, SILENT_S, SPARE_S, Called, Calls
from firstbell.gate.door import BOOKED_S
from tests.gate.house import WILGE, House

pytestmark = pytest.mark.anyio

KEY = "a2V5"
RATE = 10.0
SCHOOL, OTHER = b"w" * 16, b"l" * 16


def busy_house() -> House:
    """A gate that counts entries, in whose cell 500 people wait at the edge."""
    house = House(edge_key=KEY)
    house.be_busy()
    return house


def leave(house: House, entries: float) -> None:
    """Let so many entries be there for those who are called, and ten more each second."""
    calls, now = house.door.calls, house.clock.seconds()
    calls.turn(now - entries / RATE, RATE, 1.0, RATE)
    calls.turn(now, RATE, 1.0, RATE)


def name(house: House, *, key: str = KEY, ago_s: int = 90, left_s: int = 30, waiting: int = 500) -> tuple[bytes, bytes]:
    """The header of the edge for somebody who came some time ago and was promised another moment."""
    now = int(house.clock.seconds())
    return b"x-called", f"{key} {now - ago_s} {now + left_s} {waiting}".encode()


def name_at_once(house: House) -> tuple[bytes, bytes]:
    """The same for somebody who came now and did not have to wait."""
    return b"x-called", f"{KEY} {int(house.clock.seconds())} 0 500".encode()


async def test_who_is_called_on_a_known_device_comes_in_at_once() -> None:
    house = busy_house()
    leave(house, 2.0)
    device = house.device_pass()
    answers = [await house.ask(cookies=device, headers=[name(house)]) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 503], "as many as there are entries"


async def test_who_finds_no_entry_left_books_one_and_comes_back_for_it() -> None:
    house = busy_house()
    leave(house, 0.0)
    devices = [house.device_pass() for _ in range(25)]
    waits = [await house.ask(cookies=device, headers=[name(house)]) for device in devices]
    seconds = [int(answer.header(b"retry-after")) for answer in waits]
    assert seconds == sorted(seconds)
    assert (seconds[0], seconds[-1]) == (1, 3), "25 people, ten a second"
    tickets = [f"{device}; ticket={answer.cookie('ticket')}" for device, answer in zip(devices, waits, strict=True)]
    early = await house.ask(cookies=tickets[-1], headers=[name(house)])
    assert int(early.header(b"retry-after")) == 3, "who asks before the time is told the same"
    waiting = tickets[:20]
    for at_once in (8, 8, 4):
        house.later(1)
        come = [await house.ask(cookies=ticket, headers=[name(house)]) for ticket in waiting]
        waiting = [ticket for ticket, answer in zip(waiting, come, strict=True) if answer.status != 200]
        assert len(come) - len(waiting) == at_once, "no crowd comes in at once, and nobody waits much longer"
    newcomer = await house.ask(cookies=house.device_pass(), headers=[name(house)])
    assert newcomer.status == 503, "the next second is booked"
    house.later(3)
    newcomer = await house.ask(cookies=house.device_pass(), headers=[name(house)])
    assert newcomer.status == 200, "what nobody took by then is free"


async def test_a_booking_that_was_kept_for_hours_wins_nothing() -> None:
    for later_s, status in ((BOOKED_S - 60, 200), (BOOKED_S + 60, 503)):
        house = busy_house()
        leave(house, 0.0)
        device = house.device_pass()
        waits = await house.ask(cookies=device, headers=[name(house)])
        house.later(later_s)
        others = [await house.ask(cookies=house.device_pass(), headers=[name(house)]) for _ in range(15)]
        assert [answer.status for answer in others].count(200) == int(SPARE_S * RATE), "what is spare has an end"
        again = await house.ask(cookies=f"{device}; ticket={waits.cookie('ticket')}", headers=[name(house)])
        assert again.status == status


async def test_in_the_first_second_of_a_spike_the_called_come_back_at_once() -> None:
    house = House(edge_key=KEY)
    for _ in range(house.gate.admission.bounds.queue_max):
        house.gate.admission.expect()
    answer = await house.ask(cookies=house.device_pass(), headers=[name(house, waiting=0)])
    assert (answer.status, answer.header(b"retry-after")) == (503, "1")
    house.pass_second()
    assert house.budget.is_limited


async def test_who_was_called_too_early_keeps_what_the_edge_promised() -> None:
    house = busy_house()
    waits = await house.ask(cookies=house.device_pass(), headers=[name(house)])
    assert waits.status == 503
    assert re.search(rb'<progress value="90" max="120"', waits.body)
    assert int(waits.header(b"retry-after")) <= 30
    assert waits.cookie("ticket")


@pytest.mark.parametrize("header", [b"", b"wrong 1 2 3", KEY.encode(), f"{KEY} 1".encode()])
async def test_a_call_that_the_edge_did_not_make_is_not_believed(header: bytes) -> None:
    house = busy_house()
    leave(house, 2.0)
    await house.ask(cookies=house.device_pass(), headers=[name(house)])
    assert (await house.ask(cookies=house.device_pass(), headers=[(b"x-called", header)])).status == 503
    without_key = House()
    without_key.be_busy()
    answer = await without_key.ask(cookies=without_key.device_pass(), headers=[name(without_key, key="")])
    assert b'<progress value="0"' in answer.body


async def test_a_worthless_cookie_wins_no_place_while_others_wait_at_the_edge() -> None:
    house = busy_house()
    leave(house, 5.0)
    device = house.device_pass()
    await house.ask(cookies=device, headers=[name(house)])
    refused = await house.ask(cookies=f"{device}; inside=made-up")
    assert refused.status == 503
    assert not refused.cookie("ticket")
    removed = [value for key, value in refused.headers if key == b"set-cookie"]
    assert [value.partition(b"=")[0] for value in removed] == [b"inside", b"access"]
    assert all(b"Max-Age=0" in value for value in removed)
    house.later(SILENT_S)
    assert (await house.ask(cookies=house.device_pass())).cookie("ticket"), "no edge calls any more"


async def test_hand_ins_and_people_inside_need_no_call() -> None:
    house = busy_house()
    device = house.device_pass()
    await house.ask(cookies=device, headers=[name(house)])
    assert (await house.ask(cookies="access=session")).status == 200
    assert (await house.ask("/hand-ins", method="POST", cookies=house.device_pass())).status == 200


async def test_strangers_who_did_not_wait_at_the_edge_do_so_in_the_line_of_the_gate() -> None:
    house = busy_house()
    leave(house, 5.0)
    waits = await house.ask(headers=[name_at_once(house)])
    assert waits.status == 503
    assert waits.cookie("ticket")


async def test_strangers_who_waited_at_the_edge_do_not_wait_again_at_the_gate() -> None:
    house = busy_house()
    leave(house, 2.0)
    answers = [await house.ask(headers=[name(house)]) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 503], "as many as there are entries"
    assert answers[-1].header(b"retry-after") == "1", "the others come for the next"
    house.later(1)
    booked = await house.ask(cookies=f"ticket={answers[-1].cookie('ticket')}", headers=[name(house)])
    assert booked.status == 200


async def test_strangers_from_where_somebody_guesses_passwords_stand_in_the_line_though_they_waited() -> None:
    house = busy_house()
    leave(house, 5.0)
    house.missed[WILGE.id.bytes] = 10_000
    assert (await house.ask(headers=[name(house)])).status == 503


async def test_strangers_at_the_gate_do_not_get_the_entries_of_those_who_wait_at_the_edge() -> None:
    house = busy_house()
    for _ in range(40):
        first = await house.ask(headers=[name_at_once(house)])
        await house.ask(cookies=f"ticket={first.cookie('ticket')}", headers=[name_at_once(house)])
    house.pass_second()
    before = house.door.room.waiting
    house.later(1)
    house.pass_second()
    share = 0.2  # of strangers, in this house
    assert before - house.door.room.waiting <= share * house.budget.rate_per_s + 1
    assert house.door.calls.take(WILGE.id.bytes, house.clock.seconds(), late_s=None), (
        "what they do not get is left for those who are called"
    )


@pytest.mark.parametrize(("people", "is_limited"), [(2, False), (20, True)])
async def test_entries_are_counted_from_when_many_come_who_waited_at_the_edge(people: int, is_limited: bool) -> None:
    house = House(edge_key=KEY)
    house.pass_second()
    for _ in range(people):
        assert (await house.ask(cookies=house.device_pass(), headers=[name(house)])).status == 200
    house.later(1)
    house.pass_second()
    assert house.budget.is_limited is is_limited


async def test_entries_are_counted_for_as_long_as_people_wait_at_the_edge() -> None:
    house = busy_house()
    for _ in range(30):
        await house.ask(cookies=house.device_pass(), headers=[name(house)])
        house.pass_second()
        house.later(1)
    assert house.budget.is_limited
    for _ in range(40):
        house.pass_second()
        house.later(1)
    assert not house.budget.is_limited


def calls_of(rate_per_s: float = RATE, **sizes: float) -> Calls:
    """Calls in a spike that has begun."""
    calls = Calls(lambda school: sizes.get(school.decode(), 1.0))
    calls.turn(0.0, rate_per_s, 1.0, rate_per_s)
    return calls


def test_as_many_are_called_as_enter_and_more_while_some_stay_away() -> None:
    calls, told, entered = calls_of(), [0.0], 0
    due: list[tuple[float, bool]] = []
    for second in range(300):
        calls.hear(Called(0, 0, 500), float(second))
        come = round(calls.per_s * 0.8)  # every fifth has left
        due = sorted([*due, *((second + person / come, False) for person in range(come))])
        while due and due[0][0] < second + 1:
            now, has_booked = due.pop(0)
            if calls.take(SCHOOL, now, late_s=0.0 if has_booked else None):
                entered += second >= 200
            else:
                due = sorted([*due, (now + calls.book(SCHOOL, now, is_late=has_booked), True)])
        calls.turn(float(second + 1), RATE, 1.0, RATE)
        told.append(calls.per_s)
    assert entered == pytest.approx(100 * RATE, rel=0.05), "no entry stays unused"
    assert sum(told[200:]) / 100 * 0.8 == pytest.approx(RATE, rel=0.1)
    assert max(told) <= RATE * (MORE_MAX + READY_S / RETURN_S)


def test_entries_that_the_called_leave_show_that_more_entries_would_bring_nobody() -> None:
    calls = calls_of()
    assert calls.take(SCHOOL, 1.0, late_s=None)
    assert not calls.are_used(1.0), "ten came in, and could not be kept"
    calls.turn(1.0, RATE, 1.0, RATE)
    for tenth in range(1, 11):
        assert calls.take(SCHOOL, 1 + tenth / 10, late_s=None)
    assert calls.are_used(2.0)


def test_whom_a_burst_of_peace_sent_back_is_not_expected_in_the_next_spike() -> None:
    calls = Calls(lambda school: 1.0)
    for _ in range(50):
        calls.book(SCHOOL, 0.0, is_late=False)
    calls.turn(1.0, float("inf"), 1.0, RATE)
    calls.turn(2.0, RATE, 1.0, RATE)
    assert calls.booked_s == 0


def test_who_is_sent_back_as_a_spike_begins_is_counted_before_they_book() -> None:
    calls = Calls(lambda school: 1.0)
    for _ in range(50):
        calls.book(SCHOOL, 0.0, is_late=False)
    calls.turn(1.0, RATE, 1.0, RATE)
    assert calls.booked_s == 5


def test_nobody_is_called_while_many_stand_booked() -> None:
    calls = calls_of()
    calls.hear(Called(0, 0, 500), 0.0)
    for _ in range(300):
        calls.book(SCHOOL, 0.0, is_late=False)
    calls.turn(0.1, RATE, 1.0, RATE)
    assert calls.booked_s == pytest.approx(30, abs=0.2)
    assert calls.per_s <= RATE / 10


def test_a_line_that_sleeps_is_passed_quickly_until_somebody_books() -> None:
    calls, called = calls_of(), 0.0
    for second in range(1, 31):
        calls.hear(Called(0, 0, 10_000), float(second))
        calls.turn(float(second), RATE, 1.0, RATE)
        called += calls.per_s
    assert called > 10_000
    for _ in range(int(RATE)):
        calls.book(SCHOOL, 30.5, is_late=False)
    calls.turn(31.0, RATE, 1.0, RATE)
    assert calls.per_s <= 2 * RATE


def test_what_is_spare_has_an_end_and_in_peace_nobody_needs_it() -> None:
    calls = calls_of()
    calls.turn(60.0, RATE, 1.0, RATE)
    taken = sum(calls.take(SCHOOL, 60.0, late_s=None) for _ in range(100))
    assert taken == int(SPARE_S * RATE)
    calls.turn(61.0, float("inf"), 1.0, RATE)
    assert (calls.per_s, calls.booked_s, calls.take(SCHOOL, 61.0, late_s=None)) == (RATE, 0, False)


def test_another_school_waits_for_its_own_share_whatever_one_has_booked() -> None:
    calls = calls_of()
    for _ in range(600):
        calls.book(SCHOOL, 0.0, is_late=False)
    assert calls.book(OTHER, 0.0, is_late=False) == 1
    assert [calls.book(OTHER, 0.0, is_late=False) for _ in range(9)][-1] == 2, "half of ten a second"


def test_a_crowd_that_comes_back_in_one_moment_comes_in_when_it_was_told_and_never_more_than_a_second_of_it() -> None:
    rate_per_s, people = 100.0, 300
    calls, late, most = calls_of(rate_per_s), 0.0, 0
    due = Counter(calls.book(SCHOOL, 0.0, is_late=False) for _ in range(people))
    assert max(due) <= people / rate_per_s + 1
    waiting: list[int] = []  # when each was told to come, pages come back after whole seconds
    for second in range(1, 10):
        now = float(second)
        calls.turn(now, rate_per_s, 1.0, rate_per_s)
        waiting += [second] * due[second]
        come_in = [told_s for told_s in waiting if calls.take(SCHOOL, now, late_s=now - told_s)]
        late, most = max(late, max((now - told_s for told_s in come_in), default=0.0)), max(most, len(come_in))
        waiting = sorted(waiting)[len(come_in) :]
    assert not waiting
    assert late <= 1
    assert most <= rate_per_s


def test_who_booked_and_came_too_late_goes_before_those_who_never_did() -> None:
    calls = calls_of()
    for _ in range(600):
        calls.book(SCHOOL, 0.0, is_late=False)
    assert calls.book(SCHOOL, 0.0, is_late=True) == 1
    assert calls.book(SCHOOL, 0.0, is_late=False) == 61


def test_when_fewer_enter_than_have_booked_everybody_is_a_little_late_and_nobody_very_late() -> None:
    rate_per_s, people, slow_s = 50.0, 2_000, 10
    calls, chance = calls_of(rate_per_s), random.Random(830)
    told = [calls.book(SCHOOL, number % 10 / 10, is_late=False) for number in range(people)]
    due = sorted((float(told_s), told_s) for told_s in told)
    late: list[float] = []
    for second in range(90):
        calls.turn(float(second), rate_per_s / 2 if second < slow_s else rate_per_s, 1.0, rate_per_s)
        coming = [told_s for at_s, told_s in due if at_s < second + 1]
        due = due[len(coming) :]
        chance.shuffle(coming)
        for place, told_s in enumerate(coming):
            now = second + place / len(coming)
            if calls.take(SCHOOL, now, late_s=now - told_s):
                late.append(now - told_s)
            else:
                due.append((second + calls.book(SCHOOL, now, is_late=True), told_s))
        due.sort()
    assert len(late) == people
    missing_s = slow_s / 2
    assert max(late) < 2 * missing_s, "31 s for the last one when whoever is late has only the chance of the others"
