"""Proof of work as a bid: it brings a stranger in sooner, costs what others bid, and is never needed."""

import asyncio
import base64
import hashlib

import altcha
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstbell.gate.bids import HASHES, PUZZLE_S, WAIT_S, WAITING_MAX, Auction, Effort, Puzzles
from firstbell.gate.line import Lane
from firstbell.gate.waiting import Ticket
from firstbell.kernel.asgi import Message
from tests.gate.house import Answer, House

pytestmark = pytest.mark.anyio
NOW_S = 1_800_000_000.0
NOOR, WOUT = (Ticket(bytes(16), Lane.UNKNOWN, name * 8, int(NOW_S)) for name in (b"n", b"w"))


def puzzles(kept_max: int = 1_000, least: int = 1) -> Puzzles:
    return Puzzles(b"k" * 16, Effort(least=least, most=50), kept_max=kept_max)


def solve(puzzle: bytes) -> bytes:
    """What a browser sends, made by ALTCHA's own library."""
    challenge = altcha.Challenge.from_dict(msgspec.json.decode(puzzle))
    solution = altcha.solve_challenge(challenge)
    assert solution is not None
    return altcha.Payload(challenge, solution).to_base64().encode()


def test_altcha_s_own_library_solves_our_puzzles_and_agrees_with_what_we_take() -> None:
    made = puzzles()
    payload = solve(made.puzzle(NOOR, NOW_S))
    assert altcha.verify_solution(payload.decode(), b"k" * 16).verified
    assert made.value(NOOR, payload, NOW_S) == 1


def test_a_solution_is_worth_something_once_and_only_to_its_holder_and_in_time() -> None:
    made = puzzles()
    payload = solve(made.puzzle(NOOR, NOW_S))
    assert made.value(WOUT, payload, NOW_S) == 0
    assert made.value(NOOR, payload, NOW_S + PUZZLE_S + 1) == 0
    assert made.value(NOOR, payload, NOW_S + PUZZLE_S) == 1
    assert made.value(NOOR, payload, NOW_S + PUZZLE_S) == 0


