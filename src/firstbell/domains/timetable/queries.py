"""Statements on lessons, their teachers and their material."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from firstbell.domains.timetable.model.lessons import CourseKey, Lesson, LessonCounts, Material, OpenLesson
from firstbell.domains.timetable.model.slots import KnownCourse, Planned
from firstbell.kernel.db import Transaction

CourseDays = tuple[list[Lesson], list[Lesson]]
"""Lessons of today, and of the next day."""


def _lesson(row: Iterable[Any]) -> Lesson:
    """A row of the view `lesson_card`."""
    facts = list(row)
    facts[-1] = tuple(facts[-1])
    return Lesson(*facts)


async def list_course_days(tx: Transaction, courses: Sequence[CourseKey], today: date) -> dict[CourseKey, CourseDays]:
    """For each course its lessons of today and those of the next day on which it has any."""
    rows = await tx.fetch(
        """
        SELECT lesson.*
        FROM unnest($1::uuid[], $2::uuid[]) AS wanted (school_id, course_id)
        CROSS JOIN LATERAL (
            SELECT min(coming.date) AS date FROM (
                SELECT later.date FROM lesson AS later
                WHERE later.school_id = wanted.school_id AND later.course_id = wanted.course_id AND later.date > $3
                ORDER BY later.date LIMIT 1
            ) AS coming
        ) AS next
        CROSS JOIN LATERAL (
            SELECT * FROM lesson_card AS card
            WHERE card.school_id = wanted.school_id AND card.course_id = wanted.course_id
                AND card.date = ANY (ARRAY[$3, next.date])
        ) AS lesson
        """,
        [school_id for school_id, _ in courses],
        [course_id for _, course_id in courses],
        today,
    )
    days: dict[CourseKey, CourseDays] = {course: ([], []) for course in courses}
    for row in rows:
        lesson = _lesson(row)
        days[lesson.school_id, lesson.course_id][lesson.date > today].append(lesson)
    return days


async def list_teacher_days(tx: Transaction, school_id: UUID, person_id: UUID, today: date) -> list[Lesson]:
    """The lessons that somebody teaches today and on the next day on which they teach."""
    rows = await tx.fetch(
        """
        SELECT lesson.*
        FROM lesson_teacher AS own
        JOIN lesson_card AS lesson ON lesson.school_id = own.school_id AND lesson.id = own.lesson_id
        WHERE own.school_id = $1 AND own.person_id = $2 AND own.date = ANY (ARRAY[$3, (
            SELECT later.date FROM lesson_teacher AS later
            WHERE later.school_id = $1 AND later.person_id = $2 AND later.date > $3
            ORDER BY later.date LIMIT 1
        )])
        """,
        school_id,
        person_id,
        today,
    )
    return [_lesson(row) for row in rows]


async def list_pupil_lessons(
    tx: Transaction, school_id: UUID, person_id: UUID, first: date, last: date
) -> list[Lesson]:
    """The lessons of the courses that a pupil follows, from `first` to `last`."""
    rows = await tx.fetch(
        """
        SELECT lesson.*
        FROM enrolment
        JOIN lesson_card AS lesson ON lesson.school_id = enrolment.school_id AND lesson.course_id = enrolment.course_id
        WHERE enrolment.school_id = $1 AND enrolment.person_id = $2 AND enrolment.role = 'pupil'
            AND lesson.date BETWEEN $3 AND $4
        """,
        school_id,
        person_id,
        first,
        last,
    )
    return [_lesson(row) for row in rows]


async def list_teacher_lessons(
    tx: Transaction, school_id: UUID, person_id: UUID, first: date, last: date
) -> list[Lesson]:
    """The lessons that somebody teaches, from `first` to `last`."""
    rows = await tx.fetch(
        """
        SELECT lesson.*
        FROM lesson_teacher AS own
        JOIN lesson_card AS lesson ON lesson.school_id = own.school_id AND lesson.id = own.lesson_id
        WHERE own.school_id = $1 AND own.person_id = $2 AND own.date BETWEEN $3 AND $4
        """,
        school_id,
        person_id,
        first,
        last,
    )
    return [_lesson(row) for row in rows]


async def list_class_lessons(tx: Transaction, school_id: UUID, class_id: UUID, first: date, last: date) -> list[Lesson]:
    """The lessons of the courses that pupils of a class follow, from `first` to `last`."""
    rows = await tx.fetch(
        """
        WITH followed AS MATERIALIZED (
            SELECT DISTINCT enrolment.course_id
            FROM class_member AS member
            JOIN enrolment ON enrolment.school_id = member.school_id AND enrolment.person_id = member.person_id
            WHERE member.school_id = $1 AND member.class_id = $2 AND member.role = 'pupil' AND enrolment.role = 'pupil'
        )
        SELECT lesson.*
        FROM followed
        JOIN lesson_card AS lesson ON lesson.school_id = $1 AND lesson.course_id = followed.course_id
        WHERE lesson.date BETWEEN $3 AND $4
        """,
        school_id,
        class_id,
        first,
        last,
    )
    return [_lesson(row) for row in rows]


async def list_next_lessons(
    tx: Transaction, school_id: UUID, course_id: UUID, today: date, *, most: int = 5
) -> list[Lesson]:
    """The lessons of a course from `today` on, at most so many."""
    rows = await tx.fetch(
        """
        SELECT lesson.*
        FROM lesson_card AS lesson
        WHERE lesson.school_id = $1 AND lesson.course_id = $2 AND lesson.date >= $3
        ORDER BY lesson.date, lesson.starts_at
        LIMIT $4
        """,
        school_id,
        course_id,
        today,
        most,
    )
    return [_lesson(row) for row in rows]


async def list_lessons_at(tx: Transaction, school_id: UUID, now: datetime, *, most: int) -> list[Lesson]:
    """What is being taught at a local moment, at most so many lessons, by class."""
    rows = await tx.fetch(
        """
        SELECT lesson.*
        FROM lesson_card AS lesson
        WHERE lesson.school_id = $1 AND lesson.date = $2 AND lesson.starts_at <= $3 AND lesson.ends_at > $3
            AND NOT lesson.is_cancelled
        ORDER BY lesson.audience, lesson.title
        LIMIT $4
        """,
        school_id,
        now.date(),
        now.time(),
        most,
    )
    return [_lesson(row) for row in rows]


async def count_lessons(tx: Transaction, school_id: UUID, now: datetime) -> LessonCounts:
    """The lessons of the local day of `now`."""
    row = await tx.fetchrow(
        """
        SELECT count(*) FILTER (WHERE cancelled_at IS NULL),
               count(*) FILTER (WHERE cancelled_at IS NULL AND starts_at <= $3 AND ends_at > $3),
               count(*) FILTER (WHERE cancelled_at IS NOT NULL),
               (SELECT max(date) FROM lesson WHERE school_id = $1)
        FROM lesson WHERE school_id = $1 AND date = $2
        """,
        school_id,
        now.date(),
        now.time(),
    )
    return LessonCounts(0, 0, 0, None) if row is None else LessonCounts(*row)


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
    return OpenLesson(_lesson(lesson), is_taught, private_note, is_cancelled_by_teacher)


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


async def list_known_courses(tx: Transaction, school_id: UUID) -> list[KnownCourse]:
    """The courses as a timetable file may name them."""
    rows = await tx.fetch(
        """
        SELECT course.id, course.source_id, course.title, course.audience, class.name,
               array(
                   SELECT person_id FROM enrolment
                   WHERE school_id = course.school_id AND course_id = course.id AND role = 'teacher' ORDER BY person_id
               )
        FROM course LEFT JOIN class ON class.school_id = course.school_id AND class.id = course.class_id
        WHERE course.school_id = $1 AND course.retired_at IS NULL
        """,
        school_id,
    )
    return [KnownCourse(row[0], row[1], row[2], row[3], row[4], tuple(row[5])) for row in rows]


async def list_known_teachers(tx: Transaction, school_id: UUID) -> list[tuple[UUID, str, str | None]]:
    """Id, sign-in name and e-mail address of whoever teaches."""
    rows = await tx.fetch(
        """
        SELECT person.id, person.sign_in_name, person.email
        FROM person_role AS held JOIN person ON person.school_id = held.school_id AND person.id = held.person_id
        WHERE held.school_id = $1 AND held.role = 'teacher' AND person.retired_at IS NULL
        ORDER BY person.id
        """,
        school_id,
    )
    return [(row[0], row[1], row[2]) for row in rows]


async def find_school_year(tx: Transaction, school_id: UUID, day: date) -> tuple[date, date] | None:
    """The school year of a day: the last one that began by then, else the first to come."""
    row = await tx.fetchrow(
        """
        SELECT starts_on, ends_on FROM school_year WHERE school_id = $1
        ORDER BY starts_on > $2, abs(starts_on - $2) LIMIT 1
        """,
        school_id,
        day,
    )
    return None if row is None else (row[0], row[1])


async def lock_timetable(tx: Transaction, school_id: UUID) -> None:
    """One import of a school at a time, until the transaction ends."""
    await tx.execute("SELECT pg_advisory_xact_lock(735101, hashtext($1))", str(school_id))


_INCOMING = (
    "id", "place", "source_id", "course_id", "date", "starts_at", "ends_at", "room", "public_note", "private_note",
    "is_cancelled", "teacher_ids",
)  # fmt: skip


async def make_incoming(tx: Transaction) -> None:
    """A temporary table for what a file says, gone with the transaction."""
    await tx.execute(
        """
        CREATE TEMPORARY TABLE incoming_lesson (
            id uuid NOT NULL, place text NOT NULL, source_id text NOT NULL, course_id uuid NOT NULL, date date NOT NULL,
            starts_at time NOT NULL, ends_at time NOT NULL, room text NOT NULL, public_note text NOT NULL,
            private_note text NOT NULL, is_cancelled boolean NOT NULL, teacher_ids uuid[] NOT NULL
        ) ON COMMIT DROP
        """
    )


async def copy_incoming(tx: Transaction, planned: Iterable[tuple[UUID, Planned]]) -> None:
    """Send a batch of planned lessons, each with the id that it gets when it is new."""
    await tx.copy(
        "incoming_lesson",
        _INCOMING,
        (
            (
                new_id, one.slot.place, one.slot.source_id, one.course_id, one.slot.date, one.slot.starts_at,
                one.slot.ends_at, one.slot.room, one.slot.public_note, one.slot.private_note,
                one.slot.is_cancelled, one.teacher_ids,
            )
            for new_id, one in planned
        ),
    )  # fmt: skip


async def take_out_repeated(tx: Transaction) -> list[str]:
    """Forget lessons that a file says again; their places in the file."""
    rows = await tx.fetch(
        """
        DELETE FROM incoming_lesson AS again USING (
            SELECT id, row_number() OVER (PARTITION BY source_id ORDER BY id) AS number FROM incoming_lesson
        ) AS counted
        WHERE again.id = counted.id AND counted.number > 1
        RETURNING again.place
        """
    )
    return [row[0] for row in rows]


async def finish_incoming(tx: Transaction) -> None:
    """Let the planner know what was sent."""
    await tx.execute("CREATE INDEX ON incoming_lesson (source_id)")
    await tx.execute("ANALYZE incoming_lesson")


async def change_lessons(tx: Transaction, school_id: UUID, at: datetime) -> int:
    """Bring known lessons to what the file says; how many changed."""
    return await tx.execute(
        """
        UPDATE lesson SET
            course_id = incoming.course_id, date = incoming.date, starts_at = incoming.starts_at,
            ends_at = incoming.ends_at, source_room = incoming.room,
            room = CASE WHEN lesson.source_room = incoming.room THEN lesson.room ELSE incoming.room END,
            public_note = CASE WHEN noted_at IS NULL THEN incoming.public_note ELSE lesson.public_note END,
            private_note = CASE WHEN noted_at IS NULL THEN incoming.private_note ELSE lesson.private_note END,
            cancelled_at = CASE
                WHEN cancelled_by IS NOT NULL THEN cancelled_at
                WHEN incoming.is_cancelled THEN coalesce(cancelled_at, $2)
            END
        FROM incoming_lesson AS incoming
        WHERE lesson.school_id = $1 AND lesson.source_id = incoming.source_id AND (
            (lesson.course_id, lesson.date, lesson.starts_at, lesson.ends_at, lesson.source_room)
                IS DISTINCT FROM
            (incoming.course_id, incoming.date, incoming.starts_at, incoming.ends_at, incoming.room)
            OR (noted_at IS NULL AND (lesson.public_note, lesson.private_note)
                IS DISTINCT FROM (incoming.public_note, incoming.private_note))
            OR (cancelled_by IS NULL AND (lesson.cancelled_at IS NOT NULL) <> incoming.is_cancelled)
            OR incoming.teacher_ids <> array(
                SELECT person_id FROM lesson_teacher
                WHERE school_id = $1 AND lesson_id = lesson.id ORDER BY person_id
            )
        )
        """,
        school_id,
        at,
    )


async def insert_lessons(tx: Transaction, school_id: UUID, at: datetime) -> int:
    """Add the lessons that the file has and we have not; how many."""
    return await tx.execute(
        """
        INSERT INTO lesson (
            school_id, id, course_id, source_id, date, starts_at, ends_at, room, source_room, public_note,
            private_note, cancelled_at
        )
        SELECT $1, incoming.id, course_id, source_id, date, starts_at, ends_at, room, room, public_note, private_note,
               CASE WHEN is_cancelled THEN $2::timestamptz END
        FROM incoming_lesson AS incoming
        WHERE NOT EXISTS (SELECT FROM lesson WHERE school_id = $1 AND source_id = incoming.source_id)
        """,
        school_id,
        at,
    )


async def mark_gone_lessons(tx: Transaction, school_id: UUID, first: date, last: date) -> None:
    """Note which lessons of these days the file no longer has, and which of them a teacher worked on."""
    await tx.execute("CREATE TEMPORARY TABLE gone_lesson (id uuid NOT NULL, is_kept boolean NOT NULL) ON COMMIT DROP")
    await tx.execute(
        """
        INSERT INTO gone_lesson (id, is_kept)
        SELECT lesson.id, lesson.noted_at IS NOT NULL OR EXISTS (
            SELECT FROM lesson_document AS listed WHERE listed.school_id = $1 AND listed.lesson_id = lesson.id
        )
        FROM lesson
        WHERE lesson.school_id = $1 AND lesson.date BETWEEN $2 AND $3
            AND NOT EXISTS (SELECT FROM incoming_lesson AS incoming WHERE incoming.source_id = lesson.source_id)
        """,
        school_id,
        first,
        last,
    )


async def cancel_gone_lessons(tx: Transaction, school_id: UUID, at: datetime) -> int:
    """Cancel what the file no longer has and a teacher wrote notes or chose material for; how many."""
    return await tx.execute(
        """
        UPDATE lesson SET cancelled_at = $2 FROM gone_lesson AS gone
        WHERE lesson.school_id = $1 AND lesson.id = gone.id AND gone.is_kept AND lesson.cancelled_at IS NULL
        """,
        school_id,
        at,
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


async def remove_gone_lessons(tx: Transaction, school_id: UUID) -> int:
    """Remove what the file no longer has and no teacher worked on; how many."""
    await tx.execute(
        """
        DELETE FROM lesson_teacher AS teaching USING gone_lesson AS gone
        WHERE teaching.school_id = $1 AND teaching.lesson_id = gone.id AND NOT gone.is_kept
        """,
        school_id,
    )
    return await tx.execute(
        """
        DELETE FROM lesson USING gone_lesson AS gone
        WHERE lesson.school_id = $1 AND lesson.id = gone.id AND NOT gone.is_kept
        """,
        school_id,
    )


async def change_lesson_teachers(tx: Transaction, school_id: UUID) -> None:
    """Bring the teachers of the file's lessons to what it says, and their dates to those of the lessons."""
    await tx.execute(
        """
        DELETE FROM lesson_teacher AS teaching
        USING lesson JOIN incoming_lesson AS incoming ON incoming.source_id = lesson.source_id
        WHERE teaching.school_id = $1 AND lesson.school_id = $1 AND teaching.lesson_id = lesson.id
            AND NOT (teaching.person_id = ANY (incoming.teacher_ids) AND teaching.date = lesson.date)
        """,
        school_id,
    )
    await tx.execute(
        """
        INSERT INTO lesson_teacher (school_id, lesson_id, person_id, date)
        SELECT $1, lesson.id, teacher.id, lesson.date
        FROM incoming_lesson AS incoming
        JOIN lesson ON lesson.school_id = $1 AND lesson.source_id = incoming.source_id
        CROSS JOIN unnest(incoming.teacher_ids) AS teacher (id)
        ON CONFLICT DO NOTHING
        """,
        school_id,
    )
