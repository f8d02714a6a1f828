"""What the accepted rows mean here, handed to the tables that people and courses stage."""

from datetime import date

from firstbell.domains.roster.model import LEVELS_MAX
from firstbell.domains.roster.queries.checks import reject
from firstbell.domains.roster.queries.staging import filled
from firstbell.kernel.db import Transaction


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
    await reject(tx, "roster_class", "termSourcedIds", "year_id IS NULL", "'leads to no school year'")


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
            filled(
                """
            INSERT INTO staged_kept SELECT known.id FROM {known} AS known
            WHERE EXISTS (SELECT FROM {table} WHERE source_id = known.source_id AND is_rejected)
              AND NOT EXISTS (SELECT FROM {table} WHERE source_id = known.source_id AND NOT is_rejected)
            ON CONFLICT DO NOTHING
            """,
                known=known,
                table=table,
            )
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
            filled(
                """
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
            """,
                target=target,
                place=place,
                is_course=is_course,
            ),
            today,
        )
