"""`firstbell serve`: the web processes."""

from typing import Annotated

import typer
from granian import Granian
from granian.constants import Interfaces, Loops
from granian.http import HTTP1Settings

from firstbell.cli import app
from firstbell.settings import Settings, read_settings


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(help="Web processes.")] = None,
) -> None:
    """Serve the schools of this cell until SIGTERM; engines are named by URL in the environment."""
    given = {"port": port, "workers": workers}
    settings = read_settings(**{name: value for name, value in given.items() if value is not None})
    web_server(settings).serve()


def web_server(settings: Settings) -> Granian:
    """Granian with our limits; its workers read their settings from the environment."""
    return Granian(
        "firstbell.app:create_app",
        factory=True,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        address=settings.host,
        port=settings.port,
        workers=settings.workers,
        backpressure=settings.connections_max,
        http1_settings=HTTP1Settings(header_read_timeout=settings.header_timeout_ms),
        websockets=False,
        log_access=False,
        log_level="warning",
    )
