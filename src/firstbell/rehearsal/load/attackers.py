"""Attackers: bytes prepared beforehand, status lines read and nothing else. They do not wait when told to.

Half keep their connection, half open a new one each time. Some try passwords, some are slow on purpose.
"""

import asyncio
import random
import socket
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from typing import cast
from urllib.parse import quote

from firstbell.rehearsal.load.generator import arrivals
from firstbell.rehearsal.load.line import from_address
from firstbell.rehearsal.load.orders import AttackOrders
from firstbell.rehearsal.load.tally import Tally, bucket_of

KEPT_LINES = 64
"""Connections that attackers keep, each with one request at a time."""

NEW_AT_ONCE_MAX = 512
"""Connections that are being opened; an attack over that waits in the attacker's own kernel."""

SPRAY_SHARE = 0.1
"""How many of the requests try a password."""

SLOW_STEP_S = 1.0
"""A slow client sends one byte each second: not one whole header before the server's patience ends."""

_FLOOD = "GET {path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: Mozilla/5.0\r\naccept: text/html\r\n{connection}\r\n"
_PATHS = ("/", "/sign-in", "/timetable", "/search?q=a")
_STATUS_END = 12
_LAG_BATCH = 256


class Attack:
    """One attack being carried out."""

    def __init__(self, orders: AttackOrders) -> None:
        self.tally = Tally()
        self._orders = orders
        self._random = random.Random(orders.seed)  # noqa: S311 - the same seed plays the same attack
        self._kept_bytes = [self._flood(host, path, "") for host in orders.hosts for path in _PATHS]
        self._new_bytes = [self._flood(host, path, "connection: close\r\n") for host in orders.hosts for path in _PATHS]
        self._spray_bytes = [self._spray(host, name) for host in orders.hosts for name in orders.names]
        self._idle: deque[_KeptLine] = deque()
        self._opening = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._lines: list[_KeptLine] = []

    async def play(self, report: Callable[[Tally], None]) -> None:
        """Attack until the end, telling `report` each second what was new in it."""
        background = [asyncio.ensure_future(self._flood_on_schedule())]
        background += [asyncio.ensure_future(self._be_slow(turn)) for turn in range(self._orders.slow_connections)]
        while (now_s := self._now()) < self._orders.seconds:
            await asyncio.sleep(1 - now_s % 1)
            report(self.tally)
            self.tally = Tally()
        for task in (*background, *self._tasks):
            task.cancel()
        await asyncio.gather(*background, *self._tasks, return_exceptions=True)
        for line in self._lines:
            line.close()

    def _now(self) -> float:
        return time.monotonic() - self._orders.begins_at

    async def _flood_on_schedule(self) -> None:
        for turn, due_s in enumerate(arrivals(self._orders.stretches, self._random)):
            if (early_s := due_s - self._now()) > 0:
                await asyncio.sleep(early_s)
            elif turn % _LAG_BATCH == 0:
                await asyncio.sleep(0)  # answers are read in between
            now_s = self._now()
            self.tally.lag.setdefault(int(now_s), Counter())[bucket_of(max(0.0, now_s - due_s))] += 1
            self._send_one(turn)

    def _send_one(self, turn: int) -> None:
        self.tally.attacks["sent"] += 1
        is_spray = self._spray_bytes and self._random.random() < SPRAY_SHARE
        if turn % 2:
            request = self._spray_bytes[turn % len(self._spray_bytes)] if is_spray else self._pick(self._kept_bytes)
            self._send_on_kept(request)
        elif self._opening < NEW_AT_ONCE_MAX:
            task = asyncio.ensure_future(self._send_on_new(self._pick(self._new_bytes)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self.tally.attacks["not connected"] += 1

    def _send_on_kept(self, request: bytes) -> None:
        while self._idle:
            line = self._idle.popleft()
            if line.is_open:
                line.send(request)
                return
        if len(self._lines) < KEPT_LINES:
            task = asyncio.ensure_future(self._open_kept(request))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self.tally.attacks["no answer yet"] += 1

    async def _open_kept(self, request: bytes) -> None:
        line = _KeptLine(self)
        self._lines.append(line)
        try:
            made = await self._connected()
            await asyncio.get_running_loop().create_connection(lambda: line, sock=made)
            line.send(request)
        except OSError:
            self.forget(line)
            self.tally.attacks["not connected"] += 1

    async def _send_on_new(self, request: bytes) -> None:
        loop = asyncio.get_running_loop()
        self._opening += 1
        made = None
        try:
            made = await self._connected()
            await loop.sock_sendall(made, request)
            self.hear(await asyncio.wait_for(loop.sock_recv(made, 4_096), 10))
        except (OSError, TimeoutError):
            self.tally.attacks["not connected"] += 1
        finally:
            self._opening -= 1
            if made is not None:
                made.close()

    async def _be_slow(self, turn: int) -> None:
        """Hold a connection with a request that never becomes whole: half in its header, half in its body."""
        host = self._orders.hosts[0]
        head = f"POST /sign-in HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/x-www-form-urlencoded\r\n"
        begin = head if turn % 2 else f"{head}content-length: 1000\r\n\r\n"
        loop = asyncio.get_running_loop()
        while True:
            made = None
            with suppress(OSError):
                made = await self._connected()
                await loop.sock_sendall(made, begin.encode())
                self.tally.attacks["slow connections"] += 1
                while True:
                    await asyncio.sleep(SLOW_STEP_S)
                    await loop.sock_sendall(made, b"x-a: b\r\n" if turn % 2 else b"a")
            if made is not None:
                made.close()
            await asyncio.sleep(SLOW_STEP_S)

    async def _connected(self) -> socket.socket:
        made = from_address(self._random.choice(self._orders.sources))
        try:
            await asyncio.get_running_loop().sock_connect(made, self._orders.target.address)
        except BaseException:
            made.close()
            raise
        return made

    def hear(self, data: bytes) -> None:
        """Count a status line."""
        status = data[9:_STATUS_END].decode("latin-1")
        self.tally.attacks[status if status.isdigit() else "cut"] += 1

    def free(self, line: "_KeptLine") -> None:
        """A kept connection has had its answer."""
        self._idle.append(line)

    def forget(self, line: "_KeptLine") -> None:
        """A kept connection is gone; another may take its place."""
        with suppress(ValueError):
            self._lines.remove(line)

    def _pick(self, many: list[bytes]) -> bytes:
        return many[self._random.randrange(len(many))]

    def _flood(self, host: str, path: str, connection: str) -> bytes:
        return _FLOOD.format(path=path, host=host, connection=connection).encode()

    def _spray(self, host: str, name: str) -> bytes:
        form = f"name={quote(name)}&password=welkom123"
        return (
            f"POST /sign-in HTTP/1.1\r\nhost: {host}\r\nuser-agent: Mozilla/5.0\r\naccept: text/html\r\n"
            f"content-type: application/x-www-form-urlencoded\r\ncontent-length: {len(form)}\r\n\r\n{form}"
        ).encode()


class _KeptLine(asyncio.Protocol):
    """A connection that an attacker keeps. Whatever comes, its first bytes are the answer."""

    def __init__(self, attack: Attack) -> None:
        self._attack = attack
        self._transport: asyncio.Transport | None = None
        self._is_asked = False
        self.is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)
        self.is_open = True

    def send(self, request: bytes) -> None:
        """Ask."""
        self._is_asked = True
        if self._transport is not None:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Read the status; the rest of a long answer is skipped by its looks: only a head begins with HTTP."""
        if self._is_asked and data.startswith(b"HTTP/1."):
            self._is_asked = False
            self._attack.hear(data)
            self._attack.free(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count a cut connection."""
        del exc
        self.is_open = False
        if self._is_asked:
            self._attack.tally.attacks["cut"] += 1
        self._attack.forget(self)

    def close(self) -> None:
        """End it."""
        if self._transport is not None:
            self._transport.abort()
