"""Wires everything together; only the command line imports it."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from litestar import Litestar, Request
from litestar.datastructures import State
from litestar.di import Provide

from firstbell.domains.people.access import Entrance, Schools
from firstbell.domains.people.model import Viewer
from firstbell.domains.views import pages as views
from firstbell.kernel.asgi import App
from firstbell.kernel.bus import Bus
from firstbell.kernel.clock import Ids, clock_from
from firstbell.kernel.db import Pool, Transaction
from firstbell.kernel.html import STATIC
from firstbell.kernel.http import Doorway, visit_of
from firstbell.kernel.logs import configure_logs
from firstbell.kernel.probes import Probes
from firstbell.kernel.problems import answer_error
from firstbell.kernel.signing import Signer, parse_keys
from firstbell.kernel.static import Static
from firstbell.settings import Settings, read_settings


def create_app(settings: Settings | None = None) -> App:
    """The whole web application for one worker; settings from the environment unless given."""
    settings = settings or read_settings()
    configure_logs(settings.log_level)
    clock = clock_from(settings.clock)
    ids = Ids(clock)
    keys = parse_keys(settings.secret_keys)
    schools = Schools()
    bus = Bus(settings.nats_url, "web")
    entrance = Entrance(schools, Signer(keys, "access"), secure=settings.public_scheme == "https")

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        app.state.pool = await Pool.open(
            settings.database_url,
            connections_max=settings.database_connections_max,
            statement_timeout_ms=settings.database_statement_timeout_ms,
        )
        await schools.load(app.state.pool)
        await bus.start()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, probes.drain)
        try:
            yield
        finally:
            await bus.stop()
            await app.state.pool.close()

    litestar = Litestar(
        route_handlers=[*views.HANDLERS],
        guards=[entrance],
        dependencies={
            "tx": Provide(_transaction, sync_to_thread=False),
            "viewer": Provide(_viewer, sync_to_thread=False),
        },
        exception_handlers={Exception: answer_error},
        lifespan=[lifespan],
        state=State({"navigation": lambda viewer, path: []}),
        openapi_config=None,
        logging_config=None,
    )
    served = cast(App, litestar)  # Litestar types the messages of ASGI one by one
    doorway = Doorway(served, pool=lambda: litestar.state.pool, clock=clock, ids=ids, settings=settings)
    probes = Probes(doorway, pool=lambda: litestar.state.pool, bus=lambda: bus.state, settings=settings)
    return Static(probes, STATIC)


def _transaction(request: Request[Any, Any, Any]) -> Transaction:
    return visit_of(request.scope).transaction


def _viewer(request: Request[Any, Any, Any]) -> Viewer:
    viewer: Viewer = visit_of(request.scope).viewer
    return viewer