def test_a_solution_is_remembered_for_as_long_as_its_puzzle_is_good() -> None:
    made = puzzles()
    for later in range(0, 4 * PUZZLE_S, PUZZLE_S // 2):
        payload = solve(made.puzzle(NOOR, NOW_S + later))
        assert made.value(NOOR, payload, NOW_S + later) == 1
        assert made.value(NOOR, payload, NOW_S + later + PUZZLE_S) == 0


def test_the_memory_of_solutions_is_bounded() -> None:
    made = puzzles(kept_max=4)
    values = [made.value(NOOR, solve(made.puzzle(NOOR, NOW_S)), NOW_S) for _ in range(4)]
    assert values == [1, 1, 0, 0]


@given(st.sampled_from(["effort", "holder", "until"]), st.integers(0, 1 << 40))
@settings(max_examples=30, deadline=None)
def test_the_terms_of_a_puzzle_cannot_be_changed(name: str, number: int) -> None:
    made = puzzles()
    changed = msgspec.json.decode(base64.b64decode(solve(made.puzzle(NOOR, NOW_S))))
    terms = changed["challenge"]["parameters"]["data"]
    other = f"{number:016x}" if name == "holder" else number
    before, terms[name] = terms[name], other
    value = made.value(NOOR, base64.b64encode(msgspec.json.encode(changed)), NOW_S)
    assert value == 0 or before == other


@given(st.binary(max_size=300) | st.text(max_size=100).map(lambda text: base64.b64encode(text.encode())))
@settings(deadline=None)
def test_nonsense_is_worth_nothing(payload: bytes) -> None:
    assert puzzles().value(NOOR, payload, NOW_S) == 0


def test_a_wrong_number_is_worth_nothing() -> None:
    made = puzzles()
    wrong = msgspec.json.decode(base64.b64decode(solve(made.puzzle(NOOR, NOW_S))))
    for counter in (wrong["solution"]["counter"] + 1, -1, 1 << 32, "7"):
        wrong["solution"]["counter"] = counter
        assert made.value(NOOR, base64.b64encode(msgspec.json.encode(wrong)), NOW_S) == 0


def test_the_number_that_is_looked_for_lies_below_the_effort() -> None:
    made = puzzles()
    parameters = msgspec.json.decode(made.puzzle(NOOR, NOW_S, wished=2))["parameters"]
    start = bytes.fromhex(parameters["salt"] + parameters["nonce"])
    keys = (hashlib.sha256(start + counter.to_bytes(4)).hexdigest() for counter in range(2 * HASHES))
    assert sum(key.startswith(parameters["keyPrefix"]) for key in keys) == 1


async def test_the_highest_bid_enters_first_and_of_equal_ones_the_earliest() -> None:
    auction = Auction(Effort(least=1, most=50), share=0.15, least_per_s=1)
    auction.fill(0.0, 100.0)
    bids = [auction.bid(effort, 100.0 + number / 100) for number, effort in enumerate((3, 9, 9, 5))]
    entered = []
    for later in (100.05, 100.5, 101.1):
        auction.fill(0.0, later)
        entered.append([number for number, bid in enumerate(bids) if bid.done() and bid.result()])
    assert entered == [[1], [1], [1, 2]]
    auction.fill(0.0, 100.0 + WAIT_S + 0.1)
    assert [bid.result() for bid in bids] == [False, True, True, True]


async def test_bids_that_stand_are_bounded_and_the_lowest_falls() -> None:
    auction = Auction(Effort(least=1, most=50), share=0.15, least_per_s=1)
    bids = [auction.bid(effort, 100.0) for effort in range(1, WAITING_MAX + 2)]
    assert len(auction) == WAITING_MAX
    await asyncio.sleep(0)
    assert [bid.done() for bid in bids] == [True] + [False] * WAITING_MAX
    assert bids[0].result() is False


def test_the_effort_rises_while_bids_are_lost_and_falls_when_nobody_bids() -> None:
    effort = Effort(least=4, most=50)
    seen = []
    for _ in range(12):
        for number in range(100):
            effort.bid(effort.now)
            effort.end(entered=number < 50)
        effort.turn(10.0, standing=20)
        seen.append(effort.now)
    assert seen == sorted(seen)
    assert seen[:2] == [8, 16]
    assert seen[-1] == 50, "it stays within what an old phone can do"
    for _ in range(10):
        effort.turn(10.0, standing=0)
    assert effort.now == 4


class Phone:
    """A browser that was never here, with scripts, and keeps its cookies."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.ticket = ""

    async def arrive(self) -> Answer:
        answer = await self.house.ask(cookies=self.ticket)
        self.ticket = f"ticket={answer.cookie('ticket')}"
        return answer

    async def bid(self) -> Answer:
        puzzle = await self.house.ask("/bid", cookies=self.ticket, accept="*/*")
        assert puzzle.status == 200
        payload = solve(puzzle.body)

        async def receive() -> Message:
            return {"type": "http.request", "body": payload, "more_body": False}

        asked = asyncio.create_task(
            self.house.ask("/bid", method="POST", cookies=self.ticket, accept="*/*", receive=receive)
        )
        while not asked.done():
            await asyncio.sleep(0)
            self.house.bidding.fill(self.house.budget.rate_per_s)
        return asked.result()


@pytest.fixture
def house() -> House:
    return House(bid_effort_min=1)


async def test_a_stranger_who_shows_work_is_inside_at_once_while_others_wait(house: House) -> None:
    house.be_busy()
    phone, plain = Phone(house), Phone(house)
    page, _ = await phone.arrive(), await plain.arrive()
    assert "kleine puzzel" in page.body.decode()
    won = await phone.bid()
    assert (won.status, won.body) == (204, b"")
    inside = f"inside={won.cookie('inside')}"
    assert (await house.ask(cookies=inside)).status == 200
    assert (await house.ask(cookies=f"{inside}; {plain.ticket}", host="saule.test")).status == 503
    assert (await plain.arrive()).status == 503


async def test_without_work_the_line_lets_everybody_in(house: House) -> None:
    house.be_busy()
    plain = Phone(house)
    await plain.arrive()
    for _ in range(60):
        house.later(1)
        house.pass_second()
        if (await plain.arrive()).status == 200:
            return
    raise AssertionError("never came in")


async def test_in_peace_nobody_is_asked_for_work(house: House) -> None:
    assert (await house.ask()).status == 200
    assert (await house.ask("/bid", accept="*/*")).status == 404


async def test_who_is_known_waits_in_a_line_of_their_own_and_is_not_asked_for_work(house: House) -> None:
    house.be_busy()
    device = house.device_pass()
    page = await house.ask(cookies=device)
    assert page.status == 503
    assert "bid" not in page.body.decode()


async def test_behind_a_busy_address_strangers_come_in_by_work_and_nobody_else_notices(house: House) -> None:
    for _ in range(2_000):
        await house.ask()
    phone = Phone(house)
    assert (await phone.arrive()).status == 503
    assert (await phone.bid()).status == 204
    assert (await house.ask(cookies=house.device_pass())).status == 200


async def test_behind_a_busy_address_a_stranger_who_comes_back_enters_while_there_is_room(
    house: House,
) -> None:
    for _ in range(2_000):
        await house.ask()
    first = await house.ask()
    assert first.status == 503
    ticket = f"ticket={first.cookie('ticket')}"
    assert (await house.ask(cookies=ticket)).status == 503, "too early"
    house.later(int(first.header(b"retry-after")))
    assert (await house.ask(cookies=ticket)).status == 200
    house.be_busy()
    second = await house.ask()
    house.later(int(second.header(b"retry-after")))
    assert (await house.ask(cookies=f"ticket={second.cookie('ticket')}")).status == 503, "now there is a line"


async def test_nonsense_in_place_of_a_solution_gets_a_sentence(house: House) -> None:
    house.be_busy()
    phone = Phone(house)
    await phone.arrive()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"nonsense", "more_body": False}

    answer = await house.ask("/bid", method="POST", cookies=phone.ticket, accept="*/*", receive=receive)
    assert answer.status == 422
    large = [(b"content-length", b"1000000")]
    answer = await house.ask("/bid", method="POST", cookies=phone.ticket, accept="*/*", headers=large)
    assert answer.status == 413
