"""Bodies on their way in: no larger than their route allows, and no slower than a bad line."""

import asyncio
import time
from typing import NamedTuple

from firstbell.kernel.asgi import Message, Receive, Scope
from firstbell.kernel.errors import SlowBodyError, TooLargeError


class Pace(NamedTuple):
    """How slow a body may be: `grace_s` for nothing, and one second more for each `bytes_per_s` that arrived."""

    grace_s: float
    bytes_per_s: float


class Body:
    """The body of one request, cut where it passes `bytes_max` or falls behind `pace`."""

    __slots__ = ("_began", "_bytes", "_bytes_max", "_is_whole", "_pace", "_receive")

    def __init__(self, receive: Receive, bytes_max: int, pace: Pace) -> None:
        self._receive = receive
        self._bytes_max = bytes_max
        self._pace = pace
        self._began = time.monotonic()
        self._bytes = 0
        self._is_whole = False

    def check(self, scope: Scope) -> None:
        """Look at what the header says before anything is read.

        Raises:
            TooLargeError: more is announced than may come.
        """
        for name, value in scope["headers"]:
            # No digits: how long the body is shows when it comes.
            if name == b"content-length" and value.isdigit() and int(value) > self._bytes_max:
                raise TooLargeError

    async def receive(self) -> Message:
        """The next part, as ASGI's `receive`.

        Raises:
            TooLargeError: more came than may.
            SlowBodyError: it comes too slowly.
        """
        if self._is_whole:
            return await self._receive()
        due = self._began + self._pace.grace_s + self._bytes / self._pace.bytes_per_s
        try:
            async with asyncio.timeout(max(0.0, due - time.monotonic())):
                message = await self._receive()
        except TimeoutError as error:
            raise SlowBodyError from error
        self._is_whole = not message.get("more_body", False)
        self._bytes += len(message.get("body", b""))
        if self._bytes > self._bytes_max:
            raise TooLargeError
        return message

    async def read(self) -> bytes:
        """Wait for the whole of it; its bytes.

        Raises what `receive` raises.
        """
        parts = bytearray()
        while not self._is_whole:
            parts += (await self.receive()).get("body", b"")
        return bytes(parts)

    async def arrive(self) -> Receive:
        """Wait for the whole of it; the `receive` that gives it again.

        Raises what `receive` raises.
        """
        messages = [await self.receive()]
        while not self._is_whole:
            messages.append(await self.receive())
        messages.reverse()

        async def replay() -> Message:
            return messages.pop() if messages else await self._receive()

        return replay
