"""Statements on the roster's own temporary tables: the files as they came, what is wrong with them, what they mean.

A row is rejected when it is wrong, and outside when it belongs to another school of the same files. What a file means
is written to the tables that people and courses stage.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from firstbell.domains.roster.model import LEVELS_MAX, Rejection
from firstbell.kernel.db import Transaction

_FILE_OF = {
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


async def create_tables(tx: Transaction) -> None:
    """Make the temporary tables; they go with the transaction."""
    await tx.execute(
        """
        SET LOCAL work_mem = '128MB';
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
    await tx.execute("; ".join(f"ANALYZE {table}" for table in (*_FILE_OF, "roster_override")))


async def reject_duplicates(tx: Transaction, table: str) -> None:
    """Reject the rows whose sourcedId an earlier row of the file has."""
    await tx.execute(
        f"""
        WITH twice AS (
            SELECT source_id, min(line) AS first_line FROM {table} WHERE source_id <> ''
            GROUP BY source_id HAVING count(*) > 1
        ), flawed AS (
            UPDATE {table} AS this SET is_rejected = true FROM twice
            WHERE this.source_id = twice.source_id AND this.line > twice.first_line AND NOT this.is_rejected
            RETURNING this.line, twice.first_line
        )
        INSERT INTO roster_rejection
        SELECT '{_FILE_OF[table]}', line, 'sourcedId', 'is the same as in line ' || first_line FROM flawed
        """  # noqa: S608 the names of tables are ours
    )


async def _reject(tx: Transaction, table: str, column: str, condition: str, reason: str, *parameters: Any) -> int:
    """Reject the rows (`this`) for which `condition` holds; how many. Deleted rows need no more than their id."""
    return await tx.execute(
        f"""
        WITH flawed AS (
            UPDATE {table} AS this SET is_rejected = true
            WHERE NOT is_rejected AND NOT is_outside AND NOT is_deleted AND ({condition})
            RETURNING line, {reason} AS reason
        )
        INSERT INTO roster_rejection SELECT '{_FILE_OF[table]}', line, '{column}', reason FROM flawed
        """,  # noqa: S608 the names of tables and columns are ours
        *parameters,
    )


async def reject_dangling(
    tx: Transaction, table: str, column: str, reference: str, target: str, *, known: str | None = None
) -> None:
    """Reject rows whose `reference` (`column` in the file) names no accepted row of `target` and none in `known`."""
    is_known = f"EXISTS (SELECT FROM {known} WHERE source_id = this.{reference})" if known else "false"
    await _reject(
        tx,
        table,
        column,
        f"""
        this.{reference} IS NOT NULL AND NOT {is_known} AND NOT EXISTS (
            SELECT FROM {target} AS named WHERE named.source_id = this.{reference} AND NOT named.is_rejected
        )
        """,
        _dangling_reason(f"this.{reference}", target),
    )


async def reject_dangling_in_list(
    tx: Transaction, table: str, column: str, references: str, target: str, *, accepts_rejected: bool = False
) -> None:
    """As `reject_dangling`, for a column that holds several ids; `accepts_rejected` when a rejected row will do."""
    is_accepted = "true" if accepts_rejected else "NOT named.is_rejected"
    missing = f"""
        SELECT item FROM unnest(this.{references}) AS item WHERE NOT EXISTS (
            SELECT FROM {target} AS named WHERE named.source_id = item AND {is_accepted}
        ) LIMIT 1
    """  # noqa: S608
    await _reject(
        tx,
        table,
        column,
        f"""
        this.line IN (
            SELECT held.line FROM {table} AS held CROSS JOIN LATERAL unnest(held.{references}) AS item
            LEFT JOIN {target} AS named ON named.source_id = item AND {is_accepted}
            WHERE named.source_id IS NULL
        )
        """,  # noqa: S608
        _dangling_reason(f"({missing})", target),
    )


def _dangling_reason(reference: str, target: str) -> str:
    return f"""
        CASE WHEN EXISTS (SELECT FROM {target} WHERE source_id = {reference})
        THEN 'depends on a rejected row of {_FILE_OF[target]}.csv: '
        ELSE 'names nothing in {_FILE_OF[target]}.csv: ' END || left({reference}, 40)
    """


