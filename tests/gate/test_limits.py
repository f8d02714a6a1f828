"""Limits by device, school and source: a script is stopped, a school behind one address is not."""

import asyncio
from collections.abc import Iterator

import msgspec
import pytest

from firstbell.gate.lane import HashLane
from firstbell.kernel.asgi import Message, Receive
from firstbell.kernel.errors import SlowBodyError, TooLargeError
from tests.gate.house import House

pytestmark = pytest.mark.anyio
SCHOOL, ELSEWHERE = "198.51.100.7", "203.0.113.9"


async def inside(house: House, cookies: str = "", address: str = ELSEWHERE) -> str:
    return f"inside={(await house.ask(cookies=cookies, address=address)).cookie('inside')}"


async def test_a_device_that_asks_faster_than_a_person_is_told_to_slow_down_and_may_go_on_later() -> None:
    house = House(device_requests_max=50, device_requests_per_second=20)
    script, pupil = await inside(house), await inside(house)
    answers = [await house.ask(cookies=script) for _ in range(80)]
    assert [answer.status for answer in answers] == [200] * 50 + [429] * 30
    assert "Dit toestel vraagt te veel" in answers[-1].body.decode()
    assert int(answers[-1].header(b"retry-after")) > 0
    assert (await house.ask(cookies=pupil)).status == 200
    house.later(5)
    assert (await house.ask(cookies=script)).status == 200


async def test_throwing_the_cookie_of_the_gate_away_makes_a_known_device_no_new_one() -> None:
    house = House(device_requests_max=50)
    device = house.device_pass()
    answers = [await house.ask("/hand-ins", method="POST", cookies=device) for _ in range(80)]
    assert sum(answer.status == 200 for answer in answers) == 50


async def test_an_attacker_behind_the_address_of_a_school_shuts_nobody_out() -> None:
    """1,000 pupils and 20 strangers among 10,000 requests of an attacker with the same address."""
    house = House()
    pupils = [await inside(house, house.device_pass(), SCHOOL) for _ in range(1_000)]
    strangers = [Newcomer(house) for _ in range(20)]
    flooded = 0
    for second in range(40):
        for _ in range(250):
            flooded += (await house.ask("/sign-in" if second % 2 else "/", address=SCHOOL)).status == 200
        for pupil in pupils[second % 4 :: 4]:
            assert (await house.ask(cookies=pupil, address=SCHOOL)).status == 200
        assert (await house.ask(cookies=house.device_pass(), address=SCHOOL)).status == 200
        for stranger in strangers:
            await stranger.go_on(second)
        house.later(1)
        house.pass_second()
    assert flooded < 400, "no more than the school itself could bring before it shows"
    assert max(stranger.waited_s for stranger in strangers) <= 20


class Newcomer:
    """A browser behind the address of the school that was never here, and keeps its cookies."""

    def __init__(self, house: House) -> None:
        self.waited_s = 1_000
        self._house = house
        self._cookies = ""
        self._next_s = 10

    async def go_on(self, second: int) -> None:
        """Come back when told, until inside."""
        if second < self._next_s or self.waited_s < 1_000:
            return
        answer = await self._house.ask(cookies=self._cookies, address=SCHOOL)
        if answer.status == 200:
            self.waited_s = second - 10
        else:
            self._cookies = f"ticket={answer.cookie('ticket')}"
            self._next_s = second + int(answer.header(b"retry-after"))


async def test_strangers_from_elsewhere_do_not_notice_a_busy_source() -> None:
    house = House()
    for _ in range(1_000):
        await house.ask(address=ELSEWHERE, host="saule.test")
    assert (await house.ask(address=ELSEWHERE)).status == 503
    assert (await house.ask(address=SCHOOL)).status == 200


async def test_a_flood_from_very_many_sources_makes_the_strangers_of_its_school_wait_and_no_others() -> None:
    house = House()
    answers = [await house.ask(address=f"10.0.{turn >> 8}.{turn & 255}") for turn in range(1_000)]
    assert answers[0].status == 200
    assert answers[-1].status == 503
    assert (await house.ask(address="192.0.2.1", host="saule.test")).status == 200
    assert (await house.ask(address="192.0.2.1", cookies=house.device_pass())).status == 200


