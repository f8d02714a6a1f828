"""Attackers: bytes prepared beforehand, status lines read and nothing else. They do not wait when told to.

Some keep their connection, some open a new one each time; some try passwords.
"""

import random
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from select import EPOLLIN, EPOLLOUT
from urllib.parse import quote

from firstbell.rehearsal.load.generator import PATIENCE_LOOKED_AT_S, arrivals
from firstbell.rehearsal.load.line import READ_BYTES, from_address
from firstbell.rehearsal.load.loop import Loop
from firstbell.rehearsal.load.orders import AttackOrders
from firstbell.rehearsal.load.slow import SlowClients
from firstbell.rehearsal.load.tally import Tally

KEPT_LINES = 256
"""Connections that attackers keep, each with one request at a time."""

NEW_AT_ONCE_MAX = 1_024
"""Connections that wait for their answer; an attack over that waits in the attacker's own kernel."""

PATIENCE_S = 10.0
SPRAY_SHARE = 0.1
"""How many of the requests try a password."""

OWN_ADDRESS_SHARE = 0.8
"""How many of the requests come from the schools' own addresses, where the honest are as well."""

_LINGER_NOT = struct.pack("ii", 1, 0)
"""Closing resets, so that an attacker never runs out of ports."""

_PATHS = ("/", "/sign-in", "/timetable", "/search?q=a")
_HEAD, _STATUS_FROM, _STATUS_END = b"HTTP/1.", 9, 12
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
        self.loop = Loop(orders.begins_at, self._note_lag)
        self._orders = orders
        self._random = random.Random(orders.seed)  # noqa: S311 - the same seed plays the same attack
        self._kept = _Requests(orders.floods, orders.sprays, self._random)
        self._new = _Requests(
            tuple(map(_for_new_connection, orders.floods)), tuple(map(_for_new_connection, orders.sprays)), self._random
        )
        self._slow = SlowClients(self.loop, orders, self._socket, self._count)
        self._idle: deque[_Line] = deque()
        self._lines: set[_Line] = set()
        """Those that are kept."""
        self._calls: dict[_Line, float] = {}
        """Those for one request, with the moment at which each is given up; the oldest first."""

    def play(self, report: Callable[[Tally], None]) -> None:
        """Attack until the end, telling `report` each second what was new in it."""
        self.begin(report)
        self.loop.run(self._orders.seconds)
        self.end()
        report(self.tally)

    def begin(self, report: Callable[[Tally], None]) -> None:
        """Plan what the loop will play."""
        self._slow.begin()
        self._plan_next(arrivals(self._orders.stretches, self._random))
        self.loop.at(1.0, lambda due_s: self._tell(report, due_s))
        self.loop.at(PATIENCE_LOOKED_AT_S, self._give_up_patience)

    def end(self) -> None:
        """Close every connection."""
        self._slow.end()
        for line in (*self._calls, *self._lines):
            line.close()
        self.loop.close()

    def hear(self, line: "_Line", data: bytes) -> None:
        """Count the status line that came; the line is free again, or over."""
        status = data[_STATUS_FROM:_STATUS_END].decode("latin-1")
        self._count(status if status.isdigit() else "cut")
        if line in self._lines:
            self._idle.append(line)
        else:
            del self._calls[line]
            line.close()

    def lose(self, line: "_Line", reason: str) -> None:
        """A line is gone; another may take its place. `reason` is what is counted, "" when it was idle."""
        if reason:
            self._count(reason)
        self._lines.discard(line)
        self._calls.pop(line, None)

    def _note_lag(self, at_s: float, late_s: float) -> None:
        self.tally.note_lag(at_s, late_s)

    def _count(self, what: str) -> None:
        self.tally.attacks[what] += 1

    def _tell(self, report: Callable[[Tally], None], due_s: float) -> None:
        report(self.tally)
        self.tally = Tally()
        self.loop.at(due_s + 1.0, lambda due_s: self._tell(report, due_s))

    def _plan_next(self, moments: Iterator[float]) -> None:
        moment_s = next(moments, None)
        if moment_s is not None:
            self.loop.at(moment_s, lambda _due_s: self._attack(moments))

    def _attack(self, moments: Iterator[float]) -> None:
        self._plan_next(moments)
        self._count("sent")
        if self._random.random() < self._orders.kept_share:
            self._send_on_kept(self._kept.pick())
        else:
            self._send_on_new(self._new.pick())

    def _send_on_kept(self, request: bytes) -> None:
        while self._idle:
            idle = self._idle.popleft()
            if idle.is_open:
                idle.ask(request)
                return
        if len(self._lines) >= KEPT_LINES:
            self._count("no answer yet")
        elif (line := self._open()) is not None:
            self._lines.add(line)
            line.ask(request)

    def _send_on_new(self, request: bytes) -> None:
        if len(self._calls) >= NEW_AT_ONCE_MAX:
            self._count("not connected")
        elif (line := self._open()) is not None:
            self._calls[line] = self.loop.now() + PATIENCE_S
            line.ask(request)

    def _open(self) -> "_Line | None":
        """A connection that is there, or soon will be: what becomes of it, sending tells."""
        try:
            made = self._socket()
        except OSError:
            self._count("not connected")
            return None
        made.connect_ex(self._orders.target.address)
        return _Line(self, made)

    def _give_up_patience(self, due_s: float) -> None:
        for line in [line for line, until_s in self._calls.items() if until_s <= due_s]:
            line.close()
            self.lose(line, "no answer")
        self.loop.at(due_s + PATIENCE_LOOKED_AT_S, self._give_up_patience)

    def _socket(self) -> socket.SocketType:
        own, others = self._orders.own_sources, self._orders.other_sources
        is_own = not others or self._random.random() < OWN_ADDRESS_SHARE
        made = from_address(self._random.choice(own if is_own else others))
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        return made


