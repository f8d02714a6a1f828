"""`firstbell serve`: the web processes."""

from typing import Annotated, Any

import typer
from granian.constants import Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import MPServer

from firstbell.cli import app
from firstbell.settings import Settings, read_settings


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(help="Web processes.")] = None,
) -> None:
    """Serve the schools of this cell until SIGTERM; engines are named by URL in the environment."""
    given: dict[str, Any] = {"port": port, "workers": workers}
    settings = read_settings(**{name: value for name, value in given.items() if value is not None})
    web_server(settings).serve()


def web_server(settings: Settings) -> MPServer:
    """Granian with our limits; its workers read their settings from the environment."""
    return MPServer(
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
        log_level=LogLevels.warning,
    )
