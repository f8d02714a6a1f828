"""The temporary tables: the files row by row, and what is wrong with them."""

from collections.abc import Iterable, Sequence
from typing import Any

from firstbell.domains.roster.model import Rejection
from firstbell.kernel.db import Transaction

FILE_OF = {
    "roster_org": "orgs",
    "roster_session": "academicSessions",
    "roster_user": "users",
    "roster_role": "roles",
    "roster_course": "courses",
    "roster_class": "classes",
    "roster_enrolment": "enrollments",
    "roster_demographic": "demographics",
    "roster_profile": "userProfiles",
}


def filled(statement: str, **parts: str) -> str:
    """`statement` with names of our own tables and columns filled in, or conditions written here; values are bound."""
    return statement.format(**parts)


async def create_tables(tx: Transaction) -> None:
    """Make the temporary tables; they go with the transaction.

    Here whole tables meet, and row security hides from the planner how large those are: it would visit one row by row.
    """
    await tx.execute(
        """
        SET LOCAL work_mem = '128MB';
        SET LOCAL enable_nestloop = off;
        SET LOCAL client_min_messages = 'error';
        CREATE TEMP TABLE roster_row (
            line integer NOT NULL, source_id text NOT NULL, is_deleted boolean NOT NULL, is_rejected boolean NOT NULL,
            is_outside boolean NOT NULL DEFAULT false
        ) ON COMMIT DROP;
        CREATE TEMP TABLE roster_org (
            LIKE roster_row INCLUDING ALL, name text, kind text, identifier text, parent_source_id text, level integer,
            is_ours boolean NOT NULL DEFAULT false
        ) ON COMMIT DROP;
        CREATE TEMP TABLE roster_session (
            LIKE roster_row INCLUDING ALL, title text, kind text, starts_on date, ends_on date, parent_source_id text,
            level integer, id uuid, year_source_id text
        ) ON COMMIT DROP;
        CREATE TEMP TABLE roster_user (
            LIKE roster_row INCLUDING ALL, is_enabled boolean, sign_in_name text, given_name text, family_name text,
            identifier text, email text, agent_source_ids text [], role text, org_source_ids text [], id uuid,
            account_id uuid
        ) ON COMMIT DROP;
        CREATE TEMP TABLE roster_role (
            LIKE roster_row INCLUDING ALL, user_source_id text, role text, org_source_id text, ends_on date
        ) ON COMMIT DROP;
        CREATE TEMP TABLE roster_course (
            LIKE roster_row INCLUDING ALL, title text, year_source_id text, org_source_id text
        ) ON COMMIT DROP;
        CREATE TEMP TABLE roster_class (
            LIKE roster_row INCLUDING ALL, title text, course_source_id text, kind text, school_source_id text,
            term_source_ids text [], subject text, id uuid, folder_id uuid, year_id uuid
        ) ON COMMIT DROP;
        CREATE TEMP TABLE roster_enrolment (
            LIKE roster_row INCLUDING ALL, class_source_id text, school_source_id text, user_source_id text, role text,
            ends_on date
        ) ON COMMIT DROP;
        CREATE TEMP TABLE roster_demographic (LIKE roster_row INCLUDING ALL, birth_date date) ON COMMIT DROP;
        CREATE TEMP TABLE roster_profile (LIKE roster_row INCLUDING ALL, user_source_id text) ON COMMIT DROP;
        CREATE TEMP TABLE roster_rejection (file text, line integer, property text, reason text) ON COMMIT DROP;
        CREATE TEMP TABLE roster_override (key text, role text) ON COMMIT DROP;
        """
    )


async def copy_rows(tx: Transaction, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Stage rows of one file: line, source_id, is_deleted, is_rejected, then `columns`."""
    await tx.copy(table, ("line", "source_id", "is_deleted", "is_rejected", *columns), rows)


async def copy_rejections(tx: Transaction, rejections: Iterable[tuple[str, int, str, str]]) -> None:
    """Keep what is wrong: file, line, column, reason."""
    await tx.copy("roster_rejection", ("file", "line", "property", "reason"), rejections)


async def stage_known_places(tx: Transaction) -> None:
    """Make `known_place`: the classes and courses that the school has, by source id."""
    await tx.execute(
        """
        CREATE TEMP TABLE known_place ON COMMIT DROP AS
        SELECT source_id FROM known_class UNION ALL SELECT source_id FROM known_course
        """
    )


async def copy_overrides(tx: Transaction, roles: Iterable[tuple[str, str]]) -> None:
    """Stage what the mapping file says of persons: sourcedId or identifier, and a role."""
    await tx.copy("roster_override", ("key", "role"), roles)


async def analyze(tx: Transaction) -> None:
    """Let the planner know how large the files are."""
    await tx.execute("; ".join(f"ANALYZE {table}" for table in (*FILE_OF, "roster_override")))


async def count_rejections(tx: Transaction) -> int:
    """How many there are."""
    count: int = await tx.fetchval("SELECT count(*) FROM roster_rejection")
    return count


async def open_rejections(tx: Transaction) -> None:
    """Begin to read what is wrong, file by file and line by line."""
    await tx.execute(
        """
        DECLARE rejection_cursor NO SCROLL CURSOR FOR
        SELECT file, line, property, reason FROM roster_rejection ORDER BY file, line, property, reason
        """
    )


async def next_rejections(tx: Transaction) -> list[Rejection]:
    """At most 1,000 further rejections."""
    rows = await tx.fetch("FETCH 1000 FROM rejection_cursor")
    return [Rejection(row["file"] + ".csv", row["line"], row["property"], row["reason"]) for row in rows]
