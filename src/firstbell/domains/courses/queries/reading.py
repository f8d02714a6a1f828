"""Statements on courses and enrolments."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from firstbell.domains.courses.model import Course, CourseEntry, Part, Participant
from firstbell.domains.people.model import Membership
from firstbell.kernel.db import Row, Transaction

AUDIENCE_CLASSES_MAX = 6
"""More classes than these are not read any more; the label ends in an ellipsis."""


async def find_course(
    tx: Transaction, course_id: UUID, persons: Sequence[Membership], staff_of: UUID | None
) -> Course | None:
    """A course that one of `persons` teaches or follows, or whose child follows it, or that is in the school
    `staff_of`; as what, the strongest first."""
    row = await tx.fetchrow(
        """
        SELECT course.school_id, course.id, course.title, course.audience, course.folder_id,
               coalesce(own.role, CASE WHEN course.school_id = $4 THEN 'staff' ELSE 'parent' END) AS part
        FROM course
        LEFT JOIN enrolment AS own ON own.school_id = course.school_id AND own.course_id = course.id
             AND own.person_id = ANY($3)
        WHERE course.school_id = ANY($2) AND course.id = $1 AND course.retired_at IS NULL AND (
            own.role IS NOT NULL OR course.school_id = $4 OR EXISTS (
                SELECT FROM guardianship AS care JOIN enrolment AS child ON child.school_id = care.school_id
                     AND child.course_id = course.id AND child.person_id = care.child_id
                WHERE care.school_id = course.school_id AND care.parent_id = ANY($3)
            )
        )
        ORDER BY own.role = 'teacher' DESC NULLS LAST LIMIT 1
        """,
        course_id,
        [person.school_id for person in persons],
        [person.person_id for person in persons],
        staff_of,
    )
    if row is None:
        return None
    return Course(row["school_id"], row["id"], row["title"], row["audience"], row["folder_id"], Part(row["part"]))


async def list_own_courses(tx: Transaction, school_id: UUID, person_id: UUID) -> list[CourseEntry]:
    """The courses that a person teaches or follows."""
    rows = await tx.fetch(
        """
        SELECT course.id, course.title, course.audience, '' AS child,
               course_teachers(course.school_id, course.id) AS teachers
        FROM enrolment AS own JOIN course ON course.school_id = own.school_id AND course.id = own.course_id
        WHERE own.school_id = $1 AND own.person_id = $2 AND course.retired_at IS NULL
        ORDER BY course.title, course.audience, course.id
        """,
        school_id,
        person_id,
    )
    return [_entry(row) for row in rows]


async def list_children_courses(tx: Transaction, parents: Sequence[Membership]) -> list[CourseEntry]:
    """The courses that the children of these persons follow, child by child."""
    rows = await tx.fetch(
        """
        SELECT course.id, course.title, course.audience, child.given_name AS child,
               course_teachers(course.school_id, course.id) AS teachers
        FROM guardianship AS care
        JOIN person AS child ON child.school_id = care.school_id AND child.id = care.child_id
             AND child.retired_at IS NULL
        JOIN enrolment AS following ON following.school_id = care.school_id AND following.person_id = care.child_id
             AND following.role = 'pupil'
        JOIN course ON course.school_id = following.school_id AND course.id = following.course_id
        WHERE care.school_id = ANY($1) AND care.parent_id = ANY($2) AND course.retired_at IS NULL
        ORDER BY child.given_name, child.id, course.title, course.audience, course.id
        """,
        [parent.school_id for parent in parents],
        [parent.person_id for parent in parents],
    )
    return [_entry(row) for row in rows]


async def list_school_courses(tx: Transaction, school_id: UUID, search: str, limit: int) -> list[CourseEntry]:
    """The courses of a school whose title or audience has `search` in it."""
    rows = await tx.fetch(
        """
        SELECT id, title, audience, '' AS child, teachers
        FROM course CROSS JOIN LATERAL course_teachers(school_id, id) AS teachers
        WHERE school_id = $1 AND retired_at IS NULL
          AND strpos(lower(title || ' ' || audience || ' ' || teachers), lower($2)) > 0
        ORDER BY title, audience, id LIMIT $3
        """,
        school_id,
        search,
        limit,
    )
    return [_entry(row) for row in rows]


async def list_by_source_id(tx: Transaction, school_id: UUID) -> dict[str, tuple[UUID, UUID]]:
    """Course and folder of each course of a school, by its id in the roster."""
    rows = await tx.fetch(
        "SELECT source_id, id, folder_id FROM course WHERE school_id = $1 AND retired_at IS NULL", school_id
    )
    return {row["source_id"]: (row["id"], row["folder_id"]) for row in rows}


async def list_participants(tx: Transaction, school_id: UUID, course_id: UUID) -> list[Participant]:
    """Who teaches a course, then who follows it."""
    rows = await tx.fetch(
        """
        SELECT person.given_name, person.family_name, enrolment.role = 'teacher' AS is_teacher
        FROM enrolment JOIN person ON person.school_id = enrolment.school_id AND person.id = enrolment.person_id
        WHERE enrolment.school_id = $1 AND enrolment.course_id = $2 AND person.retired_at IS NULL
        ORDER BY is_teacher DESC, person.family_name, person.given_name, person.id
        """,
        school_id,
        course_id,
    )
    return [Participant(row["given_name"], row["family_name"], row["is_teacher"]) for row in rows]


def _entry(row: Row) -> CourseEntry:
    return CourseEntry(row["id"], row["title"], row["audience"], row["teachers"], row["child"])


# Merging a roster: whoever brings one in fills temporary tables, `compare_*` works out what differs from what is kept,
# and `merge_*` writes it. A verdict is added, changed, retired, returned or same; for enrolments added or removed.


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


async def list_followed(tx: Transaction, persons: Sequence[tuple[UUID, UUID]]) -> dict[UUID, list[UUID]]:
    """The ids of the courses that each of these persons, given as (school, person), follows as a pupil.

    In the same order for everybody, so that what a class shares is found again.
    """
    rows = await tx.fetch(
        """
        SELECT person_id, array_agg(course_id ORDER BY course_id) FROM enrolment
        WHERE school_id = ANY ($1) AND person_id = ANY ($2) AND role = 'pupil'
        GROUP BY person_id
        """,
        [school_id for school_id, _ in persons],
        [person_id for _, person_id in persons],
    )
    return {row[0]: row[1] for row in rows}


async def list_new_documents(
    tx: Transaction, courses: Sequence[tuple[UUID, UUID]], since: datetime, *, most: int
) -> dict[tuple[UUID, UUID], tuple[UUID, str, list[tuple[UUID, str, str, datetime]]]]:
    """For each course, given as (school, course): its folder, its title and its newest documents, at most so many.

    A document is id, name, media type and when it was added; the newest stands first.
    """
    rows = await tx.fetch(
        """
        SELECT course.school_id, course.id, course.folder_id, course.title,
               added.id, added.name, added.media_type, added.added_at
        FROM unnest($1::uuid[], $2::uuid[]) AS wanted (school_id, course_id)
        JOIN course ON course.school_id = wanted.school_id AND course.id = wanted.course_id
        LEFT JOIN LATERAL (
            SELECT document.id, document.name, document.media_type, document.added_at FROM document
            WHERE document.school_id = course.school_id AND document.root_id = course.folder_id
                AND document.added_at >= $3 AND document.deleted_at IS NULL
            ORDER BY document.added_at DESC LIMIT $4
        ) AS added ON true
        """,
        [school_id for school_id, _ in courses],
        [course_id for _, course_id in courses],
        since,
        most,
    )
    found: dict[tuple[UUID, UUID], tuple[UUID, str, list[tuple[UUID, str, str, datetime]]]] = {}
    for school_id, course_id, folder_id, title, document_id, name, media_type, added_at in rows:
        documents = found.setdefault((school_id, course_id), (folder_id, title, []))[2]
        if document_id is not None:
            documents.append((document_id, name, media_type, added_at))
    return found
