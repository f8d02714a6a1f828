"""The types of ASGI 3, for the layers that stand outside any framework."""

from collections.abc import Awaitable, Callable, Generator, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Said:
    """A whole answer that is known as soon as an application is called: what it returns to be awaited, as ASGI wants.

    A server that knows it needs no task for it.
    """

    __slots__ = ("_messages", "_send")

    def __init__(self, send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self._send = send
        self._messages: tuple[Message, Message] = (
            {"type": "http.response.start", "status": status, "headers": headers},
            {"type": "http.response.body", "body": body, "more_body": False},
        )

    def __await__(self) -> Generator[Any, None, None]:
        for message in self._messages:
            yield from self._send(message).__await__()

    def hand_over(self) -> None:
        """Send it without a task, to a server whose `send` need not wait for a whole answer.

        Raises:
            RuntimeError: it waits.
        """
        try:
            self.__await__().send(None)
        except StopIteration:
            return
        raise RuntimeError("what is said at once cannot wait")
