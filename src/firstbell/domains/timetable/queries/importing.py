"""Statements by which a timetable file becomes lessons."""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from firstbell.domains.timetable.model.slots import KnownCourse, Planned
from firstbell.kernel.db import Transaction


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
        SELECT id, sign_in_name, email FROM person
        WHERE school_id = $1 AND 'teacher' = ANY (roles) AND retired_at IS NULL
        ORDER BY id
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
