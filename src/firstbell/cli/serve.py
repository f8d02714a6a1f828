"""`firstbell serve`: the web processes."""

import asyncio
import os
import signal
import socket
import threading
import time
from functools import partial
from typing import Annotated, Any

import asyncpg
import typer
from asyncpg.exceptions import PostgresError
from granian.constants import Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from firstbell.cli import app, operator_settings, share_metrics
from firstbell.kernel.asgi import App
from firstbell.kernel.errors import OperatorError
from firstbell.kernel.launch import end_with_parent
from firstbell.kernel.migrations import MigrationError, pending_migrations
from firstbell.settings import Settings

PORT_SECONDS = 5.0
"""How long to wait for the port: workers of a server that was killed end within this."""


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(help="Web processes.")] = None,
) -> None:
    """Serve the schools of this cell until SIGTERM; engines are named by URL in the environment."""
    settings = operator_settings(port=port, workers=workers)
    asyncio.run(_check_database(settings.database_url))
    wait_for_port(settings, PORT_SECONDS)
    share_metrics(settings.data_dir)
    # Each worker gets these very settings: what the command line and the data folder added is in no environment.
    WebServer(settings).serve(target_loader=partial(_worker_app, settings), wrap_loader=False)


class WebServer(MPServer):
    """Granian with our limits, which first says that it is draining and goes on serving for a moment."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            "firstbell.app:create_app",
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
            respawn_failed_workers=True,
            workers_kill_timeout=settings.drain_seconds_max,
        )
        self._drain_pause_s = settings.drain_pause_ms / 1000

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """Granian's handler of SIGTERM and SIGINT; a second one ends the pause."""
        for worker in self.wrks:
            if worker.is_alive():
                os.kill(worker.inner.pid, signal.SIGUSR1)
        pause_s, self._drain_pause_s = self._drain_pause_s, 0.0
        threading.Timer(pause_s, super().signal_handler_interrupt).start()


def wait_for_port(settings: Settings, seconds: float) -> None:
    """Wait until the port is free.

    Raises:
        OperatorError: another program keeps it, or we may not have it.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            _try_port(settings)
        except OSError as error:
            if time.monotonic() > deadline or isinstance(error, PermissionError):
                reason = os.strerror(error.errno or 0)
                raise OperatorError(
                    f"Port {settings.port} on {settings.host} cannot be used ({reason}); choose another with --port."
                ) from None
            time.sleep(0.1)
        else:
            return


def _try_port(settings: Settings) -> None:
    # Granian shares a port with any server of the same user that shares too; this socket shares with nobody.
    family, _, _, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)


async def _check_database(url: str) -> None:
    try:
        connection = await asyncpg.connect(url, timeout=10)
    except (OSError, TimeoutError, PostgresError) as error:
        raise OperatorError(f"The database cannot be reached: {error or 'no answer within 10 s'}") from error
    try:
        pending = await pending_migrations(connection)
    finally:
        await connection.close()
    if pending:
        raise MigrationError(
            f"The database lacks {len(pending)} migrations, from {pending[0]} on; run firstbell migrate first."
        )


def _worker_app(settings: Settings) -> App:
    end_with_parent(signal.SIGTERM)
    from firstbell.app import create_app  # the parent needs none of it  # noqa: PLC0415

    return create_app(settings)
