"""Statements by which a roster becomes courses and enrolments: staged, compared, merged."""

from datetime import datetime
from uuid import UUID

from firstbell.kernel.db import Transaction

AUDIENCE_CLASSES_MAX = 6
"""More classes than these are not read any more; the label ends in an ellipsis."""


async def stage_courses(tx: Transaction, school_id: UUID) -> None:
    """Make the temporary tables from which courses are merged, all dropped with the transaction.

    - `known_course`: what the school has, by source id.
    - `staged_course`: one row for each that a roster names, with the ids that it and its folder get when it is new;
      `label` is what the roster calls it, class included.
    - `staged_enrolment`: pairs of ids; an enrolment without role is left as it is.

    Beside them people's `staged_person` and `staged_kept` are read.
    """
    await tx.execute(
        """
        CREATE TEMP TABLE known_course (
            source_id text PRIMARY KEY, id uuid, school_year_id uuid, title text, is_retired boolean
        ) ON COMMIT DROP;
        CREATE TEMP TABLE staged_course (
            source_id text PRIMARY KEY, id uuid NOT NULL, folder_id uuid, school_year_id uuid, title text,
            label text, is_retired boolean NOT NULL, verdict text NOT NULL DEFAULT 'added'
        ) ON COMMIT DROP;
        CREATE TEMP TABLE staged_enrolment (
            course_id uuid, person_id uuid, role text, is_removed boolean NOT NULL
        ) ON COMMIT DROP;
        CREATE TEMP TABLE enrolment_difference (course_id uuid, person_id uuid, role text, verdict text)
            ON COMMIT DROP;
        """
    )
    await tx.execute(
        """
        INSERT INTO known_course SELECT source_id, id, school_year_id, title, retired_at IS NOT NULL FROM course
        WHERE school_id = $1
        """,
        school_id,
    )
    await tx.execute("ANALYZE known_course")


async def compare_courses(tx: Transaction, school_id: UUID, *, retires_missing: bool) -> None:
    """Give each staged course a verdict; with `retires_missing`, courses that are not staged are staged as retired."""
    if retires_missing:
        await tx.execute(
            """
            INSERT INTO staged_course (source_id, id, label, is_retired)
            SELECT source_id, id, title || ' ' || audience, true FROM course AS kept
            WHERE school_id = $1 AND retired_at IS NULL
              AND NOT EXISTS (SELECT FROM staged_course WHERE staged_course.source_id = kept.source_id)
              AND NOT EXISTS (SELECT FROM staged_kept WHERE staged_kept.id = kept.id)
            """,
            school_id,
        )
    await tx.execute(
        """
        UPDATE staged_course AS staged SET verdict = CASE
            WHEN staged.is_retired AND kept.retired_at IS NOT NULL THEN 'same'
            WHEN staged.is_retired THEN 'retired'
            WHEN kept.retired_at IS NOT NULL THEN 'returned'
            WHEN (staged.title, staged.school_year_id) IS DISTINCT FROM (kept.title, kept.school_year_id) THEN 'changed'
            ELSE 'same' END
        FROM course AS kept
        WHERE kept.school_id = $1 AND kept.id = staged.id
        """,
        school_id,
    )
    await tx.execute("ANALYZE staged_course")


async def compare_enrolments(tx: Transaction, school_id: UUID, *, removes_missing: bool) -> None:
    """Work out which enrolments come and go; retired courses and people have none."""
    await tx.execute("ANALYZE staged_enrolment")
    await tx.execute(
        """
        INSERT INTO enrolment_difference
        SELECT staged.course_id, staged.person_id, staged.role, 'added' FROM staged_enrolment AS staged
        LEFT JOIN enrolment AS kept ON kept.school_id = $1 AND kept.course_id = staged.course_id
            AND kept.person_id = staged.person_id
        WHERE staged.role IS NOT NULL AND NOT staged.is_removed AND kept.role IS DISTINCT FROM staged.role
        """,
        school_id,
    )
    await tx.execute(
        """
        INSERT INTO enrolment_difference
        SELECT kept.course_id, kept.person_id, kept.role, 'removed' FROM enrolment AS kept
        LEFT JOIN staged_enrolment AS staged ON staged.course_id = kept.course_id
            AND staged.person_id = kept.person_id
        WHERE kept.school_id = $1 AND (
            staged.is_removed
            OR EXISTS (SELECT FROM staged_course WHERE id = kept.course_id AND is_retired)
            OR EXISTS (SELECT FROM staged_person WHERE id = kept.person_id AND is_retired)
            OR ($2 AND staged.course_id IS NULL
                AND NOT EXISTS (SELECT FROM staged_kept WHERE id IN (kept.course_id, kept.person_id)))
        )
        """,
        school_id,
        removes_missing,
    )


async def list_new_course_folders(tx: Transaction) -> list[tuple[UUID, str]]:
    """The id and name of the top folder that each new course wants."""
    rows = await tx.fetch("SELECT folder_id, title FROM staged_course WHERE verdict = 'added' ORDER BY source_id")
    return [(row["folder_id"], row["title"]) for row in rows]


