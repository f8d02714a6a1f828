"""What the gate says to browsers and programs, through ASGI: the real gate around a small application."""

import asyncio
import math
import re
from pathlib import Path

import msgspec
import pytest

from firstbell.gate.bearable import AT_FIRST_PER_S, CALM
from firstbell.gate.entry import EntryBudget
from firstbell.gate.gate import KEPT_S
from firstbell.gate.keeping import COST
from firstbell.gate.line import Lane
from firstbell.gate.waiting import Ticket, WaitingRoom
from firstbell.kernel.asgi import Message
from tests.gate.house import PEACE, WILGE, House

pytestmark = pytest.mark.anyio


async def test_in_peace_everybody_comes_in_and_is_inside_from_then_on() -> None:
    house = House()
    answer = await house.ask()
    assert (answer.status, answer.body) == (200, b"served")
    inside = answer.cookie("inside")
    house.be_busy()
    again = await house.ask(cookies=f"other=1; inside={inside}")
    assert again.status == 200
    assert not again.cookie("inside"), "a proof that is fresh is not made again"


async def test_whoever_has_a_session_is_never_sent_to_wait() -> None:
    house = House()
    house.be_busy()
    answer = await house.ask(cookies="access=session")
    assert answer.status == 200
    assert answer.cookie("inside")


async def test_the_proof_of_being_inside_is_good_at_one_school_only() -> None:
    house = House()
    inside = (await house.ask()).cookie("inside")
    house.be_busy()
    assert (await house.ask(host="saule.test", cookies=f"inside={inside}")).status == 503


@pytest.mark.parametrize(
    ("host", "words"), [("wilge.test", "Je staat in de rij"), ("saule.test", "Tu es dans la file")]
)
async def test_the_waiting_page_speaks_the_language_of_the_school_and_needs_no_script(host: str, words: str) -> None:
    house = House()
    house.be_busy()
    answer = await house.ask(host=host)
    page = answer.body.decode()
    assert answer.status == 503
    assert words in page
    assert 'http-equiv="refresh"' in page
    wait = re.search(r"<h1>(.+)</h1>", page)
    assert wait is not None
    assert f"<title>{wait[1]} · {words}" in page, "a screen reader begins with the title, each time the page comes back"
    assert not re.search("[\ue000-\uf8ff]", page), "every number is filled in"
    assert "style-src 'self'" in answer.header(b"content-security-policy")
    assert int(answer.header(b"retry-after")) > 0


async def wait_until_in(house: House, ticket: str, cookies: str, rate: float) -> tuple[float, list[int]]:
    """Come back when told, until inside: how long it took, and what was promised each time."""
    waited = 0.0
    promises: list[int] = []
    while waited < 600:
        answer = await house.ask(cookies=f"{cookies}; ticket={ticket}")
        if answer.status == 200:
            return waited, promises
        ticket = answer.cookie("ticket")
        found = re.search(r"ongeveer (\d+) (seconde|minu)", answer.body.decode())
        if found:
            promises.append(int(found[1]) * (1 if found[2] == "seconde" else 60))
        for _ in range(int(answer.header(b"retry-after"))):
            house.later(1)
            house.budget.rate_per_s = rate
            house.door.turn(house.clock.seconds(), 1.0, PEACE)
            waited += 1
    raise AssertionError("never came in")


async def test_a_known_device_waits_its_turn_and_then_enters_with_its_ticket() -> None:
    house = House()
    house.be_busy()
    cookies = house.device_pass()
    for _ in range(30):
        await house.ask(cookies=house.device_pass())
    first = await house.ask(cookies=cookies)
    assert first.status == 503
    waited, promises = await wait_until_in(house, first.cookie("ticket"), cookies, rate=1.0)
    assert 5 < waited < 60
    assert promises == sorted(promises, reverse=True)


async def test_reloading_the_page_is_no_second_place() -> None:
    house = House()
    house.be_busy()
    device = house.device_pass()
    ticket = (await house.ask(cookies=device)).cookie("ticket")
    for _ in range(5):
        ticket = (await house.ask(cookies=f"{device}; ticket={ticket}")).cookie("ticket")
    house.door.room.let_in(0, house.clock.seconds(), 1)
    assert house.door.room.waiting == 1


