"""The bus: hints between processes over NATS. A hint may be lost; whoever must not miss anything reads PostgreSQL.

Work goes on without NATS: the bus connects in the background, for ever, and says how it is.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import StrEnum

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from firstbell.kernel.metrics import HINTS_DROPPED

# The bus says itself what it lost; the library writes a traceback even for a pong whose flush was given up.
logging.getLogger("nats").setLevel(logging.CRITICAL)

log = structlog.get_logger("firstbell.bus")

PENDING_HINTS_MAX = 1_000
"""Hints that wait for the connection; beyond it the oldest go, since a reader catches up by itself."""

RETRY_SECONDS_MAX = 5.0
"""The longest pause between two attempts, a random part of it, so that a cell does not return all at once."""

CONNECT_SECONDS = 2
STOP_SECONDS = 0.5
PING_SECONDS = 10
"""A connection that does not answer is given up after two of these."""

Hear = Callable[[bytes], Awaitable[None]]
Connected = Callable[[], Awaitable[None]]


class BusState(StrEnum):
    """How the bus is, for readiness and the log."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    STOPPED = "stopped"


class Bus:
    """One process's connection to NATS. Subscribe before `start`; publish at any time."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        self._pending: deque[tuple[str, bytes]] = deque()
        self._waiting = asyncio.Event()
        self._sent = asyncio.Event()
        self._ears: list[tuple[str, Hear]] = []
        self._on_connect: list[Connected] = []
        self._task: asyncio.Task[None] | None = None
        self.state = BusState.STOPPED

    def subscribe(self, subject: str, hear: Hear) -> None:
        """Await `hear` with each payload on `subject`, one after the other, from the next connection on."""
        self._ears.append((subject, hear))

    def on_connect(self, callback: Connected) -> None:
        """Await `callback` after each connection, the first too: what was said meanwhile was not heard."""
        self._on_connect.append(callback)

    def publish(self, subject: str, payload: bytes) -> None:
        """Hand a hint over; returns at once and never fails."""
        if len(self._pending) == PENDING_HINTS_MAX:
            self._pending.popleft()
            HINTS_DROPPED.inc()
        self._pending.append((subject, payload))
        self._sent.clear()
        self._waiting.set()

    async def start(self) -> None:
        """Begin to connect; does not wait for it."""
        self.state = BusState.CONNECTING
        self._task = asyncio.create_task(self._stay_connected(), name="bus")

    async def stop(self) -> None:
        """Hand over what waits, when there is a connection, and end it."""
        if self._task is None:
            return
        if self.state is BusState.CONNECTED:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._sent.wait(), 1)
        # Before Python 3.12 wait_for loses a cancellation that comes together with the answer: then this one goes on.
        while not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=STOP_SECONDS)
        self.state = BusState.STOPPED

    async def _stay_connected(self) -> None:
        pause_s = 0.1
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await self._one_connection()
            except Exception as error:  # whatever it was, the answer is to try again
                log.warning("bus lost", reason=str(error) or type(error).__name__)
            self.state = BusState.CONNECTING
            stood_s = asyncio.get_running_loop().time() - began
            pause_s = 0.1 if stood_s > RETRY_SECONDS_MAX else min(pause_s * 2, RETRY_SECONDS_MAX)
            await asyncio.sleep(pause_s * random.uniform(0.5, 1))  # noqa: S311  # spreads, keeps no secret

    async def _one_connection(self) -> None:
        # A client of its own for each connection: nats-py gives up for good on some errors.
        client, lost = Client(), asyncio.Event()

        async def note_loss() -> None:
            lost.set()
            self._waiting.set()

        async def note_error(error: Exception) -> None:
            log.debug("bus error", reason=str(error))

        try:
            await client.connect(
                self._url,
                name=self._name,
                allow_reconnect=False,
                connect_timeout=CONNECT_SECONDS,
                ping_interval=PING_SECONDS,
                disconnected_cb=note_loss,
                closed_cb=note_loss,
                error_cb=note_error,
            )
            for subject, hear in self._ears:
                await client.subscribe(subject, cb=_guarded(subject, hear))
            await client.flush(CONNECT_SECONDS)
            self.state = BusState.CONNECTED
            log.info("bus connected")
            for callback in self._on_connect:
                await callback()
            await self._send_until(lost, client)
        finally:
            with suppress(Exception):
                await client.close()

    async def _send_until(self, lost: asyncio.Event, client: Client) -> None:
        while not lost.is_set():
            while self._pending:
                await client.publish(*self._pending.popleft())
            self._sent.set()
            self._waiting.clear()
            await self._waiting.wait()


def _guarded(subject: str, hear: Hear) -> Callable[[Msg], Awaitable[None]]:
    async def on_message(message: Msg) -> None:
        try:
            await hear(message.data)
        except Exception:
            log.exception("hint not handled", subject=subject)

    return on_message