async def list_retiring_courses(tx: Transaction) -> list[UUID]:
    """The courses that this import retires."""
    rows = await tx.fetch("SELECT id FROM staged_course WHERE verdict = 'retired' ORDER BY id")
    return [row["id"] for row in rows]


async def merge_courses(tx: Transaction, school_id: UUID, *, now: datetime) -> None:
    """Write the staged courses; the folders of new ones exist."""
    await tx.execute(
        """
        UPDATE course AS kept SET retired_at = $2 FROM staged_course AS staged
        WHERE kept.school_id = $1 AND kept.id = staged.id AND staged.verdict = 'retired'
        """,
        school_id,
        now,
    )
    await tx.execute(
        """
        UPDATE course AS kept SET title = staged.title, school_year_id = staged.school_year_id, retired_at = NULL
        FROM staged_course AS staged
        WHERE kept.school_id = $1 AND kept.id = staged.id AND staged.verdict IN ('changed', 'returned')
        """,
        school_id,
    )
    await tx.execute(
        """
        INSERT INTO course (school_id, id, school_year_id, folder_id, source_id, title, audience)
        SELECT $1, id, school_year_id, folder_id, source_id, title, '' FROM staged_course WHERE verdict = 'added'
        """,
        school_id,
    )


async def merge_enrolments(tx: Transaction, school_id: UUID) -> None:
    """Write who follows and teaches what."""
    await tx.execute(
        """
        DELETE FROM enrolment AS kept USING enrolment_difference AS gone
        WHERE kept.school_id = $1 AND kept.course_id = gone.course_id AND kept.person_id = gone.person_id
          AND gone.verdict = 'removed'
        """,
        school_id,
    )
    await tx.execute(
        """
        INSERT INTO enrolment (school_id, course_id, person_id, role)
        SELECT $1, course_id, person_id, role FROM enrolment_difference WHERE verdict = 'added'
        ORDER BY course_id, person_id
        ON CONFLICT (school_id, course_id, person_id) DO UPDATE SET role = excluded.role
        """,
        school_id,
    )


async def describe_audiences(tx: Transaction, school_id: UUID) -> None:
    """Say of every course which classes its pupils are from, by people's `pupil_class`.

    A course belongs to a class when all its pupils are in that class and in no other.
    """
    await tx.execute(
        """
        WITH audience AS (
            SELECT enrolment.course_id, array_agg(DISTINCT pupil_class.class_id) AS class_ids,
                   array_agg(DISTINCT pupil_class.class_name) FILTER (WHERE pupil_class.class_name IS NOT NULL) AS names
            FROM enrolment LEFT JOIN pupil_class ON pupil_class.person_id = enrolment.person_id
            WHERE enrolment.school_id = $1 AND enrolment.role = 'pupil'
            GROUP BY enrolment.course_id
        ), wanted AS (
            SELECT course.id, CASE WHEN cardinality(class_ids) = 1 THEN class_ids[1] END AS class_id,
                   coalesce(array_to_string(names[:$2], ' + ')
                       || CASE WHEN cardinality(names) > $2 THEN ' + …' ELSE '' END, '') AS audience
            FROM course LEFT JOIN audience ON audience.course_id = course.id
            WHERE course.school_id = $1 AND course.retired_at IS NULL
        )
        UPDATE course SET class_id = wanted.class_id, audience = wanted.audience FROM wanted
        WHERE course.school_id = $1 AND course.id = wanted.id
          AND (course.class_id, course.audience) IS DISTINCT FROM (wanted.class_id, wanted.audience)
        """,
        school_id,
        AUDIENCE_CLASSES_MAX,
    )


async def count_differences(tx: Transaction) -> list[tuple[str, str, int]]:
    """What differs, by kind and verdict."""
    rows = await tx.fetch(
        """
        SELECT 'course' AS kind, verdict, count(*) AS count FROM staged_course GROUP BY verdict
        UNION ALL SELECT 'enrolment', verdict, count(*) FROM enrolment_difference GROUP BY verdict
        """
    )
    return [(row["kind"], row["verdict"], row["count"]) for row in rows]


async def open_differences(tx: Transaction) -> None:
    """Begin to read what differs: courses, then for each course how many enrolments come and go."""
    await tx.execute(
        """
        DECLARE course_difference NO SCROLL CURSOR FOR
        WITH named AS (
            SELECT id, label AS name FROM staged_course WHERE label IS NOT NULL
            UNION ALL
            SELECT id, title || ' ' || audience FROM course WHERE school_id = (SELECT writable_school())
              AND id NOT IN (SELECT id FROM staged_course WHERE label IS NOT NULL)
        )
        SELECT 'course' AS kind, verdict, name, 1 AS place FROM staged_course JOIN named USING (id)
        WHERE verdict <> 'same'
        UNION ALL
        SELECT 'enrolment', verdict, count(*) || ' in ' || name, 2 FROM enrolment_difference
        JOIN named ON named.id = course_id GROUP BY verdict, named.id, name
        ORDER BY place, verdict, name
        """
    )


async def next_differences(tx: Transaction) -> list[tuple[str, str, str]]:
    """At most 1,000 further differences: kind, verdict, name."""
    rows = await tx.fetch("FETCH 1000 FROM course_difference")
    return [(row["kind"], row["verdict"], row["name"]) for row in rows]
