"""`firstbell serve`: the web processes."""

import asyncio
import os
import signal
import threading
from collections.abc import Awaitable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from firstbell.cli import app, operator_settings, share_metrics
from firstbell.cli.checks import check_database, wait_for_port
from firstbell.cli.turns import take_requests
from firstbell.kernel.asgi import App, Message, Receive, Scope, Send
from firstbell.kernel.launch import end_with_parent, give_way, take_turns
from firstbell.settings import Settings

SERVING_SECONDS = 0.1
"""After the application has started, Granian serves within this."""
NETWORK_THREAD = "tokio-rt-worker"
"""What Granian's runtime calls the thread that reads and writes."""
_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGUSR1}
PACKAGE = Path(__file__).parents[1]
PORT_SECONDS = 5.0
"""How long to wait for the port: workers of a server that was killed end within this."""


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(help="Web processes.")] = None,
    reload: Annotated[bool, typer.Option("--reload", hidden=True, help="Start again when a file changes.")] = False,
    without_gate: Annotated[
        bool, typer.Option("--without-gate", hidden=True, help="Only to measure what the gate costs.")
    ] = False,
) -> None:
    """Serve the schools of this cell until SIGTERM; engines are named by URL in the environment."""
    settings = operator_settings(port=port, workers=workers)
    asyncio.run(check_database(settings.database_url))
    wait_for_port(settings.host, settings.port, PORT_SECONDS)
    share_metrics(settings.data_dir)
    # Each worker gets these very settings: what the command line and the data folder added is in no environment.
    WebServer(settings, reload=reload).serve(
        target_loader=partial(_worker_app, settings, os.getpid(), has_gate=not without_gate), wrap_loader=False
    )


class WebServer(MPServer):
    """Granian with our limits, which first says that it is draining and goes on serving for a moment."""

    def __init__(self, settings: Settings, *, reload: bool = False) -> None:
        super().__init__(
            "firstbell.app:create_app",
            interface=Interfaces.ASGI,
            loop=Loops.uvloop,
            address=settings.host,
            port=settings.port,
            workers=settings.workers,
            backpressure=settings.connections_max,
            # Browsers speak HTTP/2 with the edge, which bounds streams and counts resets; nobody needs it here.
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(
                header_read_timeout=settings.header_timeout_ms, max_buffer_size=settings.header_bytes_max
            ),
            websockets=False,
            log_access=False,
            log_level=LogLevels.warning,
            reload=reload,
            reload_paths=[PACKAGE],
            # A mistake that is being typed ends a worker, not the server: the next change starts it again.
            reload_ignore_worker_failure=True,
            respawn_failed_workers=not reload,
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


def _worker_app(settings: Settings, parent: int, *, has_gate: bool) -> App:
    # Granian hangs for good on a signal that comes before it serves, so signals wait until it does.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    end_with_parent(signal.SIGTERM, parent)
    take_turns()
    from firstbell.app import create_app  # the parent needs none of it  # noqa: PLC0415

    app = create_app(settings, has_gate=has_gate)
    take_requests(app, settings.gather_ms / 1_000)

    def app_that_begins_to_serve(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        async def tell(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                # The loop stops now and runs again when Granian serves: only then does the moment pass.
                asyncio.get_running_loop().call_later(SERVING_SECONDS, _begin_to_serve, settings.network_nice)
            await send(message)

        return app(scope, receive, tell)

    return app_that_begins_to_serve


def _begin_to_serve(network_nice: int) -> None:
    give_way(NETWORK_THREAD, network_nice)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
