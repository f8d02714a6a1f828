"""How requests come from Granian's network thread to the application.

Granian makes a task for each request and wraps the application in coroutines of its own. What is `Said` needs none of
it: in a flood of refusals they were a third of what the interpreter did.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable
from contextvars import copy_context
from typing import Any

from granian import _granian
from granian.server import mp

from firstbell.kernel.asgi import App, Said

_scheduling: Any = mp
_native: Any = _granian
"""Parts of Granian that its types do not tell of."""

TURN_MAX = 64
"""Requests that are begun before the loop looks at what else there is."""


def take_requests(app: App) -> None:
    """Have the worker of this process call `app` in `Turns`; before it serves."""

    def scheduler(loop: asyncio.AbstractEventLoop, *args: Any, **options: Any) -> Any:
        del args, options  # Granian's own wrapping of `app`
        made = _native.CallbackScheduler(loop, None, None, None, None)
        made._schedule_fn = Turns(app, loop).bring
        return made

    # Granian finds the maker of its scheduler by this name, and has no other way to say which.
    _scheduling._new_cbscheduler = scheduler


class Turns:
    """Requests of one worker, from the thread that brings them to the event loop that begins them, in order."""

    def __init__(self, app: App, loop: asyncio.AbstractEventLoop) -> None:
        self._app = app
        self._loop = loop
        self._context = copy_context()
        self._waiting: deque[Any] = deque()

    def bring(self, request: Any) -> None:
        """Called by Granian's one thread for each request; wakes the loop for the first of several."""
        self._waiting.append(request)
        if len(self._waiting) == 1:
            self._loop.call_soon_threadsafe(self._begin, context=self._context)

    def _begin(self) -> None:
        waiting = self._waiting
        for _ in range(TURN_MAX):
            if not waiting:
                return
            # It leaves the line when it has begun, so that a request which comes meanwhile need not wake the loop.
            self._begin_one(waiting[0])
            waiting.popleft()
        if waiting:
            self._loop.call_soon(self._begin, context=self._context)

    def _begin_one(self, request: Any) -> None:
        scope, protocol = request.scope, request.proto
        scope.update(root_path="", state={})
        try:
            answer = self._app(scope, protocol.receive, protocol.send)
            if isinstance(answer, Said):
                answer.hand_over()
            else:
                request.taskref(self._loop.create_task(_finish(answer, request)))
        except BaseException as error:  # or those behind it would never begin; Granian answers with 500 and logs it
            request.err(error)


async def _finish(answer: Awaitable[None], request: Any) -> None:
    try:
        await answer
    except BaseException as error:  # Granian answers with 500 and logs it
        request.err(error)
    else:
        request.done()