async def reject_cycles(tx: Transaction, table: str, *, is_whole: bool) -> None:
    """Give every row the level of its parent plus one, and reject those that never get one.

    A parent that is not in the file counts as the top unless the file `is_whole`.
    """
    if is_whole:
        for _ in range(LEVELS_MAX):
            if not await _reject_orphans(tx, table):
                break
    for level in range(LEVELS_MAX):
        found = await tx.execute(
            f"""
            UPDATE {table} AS this SET level = $1 WHERE level IS NULL AND NOT is_rejected AND (
                parent_source_id IS NULL
                OR EXISTS (SELECT FROM {table} WHERE source_id = this.parent_source_id AND level = $1 - 1)
                OR NOT EXISTS (SELECT FROM {table} WHERE source_id = this.parent_source_id AND NOT is_rejected)
            )
            """,  # noqa: S608
            level,
        )
        if not found:
            break
    await _reject(
        tx, table, "parentSourcedId", "level IS NULL", f"'leads in a circle, or through more than {LEVELS_MAX} levels'"
    )


async def _reject_orphans(tx: Transaction, table: str) -> int:
    return await _reject(
        tx,
        table,
        "parentSourcedId",
        f"""
        this.parent_source_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM {table} AS named WHERE named.source_id = this.parent_source_id AND NOT named.is_rejected
        )
        """,
        _dangling_reason("this.parent_source_id", table),
    )


async def list_school_orgs(tx: Transaction, most: int) -> list[tuple[str, str, str]]:
    """At most `most` accepted schools of the files: sourcedId, identifier, name."""
    rows = await tx.fetch(
        """
        SELECT source_id, coalesce(identifier, '') AS identifier, name FROM roster_org
        WHERE kind = 'school' AND NOT is_rejected AND NOT is_deleted ORDER BY line LIMIT $1
        """,
        most,
    )
    return [(row["source_id"], row["identifier"], row["name"]) for row in rows]


async def find_school_orgs(tx: Transaction, name: str) -> list[tuple[str, str]]:
    """The accepted schools with this sourcedId or identifier: sourcedId and name."""
    rows = await tx.fetch(
        """
        SELECT source_id, name FROM roster_org
        WHERE kind = 'school' AND NOT is_rejected AND NOT is_deleted
          AND lower($1) IN (lower(source_id), lower(identifier))
        LIMIT 2
        """,
        name,
    )
    return [(row["source_id"], row["name"]) for row in rows]


async def has_other_schools(tx: Transaction, org_source_id: str) -> bool:
    """True when the files name another school beside this one."""
    found: bool = await tx.fetchval(
        "SELECT EXISTS (SELECT FROM roster_org WHERE kind = 'school' AND NOT is_deleted AND source_id <> $1)",
        org_source_id,
    )
    return found


async def leave_other_schools_out(tx: Transaction, org_source_id: str) -> None:
    """Mark what belongs to other schools than this one as outside; what stands above or below it is its own."""
    await tx.execute("UPDATE roster_org SET is_ours = true WHERE source_id = $1 AND NOT is_rejected", org_source_id)
    for relation in ("this.parent_source_id = ours.source_id", "ours.parent_source_id = this.source_id"):
        await tx.execute(
            f"""
            WITH RECURSIVE ours (source_id, parent_source_id, step) AS (
                SELECT source_id, parent_source_id, 0 FROM roster_org WHERE source_id = $1 AND NOT is_rejected
                UNION ALL
                SELECT this.source_id, this.parent_source_id, step + 1 FROM roster_org AS this JOIN ours ON {relation}
                WHERE step < {LEVELS_MAX} AND NOT this.is_rejected
            )
            UPDATE roster_org SET is_ours = true FROM ours WHERE ours.source_id = roster_org.source_id
            """,  # noqa: S608
            org_source_id,
        )
    for table, org in (
        ("roster_role", "org_source_id"),
        ("roster_course", "org_source_id"),
        ("roster_class", "school_source_id"),
        ("roster_enrolment", "school_source_id"),
    ):
        await tx.execute(
            f"""
            UPDATE {table} AS this SET is_outside = true
            WHERE NOT is_rejected AND EXISTS (SELECT FROM roster_org WHERE source_id = this.{org} AND NOT is_ours)
            """  # noqa: S608
        )
    await tx.execute(
        """
        UPDATE roster_user AS this SET is_outside = true
        WHERE NOT is_rejected AND cardinality(org_source_ids) > 0 AND NOT EXISTS (
            SELECT FROM roster_org WHERE source_id = ANY (this.org_source_ids) AND is_ours
        )
        """
    )
    await tx.execute(
        """
        UPDATE roster_user AS this SET is_outside = true
        WHERE EXISTS (SELECT FROM roster_role WHERE user_source_id = this.source_id AND is_outside)
          AND NOT EXISTS (SELECT FROM roster_role WHERE user_source_id = this.source_id AND NOT is_outside)
        """
    )
    for table, user in (("roster_demographic", "source_id"), ("roster_profile", "user_source_id")):
        await tx.execute(
            f"""
            UPDATE {table} AS this SET is_outside = true
            FROM roster_user AS person WHERE person.source_id = this.{user} AND person.is_outside
            """  # noqa: S608
        )


