"""A connection that hands each answer to whoever asked, by a plain call: a hundred thousand people need no tasks."""

import asyncio
import socket
from collections.abc import Callable
from typing import cast

from firstbell.rehearsal.bench.connection import Answer, parse_answer

Heard = Callable[[Answer | str], None]
"""Gets the answer, or in one word why there is none."""

_BIND_ADDRESS_NO_PORT = 24
"""Linux, ip(7): choose the port at connect, so that each source address has all ports for each target."""


class Line(asyncio.Protocol):
    """One connection of one person; one request at a time."""

    __slots__ = ("_buffer", "_heard", "_transport", "is_open")

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._heard: Heard | None = None
        self.is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)
        self.is_open = True

    def ask(self, request: bytes, heard: Heard) -> None:
        """Send `request`; `heard` is called once, never from within this call."""
        self._heard = heard
        if self._transport is not None:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Collect until the answer is whole."""
        self._buffer += data
        answer = parse_answer(self._buffer)
        if answer is None:
            return
        self._buffer.clear()
        if b"connection: close" in answer.head.lower():
            self.close()
        self._hand_over(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Say so to whoever waits for an answer."""
        self.is_open = False
        self._hand_over("reset" if exc is not None else "closed")

    def forget(self) -> None:
        """Close, and never hand anything over any more."""
        self._heard = None
        self.close()

    def close(self) -> None:
        """End the connection."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    def _hand_over(self, answer: Answer | str) -> None:
        heard, self._heard = self._heard, None
        if heard is not None:
            heard(answer)


async def open_line(source: str, target: tuple[str, int]) -> Line:
    """A connection from address `source` of this machine to `target`.

    Raises:
        OSError: the target refuses, or this machine has no more connections.
    """
    loop = asyncio.get_running_loop()
    connection = from_address(source)
    try:
        await loop.sock_connect(connection, target)
        _transport, line = await loop.create_connection(Line, sock=connection)
    except BaseException:
        connection.close()
        raise
    return line


def from_address(source: str) -> socket.socket:
    """A socket that does not block and comes from `source`, "" for whatever address this machine has."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setblocking(False)
    made.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if source:
        made.bind((source, 0))
    return made
