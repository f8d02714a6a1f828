"""One installation for the whole run: the real engines, migrated, served by Granian."""

import asyncio
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest

from firstbell.kernel.engines import Addresses, Engines, free_port
from firstbell.kernel.migrations import ensure_database, migrate


@dataclass(frozen=True)
class Installation:
    """Where the engines and the server of this run are."""

    folder: Path
    addresses: Addresses
    secret_keys: str
    port: int

    def database_url(self, role: str) -> str:
        return self.addresses.database_url(role)

    def environment(self, **settings: str) -> dict[str, str]:
        """The environment of a firstbell process of this installation."""
        named = {
            "database_url": self.database_url("firstbell_app"),
            "database_jobs_url": self.database_url("firstbell_jobs"),
            "database_owner_url": self.database_url("firstbell_owner"),
            "database_listen_url": self.database_url("firstbell_jobs"),
            "nats_url": self.addresses.nats_url,
            "drain_pause_ms": "0",
            "data_dir": str(self.folder),
            "secret_keys": self.secret_keys,
            "port": str(self.port),
            **settings,
        }
        return {**os.environ, **{f"FIRSTBELL_{name.upper()}": value for name, value in named.items()}}

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run `firstbell ARGUMENTS` as an operator would."""
        return subprocess.run(
            [sys.executable, "-m", "firstbell", *arguments],
            env=self.environment(**settings),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def sql(self, statement: str, *parameters: object) -> list[asyncpg.Record]:
        """Ask the database as its owner, whom row security does not bind: to check, never to arrange."""

        async def ask() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(self.database_url("firstbell_owner"))
            try:
                return await connection.fetch(statement, *parameters)  # type: ignore[no-any-return]
            finally:
                await connection.close()

        return asyncio.run(ask())


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    """Engines in a folder of their own, migrated and empty, ended after the run."""
    folder = Path(tempfile.mkdtemp(prefix="firstbell-"))
    engines = Engines(folder)
    engines.take()
    engines.start()
    made = Installation(folder, engines.addresses, f"t:{secrets.token_hex(32)}", free_port())
    try:
        asyncio.run(_create_database(made))
        yield made
    finally:
        engines.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _create_database(made: Installation) -> None:
    await ensure_database(made.addresses.database_url("firstbell_owner", "postgres"), "firstbell")
    await migrate(made.database_url("firstbell_owner"))


@pytest.fixture(scope="session")
def server(installation: Installation) -> Iterator[str]:
    """`firstbell serve` on the installation; its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "firstbell", "serve"],
        env=installation.environment(),
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{installation.port}"
    try:
        wait_until(lambda: httpx.get(f"{address}/health").status_code == 200)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def wait_until(holds: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for `holds`, which may fail to connect meanwhile."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if holds():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"not true within {seconds} s")