async def reject_unknown_agents(tx: Transaction, *, is_whole: bool) -> None:
    """Reject users with an agent who is nobody; a delta may name whoever the school has."""
    if is_whole:
        await reject_dangling_in_list(
            tx, "roster_user", "agentSourcedIds", "agent_source_ids", "roster_user", accepts_rejected=True
        )
        return
    await _reject(
        tx,
        "roster_user",
        "agentSourcedIds",
        """
        EXISTS (
            SELECT FROM unnest(this.agent_source_ids) AS item
            WHERE NOT EXISTS (SELECT FROM roster_user AS named WHERE named.source_id = item)
              AND NOT EXISTS (SELECT FROM known_person WHERE source_id = item)
        )
        """,
        "'names nobody: ' || left(array_to_string(this.agent_source_ids, ', '), 80)",
    )


async def name_lost_agents(tx: Transaction) -> None:
    """Name the links to persons whose own row is rejected: the link falls, the person who has it does not."""
    await tx.execute(
        """
        INSERT INTO roster_rejection
        SELECT 'users', held.line, 'agentSourcedIds',
               'the link to ' || left(item, 40) || ' depends on a rejected row of users.csv'
        FROM roster_user AS held CROSS JOIN LATERAL unnest(held.agent_source_ids) AS item
        WHERE NOT held.is_rejected AND NOT held.is_deleted
          AND EXISTS (SELECT FROM roster_user AS named WHERE named.source_id = item AND named.is_rejected)
          AND NOT EXISTS (SELECT FROM roster_user AS named WHERE named.source_id = item AND NOT named.is_rejected)
        """
    )


async def spread_roles_of_users(tx: Transaction) -> None:
    """Version 1.1 says a user's role in users.csv: give it a row as version 1.2 has it."""
    await tx.execute(
        """
        INSERT INTO roster_role (line, source_id, is_deleted, is_rejected, user_source_id, role)
        SELECT line, source_id, false, is_rejected, source_id, role FROM roster_user WHERE NOT is_outside
        """
    )
    await tx.execute("ANALYZE roster_role")


async def stage_overrides(tx: Transaction) -> list[str]:
    """Let the mapping file's roles take the place of those in the files; the keys that are nobody's."""
    rows = await tx.fetch(
        """
        SELECT DISTINCT key FROM roster_override
        WHERE NOT EXISTS (SELECT FROM roster_user WHERE key IN (source_id, identifier)) ORDER BY key LIMIT 20
        """
    )
    await tx.execute(
        """
        UPDATE roster_role AS this SET is_outside = true FROM roster_user AS person
        WHERE person.source_id = this.user_source_id
          AND EXISTS (SELECT FROM roster_override WHERE key IN (person.source_id, person.identifier))
        """
    )
    await tx.execute(
        """
        INSERT INTO roster_role (line, source_id, is_deleted, is_rejected, user_source_id, role)
        SELECT DISTINCT 0, person.source_id, false, false, person.source_id, roster_override.role
        FROM roster_override JOIN roster_user AS person ON key IN (person.source_id, person.identifier)
        WHERE NOT person.is_rejected
        """
    )
    return [row["key"] for row in rows]