class _Requests:
    """Prepared requests, dealt out at random."""

    def __init__(self, floods: Sequence[bytes], sprays: Sequence[bytes], chance: random.Random) -> None:
        self._floods, self._sprays, self._chance = floods, sprays, chance

    def pick(self) -> bytes:
        """The next one to send."""
        is_spray = self._sprays and self._chance.random() < SPRAY_SHARE
        return self._chance.choice(self._sprays if is_spray else self._floods)


class _Line:
    """A connection of attackers, with one request at a time, which is small: it is sent whole or not at all."""

    __slots__ = ("_attack", "_events", "_is_asked", "_number", "_request", "_socket", "is_open")

    def __init__(self, attack: Attack, connecting: socket.SocketType) -> None:
        self._attack = attack
        self._socket = connecting
        self._number = connecting.fileno()
        self._events = 0
        self._request = b""
        self._is_asked = False
        self.is_open = True

    def ask(self, request: bytes) -> None:
        """Send it, as soon as that can be."""
        self._request = request
        self._send()

    def close(self) -> None:
        """End it."""
        if self.is_open:
            self.is_open = False
            self._attack.loop.forget(self._number)
            self._socket.close()

    def _send(self) -> None:
        try:
            self._socket.send(self._request)
        except BlockingIOError:
            self._watch(EPOLLOUT)
        except OSError:
            self._end("not connected")
        else:
            self._is_asked = True
            self._watch(EPOLLIN)

    def _watch(self, events: int) -> None:
        if events != self._events:
            self._events = events
            self._attack.loop.watch(self._number, events, self._send if events == EPOLLOUT else self._read)

    def _read(self) -> None:
        """Read the status; the rest of a long answer is skipped by its looks: only a head begins with HTTP."""
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._end("cut" if self._is_asked else "")
        elif self._is_asked and data.startswith(_HEAD):
            self._is_asked = False
            self._attack.hear(self, data)

    def _end(self, reason: str) -> None:
        self.close()
        self._attack.lose(self, reason)
