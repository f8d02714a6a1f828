"""Numbered SQL, forward only, each file in a transaction of its own."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from importlib.metadata import version
from pathlib import Path

import asyncpg

from firstbell.kernel.errors import OperatorError

LOCK = 7351002
"""Advisory lock under which migrations run, so that two nodes that start at once do not both migrate."""

LOCK_TIMEOUT_MS = 2_000
"""A migration that waits for a lock holds up every request behind it; it fails instead and is run again."""

STATEMENT_TIMEOUT_MS = 600_000
"""The longest index of a cell of 150,000 persons is built in a minute; ten times that is a mistake."""

_JOB_TABLES = "pgqueuer"
"""The tables of the jobs come from the library: their row in `migration` is its name and version."""

# The web role may hand work over and look for its twin, never read what others were told.
_GRANTS = """
GRANT SELECT ON migration TO firstbell_app, firstbell_jobs;
GRANT INSERT ON pgqueuer, pgqueuer_log TO firstbell_app;
GRANT SELECT (id, entrypoint, priority, status, dedupe_key) ON pgqueuer TO firstbell_app;
GRANT SELECT, INSERT, UPDATE, DELETE
    ON pgqueuer, pgqueuer_log, pgqueuer_schedules, pgqueuer_statistics TO firstbell_jobs;
GRANT USAGE ON SEQUENCE pgqueuer_id_seq TO firstbell_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO firstbell_jobs;
"""


class MigrationError(OperatorError):
    """The schema is not one that this version can bring up to date, or not yet one that it can serve."""


def migration_files() -> list[Path]:
    """The numbered files, in order: beside the package in a wheel, at the root of a checkout."""
    here = Path(__file__).parent.parent
    folder = next(path for path in (here / "migrations", here.parent.parent / "migrations") if path.is_dir())
    return sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))


async def ensure_database(maintenance_url: str, name: str) -> bool:
    """Create the database `name`, as a role that may, unless it is there; True when it is new."""
    connection = await asyncpg.connect(maintenance_url)
    try:
        if await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
            return False
        await connection.execute(f'CREATE DATABASE "{name}"')
        return True
    finally:
        await connection.close()


async def drop_database(maintenance_url: str, name: str) -> None:
    """Remove the database `name` and all that it holds, if it is there."""
    connection = await asyncpg.connect(maintenance_url)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await connection.close()


async def migrate(owner_url: str) -> list[str]:
    """Bring the database up to date; the names of the migrations that ran.

    Raises:
        MigrationError: the database was migrated by a newer version, or a file that ran has changed.
    """
    connection = await asyncpg.connect(owner_url)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        return [name async for name in _run_missing(connection)]
    finally:
        await connection.close()


async def pending_migrations(connection: asyncpg.Connection) -> list[str]:
    """The migrations that this version knows and the database lacks."""
    known = [*(path.stem for path in migration_files()), _job_tables()]
    if await connection.fetchval("SELECT to_regclass('public.migration')") is None:
        return known
    ran = {row["name"] for row in await connection.fetch("SELECT name FROM migration")}
    return [name for name in known if name not in ran]


def _job_tables() -> str:
    return f"{_JOB_TABLES} {version(_JOB_TABLES)}"


async def _run_missing(connection: asyncpg.Connection) -> AsyncIterator[str]:
    await connection.execute(
        """
        CREATE TABLE IF NOT EXISTS migration (
            name text PRIMARY KEY,
            sha256 text NOT NULL,
            ran_at timestamptz NOT NULL DEFAULT now()
        );
        COMMENT ON TABLE migration IS 'retention: forever; erasure: names nobody';
        """
    )
    ran = {row["name"]: row["sha256"] for row in await connection.fetch("SELECT name, sha256 FROM migration")}
    for name, statements in _checked(ran):
        async with connection.transaction():
            await connection.execute(
                f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}; SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}"
            )
            await connection.execute(statements)
            await connection.execute("INSERT INTO migration (name, sha256) VALUES ($1, $2)", name, _digest(statements))
        yield name
    if ran.get(_job_tables()) != _digest(_GRANTS):
        await _bring_job_tables_up_to_date(connection)
        yield _job_tables()


def _checked(ran: dict[str, str]) -> Iterator[tuple[str, str]]:
    files = {path.stem: path.read_text() for path in migration_files()}
    unknown = sorted(name for name in ran.keys() - files.keys() if not name.startswith(_JOB_TABLES))
    if unknown:
        raise MigrationError(f"The database is of a newer Firstbell: this version lacks {unknown[-1]}.")
    for name, statements in files.items():
        if name not in ran:
            yield name, statements
        elif ran[name] != _digest(statements):
            raise MigrationError(f"Migration {name} ran with another text than it has now.")


def _digest(statements: str) -> str:
    return hashlib.sha256(statements.encode()).hexdigest()


async def _bring_job_tables_up_to_date(connection: asyncpg.Connection) -> None:
    # Half a second and 40 MB, for what is needed once in a version.
    from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver  # noqa: PLC0415
    from pgqueuer.queries import Queries  # noqa: PLC0415

    queries = Queries(AsyncpgDriver(connection))
    if not await queries.schema_is_installed():
        await queries.install()
    await queries.upgrade()
    async with connection.transaction():
        await connection.execute(_GRANTS)
        await connection.execute(
            """
            INSERT INTO migration (name, sha256) VALUES ($1, $2)
            ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256, ran_at = now()
            """,
            _job_tables(),
            _digest(_GRANTS),
        )
