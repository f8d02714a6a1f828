"""A connection that hands each answer to whoever asked, by plain calls."""

import errno
import socket
from collections.abc import Callable
from os import strerror
from select import EPOLLIN, EPOLLOUT

from firstbell.rehearsal.bench.connection import Answer, parse_answer
from firstbell.rehearsal.load.loop import Loop

Heard = Callable[[Answer | str], None]
"""Gets the answer, or in one word why there is none."""

READ_BYTES = 65_536
"""Most pages come whole; a worksheet takes a few turns."""

_INTERNET, _STREAM = int(socket.AF_INET), int(socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
_BIND_ADDRESS_NO_PORT = 24
"""Linux, ip(7): choose the port at connect, so that each source address has all ports for each target."""


class Line:
    """One connection of one person; one request at a time."""

    __slots__ = ("_events", "_heard", "_loop", "_number", "_received", "_socket", "_unsent", "is_open")

    def __init__(self, loop: Loop, connecting: socket.SocketType) -> None:
        self._loop = loop
        self._socket = connecting
        self._number = connecting.fileno()
        self._events = 0
        self._received = b""
        self._unsent = b""
        self._heard: Heard | None = None
        self.is_open = True

    def ask(self, request: bytes, heard: Heard) -> None:
        """Send `request`; `heard` is called once, from within this call only when nothing can be sent."""
        self._heard = heard
        self._unsent = request
        self._send()

    def forget(self) -> None:
        """Close, and never hand anything over any more."""
        self._heard = None
        self._close()

    def _send(self) -> None:
        try:
            self._unsent = self._unsent[self._socket.send(self._unsent) :]
        except BlockingIOError:  # not connected yet, or its buffer is full
            pass
        except OSError as error:
            self._end("refused" if error.errno == errno.ECONNREFUSED else "reset")
            return
        events = EPOLLOUT if self._unsent else EPOLLIN
        if events != self._events:
            self._events = events
            self._loop.watch(self._number, events, self._go_on)

    def _go_on(self) -> None:
        if self._unsent:
            self._send()
        else:
            self._read()

    def _read(self) -> None:
        """Collect until the answer is whole."""
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self._end("reset")
            return
        if not data:
            self._end("closed")
            return
        received = self._received + data if self._received else data
        answer = parse_answer(received)
        if answer is None:
            self._received = received
            return
        self._received = b""
        self._hand_over(answer)

    def _end(self, reason: str) -> None:
        self._close()
        self._hand_over(reason)

    def _close(self) -> None:
        if self.is_open:
            self.is_open = False
            self._loop.forget(self._number)
            self._socket.close()

    def _hand_over(self, answer: Answer | str) -> None:
        heard, self._heard = self._heard, None
        if heard is not None:
            heard(answer)


def open_line(loop: Loop, source: str, target: tuple[str, int]) -> Line:
    """A connection from address `source` of this machine to `target`, which may still be on its way.

    Raises:
        OSError: the target refuses, or this machine has no more connections.
    """
    made = from_address(source)
    status = made.connect_ex(target)
    if status in {0, errno.EINPROGRESS}:
        return Line(loop, made)
    made.close()
    raise OSError(status, strerror(status))


def from_address(source: str) -> socket.SocketType:
    """A socket that does not block and comes from `source`, "" for whatever address this machine has.

    A bare one, without what the class around it adds in Python. A request is one write, so that Nagle's algorithm has
    nothing to hold back, and the call that would turn it off is saved.
    """
    made = socket.SocketType(_INTERNET, _STREAM)
    try:
        if source:
            made.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
            made.bind((source, 0))
    except OSError:
        made.close()
        raise
    return made
