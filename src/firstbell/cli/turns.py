"""How requests come from Granian's network thread to the application.

Granian makes a task for each request and wraps the application in coroutines of its own. What is `Said` needs none of
it: in a flood of refusals they were a third of what the interpreter did.
"""

import asyncio
import threading
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


def take_requests(app: App, gather_s: float) -> None:
    """Have the worker of this process call `app` in `Turns`; before it serves."""

    def scheduler(loop: asyncio.AbstractEventLoop, *args: Any, **options: Any) -> Any:
        del args, options  # Granian's own wrapping of `app`
        made = _native.CallbackScheduler(loop, None, None, None, None)
        made._schedule_fn = Turns(app, loop, gather_s).bring
        return made

    # Granian finds the maker of its scheduler by this name, and has no other way to say which.
    _scheduling._new_cbscheduler = scheduler


class Turns:
    """Requests of one worker, from the thread that brings them to the event loop that begins them, in order.

    After a turn in which somebody was refused the next ones are gathered for `gather_s`: a refusal by itself finds the
    caches full of somebody's page, and takes twice the time that it takes among others.
    """

    def __init__(self, app: App, loop: asyncio.AbstractEventLoop, gather_s: float) -> None:
        self._app = app
        self._loop = loop
        self._gather_s = gather_s
        self._context = copy_context()
        self._waiting: deque[Any] = deque()
        self._turn = threading.Lock()  # held while a turn is due, by whichever thread saw to it

    def bring(self, request: Any) -> None:
        """Called by Granian's one thread for each request; wakes the loop unless it will look by itself."""
        self._waiting.append(request)
        if self._turn.acquire(blocking=False):
            self._loop.call_soon_threadsafe(self._take_turn, context=self._context)

    def _take_turn(self) -> None:
        has_refused = self._begin()
        if has_refused and len(self._waiting) < TURN_MAX:
            self._loop.call_later(self._gather_s, self._take_turn, context=self._context)
        elif self._waiting:
            self._loop.call_soon(self._take_turn, context=self._context)
        else:
            self._turn.release()
            # The other thread may have brought one meanwhile and believed in this turn.
            if self._waiting and self._turn.acquire(blocking=False):
                self._loop.call_soon(self._take_turn, context=self._context)

    def _begin(self) -> bool:
        """Begin what waits, and say whether any of it was refused."""
        has_refused = False
        for _ in range(min(TURN_MAX, len(self._waiting))):
            has_refused |= self._begin_one(self._waiting.popleft())
        return has_refused

    def _begin_one(self, request: Any) -> bool:
        scope, protocol = request.scope, request.proto
        scope.update(root_path="", state={})
        try:
            answer = self._app(scope, protocol.receive, protocol.send)
            if isinstance(answer, Said):
                answer.hand_over()
                return True
            request.taskref(self._loop.create_task(_finish(answer, request)))
        except BaseException as error:  # or those behind it would never begin; Granian answers with 500 and logs it
            request.err(error)
        return False


async def _finish(answer: Awaitable[None], request: Any) -> None:
    try:
        await answer
    except BaseException as error:  # Granian answers with 500 and logs it
        request.err(error)
    else:
        request.done()
