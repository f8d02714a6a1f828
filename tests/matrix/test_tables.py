"""A web process of one school, in every table: nothing of another school is read, added, changed or removed."""

import asyncio
from typing import Any

import asyncpg
import pytest

from tests.conftest import Town

MAIN, OTHER = "sint-jozef", "de-wegwijzer"
READ_BY_ALL = {"change"}
"""Workers follow its tail for every school; it holds ids only."""

NEVER_FILLED = {"audit", "activation_code"}
"""What happens in no demo."""


def tables(town: Town) -> list[str]:
    rows = town.installation.sql(
        """
        SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'school_id'
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname
        """
    )
    return [row["relname"] for row in rows]


@pytest.mark.parametrize("role", ["firstbell_app", "firstbell_jobs"])
@pytest.mark.usefixtures("browsers")
def test_a_process_reads_no_row_of_another_school(town: Town, role: str) -> None:
    for table in set(tables(town)) - READ_BY_ALL - {"school_host"}:
        [there] = town.installation.sql(f"SELECT count(*) FROM {table} WHERE school_id = $1", town.school_id(MAIN))
        assert there["count"] or table in NEVER_FILLED, f"the town has no {table}: the test would prove nothing"
        assert ask(town, role, f"SELECT count(*) FROM {table} WHERE school_id = $1", town.school_id(MAIN)) == 0, table


@pytest.mark.parametrize("role", ["firstbell_app", "firstbell_jobs"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET school_id = school_id", "DELETE FROM {}"])
def test_a_process_changes_and_removes_no_row_of_another_school(town: Town, role: str, statement: str) -> None:
    before = town.rows(MAIN)
    for table in set(tables(town)) - {"school_host"}:
        try:
            asked = (
                f"WITH done AS ({statement.format(table)} WHERE school_id = $1 RETURNING 1) SELECT count(*) FROM done"
            )
            assert ask(town, role, asked, town.school_id(MAIN)) == 0, table
        except asyncpg.InsufficientPrivilegeError:
            continue
    assert town.rows(MAIN) == before


@pytest.mark.parametrize("role", ["firstbell_app", "firstbell_jobs"])
def test_a_process_adds_no_row_to_another_school(town: Town, role: str) -> None:
    for table in set(tables(town)) - {"school_host"}:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            ask(town, role, f"INSERT INTO {table} (school_id) VALUES ($1)", town.school_id(MAIN))


@pytest.mark.parametrize("role", ["firstbell_app", "firstbell_jobs"])
def test_a_transaction_that_names_no_school_reads_nothing(town: Town, role: str) -> None:
    for table in set(tables(town)) - READ_BY_ALL - {"school_host"}:
        assert ask(town, role, f"SELECT count(*) FROM {table}", school=None) == 0, table


def ask(town: Town, role: str, statement: str, *parameters: Any, school: str | None = OTHER) -> Any:
    """The first value of `statement` for a process of `school`, under row security; nothing is kept."""
    readable = "" if school is None else f"{{{town.school_id(school)}}}"
    writable = "" if school is None else str(town.school_id(school))

    async def run() -> Any:
        connection = await asyncpg.connect(town.installation.database_url(role))
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute("SELECT set_config('firstbell.readable_schools', $1, true)", readable)
            await connection.execute("SELECT set_config('firstbell.writable_school', $1, true)", writable)
            return await connection.fetchval(statement, *parameters)
        finally:
            await transaction.rollback()
            await connection.close()

    return asyncio.run(run())