async def reject_people_without_role(tx: Transaction, *, is_whole: bool) -> None:
    """Reject users of whom no row says who they are here. In a delta, those whom the school has keep their roles."""
    has_known = "false" if is_whole else "EXISTS (SELECT FROM known_person WHERE source_id = this.source_id)"
    await _reject(
        tx,
        "roster_user",
        "sourcedId",
        f"""
        NOT {has_known} AND NOT EXISTS (
            SELECT FROM roster_role AS named WHERE named.user_source_id = this.source_id AND NOT named.is_rejected
        )
        """,
        """
        CASE WHEN EXISTS (SELECT FROM roster_role AS named WHERE named.user_source_id = this.source_id)
        THEN 'depends on a rejected row of roles.csv' ELSE 'has no role in roles.csv' END
        """,
    )


async def reject_taken_sign_in_names(tx: Transaction, *, is_whole: bool) -> int:
    """Reject users whose sign-in name an earlier row has, or somebody in the school who keeps it; how many."""
    await tx.execute("DROP TABLE IF EXISTS roster_sign_in_name")
    await tx.execute(
        """
        CREATE TEMP TABLE roster_sign_in_name ON COMMIT DROP AS
        SELECT lower(sign_in_name) AS key, min(line) AS line FROM roster_user
        WHERE NOT is_rejected AND NOT is_outside AND NOT is_deleted AND is_enabled
        GROUP BY lower(sign_in_name)
        """
    )
    await tx.execute("ANALYZE roster_sign_in_name")
    twice = await _reject(
        tx,
        "roster_user",
        "username",
        """
        is_enabled AND EXISTS (
            SELECT FROM roster_sign_in_name AS taken
            WHERE taken.key = lower(this.sign_in_name) AND taken.line < this.line
        )
        """,
        """
        'is the same as in line '
            || (SELECT line FROM roster_sign_in_name AS taken WHERE taken.key = lower(this.sign_in_name))
        """,
    )
    kept = await _reject(
        tx,
        "roster_user",
        "username",
        """
        is_enabled AND EXISTS (
            SELECT FROM known_person AS kept
            WHERE kept.sign_in_key = lower(this.sign_in_name) AND NOT kept.is_retired
              AND kept.source_id IS DISTINCT FROM this.source_id
              AND NOT EXISTS (
                  SELECT FROM roster_user AS named WHERE named.source_id = kept.source_id AND NOT named.is_rejected
              )
              AND (NOT $1 OR kept.source_id IS NULL
                   OR EXISTS (SELECT FROM roster_user AS named WHERE named.source_id = kept.source_id))
        )
        """,
        "'is the sign-in name of somebody else in the school'",
        is_whole,
    )
    return twice + kept


async def reject_outsiders(tx: Transaction) -> None:
    """Reject enrolments of people who belong to another school of the files."""
    await _reject(
        tx,
        "roster_enrolment",
        "userSourcedId",
        "EXISTS (SELECT FROM roster_user AS person WHERE person.source_id = this.user_source_id AND person.is_outside)",
        "'names a person of another school: ' || left(this.user_source_id, 40)",
    )


async def find_school_years(tx: Transaction) -> None:
    """Lead every session up to its school year: its own, an ancestor, else the one in which it begins."""
    await tx.execute(
        "UPDATE roster_session SET year_source_id = source_id WHERE kind = 'schoolYear' AND NOT is_rejected"
    )
    for level in range(1, LEVELS_MAX):
        await tx.execute(
            """
            UPDATE roster_session AS this SET year_source_id = above.year_source_id
            FROM roster_session AS above
            WHERE this.level = $1 AND this.year_source_id IS NULL AND NOT above.is_rejected
              AND above.source_id = this.parent_source_id
            """,
            level,
        )
    await tx.execute(
        """
        UPDATE roster_session AS this SET year_source_id = (
            SELECT source_id FROM roster_session AS year
            WHERE year.kind = 'schoolYear' AND NOT year.is_rejected
              AND this.starts_on >= year.starts_on AND this.starts_on < year.ends_on
            ORDER BY year.starts_on DESC LIMIT 1
        )
        WHERE year_source_id IS NULL AND NOT is_rejected
        """
    )


async def stage_school_years(tx: Transaction) -> None:
    """Hand the school years of the files to people's `staged_school_year`."""
    await tx.execute(
        """
        INSERT INTO staged_school_year (source_id, id, name, starts_on, ends_on)
        SELECT this.source_id, coalesce(known.id, this.id), this.title, this.starts_on, this.ends_on
        FROM roster_session AS this LEFT JOIN known_school_year AS known ON known.source_id = this.source_id
        WHERE this.kind = 'schoolYear' AND NOT this.is_rejected AND NOT this.is_deleted
        """
    )


