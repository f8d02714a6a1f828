"""Migrations run on a database that somebody else's PostgreSQL keeps."""

import asyncio
from collections.abc import Iterator

import pytest

from firstbell.kernel.migrations import migrate, migration_files
from tests.conftest import Installation


@pytest.fixture
def owner_url(installation: Installation) -> Iterator[str]:
    """An empty database whose owner is no superuser, made as docs/run-it.md says."""
    for statement in (
        "CREATE ROLE modest_owner LOGIN CREATEROLE",
        "GRANT firstbell_search TO modest_owner",
        "CREATE DATABASE modest OWNER modest_owner TEMPLATE template0",
    ):
        installation.sql(statement)
    yield installation.addresses.database_url("modest_owner", "modest")
    for statement in ("DROP DATABASE modest WITH (FORCE)", "DROP ROLE modest_owner"):
        installation.sql(statement)


def test_an_owner_who_is_no_superuser_migrates(owner_url: str) -> None:
    ran = asyncio.run(migrate(owner_url))
    assert ran[:-1] == [path.stem for path in migration_files()]
    assert asyncio.run(migrate(owner_url)) == []
