"""The call of a handler, laid out when the application starts instead of anew for each request.

Litestar declares the routes and reads forms. But most handlers ask only for what is at hand: ids in their address, the
request, what the application provides. For those, finding the route, working out and converting what the handler asks
for, and wrapping what it answers were a third of what a small answer cost; here they are a look in a table, a few calls
in turn, and two messages.
"""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from inspect import iscoroutinefunction, signature
from typing import Any, NamedTuple
from uuid import UUID

from litestar import Litestar, Request, Response
from litestar.handlers import ASGIRouteHandler, BaseRouteHandler, HTTPRouteHandler
from litestar.routes import ASGIRoute, HTTPRoute
from litestar.status_codes import HTTP_200_OK

from firstbell.kernel.answers import send_answer
from firstbell.kernel.asgi import Receive, Scope, Send
from firstbell.kernel.visit import visit_of

_ID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DECLARED_ID = re.compile(r"\{(\w+):uuid\}")
_PLACE = "{}"
_HOST = re.compile(r"[A-Za-z0-9.-]+(?::\d+)?")
"""Hosts that need no closer look."""
_HOSTS_KEPT = 1_000

_Errors = Mapping[int | type[Exception], Callable[[Request[Any, Any, Any], Any], Response[Any]]]


class _Step(NamedTuple):
    """One thing that the application provides under a name; `asks` are the names of what it is made of."""

    name: str
    provide: Callable[..., Any]
    asks: tuple[str, ...]
    is_awaited: bool


class _Call(NamedTuple):
    """All that is known of a call beforehand. `ids` are the names of the ids in the address, in their order."""

    handler: HTTPRouteHandler
    template: str
    """The address as logs and metrics have it."""
    ids: tuple[str, ...]
    before: Callable[[Any], Awaitable[Any]]
    steps: tuple[_Step, ...]
    asks: tuple[str, ...]
    errors: _Errors


class Calls:
    """ASGI application around Litestar's: calls the handlers that it can by itself, and passes all else on."""

    def __init__(self, litestar: Litestar) -> None:
        self._app = litestar
        self._calls = {(method, _DECLARED_ID.sub(_PLACE, path)): call for method, path, call in _plain_calls(litestar)}
        self._mounts = {
            f"{route.path}/": route.route_handler
            for route in litestar.routes
            if isinstance(route, ASGIRoute) and route.route_handler.is_mount
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on: forms, addresses that are nowhere or are written otherwise."""
        if scope["type"] == "http" and _is_plain(visit_of(scope).header(b"host")):
            path: str = scope["path"]
            ids: list[str] = _ID.findall(path) if "-" in path else []
            call = self._calls.get((scope["method"], _ID.sub(_PLACE, path) if ids else path))
            if call is not None and len(call.ids) == len(ids):
                await self._answer(call, ids, scope, receive, send)
                return
            mount = self._mounts.get(path[: path.find("/", 1) + 1])
            if mount is not None:
                await self._hand_over(mount, scope, receive, send)
                return
        await self._app(scope, receive, send)  # type: ignore[arg-type]

    async def _answer(self, call: _Call, ids: Sequence[str], scope: Scope, receive: Receive, send: Send) -> None:
        values: dict[str, Any] = {name: UUID(text) for name, text in zip(call.ids, ids, strict=True)}
        self._introduce(scope, call.handler, call.template, values.copy())
        request = values["request"] = Request(scope, receive, send)  # type: ignore[arg-type]
        try:
            await call.before(request)
            for name, provide, asks, is_awaited in call.steps:
                provided = provide(*[values[asked] for asked in asks])
                values[name] = await provided if is_awaited else provided
            response = await call.handler.fn(**{asked: values[asked] for asked in call.asks})
        except Exception as error:
            response = _mapped(call.errors, request, error)
        await send_answer(response, call.handler.status_code, send)

    async def _hand_over(self, handler: ASGIRouteHandler, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a handler that is an ASGI application itself answer everything below its address."""
        self._introduce(scope, handler, min(handler.paths), {})
        try:
            await handler.fn(scope, receive, send)
        except Exception as error:
            if visit_of(scope).status:
                raise  # half an answer is out already
            request: Request[Any, Any, Any] = Request(scope, receive, send)  # type: ignore[arg-type]
            response = _mapped(handler.resolve_exception_handlers(), request, error)
            await send_answer(response, HTTP_200_OK, send)

    def _introduce(self, scope: Scope, handler: BaseRouteHandler, template: str, ids: dict[str, Any]) -> None:
        """Put into `scope` what Litestar's own way has put there by the time that a handler runs."""
        scope["app"] = scope["litestar_app"] = self._app
        scope["route_handler"], scope["path_template"], scope["path_params"] = handler, template, ids


@lru_cache(_HOSTS_KEPT)
def _is_plain(host: str) -> bool:
    return _HOST.fullmatch(host) is not None


def _mapped(errors: _Errors, request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """The answer for `error`, by the nearest of its kinds; the last of them all is a fault."""
    return next(errors[kind] for kind in type(error).__mro__ if kind in errors)(request, error)


def _plain_calls(litestar: Litestar) -> Iterator[tuple[str, str, _Call]]:
    """The calls, by method and declared path, of handlers that ask for nothing but what is at hand."""
    for route in litestar.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                call = _plain_call(route, handler)
                if call is not None:
                    for method in handler.http_methods:
                        yield method, route.path, call


def _plain_call(route: HTTPRoute, handler: HTTPRouteHandler) -> _Call | None:
    before, ids = handler.resolve_before_request(), tuple(_DECLARED_ID.findall(route.path))
    provided = handler.resolve_dependencies()
    asks = tuple(handler.parsed_fn_signature.parameters)
    steps: dict[str, _Step] = {}

    def can_have(name: str) -> bool:
        if name in steps or name in ids or name == "request":
            return True
        if name not in provided:
            return False
        provide = provided[name].dependency
        needs = tuple(signature(provide).parameters)
        if not all(map(can_have, needs)):
            return False
        steps[name] = _Step(name, provide, needs, iscoroutinefunction(provide))
        return True

    has_other_parts = len(ids) < len(route.path_parameters)
    if before is None or has_other_parts or handler.has_sync_callable or not all(map(can_have, asks)):
        return None
    errors = handler.resolve_exception_handlers()
    return _Call(handler, route.path_format, ids, before, tuple(steps.values()), asks, errors)
