"""What machines ask of a process: /health, /ready and /metrics, in front of the schools and their host names."""

import asyncio
import hmac
import ipaddress
from collections.abc import Awaitable, Callable

import msgspec
from asyncpg.exceptions import PostgresError
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest, multiprocess

from firstbell.kernel.asgi import App, Receive, Scope, Send
from firstbell.kernel.bus import BusState
from firstbell.kernel.connections import AWAY
from firstbell.kernel.db import Pool
from firstbell.kernel.migrations import pending_migrations
from firstbell.settings import Settings

_FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via"})
_Answer = tuple[int, str, bytes]


class Readiness(msgspec.Struct, frozen=True):
    """What a load balancer and an operator learn; `bus` is told but never makes a process unready."""

    status: str
    database: str
    migrations: str
    bus: str


class Probes:
    """ASGI layer that answers for the process and passes everything else on."""

    def __init__(self, app: App, *, pool: Callable[[], Pool], bus: Callable[[], BusState], settings: Settings) -> None:
        self._app = app
        self._pool = pool
        self._bus = bus
        self._timeout_s = settings.ready_timeout_ms / 1000
        self._metrics_token = settings.metrics_token
        self._is_draining = False
        self._asking: asyncio.Task[tuple[str, str]] | None = None
        self._answers: dict[str, Callable[[Scope], Awaitable[_Answer]]] = {
            "/health": self._health,
            "/ready": self._ready,
            "/metrics": self._metrics,
        }

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer a probe, or pass the request on."""
        answer = self._answers.get(scope["path"]) if scope["type"] == "http" else None
        return self._app(scope, receive, send) if answer is None else self._tell(answer, scope, send)

    @staticmethod
    async def _tell(answer: Callable[[Scope], Awaitable[_Answer]], scope: Scope, send: Send) -> None:
        status, kind, body = await answer(scope)
        headers = [
            (b"content-type", kind.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def drain(self) -> None:
        """From now on, say that requests should go elsewhere; those that come are still served."""
        self._is_draining = True

    @staticmethod
    async def _health(_: Scope) -> _Answer:
        return 200, "text/plain", b"alive\n"

    async def _ready(self, _: Scope) -> _Answer:
        database, migrations = await self._schema()
        is_ready = not self._is_draining and (database, migrations) == ("ok", "up to date")
        word = "draining" if self._is_draining else "ready" if is_ready else "not ready"
        report = Readiness(word, database, migrations, self._bus())
        return 200 if is_ready else 503, "application/json", msgspec.json.encode(report)

    async def _schema(self) -> tuple[str, str]:
        # One question at a time, that nobody waits for longer: a connection that hangs cannot even be rolled back.
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_database())
        await asyncio.wait({self._asking}, timeout=self._timeout_s)
        return self._asking.result() if self._asking.done() else ("too slow", "unknown")

    async def _ask_database(self) -> tuple[str, str]:
        try:
            async with self._pool().begin(reading_only=True) as tx:
                pending = await pending_migrations(await tx.begun())
        except (*AWAY, OSError, PostgresError):
            return "unreachable", "unknown"
        return "ok", f"pending: {', '.join(pending)}" if pending else "up to date"

    async def _metrics(self, scope: Scope) -> _Answer:
        if not self._may_measure(scope):
            return 404, "text/plain", b"not found\n"
        return 200, CONTENT_TYPE_LATEST, await asyncio.to_thread(_collect)

    def _may_measure(self, scope: Scope) -> bool:
        headers = dict(scope["headers"])
        if self._metrics_token:
            given = headers.get(b"authorization", b"")
            return hmac.compare_digest(given, b"Bearer " + self._metrics_token.encode())
        address, _ = scope["client"]
        return _FORWARDED.isdisjoint(headers) and ipaddress.ip_address(address).is_loopback


def _collect() -> bytes:
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    return generate_latest(registry)
