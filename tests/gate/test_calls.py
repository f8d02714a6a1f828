"""Whom the edge held in its line and called: they come in at once, and nobody gets past the others by a lie."""

import re

import pytest

from firstbell.gate.calls import FASTER_MAX, SILENT_S, SPARE_S, Called, Calls
from tests.gate.house import House

pytestmark = pytest.mark.anyio

KEY = "a2V5"
RATE = 10.0


def busy_house() -> House:
    """A gate that counts entries, in whose cell 500 people wait at the edge."""
    house = House(edge_key=KEY)
    house.be_busy()
    return house


def name(house: House, *, key: str = KEY, ago_s: int = 90, left_s: int = 30, waiting: int = 500) -> tuple[bytes, bytes]:
    """The header of the edge for somebody who came some time ago and was promised another moment."""
    now = int(house.clock.seconds())
    return b"x-called", f"{key} {now - ago_s} {now + left_s} {waiting}".encode()


async def test_who_is_called_on_a_known_device_comes_in_at_once() -> None:
    house = busy_house()
    house.door.calls.turn(house.clock.seconds(), RATE, unused=2.0, before=0)
    device = house.device_pass()
    answers = [await house.ask(cookies=device, headers=[name(house)]) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 503], "as many as there are entries"


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
    house.door.calls.turn(house.clock.seconds(), RATE, unused=2.0, before=0)
    await house.ask(cookies=house.device_pass(), headers=[name(house)])
    assert (await house.ask(cookies=house.device_pass(), headers=[(b"x-called", header)])).status == 503
    without_key = House()
    without_key.be_busy()
    answer = await without_key.ask(cookies=without_key.device_pass(), headers=[name(without_key, key="")])
    assert b'<progress value="0"' in answer.body


async def test_a_worthless_cookie_wins_no_place_while_others_wait_at_the_edge() -> None:
    house = busy_house()
    house.door.calls.turn(house.clock.seconds(), RATE, unused=5.0, before=0)
    device = house.device_pass()
    await house.ask(cookies=device, headers=[name(house)])
    refused = await house.ask(cookies=f"{device}; inside=made-up")
    assert refused.status == 503
    assert not refused.cookie("ticket")
    removed = [value for key, value in refused.headers if key == b"set-cookie"]
    assert [value.partition(b"=")[0] for value in removed] == [b"inside", b"access"]
    assert all(b"Max-Age=0" in value for value in removed)
    house.later(SILENT_S)
    assert (await house.ask(cookies=house.device_pass())).status == 200, "no edge calls any more"


async def test_hand_ins_and_people_inside_need_no_call() -> None:
    house = busy_house()
    device = house.device_pass()
    await house.ask(cookies=device, headers=[name(house)])
    assert (await house.ask(cookies="access=session")).status == 200
    assert (await house.ask("/hand-ins", method="POST", cookies=house.device_pass())).status == 200


async def test_strangers_who_are_called_stand_in_the_line_of_the_gate() -> None:
    house = busy_house()
    house.door.calls.turn(house.clock.seconds(), RATE, unused=5.0, before=0)
    waits = await house.ask(headers=[name(house)])
    assert waits.status == 503
    assert waits.cookie("ticket")


async def test_strangers_at_the_gate_do_not_get_the_entries_of_those_who_wait_at_the_edge() -> None:
    house = busy_house()
    for _ in range(40):
        first = await house.ask(headers=[name(house)])
        await house.ask(cookies=f"ticket={first.cookie('ticket')}", headers=[name(house)])
    house.pass_second()
    before = house.door.room.waiting
    house.later(1)
    house.pass_second()
    share = 0.2  # of strangers, in this house
    assert before - house.door.room.waiting <= share * house.budget.rate_per_s + 1
    assert house.door.calls.take(), "what they do not get is left for those who are called"


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


def test_as_many_are_called_as_enter_and_more_while_some_stay_away() -> None:
    calls = Calls()
    calls.hear(Called(0, 0, 500), 0.0)
    calls.turn(0.0, RATE, unused=RATE, before=0)
    told = []
    for second in range(60):
        came = min(calls.per_s * 0.8, RATE)  # every fifth has left
        calls.hear(Called(0, 0, 500), float(second))
        for _ in range(round(came)):
            calls.take()
        calls.turn(float(second), RATE, unused=RATE, before=0)
        told.append(calls.per_s)
    assert told[-1] * 0.8 == pytest.approx(RATE, rel=0.1)


def test_nobody_is_called_while_a_line_stands_at_the_gate_and_what_is_spare_has_an_end() -> None:
    calls = Calls()
    calls.turn(0.0, RATE, unused=0.0, before=300)
    assert calls.per_s == 0
    calls.hear(Called(0, 0, 1), 0.0)
    for second in range(60):
        calls.turn(float(second) / 10, RATE, unused=RATE, before=0)
    assert calls.per_s == RATE * FASTER_MAX
    assert sum(calls.take() for _ in range(1_000)) == SPARE_S * RATE
    calls.turn(9.0, float("inf"), unused=0.0, before=0)
    assert (calls.per_s, calls.take()) == (0, False)