async def test_whoever_waits_for_long_gives_the_connection_back_when_very_many_wait() -> None:
    house = House(connections_max=40)
    house.be_busy()
    answers = [await house.ask(cookies=house.device_pass()) for _ in range(60)]
    closing = [(b"connection", b"close") in answer.headers for answer in answers]
    assert not any(closing[:20]), "among few everybody keeps it"
    assert all(closing[21:]), "ten seconds until the period ends"
    stranger = await house.ask()
    assert int(stranger.header(b"retry-after")) <= KEPT_S
    assert (b"connection", b"close") not in stranger.headers, "who comes back soon keeps it"


async def test_a_flood_that_keeps_no_ticket_makes_no_line() -> None:
    house = House()
    house.be_busy()
    for _ in range(1_000):
        assert (await house.ask()).status == 503
    assert house.door.room.waiting == 0
    first = await house.ask()
    house.later(3)
    ticket = (await house.ask(cookies=f"ticket={first.cookie('ticket')}")).cookie("ticket")
    house.budget.rate_per_s = 1.0
    house.door.turn(house.clock.seconds(), 1.0, PEACE)
    assert (await house.ask(cookies=f"ticket={ticket}")).status == 200


async def test_strangers_who_go_on_coming_do_not_keep_the_gate_from_peace() -> None:
    house = House()
    house.be_busy()
    coming: list[str] = []
    for second in range(30):
        first = await house.ask()
        if first.status == 503:
            coming.append(f"ticket={first.cookie('ticket')}")
        if second >= 3 and coming:
            await house.ask(cookies=coming.pop(0))
        assert second >= EntryBudget.CALM_S or house.budget.is_limited
        house.later(1.0)
        house.pass_second()
    assert not house.budget.is_limited
    assert (await house.ask()).status == 200


async def test_a_stranger_comes_in_as_always_while_another_school_storms() -> None:
    house = House()
    for _ in range(20):
        assert (await house.ask(host="saule.test")).status == 200
        house.later(1)
        house.pass_second()
    house.be_busy()
    for _ in range(5):
        assert (await house.ask()).status == 503, "nobody came here before"
        assert (await house.ask(host="saule.test")).status == 200
        house.later(1)
        house.pass_second()
    answers = [(await house.ask(host="saule.test")).status for _ in range(20)]
    assert answers.index(503) <= 8, "more than always are a storm as well"


async def test_who_comes_as_always_goes_behind_a_line_that_another_worker_tells_of() -> None:
    house = House()
    for _ in range(20):
        assert (await house.ask()).status == 200
        house.later(1)
        house.pass_second()
    now = house.clock.seconds()
    elsewhere = WaitingRoom(b"r" * 16, b"elsewhere", unknown_share=0.2)
    for number in range(50):
        elsewhere.count(Ticket(WILGE.id.bytes, Lane.UNKNOWN, number.to_bytes(8), int(now)), now)
    elsewhere.let_in(1.0, now, 1.0)
    house.door.room.hear(elsewhere.tell(now), now)
    assert (await house.ask()).status == 503


async def test_no_place_is_lost_when_a_worker_starts_again(tmp_path: Path) -> None:
    house, fresh = House(data_dir=tmp_path), House(data_dir=tmp_path)
    house.gate.start()
    house.be_busy()
    for _ in range(10):
        await house.ask(cookies=house.device_pass())
    await house.gate.stop()
    fresh.gate.start()
    assert fresh.door.room.waiting == 10
    assert fresh.budget.is_limited
    await fresh.gate.stop()
    late = await fresh.ask(cookies=fresh.device_pass())
    assert late.status == 503


async def test_a_worker_that_starts_again_without_the_bus_knows_what_its_neighbours_counted(tmp_path: Path) -> None:
    houses = [House(data_dir=tmp_path) for _ in range(2)]
    for people, house in zip((10, 5), houses, strict=True):
        house.gate.start()
        house.be_busy()
        for _ in range(people):
            await house.ask(cookies=house.device_pass())
    for house in houses:
        await house.gate.stop()
    fresh = House(data_dir=tmp_path)
    fresh.gate.start()
    await fresh.gate.stop()
    fresh.door.room.let_in(0.0, fresh.clock.seconds() + 5, 1.0)
    assert fresh.door.room.waiting == 15


async def test_a_worker_that_starts_again_bears_what_it_bore_before(tmp_path: Path) -> None:
    house, fresh = House(data_dir=tmp_path), House(data_dir=tmp_path)
    house.gate.start()
    for _ in range(2 * CALM):
        house.gate.admission.bearable.learn(200.0, 200.0, 0.1, is_overloaded=False)
    await house.gate.stop()
    fresh.gate.start()
    assert fresh.gate.admission.bearable.per_s == pytest.approx(2_000, rel=0.01)
    await fresh.gate.stop()


