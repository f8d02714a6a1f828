"""What must be true of every table, now and of each that comes."""

import asyncpg
import pytest

from tests.conftest import Installation

CELL_TABLES = {
    "account": "signs in for persons of several schools; row security asks for one of those persons",
    "migration": "which files ran in this database",
    "school": "the tenants themselves; every worker knows them all by host name",
    "school_host": "host names of the tenants",
}
"""Tables whose rows do not belong to one school, and why."""

UNPROTECTED = {"migration", "school", "school_host"}
"""Cell tables without row security: they name no person, and the web role may only read them."""

SEQUENCED = {"change": "workers follow its tail by number, over all schools; it holds ids only"}
"""Tables of a school whose key does not begin with school_id, and why."""

DEFINER_FUNCTIONS = {
    "account_persons",
    "school_of_activation_code",
    "people_named",
    "count_people",
    "keep_audit_partitions",
}
"""Functions that look past row security: each filters by itself and returns ids only, or reads no row at all."""

JOB_TABLES = "pgqueuer%"


@pytest.fixture(scope="module")
def tables(installation: Installation) -> dict[str, asyncpg.Record]:
    """Every table of ours, without the partitions of another and without those of the job library."""
    rows = installation.sql(
        """
        SELECT relname AS name, relrowsecurity AS secured, relforcerowsecurity AS forced,
               obj_description(oid, 'pg_class') AS comment,
               (SELECT array_agg(attname::text ORDER BY place) FROM pg_index
                   JOIN LATERAL unnest(indkey) WITH ORDINALITY AS part (number, place) ON true
                   JOIN pg_attribute ON attrelid = indrelid AND attnum = part.number
                WHERE indrelid = pg_class.oid AND indisprimary) AS key,
               ARRAY(SELECT polcmd::text FROM pg_policy WHERE polrelid = pg_class.oid) AS policies
        FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
          AND relname NOT LIKE $1
        """,
        JOB_TABLES,
    )
    return {row["name"]: row for row in rows}


def test_every_table_declares_its_retention_and_its_erasure(tables: dict[str, asyncpg.Record]) -> None:
    silent = [
        name
        for name, row in tables.items()
        if "retention: " not in (row["comment"] or "") or "; erasure: " not in (row["comment"] or "")
    ]
    assert not silent, f"COMMENT ON TABLE ... IS 'retention: ...; erasure: ...' is missing: {silent}"


def test_the_key_of_every_table_begins_with_its_school(tables: dict[str, asyncpg.Record]) -> None:
    exempt = CELL_TABLES.keys() | SEQUENCED.keys()
    wrong = [name for name, row in tables.items() if name not in exempt and (row["key"] or [""])[0] != "school_id"]
    assert not wrong, f"the primary key must begin with school_id: {wrong}"


def test_row_security_is_forced_on_every_table(tables: dict[str, asyncpg.Record]) -> None:
    open_tables = {name for name, row in tables.items() if not (row["secured"] and row["forced"] and row["policies"])}
    assert open_tables == UNPROTECTED


def test_the_web_role_cannot_write_a_table_without_row_security(installation: Installation) -> None:
    rows = installation.sql(
        """
        SELECT name, verb
        FROM unnest($1::text[]) AS name, unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS verb
        WHERE has_table_privilege('firstbell_app', name, verb)
        """,
        sorted(UNPROTECTED),
    )
    assert not rows


def test_the_web_and_job_roles_own_nothing_and_obey_row_security(installation: Installation) -> None:
    roles = installation.sql(
        """
        SELECT rolname FROM pg_roles
        WHERE rolname IN ('firstbell_app', 'firstbell_jobs', 'firstbell_operator')
          AND (rolsuper OR rolbypassrls OR EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid))
        """
    )
    assert not roles


def test_no_foreign_key_between_tables_of_a_school_can_cross_schools(installation: Installation) -> None:
    """Referential checks bypass row security, so the school must be in the key itself."""
    rows = installation.sql(
        """
        WITH tenant AS (SELECT attrelid AS id, attnum AS school_id FROM pg_attribute WHERE attname = 'school_id')
        SELECT conname FROM pg_constraint
            JOIN tenant AS here ON here.id = conrelid
            JOIN tenant AS there ON there.id = confrelid
        WHERE contype = 'f' AND conparentid = 0
          AND (conkey[1] <> here.school_id OR confkey[1] <> there.school_id)
        """
    )
    assert not rows, f"every foreign key begins with school_id on both sides: {[row['conname'] for row in rows]}"


def test_only_the_listed_functions_look_past_row_security(installation: Installation) -> None:
    rows = installation.sql("SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace")
    assert {row["proname"] for row in rows} == DEFINER_FUNCTIONS


def test_nobody_but_the_web_and_the_jobs_may_call_them(installation: Installation) -> None:
    rows = installation.sql(
        """
        SELECT proname FROM pg_proc
        WHERE prosecdef AND pronamespace = 'public'::regnamespace AND has_function_privilege('public', oid, 'EXECUTE')
        """
    )
    assert not rows