async def find_years_of_classes(tx: Transaction) -> None:
    """Give every class its school year by its terms, else its course, else the only one; reject it without."""
    await tx.execute(
        """
        CREATE TEMP TABLE roster_year ON COMMIT DROP AS
        SELECT source_id, id FROM staged_school_year
        UNION ALL
        SELECT source_id, id FROM known_school_year
        WHERE source_id NOT IN (SELECT source_id FROM staged_school_year)
        """
    )
    await tx.execute(
        """
        UPDATE roster_class AS this SET year_id = coalesce(
            (
                SELECT year.id FROM unnest(this.term_source_ids) AS item
                LEFT JOIN roster_session AS term ON term.source_id = item AND NOT term.is_rejected
                JOIN roster_year AS year ON year.source_id = coalesce(term.year_source_id, item)
                LIMIT 1
            ),
            (
                SELECT year.id FROM roster_course AS course
                JOIN roster_session AS term ON term.source_id = course.year_source_id AND NOT term.is_rejected
                JOIN roster_year AS year ON year.source_id = term.year_source_id
                WHERE course.source_id = this.course_source_id AND NOT course.is_rejected LIMIT 1
            ),
            (SELECT school_year_id FROM known_class WHERE source_id = this.source_id),
            (SELECT school_year_id FROM known_course WHERE source_id = this.source_id),
            (SELECT id FROM roster_year WHERE (SELECT count(*) FROM roster_year) = 1)
        )
        WHERE NOT is_rejected AND NOT is_deleted AND NOT is_outside
        """
    )
    await _reject(tx, "roster_class", "termSourcedIds", "year_id IS NULL", "'leads to no school year'")


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


async def next_rejections(tx: Transaction, most: int) -> list[Rejection]:
    """At most `most` further rejections."""
    rows = await tx.fetch(f"FETCH {int(most)} FROM rejection_cursor")
    return [Rejection(row["file"] + ".csv", row["line"], row["property"], row["reason"]) for row in rows]


async def stage_people(tx: Transaction, *, replaces_roles: bool, today: date) -> None:
    """Hand the users to people's `staged_person`: whoever is deleted, disabled or has no role left retires."""
    await tx.execute(
        """
        WITH standing AS (
            SELECT user_source_id, bool_or(is_rejected) AS has_rejected,
                   bool_or(NOT is_rejected AND NOT is_deleted AND (ends_on IS NULL OR ends_on >= $2)) AS has_role
            FROM roster_role WHERE NOT is_outside GROUP BY user_source_id
        )
        INSERT INTO staged_person (source_id, id, account_id, sign_in_name, given_name, family_name, email,
                                   replaces_roles, is_retired)
        SELECT person.source_id, coalesce(known.id, person.id), person.account_id, person.sign_in_name,
               person.given_name, person.family_name, person.email,
               $1 AND NOT coalesce(standing.has_rejected, false),
               person.is_deleted OR NOT person.is_enabled OR ($1 AND NOT coalesce(standing.has_role, false))
        FROM roster_user AS person
        LEFT JOIN known_person AS known ON known.source_id = person.source_id
        LEFT JOIN standing ON standing.user_source_id = person.source_id
        WHERE NOT person.is_rejected AND NOT person.is_outside
        """,
        replaces_roles,
        today,
    )
    await tx.execute(
        """
        DELETE FROM staged_person AS new WHERE is_retired
        AND NOT EXISTS (SELECT FROM known_person WHERE known_person.id = new.id)
        """
    )


async def stage_kept(tx: Transaction) -> None:
    """Leave alone whatever has a rejected row and no accepted one."""
    for table, known in (
        ("roster_user", "known_person"),
        ("roster_class", "known_class"),
        ("roster_class", "known_course"),
    ):
        await tx.execute(
            f"""
            INSERT INTO staged_kept SELECT known.id FROM {known} AS known
            WHERE EXISTS (SELECT FROM {table} WHERE source_id = known.source_id AND is_rejected)
              AND NOT EXISTS (SELECT FROM {table} WHERE source_id = known.source_id AND NOT is_rejected)
            ON CONFLICT DO NOTHING
            """  # noqa: S608
        )