async def test_a_source_is_calm_again_soon_after_the_flood() -> None:
    house = House()
    for _ in range(2_000):
        await house.ask(address=ELSEWHERE)
    for _ in range(60):
        house.later(1)
        house.pass_second()
    assert (await house.ask(address=ELSEWHERE)).status == 200


async def test_strangers_from_where_many_names_were_tried_wait() -> None:
    house = House()
    house.missed[bytes([203, 0, 113, 9])] = 60
    assert (await house.ask(address=ELSEWHERE)).status == 503
    assert (await house.ask(address=SCHOOL)).status == 200


def parts(*bodies: bytes) -> Receive:
    """A body that arrives in these parts."""
    left: Iterator[Message] = iter(
        [
            {"type": "http.request", "body": body, "more_body": number < len(bodies)}
            for number, body in enumerate(bodies, 1)
        ]
    )

    async def receive() -> Message:
        return next(left)

    return receive


async def _never() -> Message:
    await asyncio.Event().wait()
    raise AssertionError("nobody sets it")


async def test_a_body_that_announces_too_much_is_refused_before_it_is_read() -> None:
    house = House(form_bytes_max=1_000)
    headers = [(b"content-length", b"1001")]
    page = await house.ask("/hand-ins", method="POST", headers=headers, receive=_never)
    assert page.status == 413
    assert "Dit is te groot om te versturen." in page.body.decode()
    problem = await house.ask("/hand-ins", method="POST", headers=headers, accept="*/*", receive=_never)
    assert msgspec.json.decode(problem.body)["type"] == "urn:firstbell:problem:too-large"
    assert house.served == 0


async def test_a_body_without_a_length_is_cut_where_it_passes_its_limit() -> None:
    house = House(form_bytes_max=1_000)
    fits = await house.ask("/hand-ins", method="POST", receive=parts(b"a" * 400, b"b" * 600))
    assert fits.status == 200
    with pytest.raises(TooLargeError):
        await house.ask("/hand-ins", method="POST", receive=parts(b"a" * 400, b"b" * 601))


async def test_a_route_may_take_less_or_stream_what_it_takes() -> None:
    house = House(form_bytes_max=1_000)
    small = await house.ask("/notes", method="POST", headers=[(b"content-length", b"101")])
    streamed = await house.ask("/documents", method="POST", headers=[(b"content-length", b"1000000")])
    assert (small.status, streamed.status) == (413, 200)


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    house = House(body_grace_ms=0)
    slow = await house.ask("/sign-in", method="POST", receive=_never)
    assert slow.status == 408
    assert "niet op tijd aangekomen" in slow.body.decode()
    with pytest.raises(SlowBodyError):
        await house.ask("/hand-ins", method="POST", receive=_never)
    assert house.gate.admission.inflight == 0


async def test_a_body_may_be_as_slow_as_a_bad_line() -> None:
    house = House(body_grace_ms=0, body_bytes_per_second_min=1)
    assert (await house.ask("/hand-ins", method="POST", receive=parts(b"a" * 100, b"b"))).status == 200


async def test_sign_ins_whose_body_still_comes_take_no_place_among_those_that_hash() -> None:
    house = House(sign_in_hashes_max=1, sign_in_queue_max=1)
    slow = [asyncio.create_task(house.ask("/sign-in", method="POST", receive=_never)) for _ in range(50)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (await house.ask("/sign-in", method="POST")).status == 200
    for task in slow:
        task.cancel()


async def test_an_answer_that_nobody_reads_is_given_up() -> None:
    house = House(answer_stall_seconds=0)
    house.parts = 3
    answer = await house.ask(stall=True)
    assert answer.body == b""
    assert house.gate.admission.inflight == 0


def test_strangers_of_one_school_leave_places_for_those_of_another() -> None:
    lane = HashLane(16, 0.5)
    assert [lane.enter(b"a", is_known=False) for _ in range(3)] == [True] * 3
    assert lane.enter(b"b", is_known=False)
    assert [lane.enter(b"a", is_known=False) for _ in range(3)] == [True, False, False]
    assert [lane.enter(b"b", is_known=False) for _ in range(5)] == [True] * 3 + [False] * 2
    assert [lane.enter(b"a", is_known=True) for _ in range(9)] == [True] * 8 + [False]
    for school, number in ((b"a", 12), (b"b", 4)):
        for _ in range(number):
            lane.leave(school)
    assert lane.taken == 0
