"""A server whose answers tell how they were begun: `python -m tests.cli.at_once PORT`."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from granian.constants import HTTPModes, Interfaces, Loops
from granian.server.mp import MPServer

from firstbell.cli.turns import take_requests
from firstbell.kernel.asgi import App, Message, Receive, Said, Scope, Send


def answer(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
    """The path says which answer."""
    if scope["path"] == "/broken":
        raise ValueError
    if scope["path"] == "/ended":
        raise asyncio.CancelledError
    if scope["path"] == "/said":
        return said(send)
    if scope["path"] == "/layered":
        return said(through_a_layer(send))
    return later(scope, send)


async def later(scope: Scope, send: Send) -> None:
    """An answer that takes its time."""
    await asyncio.sleep(0.01)
    if scope["path"] == "/broken-later":
        raise ValueError
    await said(send)


def said(send: Send) -> Said:
    """Whether there is a task."""
    return Said(send, 200, [(b"content-type", b"text/plain")], b"a task" if asyncio.current_task() else b"no task")


def through_a_layer(send: Send) -> Send:
    """`send` as a layer in between has it, a coroutine."""

    async def send_on(message: Message) -> None:
        await send(message)

    return send_on


def load() -> App:
    """What a worker calls before it serves."""
    take_requests(answer, gather_s=0.003)
    return answer


def serve(loader: Callable[[], App]) -> None:
    """Serve until the process is ended."""
    MPServer(
        "",
        port=int(sys.argv[1]),
        interface=Interfaces.ASGINL,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        websockets=False,
    ).serve(target_loader=loader, wrap_loader=False)


if __name__ == "__main__":
    serve(load)