async def stage_named(tx: Transaction) -> None:
    """Name to people's `staged_named` those of whom a delta says only a role or a birth date."""
    await tx.execute(
        """
        INSERT INTO staged_named
        SELECT known.id FROM known_person AS known
        WHERE NOT EXISTS (SELECT FROM staged_person WHERE staged_person.id = known.id)
          AND NOT EXISTS (SELECT FROM staged_kept WHERE staged_kept.id = known.id) AND NOT known.is_retired
          AND (
              EXISTS (
                  SELECT FROM roster_role AS role
                  WHERE role.user_source_id = known.source_id AND NOT role.is_rejected AND NOT role.is_outside
              ) OR EXISTS (
                  SELECT FROM roster_demographic AS demographic
                  WHERE demographic.source_id = known.source_id AND NOT demographic.is_rejected
              )
          )
        """
    )


async def stage_roles(tx: Transaction, *, today: date) -> None:
    """Hand the roles to people's `staged_role`."""
    await tx.execute(
        """
        INSERT INTO staged_role (person_id, role, is_removed)
        SELECT person.id, role.role, bool_and(role.is_deleted OR coalesce(role.ends_on < $1, false))
        FROM roster_role AS role JOIN staged_person AS person ON person.source_id = role.user_source_id
        WHERE NOT role.is_rejected AND NOT role.is_outside AND role.role IS NOT NULL AND NOT person.is_retired
        GROUP BY person.id, role.role
        """,
        today,
    )


async def stage_birth_dates(tx: Transaction, *, is_whole: bool) -> None:
    """Hand the birth dates to people's `staged_person`; a whole file also says who has none."""
    await tx.execute(
        """
        UPDATE staged_person AS person SET has_birth_date = true,
            birth_date = CASE WHEN demographic.is_deleted THEN NULL ELSE demographic.birth_date END
        FROM roster_demographic AS demographic
        WHERE demographic.source_id = person.source_id AND NOT demographic.is_rejected
        """
    )
    if is_whole:
        await tx.execute(
            """
            UPDATE staged_person AS person SET has_birth_date = true
            WHERE NOT has_birth_date AND NOT EXISTS (
                SELECT FROM roster_demographic WHERE source_id = person.source_id AND is_rejected
            )
            """
        )


async def stage_relations(tx: Transaction, *, is_whole: bool) -> None:
    """Hand the agents to people's `staged_relation`. In a delta, somebody who names nobody keeps those there are."""
    await tx.execute(
        """
        INSERT INTO staged_relation (person_id, agent_id)
        SELECT DISTINCT person.id, coalesce(staged.id, known.id)
        FROM roster_user AS held
        JOIN staged_person AS person ON person.source_id = held.source_id AND NOT person.is_retired
        CROSS JOIN LATERAL unnest(held.agent_source_ids) AS item
        LEFT JOIN staged_person AS staged ON staged.source_id = item
        LEFT JOIN known_person AS known ON known.source_id = item
        WHERE NOT held.is_rejected AND coalesce(staged.id, known.id) IS NOT NULL
        """
    )
    await tx.execute(
        """
        INSERT INTO staged_guardianship_owner
        SELECT person.id FROM roster_user AS held
        JOIN staged_person AS person ON person.source_id = held.source_id AND NOT person.is_retired
        WHERE NOT held.is_rejected AND ($1 OR cardinality(held.agent_source_ids) > 0)
        """,
        is_whole,
    )


async def stage_classes(tx: Transaction) -> None:
    """Hand homerooms and groups to people's `staged_class`."""
    await tx.execute(
        """
        INSERT INTO staged_class (source_id, id, school_year_id, name, kind, is_retired)
        SELECT this.source_id, coalesce(known.id, this.id), this.year_id, this.title, this.kind, this.is_deleted
        FROM roster_class AS this LEFT JOIN known_class AS known ON known.source_id = this.source_id
        WHERE this.kind <> 'course' AND NOT this.is_rejected AND NOT this.is_outside
          AND NOT (this.is_deleted AND known.id IS NULL)
        """
    )
    await tx.execute(
        """
        INSERT INTO staged_class (source_id, id, is_retired)
        SELECT known.source_id, known.id, true FROM known_class AS known
        JOIN roster_class AS this ON this.source_id = known.source_id
        WHERE this.kind = 'course' AND NOT this.is_rejected AND NOT this.is_outside
        """
    )