@pytest.mark.parametrize("kept", [msgspec.msgpack.encode(cost_s) for cost_s in (0.0, -1.0, math.nan)] + [b"torn"])
async def test_a_worker_starts_though_what_it_kept_was_damaged(tmp_path: Path, kept: bytes) -> None:
    house = House(data_dir=tmp_path)
    (tmp_path / f"0{COST}").write_bytes(kept)
    house.gate.start()
    await house.gate.stop()
    assert house.gate.admission.bearable.per_s == AT_FIRST_PER_S


async def test_a_hand_in_from_a_known_device_passes_the_line() -> None:
    house = House()
    house.be_busy()
    known = await house.ask("/hand-ins", method="POST", cookies=house.device_pass())
    stranger = await house.ask("/hand-ins", method="POST")
    assert (known.status, stranger.status) == (200, 503)


async def test_a_program_learns_when_to_come_back_and_not_all_at_once() -> None:
    house = House()
    house.be_busy()
    answers = [await house.ask(accept="application/json") for _ in range(50)]
    assert {answer.status for answer in answers} == {503}
    assert answers[0].header(b"content-type") == "application/problem+json"
    assert msgspec.json.decode(answers[0].body)["type"] == "urn:firstbell:problem:busy"
    assert len({answer.header(b"retry-after") for answer in answers}) > 4


async def test_requests_beyond_slots_and_queue_are_refused_and_the_rest_served() -> None:
    house = House(gate_slots_start=2, gate_queue_max=3)
    inside = f"inside={(await house.ask()).cookie('inside')}"
    go = asyncio.Event()
    house.work = go.wait
    asked = [asyncio.create_task(house.ask(cookies=inside)) for _ in range(8)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    go.set()
    answers = await asyncio.gather(*asked)
    assert sorted(answer.status for answer in answers) == [200] * 5 + [503] * 3
    refused = next(answer for answer in answers if answer.status == 503)
    assert "Een ogenblik" in refused.body.decode()
    assert house.gate.admission.inflight == 0


async def test_a_form_that_is_refused_is_not_asked_for_as_a_page() -> None:
    house = House()
    house.be_busy()
    answer = await house.ask("/sign-in", method="POST")
    assert answer.status == 503
    assert "nog niet verstuurd" in answer.body.decode()
    assert "http-equiv" not in answer.body.decode()


async def test_a_request_whose_client_has_gone_is_not_worked_on() -> None:
    house = House(gate_slots_start=1)
    inside = f"inside={(await house.ask()).cookie('inside')}"
    go = asyncio.Event()
    house.work = go.wait
    messages: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"}]

    async def leave_at_once() -> Message:
        return messages.pop(0)

    first = asyncio.create_task(house.ask(cookies=inside))
    await asyncio.sleep(0)
    second = asyncio.create_task(house.ask(cookies=inside, receive=leave_at_once))
    for _ in range(5):
        await asyncio.sleep(0)
    go.set()
    await asyncio.gather(first, second)
    assert house.served == 2, "the first visit and the one that stayed"


async def test_hashing_takes_no_slot_and_strangers_fill_half_of_its_lane() -> None:
    house = House(gate_slots_start=1, sign_in_hashes_max=1, sign_in_queue_max=3)
    known = f"inside={(await house.ask()).cookie('inside')}"
    go = asyncio.Event()
    house.work = go.wait
    strangers = [asyncio.create_task(house.ask("/sign-in", method="POST")) for _ in range(5)]
    own = [asyncio.create_task(house.ask("/sign-in", method="POST", cookies=known)) for _ in range(3)]
    await asyncio.sleep(0)
    assert house.gate.admission.inflight == 0
    go.set()
    assert sorted([answer.status for answer in await asyncio.gather(*strangers)]) == [200, 200, 503, 503, 503]
    assert sorted([answer.status for answer in await asyncio.gather(*own)]) == [200, 200, 503]


async def test_only_a_pass_that_is_ours_is_told_to_be_believed() -> None:
    house = House()
    ours = house.device_pass()
    assert (await house.ask(cookies=ours)).header(b"x-device") == "believed"
    assert (await house.ask(cookies=f"{ours}x")).header(b"x-device") == ""
    assert (await house.ask(cookies=f"{ours}x; access=session")).header(b"x-device") == ""
    house.be_busy()
    waits = await house.ask(cookies=ours)
    assert (waits.status, waits.header(b"x-device")) == (503, "believed")
