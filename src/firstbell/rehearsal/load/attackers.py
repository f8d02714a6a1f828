"""Attackers: bytes prepared beforehand, status lines read and nothing else. They do not wait when told to.

Some keep their connection, some open a new one each time; some try passwords.
"""

import asyncio
import errno
import random
import socket
import struct
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import cast
from urllib.parse import quote

from firstbell.rehearsal.load.generator import arrivals
from firstbell.rehearsal.load.line import from_address
from firstbell.rehearsal.load.orders import AttackOrders
from firstbell.rehearsal.load.slow import SlowClients
from firstbell.rehearsal.load.tally import Tally, bucket_of

KEPT_LINES = 256
"""Connections that attackers keep, each with one request at a time."""

NEW_AT_ONCE_MAX = 1_024
"""Connections that wait for their answer; an attack over that waits in the attacker's own kernel."""

PATIENCE_S = 10.0
SPRAY_SHARE = 0.1
"""How many of the requests try a password."""

OWN_ADDRESS_SHARE = 0.8
"""How many of the requests come from the schools' own addresses, where the honest are as well."""

TURN_S = 0.001
"""Requests that are due within a millisecond are sent together."""

_LINGER_NOT = struct.pack("ii", 1, 0)
"""Closing resets, so that an attacker never runs out of ports."""

_PATHS = ("/", "/sign-in", "/timetable", "/search?q=a")
_STATUS_FROM, _STATUS_END = 9, 12
_END_OF_LINE = b"\r\n"


def flood_requests(hosts: Sequence[str]) -> tuple[bytes, ...]:
    """Pages, asked for by somebody unknown."""
    return tuple(
        f"GET {path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: Mozilla/5.0\r\naccept: text/html\r\n\r\n".encode()
        for host in hosts
        for path in _PATHS
    )


def spray_requests(people: Sequence[tuple[str, str]]) -> tuple[bytes, ...]:
    """One password tried with every name, which are given with their hosts."""
    return tuple(_spray(host, name) for host, name in people)


def _spray(host: str, name: str) -> bytes:
    form = f"name={quote(name)}&password=welkom123"
    return (
        f"POST /sign-in HTTP/1.1\r\nhost: {host}\r\nuser-agent: Mozilla/5.0\r\naccept: text/html\r\n"
        f"content-type: application/x-www-form-urlencoded\r\ncontent-length: {len(form)}\r\n\r\n{form}"
    ).encode()


def _for_new_connection(request: bytes) -> bytes:
    return request.replace(_END_OF_LINE, b"\r\nconnection: close\r\n", 1)


