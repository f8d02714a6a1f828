"""Statements on one lesson: what its page shows, what its teachers write, its material."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from firstbell.domains.timetable.model.lessons import Lesson, Material, OpenLesson
from firstbell.domains.timetable.queries.days import lesson_in
from firstbell.kernel.db import Transaction


async def find_lesson(
    tx: Transaction,
    lesson_id: UUID,
    *,
    school_id: UUID,
    person_id: UUID,
    is_staff: bool,
    family: Sequence[tuple[UUID, UUID]],
) -> OpenLesson | None:
    """A lesson, if this person teaches or follows it, is (as one of `family`) a parent of a pupil, or is staff.

    The private note leaves the database for those who teach it only.
    """
    row = await tx.fetchrow(
        """
        SELECT card.*, asked.is_taught, CASE WHEN asked.is_taught THEN lesson.private_note ELSE '' END,
               lesson.cancelled_by IS NOT NULL
        FROM lesson
        JOIN lesson_card AS card ON card.school_id = lesson.school_id AND card.id = lesson.id
        CROSS JOIN LATERAL (
            SELECT lesson.school_id = $2 AND (
                EXISTS (
                    SELECT FROM enrolment
                    WHERE school_id = $2 AND course_id = lesson.course_id AND person_id = $3 AND role = 'teacher'
                ) OR EXISTS (
                    SELECT FROM lesson_teacher
                    WHERE school_id = $2 AND lesson_id = lesson.id AND person_id = $3
                )
            ) AS is_taught
        ) AS asked
        WHERE lesson.school_id = ANY ($6::uuid[] || $2::uuid) AND lesson.id = $1 AND (
            asked.is_taught OR (lesson.school_id = $2 AND ($4 OR EXISTS (
                SELECT FROM enrolment WHERE school_id = $2 AND course_id = lesson.course_id AND person_id = $3
            ))) OR EXISTS (
                SELECT FROM guardianship AS parenthood JOIN enrolment ON enrolment.school_id = parenthood.school_id
                    AND enrolment.person_id = parenthood.child_id
                WHERE parenthood.school_id = lesson.school_id AND parenthood.parent_id = ANY ($5::uuid[])
                    AND enrolment.course_id = lesson.course_id AND enrolment.role = 'pupil'
            )
        )
        """,
        lesson_id,
        school_id,
        person_id,
        is_staff,
        [parent_id for _, parent_id in family],
        [parent_school for parent_school, _ in family],
    )
    if row is None:
        return None
    *lesson, is_taught, private_note, is_cancelled_by_teacher = row
    return OpenLesson(lesson_in(lesson), is_taught, private_note, is_cancelled_by_teacher)


async def write_notes(
    tx: Transaction, lesson: Lesson, *, room: str, public_note: str, private_note: str, at: datetime, by: UUID
) -> None:
    """What a teacher says of a lesson. Changed notes are theirs from then on; a room alone is not a note."""
    await tx.execute(
        """
        UPDATE lesson SET
            room = $3, public_note = $4, private_note = $5,
            noted_at = CASE WHEN (public_note, private_note) IS DISTINCT FROM ($4, $5) THEN $6 ELSE noted_at END,
            noted_by = CASE WHEN (public_note, private_note) IS DISTINCT FROM ($4, $5) THEN $7 ELSE noted_by END
        WHERE school_id = $1 AND id = $2
        """,
        lesson.school_id,
        lesson.id,
        room,
        public_note,
        private_note,
        at,
        by,
    )


async def set_cancelled(tx: Transaction, lesson: Lesson, at: datetime | None, by: UUID | None) -> None:
    """Cancel a lesson, or with None and None let it take place after all."""
    await tx.execute(
        "UPDATE lesson SET cancelled_at = $3, cancelled_by = $4 WHERE school_id = $1 AND id = $2",
        lesson.school_id,
        lesson.id,
        at,
        by,
    )


async def cancel_lessons_of(tx: Transaction, school_id: UUID, course_ids: Sequence[UUID], at: datetime) -> int:
    """Cancel the coming lessons of courses, from the school's day of `at` on; how many."""
    return await tx.execute(
        """
        UPDATE lesson SET cancelled_at = $3 FROM school
        WHERE school.id = $1 AND lesson.school_id = $1 AND lesson.course_id = ANY($2) AND lesson.cancelled_at IS NULL
          AND lesson.date >= ($3 AT TIME ZONE school.time_zone)::date
        """,
        school_id,
        list(course_ids),
        at,
    )


async def list_material(tx: Transaction, lessons: Iterable[tuple[UUID, UUID]]) -> dict[UUID, tuple[Material, ...]]:
    """The documents of lessons, given as (school, lesson), in their order."""
    keys = list(lessons)
    rows = await tx.fetch(
        """
        SELECT listed.lesson_id, document.id, document.name, document.media_type
        FROM unnest($1::uuid[], $2::uuid[]) AS wanted (school_id, lesson_id)
        JOIN lesson_document AS listed
            ON listed.school_id = wanted.school_id AND listed.lesson_id = wanted.lesson_id
        JOIN document ON document.school_id = listed.school_id AND document.id = listed.document_id
        WHERE document.deleted_at IS NULL
        ORDER BY listed.position, document.name
        """,
        [school_id for school_id, _ in keys],
        [lesson_id for _, lesson_id in keys],
    )
    found: dict[UUID, tuple[Material, ...]] = {}
    for lesson_id, document_id, name, media_type in rows:
        found[lesson_id] = (*found.get(lesson_id, ()), Material(document_id, name, media_type))
    return found


async def list_choices(tx: Transaction, lesson: Lesson, *, most: int) -> list[Material]:
    """The documents of the course that are not material of the lesson yet, the latest first."""
    rows = await tx.fetch(
        """
        SELECT document.id, document.name, document.media_type
        FROM course
        JOIN document ON document.school_id = course.school_id AND document.root_id = course.folder_id
        WHERE course.school_id = $1 AND course.id = $2 AND document.deleted_at IS NULL AND NOT EXISTS (
            SELECT FROM lesson_document AS listed
            WHERE listed.school_id = $1 AND listed.lesson_id = $3 AND listed.document_id = document.id
        )
        ORDER BY document.added_at DESC
        LIMIT $4
        """,
        lesson.school_id,
        lesson.course_id,
        lesson.id,
        most,
    )
    return [Material(*row) for row in rows]


async def add_material(tx: Transaction, lesson: Lesson, document_ids: Sequence[UUID]) -> int:
    """Put documents of the course's folder after the lesson's material; how many were added."""
    return await tx.execute(
        """
        INSERT INTO lesson_document (school_id, lesson_id, document_id, position)
        SELECT $1, $2, document.id, (
            SELECT coalesce(max(position), 0) FROM lesson_document WHERE school_id = $1 AND lesson_id = $2
        ) + row_number() OVER (ORDER BY document.name)
        FROM course
        JOIN document ON document.school_id = $1 AND document.root_id = course.folder_id
        WHERE course.school_id = $1 AND course.id = $3 AND document.id = ANY ($4) AND document.deleted_at IS NULL
        ON CONFLICT DO NOTHING
        """,
        lesson.school_id,
        lesson.id,
        lesson.course_id,
        list(document_ids),
    )


async def remove_material(tx: Transaction, lesson: Lesson, document_id: UUID) -> int:
    """Take a document from the lesson's material; it stays in its folder."""
    return await tx.execute(
        "DELETE FROM lesson_document WHERE school_id = $1 AND lesson_id = $2 AND document_id = $3",
        lesson.school_id,
        lesson.id,
        document_id,
    )
