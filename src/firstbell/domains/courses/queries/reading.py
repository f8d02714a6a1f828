"""Statements that read courses and enrolments."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from firstbell.domains.courses.model import Course, CourseEntry, Part, Participant
from firstbell.domains.documents.model import Document
from firstbell.domains.people.model import Membership
from firstbell.kernel.db import Row, Transaction

# One of the persons $3 (of the schools $2) teaches or follows the course $1, or their child follows it, or it is in
# the school $4.
_OWN_PART = """
    course LEFT JOIN enrolment AS own ON own.school_id = course.school_id AND own.course_id = course.id
        AND own.person_id = ANY($3)
"""
_MAY_READ = """
    course.school_id = ANY($2) AND course.id = $1 AND course.retired_at IS NULL AND (
        own.role IS NOT NULL OR course.school_id = $4 OR EXISTS (
            SELECT FROM guardianship AS care JOIN enrolment AS child ON child.school_id = care.school_id
                 AND child.course_id = course.id AND child.person_id = care.child_id
            WHERE care.school_id = course.school_id AND care.parent_id = ANY($3)
        )
    )
"""

_FIND_COURSE = " ".join(
    (
        """
        SELECT course.school_id, course.id, course.title, course.audience, course.folder_id,
               coalesce(own.role, CASE WHEN course.school_id = $4 THEN 'staff' ELSE 'parent' END) AS part
        FROM""",
        _OWN_PART,
        "WHERE",
        _MAY_READ,
        "ORDER BY own.role = 'teacher' DESC NULLS LAST LIMIT 1",
    )
)

_FIND_DOCUMENT = " ".join(
    (
        """
        SELECT document.school_id, document.id, document.root_id, document.folder_id, document.name,
               document.media_type, document.sha256, document.size_bytes, document.added_at, document.added_by
        FROM document JOIN""",
        _OWN_PART,
        "ON document.school_id = course.school_id AND document.root_id = course.folder_id",
        "WHERE document.id = $5 AND document.deleted_at IS NULL AND",
        _MAY_READ,
        "LIMIT 1",
    )
)


async def find_course(
    tx: Transaction, course_id: UUID, persons: Sequence[Membership], staff_of: UUID | None
) -> Course | None:
    """A course that one of `persons` teaches or follows, or whose child follows it, or that is in the school
    `staff_of`; as what, the strongest first."""
    schools, ids = [person.school_id for person in persons], [person.person_id for person in persons]
    row = await tx.fetchrow(_FIND_COURSE, course_id, schools, ids, staff_of)
    if row is None:
        return None
    return Course(row["school_id"], row["id"], row["title"], row["audience"], row["folder_id"], Part(row["part"]))


async def find_document(
    tx: Transaction, course_id: UUID, document_id: UUID, persons: Sequence[Membership], staff_of: UUID | None
) -> tuple[UUID, Document] | None:
    """A document of such a course that is not in the bin, and its school."""
    schools, ids = [person.school_id for person in persons], [person.person_id for person in persons]
    row = await tx.fetchrow(_FIND_DOCUMENT, course_id, schools, ids, staff_of, document_id)
    if row is None:
        return None
    school_id, *columns = row
    return school_id, Document(*columns)


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
