"""Two real workers, one of them overloaded, with NATS between them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from firstbell.kernel.clock import begin_clock
from firstbell.kernel.engines import Engines
from tests.conftest import MORNING, Town, serving, wait_until

OVERLOADED = {
    "gate_queuing_ms_max": "0",
    "gate_window_requests_min": "0",
    "gate_window_ms": "200",
    "entries_per_second_min": "1",
}
"""Each window of such a worker is a bad one."""
GUESTS = 200

Start = Callable[..., str]


@pytest.fixture
def start(town: Town, tmp_path: Path) -> Iterator[Start]:
    """Starts a server on the town's database, on a bus of its own so that nobody else stands in its lines.

    All have one time: who starts late would find what the others counted to be of tomorrow.
    """
    engines, clock = Engines(tmp_path), begin_clock(MORNING)
    with ExitStack() as running:
        running.callback(engines.stop)
        engines.take()
        engines.start_nats()

        def begin(**settings: str) -> str:
            named = {"data_dir": str(tmp_path), "nats_url": engines.addresses.nats_url, "clock": clock, **settings}
            return running.enter_context(serving(town.installation, **named))

        yield begin


def test_a_place_from_one_worker_lets_in_at_the_other(start: Start, town: Town) -> None:
    host = {"host": town.world.school("sint-jozef").host, "accept": "text/html"}
    busy, calm = start(**OVERLOADED), start()

    def ask(address: str, ticket: str = "") -> httpx.Response:
        cookies = {"cookie": f"ticket={ticket}"} if ticket else {}
        return httpx.get(f"{address}/sign-in", headers=host | cookies, timeout=30)

    wait_until(lambda: ask(calm).status_code == 200, 60)
    wait_until(lambda: "ticket" in ask(busy).cookies)
    tickets = [ask(busy, ask(busy).cookies["ticket"]).cookies["ticket"] for _ in range(GUESTS)]
    wait_until(lambda: ask(calm).status_code == 503)  # who comes now goes behind them, here as well
    wait_until(lambda: ask(calm, tickets[0]).status_code == 200)