async def stage_courses(tx: Transaction, *, is_whole: bool) -> None:
    """Hand scheduled classes to courses' `staged_course`, under the title of their course, subject or class.

    When the courses are not in the files as a whole, what has a title keeps it.
    """
    await tx.execute(
        """
        INSERT INTO staged_course (source_id, id, folder_id, school_year_id, title, label, is_retired)
        SELECT this.source_id, coalesce(known.id, this.id), this.folder_id, this.year_id,
               coalesce(course.title, CASE WHEN NOT $1 THEN known.title END, this.subject, this.title),
               nullif(this.title, ''), this.is_deleted
        FROM roster_class AS this
        LEFT JOIN known_course AS known ON known.source_id = this.source_id
        LEFT JOIN roster_course AS course ON course.source_id = this.course_source_id AND NOT course.is_rejected
            AND NOT course.is_deleted
        WHERE this.kind = 'course' AND NOT this.is_rejected AND NOT this.is_outside
          AND NOT (this.is_deleted AND known.id IS NULL)
        """,
        is_whole,
    )
    await tx.execute(
        """
        INSERT INTO staged_course (source_id, id, is_retired)
        SELECT known.source_id, known.id, true FROM known_course AS known
        JOIN roster_class AS this ON this.source_id = known.source_id
        WHERE this.kind <> 'course' AND NOT this.is_rejected AND NOT this.is_outside
        """
    )


async def stage_enrolments(tx: Transaction, *, today: date) -> None:
    """Hand the enrolments to people's `staged_class_member` and courses' `staged_enrolment`.

    Whoever is enrolled twice is a teacher when one of the rows says so. An enrolment that ended, while its school year
    did not, is over; one of a past school year stays.
    """
    await tx.execute(
        """
        CREATE TEMP TABLE roster_place ON COMMIT DROP AS
        SELECT source_id, id, false AS is_course, school_year_id FROM staged_class WHERE NOT is_retired
        UNION ALL
        SELECT source_id, id, true, school_year_id FROM staged_course WHERE NOT is_retired
        UNION ALL
        SELECT source_id, id, false, school_year_id FROM known_class
        WHERE NOT is_retired AND source_id NOT IN (SELECT source_id FROM staged_class)
        UNION ALL
        SELECT source_id, id, true, school_year_id FROM known_course
        WHERE NOT is_retired AND source_id NOT IN (SELECT source_id FROM staged_course)
        """
    )
    await tx.execute(
        """
        CREATE TEMP TABLE roster_member ON COMMIT DROP AS
        SELECT source_id, id FROM staged_person WHERE NOT is_retired
        UNION ALL
        SELECT source_id, id FROM known_person
        WHERE NOT is_retired AND source_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM staged_person WHERE staged_person.source_id = known_person.source_id)
        """
    )
    await tx.execute(
        """
        CREATE TEMP TABLE roster_year_end ON COMMIT DROP AS
        SELECT id, ends_on FROM known_school_year WHERE id NOT IN (SELECT id FROM staged_school_year)
        UNION ALL
        SELECT id, ends_on FROM staged_school_year
        """
    )
    await tx.execute("ANALYZE roster_place; ANALYZE roster_member; ANALYZE roster_year_end")
    for target, place, is_course in (
        ("staged_class_member", "class_id", "false"),
        ("staged_enrolment", "course_id", "true"),
    ):
        await tx.execute(
            f"""
            INSERT INTO {target} ({place}, person_id, role, is_removed)
            SELECT place.id, member.id, max(CASE WHEN NOT this.is_rejected THEN this.role END),
                   bool_and(NOT this.is_rejected
                            AND (this.is_deleted OR coalesce(this.ends_on < least($1, year.ends_on), false)))
            FROM roster_enrolment AS this
            JOIN roster_place AS place ON place.source_id = this.class_source_id AND place.is_course = {is_course}
            JOIN roster_member AS member ON member.source_id = this.user_source_id
            LEFT JOIN roster_year_end AS year ON year.id = place.school_year_id
            WHERE NOT this.is_outside AND (this.role <> '' OR this.is_rejected)
            GROUP BY place.id, member.id
            """,  # noqa: S608
            today,
        )
