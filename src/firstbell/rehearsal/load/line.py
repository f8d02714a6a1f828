"""A connection that hands each answer to whoever asked, by plain calls: a hundred thousand people need no tasks."""

import asyncio
import errno
import socket
from collections.abc import Callable
from contextlib import suppress

from firstbell.rehearsal.bench.connection import Answer, parse_answer

Heard = Callable[[Answer | str], None]
"""Gets the answer, or in one word why there is none."""

READ_BYTES = 262_144
"""A worksheet comes whole."""

_BIND_ADDRESS_NO_PORT = 24
"""Linux, ip(7): choose the port at connect, so that each source address has all ports for each target."""


class Line:
    """One connection of one person; one request at a time.

    A bare socket beside the event loop: a transport for each would cost the generator more than all the rest.
    """

    __slots__ = ("_buffer", "_heard", "_is_read", "_loop", "_socket", "_unsent", "is_open")

    def __init__(self, connecting: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = connecting
        self._buffer = bytearray()
        self._unsent = b""
        self._heard: Heard | None = None
        self._is_read = False
        self.is_open = True

    def ask(self, request: bytes, heard: Heard) -> None:
        """Send `request`; `heard` is called once, never from within this call."""
        self._heard = heard
        self._unsent = request
        self._send()

    def forget(self) -> None:
        """Close, and never hand anything over any more."""
        self._heard = None
        self._close()

    def _send(self) -> None:
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:  # not connected yet, or its buffer is full
            sent = 0
        except OSError as error:
            self._loop.call_soon(self._end, "refused" if error.errno == errno.ECONNREFUSED else "reset")
            return
        self._unsent = self._unsent[sent:]
        if self._unsent:
            self._loop.add_writer(self._socket, self._send_on)
        elif not self._is_read:
            self._is_read = True
            self._loop.add_reader(self._socket, self._read)

    def _send_on(self) -> None:
        self._loop.remove_writer(self._socket)
        self._send()

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
        self._buffer += data
        answer = parse_answer(self._buffer)
        if answer is None:
            return
        self._buffer.clear()
        if b"connection: close" in answer.head.lower():
            self._close()
        self._hand_over(answer)

    def _end(self, reason: str) -> None:
        self._close()
        self._hand_over(reason)

    def _close(self) -> None:
        if self.is_open:
            self.is_open = False
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            with suppress(OSError):
                self._socket.close()

    def _hand_over(self, answer: Answer | str) -> None:
        heard, self._heard = self._heard, None
        if heard is not None:
            heard(answer)


def open_line(source: str, target: tuple[str, int]) -> Line:
    """A connection from address `source` of this machine to `target`, which may still be on its way.

    Raises:
        OSError: the target refuses, or this machine has no more connections.
    """
    made = from_address(source)
    status = made.connect_ex(target)
    if status in {0, errno.EINPROGRESS}:
        return Line(made)
    made.close()
    raise OSError(status, "not connected")


def from_address(source: str) -> socket.socket:
    """A socket that does not block and comes from `source`, "" for whatever address this machine has."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source:
            made.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
            made.bind((source, 0))
    except OSError:
        made.close()
        raise
    return made