class Attack:
    """One attack being carried out."""

    def __init__(self, orders: AttackOrders) -> None:
        self.tally = Tally()
        self._orders = orders
        self._random = random.Random(orders.seed)  # noqa: S311 - the same seed plays the same attack
        self._kept = _Requests(orders.floods, orders.sprays, self._random)
        self._new = _Requests(
            tuple(map(_for_new_connection, orders.floods)), tuple(map(_for_new_connection, orders.sprays)), self._random
        )
        self._idle: deque[_KeptLine] = deque()
        self._lines: list[_KeptLine] = []
        self._calls: dict[socket.socket, float] = {}
        """Connections of one request, with the moment at which each is given up; the oldest first."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def play(self, report: Callable[[Tally], None]) -> None:
        """Attack until the end, telling `report` each second what was new in it."""
        slow = SlowClients(self._orders, self._socket, lambda: self.tally)
        background = [asyncio.ensure_future(self._flood_on_schedule())]
        background += [asyncio.ensure_future(slow.hold(turn)) for turn in range(self._orders.slow_connections)]
        while (now_s := self._now()) < self._orders.seconds:
            await asyncio.sleep(1 - now_s % 1)
            self._give_up(self._now())
            report(self.tally)
            self.tally = Tally()
        for task in (*background, *self._tasks):
            task.cancel()
        await asyncio.gather(*background, *self._tasks, return_exceptions=True)
        self._give_up(float("inf"))
        for line in self._lines:
            line.close()

    def _now(self) -> float:
        return time.monotonic() - self._orders.begins_at

    async def _flood_on_schedule(self) -> None:
        for due_s in arrivals(self._orders.stretches, self._random):
            if (early_s := due_s - self._now()) > 0:
                await asyncio.sleep(max(TURN_S, early_s))
            now_s = self._now()
            self.tally.lag.setdefault(int(now_s), Counter())[bucket_of(max(0.0, now_s - due_s))] += 1
            self.tally.attacks["sent"] += 1
            if self._random.random() < self._orders.kept_share:
                self._send_on_kept(self._kept.pick())
            else:
                self._send_on_new(self._new.pick())
            if now_s - due_s > TURN_S:
                await asyncio.sleep(0)  # late: answers are read in between

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
        loop, line = asyncio.get_running_loop(), _KeptLine(self)
        self._lines.append(line)
        made = self._socket()
        try:
            await loop.sock_connect(made, self._orders.target.address)
            await loop.create_connection(lambda: line, sock=made)
            line.send(request)
        except OSError:
            made.close()
            self.forget(line)
            self.tally.attacks["not connected"] += 1

    def _send_on_new(self, request: bytes) -> None:
        """Connect and ask by plain calls: on one machine a connection is there before the next line runs."""
        if len(self._calls) >= NEW_AT_ONCE_MAX:
            self.tally.attacks["not connected"] += 1
            return
        try:
            made = self._socket()
        except OSError:
            self.tally.attacks["not connected"] += 1
            return
        self._calls[made] = self._now() + PATIENCE_S
        if made.connect_ex(self._orders.target.address) in {0, errno.EINPROGRESS}:
            self._ask(made, request)
        else:
            self._end_call(made, "not connected")

    def _ask(self, made: socket.socket, request: bytes) -> None:
        loop = asyncio.get_running_loop()
        try:
            made.send(request)
        except BlockingIOError:
            loop.add_writer(made, self._ask_again, made, request)
        except OSError:
            self._end_call(made, "not connected")
        else:
            loop.add_reader(made, self._read, made)

    def _ask_again(self, made: socket.socket, request: bytes) -> None:
        asyncio.get_running_loop().remove_writer(made)
        self._ask(made, request)

    def _read(self, made: socket.socket) -> None:
        asyncio.get_running_loop().remove_reader(made)
        try:
            data = made.recv(4_096)
        except OSError:
            data = b""
        self.hear(data)
        self._end_call(made)

    def _end_call(self, made: socket.socket, reason: str = "") -> None:
        del self._calls[made]
        made.close()
        if reason:
            self.tally.attacks[reason] += 1

    def _give_up(self, now_s: float) -> None:
        loop = asyncio.get_running_loop()
        for made in [made for made, until_s in self._calls.items() if until_s <= now_s]:
            loop.remove_reader(made)
            loop.remove_writer(made)
            self._end_call(made, "no answer")

    def _socket(self) -> socket.socket:
        own, others = self._orders.own_sources, self._orders.other_sources
        is_own = not others or self._random.random() < OWN_ADDRESS_SHARE
        made = from_address(self._random.choice(own if is_own else others))
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        return made

    def hear(self, data: bytes) -> None:
        """Count a status line."""
        status = data[_STATUS_FROM:_STATUS_END].decode("latin-1")
        self.tally.attacks[status if status.isdigit() else "cut"] += 1

    def free(self, line: "_KeptLine") -> None:
        """A kept connection has had its answer."""
        self._idle.append(line)

    def forget(self, line: "_KeptLine") -> None:
        """A kept connection is gone; another may take its place."""
        if line in self._lines:
            self._lines.remove(line)


class _Requests:
    """Prepared requests, dealt out at random."""

    def __init__(self, floods: Sequence[bytes], sprays: Sequence[bytes], chance: random.Random) -> None:
        self._floods, self._sprays, self._chance = floods, sprays, chance

    def pick(self) -> bytes:
        """The next one to send."""
        is_spray = self._sprays and self._chance.random() < SPRAY_SHARE
        return self._chance.choice(self._sprays if is_spray else self._floods)


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
